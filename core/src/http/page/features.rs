//! What the license lists, and how much of it was used.

use super::outlook::Outlook;
use super::text::shown;
use super::when::{Moment, count, number};
use super::words::{Tone, feature_name};
use crate::errors::Code;
use crate::verdict::{Access, FeatureVerdict, Reason};

/// Features of each kind that are shown at once; the rest is folded away.
const AT_ONCE: usize = 24;

/// What the license lists.
#[derive(Debug, Default)]
pub(super) struct Features {
    pub(super) measured: Fold<Measured>,
    pub(super) plain: Fold<Plain>,
}

/// Features of one kind.
#[derive(Debug)]
pub(super) struct Fold<T> {
    pub(super) shown: Vec<T>,
    pub(super) folded: Vec<T>,
}

impl<T> Default for Fold<T> {
    fn default() -> Fold<T> {
        Fold { shown: Vec::new(), folded: Vec::new() }
    }
}

impl<T> Fold<T> {
    /// In the order of the license; of more than are shown, those first that are to be looked at.
    fn new(mut all: Vec<T>, feature: impl Fn(&T) -> &Plain) -> Fold<T> {
        if all.len() > AT_ONCE {
            all.sort_by_key(|one| feature(one).tone == Tone::Good);
        }
        let folded = all.split_off(all.len().min(AT_ONCE));
        Fold { shown: all, folded }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

/// A feature that is on or off.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) name: String,
    /// What the program asks for, where the name says it in other words.
    pub(super) id: Option<String>,
    pub(super) tone: Tone,
    pub(super) may: &'static str,
}

/// A feature that is measured.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) feature: Plain,
    /// `3 of 50 this month`.
    pub(super) used: String,
    pub(super) span: String,
    /// `None` = no limit.
    pub(super) bar: Option<Bar>,
    /// What is behind the limit.
    pub(super) note: Option<String>,
    /// When it starts again, and in what words.
    pub(super) resets: Option<(&'static str, Moment)>,
}

/// How full it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// Per cent of the whole bar, from 0 to 100.
    pub(super) full: u64,
    /// Where the limit is, if work goes on behind it.
    pub(super) limit: Option<u64>,
    pub(super) tone: Tone,
}

impl Features {
    pub(super) fn new(it: &Outlook<'_>) -> Features {
        let (mut metered, mut others) = (Vec::new(), Vec::new());
        for found in &it.verdict.features {
            let feature = plain(found);
            match found.used {
                Some(used) => metered.push(measured(found, feature, used, it.now())),
                None => others.push(feature),
            }
        }
        Features {
            measured: Fold::new(metered, |it| &it.feature),
            plain: Fold::new(others, |it| it),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.measured.is_empty() && self.plain.is_empty()
    }
}

fn plain(found: &FeatureVerdict) -> Plain {
    let may = match (found.access, found.reason) {
        (Access::Deny, Reason::No(Code::LimitExceeded)) => "Limit reached",
        (Access::Deny, Reason::No(Code::TooNew)) if !found.feature.is_known() => "Needs an update",
        (Access::Deny, _) => "Stopped",
        (Access::ReadOnly, _) => "Read only",
        (Access::Warn | Access::Allow, reason) if reason == Reason::Ok && found.reached => {
            at_limit(found)
        }
        (Access::Warn, _) => "Allowed for now",
        (Access::Allow, _) => "Allowed",
    };
    let name = feature_name(found);
    let id = Some(shown(&found.feature.id)).filter(|id| *id != name);
    let full = found.reason == Reason::Ok && found.reached && found.access == Access::Allow;
    // What is full works on for those who are in, and takes nobody new.
    let tone = if full { Tone::Look } else { Tone::of(found.access) };
    Plain { name, id, tone, may }
}

/// What to say of a feature that has reached its limit, and works on.
fn at_limit(found: &FeatureVerdict) -> &'static str {
    let used = found.used.unwrap_or(0);
    let is_count = found.feature.meter.as_deref() == Some("count");
    match () {
        () if !is_count && found.stops_at.is_some_and(|stop| used >= stop) => {
            "Full: takes nothing new"
        }
        () if found.feature.max == Some(used) => "At its limit",
        () => "Over its limit",
    }
}

fn measured(found: &FeatureVerdict, feature: Plain, used: u64, now: i64) -> Measured {
    let lists = &found.feature;
    let (is_count, is_level) =
        (lists.meter.as_deref() == Some("count"), lists.meter.as_deref() == Some("level"));
    let span = match (lists.per.as_deref(), lists.days) {
        (Some("hour"), _) => "this hour".to_string(),
        (Some("day"), _) => "today".to_string(),
        (Some("month"), _) => "this month".to_string(),
        (Some("year"), _) => "this year".to_string(),
        (Some(_), _) => "in all".to_string(),
        (None, Some(days)) => format!("different ones in the last {}", count(days.into(), "day")),
        (None, None) => match found.high.filter(|high| *high > used) {
            Some(high) => format!("now, {} at most this month", number(high)),
            None => "now".to_string(),
        },
    };
    let used_told = match lists.max {
        Some(max) => format!("{} of {}", number(used), number(max)),
        None => format!("{} used", number(used)),
    };
    let goes_on = is_count && lists.then.as_deref() == Some("count");
    let note = lists.max.map(|max| {
        let stop = found.stops_at.filter(|stop| *stop > max).map(number);
        let stop = stop.as_deref().unwrap_or("the limit");
        match (is_count, goes_on) {
            (true, true) => format!("Work stops beyond {stop}; use is counted on"),
            (true, false) => format!("Work stops at {stop}"),
            (false, _) if found.stops_at.is_some_and(|stop| used >= stop) => {
                format!("No more than {stop}: one has to leave before a new one")
            }
            (false, _) => format!("No more than {stop}"),
        }
    });
    let note = note.or_else(|| Some("No limit".to_string()));
    let resets = found.resets_at.map(|at| {
        (if is_count { "Starts again" } else { "Oldest one leaves" }, Moment::new(at, now))
    });
    let resets = resets.filter(|_| !is_level);
    Measured { used: used_told, span, bar: bar(found, used), note, resets, feature }
}

/// The bar of a feature with a limit: its end is where work stops.
fn bar(found: &FeatureVerdict, used: u64) -> Option<Bar> {
    let max = found.feature.max?;
    let end = found.stops_at.unwrap_or(max).max(max);
    let part = |of: u64| match end {
        0 => 100,
        // Full is only what is: 999 of 1000 is not.
        end => u64::try_from(u128::from(of.min(end)) * 100 / u128::from(end)).unwrap_or(100),
    };
    let some = u64::from(used > 0);
    let tone = match (used > max || found.reached, part(used)) {
        _ if found.reason == Reason::No(Code::LimitExceeded) => Tone::Bad,
        (true, _) | (_, 90..) => Tone::Look,
        _ => Tone::Good,
    };
    Some(Bar { full: part(used).max(some), limit: (end > max).then(|| part(max)), tone })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Feature;
    use crate::usage::limit;

    fn found(max: u64, over: u32, used: u64) -> FeatureVerdict {
        let feature = Feature {
            meter: Some("count".into()),
            per: Some("month".into()),
            max: Some(max),
            over: Some(over),
            ..Feature::new("exports")
        };
        let reach = limit::verdict(&feature, used);
        FeatureVerdict {
            access: Access::Allow,
            reason: Reason::Ok,
            used: Some(used),
            high: Some(used),
            stops_at: reach.stops_at,
            left: Some(max.saturating_sub(used)),
            reached: reach.reached,
            resets_at: Some(86_400),
            over_limit: false,
            feature,
        }
    }

    #[test]
    fn a_bar_is_full_where_work_stops_and_never_before() {
        for (max, over, used, full, mark, tone) in [
            (100, 0, 0, 0, None, Tone::Good),
            (100, 0, 50, 50, None, Tone::Good),
            (1_000, 0, 999, 99, None, Tone::Look),
            (1_000, 0, 1, 1, None, Tone::Good),
            (100, 0, 100, 100, None, Tone::Look),
            (100, 100, 150, 75, Some(50), Tone::Look),
            (100, 100, 900, 100, Some(50), Tone::Look),
            (0, 0, 0, 100, None, Tone::Look),
            (u64::MAX >> 11, 1_000, u64::MAX >> 11, 9, Some(9), Tone::Look),
        ] {
            let bar = bar(&found(max, over, used), used).unwrap();
            assert_eq!(bar, Bar { full, limit: mark, tone }, "{max} {over} {used}");
        }
        assert_eq!(bar(&FeatureVerdict { feature: Feature::new("a"), ..found(1, 0, 0) }, 1), None);
    }

    #[test]
    fn use_is_told_with_its_limit_and_what_is_behind_it() {
        let told = |found: &FeatureVerdict| {
            let row = measured(found, plain(found), found.used.unwrap(), 0);
            (row.used, row.span, row.note.unwrap(), row.resets.map(|(_, at)| at.relative))
        };
        let row = |used: &str, span: &str, note: &str, at: Option<&str>| {
            (used.into(), span.into(), note.into(), at.map(String::from))
        };
        let limited = found(50_000, 10, 1_234);
        let wanted = row("1,234 of 50,000", "this month", "Work stops at 55,000", Some("in 1 day"));
        assert_eq!(told(&limited), wanted);
        let mut counting = found(5, 0, 9);
        counting.feature.then = Some("count".into());
        assert_eq!(told(&counting).2, "Work stops beyond the limit; use is counted on");
        let mut level = found(5, 0, 2);
        level.feature = Feature { meter: Some("level".into()), ..Feature::new("seats") };
        (level.resets_at, level.high) = (None, Some(4));
        let wanted = row("2 used", "now, 4 at most this month", "No limit", None);
        assert_eq!(told(&level), wanted);
    }

    #[test]
    fn what_is_at_its_limit_does_not_look_fine() {
        let told = |meter: &str, then: &str, over: u32, used: u64| {
            let mut found = found(15, over, used);
            found.feature.meter = Some(meter.into());
            found.feature.then = Some(then.into());
            let (standing, reasons) = (limit::verdict(&found.feature, used).standing, Reason::Ok);
            (found.access, found.reason) = match standing {
                limit::Standing::Allow => (Access::Allow, reasons),
                limit::Standing::Warn => (Access::Warn, reasons),
                limit::Standing::Stopped => (Access::Deny, Reason::No(Code::LimitExceeded)),
            };
            let row = plain(&found);
            (row.tone, row.may)
        };
        for meter in ["level", "distinct"] {
            assert_eq!(told(meter, "stop", 0, 14), (Tone::Good, "Allowed"));
            assert_eq!(told(meter, "stop", 0, 15), (Tone::Look, "Full: takes nothing new"));
            assert_eq!(told(meter, "stop", 20, 15), (Tone::Look, "At its limit"));
            assert_eq!(told(meter, "stop", 20, 16), (Tone::Look, "Over its limit"));
            assert_eq!(told(meter, "stop", 20, 18), (Tone::Look, "Full: takes nothing new"));
            assert_eq!(told(meter, "stop", 0, 16), (Tone::Bad, "Limit reached"));
        }
        assert_eq!(told("count", "stop", 0, 14), (Tone::Good, "Allowed"));
        assert_eq!(told("count", "stop", 0, 15), (Tone::Bad, "Limit reached"));
        assert_eq!(told("count", "stop", 20, 15), (Tone::Look, "At its limit"));
        assert_eq!(told("count", "count", 0, 15), (Tone::Look, "At its limit"));
        assert_eq!(told("count", "count", 20, 16), (Tone::Look, "Over its limit"));
    }
}
