//! Reports: what charts are drawn from. Figures of each day are kept up to date beside the work,
//! so that who looks at a year of a million licenses reads a few hundred numbers.
//!
//! A figure is of one organization, product and day (UTC). What happens on a day (licenses that
//! were made, reports that came) is its sum; what there is (active licenses, machines, seats) is as
//! it was when it was last looked at on that day.

mod counts;
mod summary;

pub use counts::Counts;
pub use summary::{SUMMARY_AT, TIMES, USAGE_AT, refresh, refresh_all, run};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Seconds.
pub const DAY: i64 = 86_400;

/// The first second of the day of a time.
pub fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY).saturating_mul(DAY)
}

/// What there is a number of for each day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Licenses that are good.
    LicensesActive,
    /// Licenses on hold.
    LicensesSuspended,
    /// Licenses that have ended.
    LicensesExpired,
    /// Licenses that were made.
    LicensesCreated,
    /// Licenses that were revoked.
    LicensesRevoked,
    /// Installations that take a machine.
    Activations,
    /// Installations that were activated for the first time.
    ActivationsNew,
    /// Installations whose machine was freed.
    ActivationsEnded,
    /// Seats that somebody had.
    SeatsInUse,
    /// The most seats that somebody had at a time.
    SeatsPeak,
    /// Seats that active licenses grant.
    SeatsGranted,
    /// Reports of products.
    Syncs,
}

impl Metric {
    /// Every one.
    pub const ALL: [Metric; 12] = [
        Metric::LicensesActive,
        Metric::LicensesSuspended,
        Metric::LicensesExpired,
        Metric::LicensesCreated,
        Metric::LicensesRevoked,
        Metric::Activations,
        Metric::ActivationsNew,
        Metric::ActivationsEnded,
        Metric::SeatsInUse,
        Metric::SeatsPeak,
        Metric::SeatsGranted,
        Metric::Syncs,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Metric::LicensesActive => "licenses_active",
            Metric::LicensesSuspended => "licenses_suspended",
            Metric::LicensesExpired => "licenses_expired",
            Metric::LicensesCreated => "licenses_created",
            Metric::LicensesRevoked => "licenses_revoked",
            Metric::Activations => "activations",
            Metric::ActivationsNew => "activations_new",
            Metric::ActivationsEnded => "activations_ended",
            Metric::SeatsInUse => "seats_in_use",
            Metric::SeatsPeak => "seats_peak",
            Metric::SeatsGranted => "seats_granted",
            Metric::Syncs => "syncs",
        }
    }

    /// Whether it is what happens on a day: a day without a number has none of it. Of what there
    /// is, such a day is not known.
    pub const fn happens(self) -> bool {
        matches!(
            self,
            Metric::LicensesCreated
                | Metric::LicensesRevoked
                | Metric::ActivationsNew
                | Metric::ActivationsEnded
                | Metric::Syncs
        )
    }
}

/// Licenses that are revoked, in all.
pub const REVOKED_IN_ALL: &str = "licenses_revoked_in_all";

/// Reports of products by hour: kept for some days.
pub const SYNCS_BY_HOUR: &str = "syncs_by_hour";

/// What was used, by period: the label is the feature, a space, and what is counted.
pub const USAGE: &str = "usage";

/// The label of a meter.
pub fn label(feature: &str, kind: &str) -> String {
    format!("{feature} {kind}")
}

/// The feature and the kind of a meter's label.
pub fn meter(label: &str) -> (&str, &str) {
    label.rsplit_once(' ').unwrap_or((label, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_called_as_it_is_written() {
        for metric in Metric::ALL {
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.word());
        }
    }

    #[test]
    fn a_day_begins_at_midnight() {
        assert_eq!((day_of(0), day_of(DAY - 1), day_of(DAY)), (0, 0, DAY));
        assert_eq!(day_of(-1), -DAY);
    }

    #[test]
    fn a_label_says_feature_and_kind() {
        assert_eq!(meter(&label("api:calls", "month")), ("api:calls", "month"));
    }
}
