//! What holds: one function from what is known to what may be done. No clock, no files, no state:
//! docs/verdict.md.

mod causes;
mod explain;
pub(crate) mod facts;
mod features;
mod json;
mod judge;
mod moment;
mod sentences;
mod status;
mod summary;
mod timeline;
mod warnings;
mod winner;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use explain::explain;
pub use facts::Access;
pub(crate) use facts::{
    Anchor, Candidate, Deployment, Drift, Facts, Failure, Floor, Held, Issuer, IssuerStatus, Now,
    Source, StateHealth, Terms,
};
pub(crate) use judge::{gate, judge, rule};
pub(crate) use status::{FeatureVerdict, Gate, SourceVerdict, Step, Verdict, Winner};
pub(crate) use summary::Support;
pub(crate) use words::{Alert, Event, Reason, Topic};
