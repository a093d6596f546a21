//! How much was used: docs/state.md.

mod checkpoint;
pub(crate) mod ledger;
pub(crate) mod limit;
mod meter;
mod period;
mod record;
mod tail;
pub(crate) mod totals;

pub(crate) use ledger::Ledger;
pub(crate) use limit::{Reach, Standing, verdict};
pub(crate) use meter::Entry;
pub(crate) use totals::{Report, Row, Totals, Use};
