//! What was used: a total for every meter and period.

use crate::feature::Feature;

/// The totals of one installation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {}

/// What one meter has come to at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Use {
    /// In the period or window of that moment; of a level, its value.
    pub(crate) used: u64,
    /// The highest level in the UTC month of that moment; of the others, the same as `used`.
    pub(crate) high: u64,
    /// When a counter starts again, or the oldest key leaves the window; `None` = never.
    pub(crate) resets_at: Option<i64>,
}

impl Totals {
    /// What a feature has come to at a time.
    pub(crate) fn of(&self, _feature: &Feature, _at: i64) -> Use {
        Use::default()
    }
}
