//! How much was used: docs/state.md.

mod checkpoint;
mod commit;
pub(crate) mod ledger;
pub(crate) mod limit;
#[cfg(test)]
mod made;
mod meter;
mod period;
mod record;
mod tail;
mod ticks;
pub(crate) mod totals;
mod view;

pub(crate) use ledger::Ledger;
pub(crate) use meter::Entry;
pub(crate) use totals::{Place, Row, Totals};

#[cfg(test)]
mod tests;
