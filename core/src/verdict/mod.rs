//! What holds: one function from what is known to what may be done. No clock, no files, no state:
//! docs/verdict.md.

pub(crate) mod facts;
mod status;
mod words;

pub use facts::Access;
pub(crate) use facts::{
    Anchor, Candidate, Deployment, Drift, Facts, Floor, Held, Issuer, IssuerStatus, Now, Source,
    StateHealth, Terms,
};
pub(crate) use status::{
    FeatureVerdict, Gate, SourceVerdict, Step, Verdict, Warning, Winner, explain, gate, judge,
};
pub(crate) use words::{Alert, Event, Reason, Topic};
