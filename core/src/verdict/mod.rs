//! What holds: one function from what is known to what may be done. No clock, no files, no state:
//! docs/verdict.md.

pub(crate) mod facts;

pub use facts::Access;
pub(crate) use facts::{
    Anchor, Candidate, Deployment, Drift, Facts, Floor, Held, Issuer, IssuerStatus, Now, Source,
    StateHealth, Terms,
};
