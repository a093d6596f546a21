//! Where work stops: the limit of a feature, and what its license allows over it.

use crate::feature::Feature;

/// What a limit lets be done, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Nothing: the stop line is passed, or the next use would pass it.
    Stopped,
    /// Everything, over the limit or at it.
    Warn,
    /// Everything.
    Allow,
}

/// How a use stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// The most that may be used: `max` and what is allowed over it; `None` = no limit.
    pub(crate) stops_at: Option<u64>,
    /// Whether `max` is reached.
    pub(crate) reached: bool,
    /// What may be done with the feature, as far as its limit goes.
    pub(crate) standing: Standing,
}

/// Judges what was used of a feature. One without a meter or a `max` has no limit.
pub(crate) fn verdict(feature: &Feature, used: u64) -> Reach {
    let (Some(max), Some(meter)) = (feature.max, feature.meter.as_deref()) else {
        return Reach { stops_at: None, reached: false, standing: Standing::Allow };
    };
    let stops_at = stop_line(max, feature.over.unwrap_or(0));
    let reached = used >= max;
    // The next call of a counter would be refused: it is over. A level at its limit is in use.
    let counts = meter == "count";
    let standing = if used > stops_at || (counts && stops(feature) && used >= stops_at) {
        Standing::Stopped
    } else if used > max || (counts && reached) {
        Standing::Warn
    } else {
        Standing::Allow
    };
    Reach { stops_at: Some(stops_at), reached, standing }
}

/// Whether what would go past the stop line is refused, and not counted.
pub(crate) fn stops(feature: &Feature) -> bool {
    feature.then.as_deref().is_none_or(|then| then == "stop")
}

/// `max` and `over` per cent of it, rounded down.
fn stop_line(max: u64, over: u32) -> u64 {
    let line = u128::from(max) * (100 + u128::from(over)) / 100;
    u64::try_from(line).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::INTEGER_MAX;
    use Standing::{Allow, Stopped, Warn};

    fn feature(meter: &str, max: Option<u64>, over: Option<u32>, then: Option<&str>) -> Feature {
        Feature {
            meter: Some(meter.into()),
            max,
            over,
            then: then.map(Into::into),
            ..Feature::new("a")
        }
    }

    #[test]
    fn each_meter_stops_where_its_license_says() {
        let cases = [
            // meter, max, over, then, [(used, standing)]
            (
                "count",
                900,
                Some(10),
                Some("count"),
                vec![(0, Allow), (899, Allow), (900, Warn), (990, Warn), (991, Stopped)],
            ),
            ("count", 900, Some(10), Some("stop"), vec![(899, Allow), (900, Warn), (990, Stopped)]),
            ("count", 900, None, None, vec![(899, Allow), (900, Stopped), (901, Stopped)]),
            ("count", 900, None, Some("count"), vec![(899, Allow), (900, Warn), (901, Stopped)]),
            ("count", 0, None, None, vec![(0, Stopped)]),
            ("level", 15, None, None, vec![(14, Allow), (15, Allow), (16, Stopped)]),
            ("level", 15, Some(10), None, vec![(15, Allow), (16, Warn), (17, Stopped)]),
            ("level", 0, Some(1000), None, vec![(0, Allow), (1, Stopped)]),
            ("distinct", 3, None, Some("count"), vec![(3, Allow), (4, Stopped)]),
            ("distinct", 10, Some(19), Some("stop"), vec![(11, Warn), (12, Stopped)]),
        ];
        for (meter, max, over, then, uses) in cases {
            let feature = feature(meter, Some(max), over, then);
            for (used, standing) in uses {
                let reach = verdict(&feature, used);
                assert_eq!(reach.standing, standing, "{meter} {used} of {max} + {over:?} {then:?}");
                assert_eq!(reach.reached, used >= max);
            }
        }
    }

    #[test]
    fn no_number_is_too_large() {
        let most = feature("level", Some(INTEGER_MAX), Some(1000), None);
        assert_eq!(verdict(&most, 0).stops_at, Some(INTEGER_MAX * 11));
        let wild = feature("level", Some(u64::MAX), Some(u32::MAX), None);
        assert_eq!(verdict(&wild, u64::MAX).stops_at, Some(u64::MAX));
        let free = feature("count", None, None, None);
        assert_eq!(verdict(&free, u64::MAX).standing, Allow);
        assert_eq!(verdict(&Feature::new("a"), 5).stops_at, None);
    }
}
