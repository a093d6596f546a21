//! How much was used: docs/state.md.

pub(crate) mod totals;
