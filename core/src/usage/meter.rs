//! One meter: what one feature has come to, in every period that is still of interest.

use super::period::{self, Per};
use crate::errors::{Code, Error, Result};
use crate::feature::Feature;
use crate::json::INTEGER_MAX;
use crate::limits::{KEY_DAYS_MAX, PERIOD_DAYS_MAX};
use crate::stages::DAY;
use std::collections::{BTreeMap, HashMap};

/// How a meter measures. A feature whose license changes that starts another meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// It adds up, and starts again with each period.
    Count(Per),
    /// It is what it was last set to.
    Level,
    /// It is how many different keys there were on the last days.
    Distinct,
}

/// Every kind, its number in a record and its word. Numbers are never used again.
const KINDS: &[(Kind, u8, &str)] = &[
    (Kind::Count(Per::Hour), 1, "hour"),
    (Kind::Count(Per::Day), 2, "day"),
    (Kind::Count(Per::Month), 3, "month"),
    (Kind::Count(Per::Year), 4, "year"),
    (Kind::Count(Per::Ever), 5, "ever"),
    (Kind::Level, 6, "level"),
    (Kind::Distinct, 7, "distinct"),
];

impl Kind {
    /// How a feature is measured. `None` = it is not, or in a way of a later version.
    pub(crate) fn of(feature: &Feature) -> Option<Kind> {
        if !feature.is_known() {
            return None;
        }
        match feature.meter.as_deref()? {
            "count" => Per::of(feature.per.as_deref()?).map(Kind::Count),
            "level" => Some(Kind::Level),
            _ => Some(Kind::Distinct),
        }
    }

    /// Its number in a record.
    pub(crate) fn number(self) -> u8 {
        KINDS.iter().find(|row| row.0 == self).map_or(0, |row| row.1)
    }

    /// By its number in a record.
    pub(crate) fn from_number(number: u8) -> Option<Kind> {
        KINDS.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        KINDS.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// By its word.
    pub(crate) fn from_word(word: &str) -> Option<Kind> {
        KINDS.iter().find(|row| row.2 == word).map(|row| row.0)
    }

    /// The period by which its totals are kept. Of a level and of keys: the highest of a month.
    fn per(self) -> Per {
        if let Kind::Count(per) = self { per } else { Per::Month }
    }
}

/// What one period has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    /// Of a counter the sum; of the others the highest.
    pub(crate) value: u64,
    /// The number of the last record that changed it.
    pub(crate) seq: u64,
}

/// What one meter has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meter {
    /// Every period by its first second.
    pub(crate) periods: BTreeMap<i64, Total>,
    /// The periods before them that were too many to keep: of a counter the sum of those that
    /// were never acknowledged, of the others the highest.
    pub(crate) earlier: Total,
    /// What a level was last set to.
    pub(crate) level: u64,
    /// The keys.
    pub(crate) keys: Keys,
}

/// One thing that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its number: one more than that of the event before it.
    pub(crate) seq: u64,
    /// When it was, in seconds since 1970.
    pub(crate) time: i64,
    /// What was added; of a level its value; of a key how many there were in the window with it.
    pub(crate) amount: u64,
    /// The key, or zeros.
    pub(crate) key: [u8; 16],
}

impl Meter {
    /// Adds what was recorded.
    pub(crate) fn apply(&mut self, kind: Kind, event: Event) {
        let start = kind.per().start(event.time);
        let amount = event.amount.min(INTEGER_MAX);
        let known = self.periods.get(&start).map(|total| total.value);
        let value = match kind {
            Kind::Count(_) => (known.unwrap_or(0) + amount).min(INTEGER_MAX),
            // A month begins with the level that the one before it ended with.
            Kind::Level => known.unwrap_or(self.level).max(amount),
            Kind::Distinct => known.unwrap_or(0).max(amount),
        };
        match kind {
            Kind::Count(_) => {}
            Kind::Level => self.level = amount,
            Kind::Distinct => self.keys.note(event.key, period::day(event.time)),
        }
        self.periods.insert(start, Total { value, seq: event.seq });
    }

    /// What the period of a time has come to.
    pub(crate) fn total(&self, kind: Kind, at: i64) -> u64 {
        self.periods.get(&kind.per().start(at)).map_or(0, |total| total.value)
    }

    /// Whether a level is what it was last set to, in a month that knows it.
    pub(crate) fn is_at(&self, level: u64, at: i64) -> bool {
        self.level == level && self.periods.contains_key(&Kind::Level.per().start(at))
    }

    /// Lets go of what nobody asks for any more: periods that are acknowledged and long over,
    /// the oldest of more periods and keys than are kept, and keys that are in no window.
    pub(crate) fn prune(
        &mut self,
        kind: Kind,
        acknowledged: u64,
        at: Option<i64>,
        (periods_max, keys_max): (usize, usize),
    ) {
        let gone = at.map(|at| period::bounded(at) - PERIOD_DAYS_MAX * DAY);
        let over = |start: i64, total: &Total| {
            kind != Kind::Count(Per::Ever)
                && total.seq <= acknowledged
                && gone.is_some_and(|gone| start < gone)
        };
        let old: Vec<i64> = self
            .periods
            .iter()
            .filter(|(start, total)| over(**start, total))
            .map(|(at, _)| *at)
            .collect();
        for start in old {
            self.fold(kind, start, acknowledged);
        }
        while self.periods.len() > periods_max {
            let Some(start) = self.periods.keys().next().copied() else { break };
            self.fold(kind, start, acknowledged);
        }
        self.keys.prune(at.map(|at| period::day(at) - KEY_DAYS_MAX), keys_max);
    }

    /// Takes a period out of the list.
    fn fold(&mut self, kind: Kind, start: i64, acknowledged: u64) {
        let Some(total) = self.periods.remove(&start) else { return };
        let counts = matches!(kind, Kind::Count(_));
        if counts && total.seq > acknowledged {
            let value = (self.earlier.value + total.value).min(INTEGER_MAX);
            self.earlier = Total { value, seq: self.earlier.seq.max(total.seq) };
        } else if !counts && total.value > self.earlier.value {
            self.earlier = total;
        }
    }

    /// Whether it has nothing to say.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Meter::default()
    }
}

/// Different keys, each with the last day on which it was seen. Keys are digests: nothing tells
/// what they were made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    days: HashMap<[u8; 16], i64>,
    /// How many have each day as their last.
    counts: BTreeMap<i64, u64>,
}

impl Keys {
    /// Notes that a key was seen on a day. The word of the last to say so holds, even where its
    /// day is earlier: a clock that was ahead has been set right.
    pub(crate) fn note(&mut self, key: [u8; 16], day: i64) {
        if let Some(before) = self.days.insert(key, day) {
            self.uncount(before);
        }
        *self.counts.entry(day).or_default() += 1;
    }

    fn uncount(&mut self, day: i64) {
        if let Some(count) = self.counts.get_mut(&day) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&day);
            }
        }
    }

    /// The last day on which a key was seen.
    pub(crate) fn day(&self, key: &[u8; 16]) -> Option<i64> {
        self.days.get(key).copied()
    }

    /// How many were last seen in the window of so many days that ends with a day.
    pub(crate) fn within(&self, day: i64, days: u32) -> u64 {
        self.counts.range(day - i64::from(days) + 1..=day).map(|(_, count)| count).sum()
    }

    /// The oldest day in that window on which a key was last seen.
    pub(crate) fn oldest_within(&self, day: i64, days: u32) -> Option<i64> {
        self.counts.range(day - i64::from(days) + 1..=day).next().map(|(day, _)| *day)
    }

    /// Forgets keys last seen before a day, and the oldest of too many.
    fn prune(&mut self, first: Option<i64>, most: usize) {
        if let Some(first) = first.filter(|first| self.counts.range(..first).next().is_some()) {
            self.days.retain(|_, day| *day >= first);
            self.counts = self.counts.split_off(&first);
        }
        let over = self.days.len().saturating_sub(most);
        if over > 0 {
            let mut oldest = self.sorted();
            oldest.sort_unstable_by_key(|(key, day)| (*day, *key));
            for (key, day) in oldest.into_iter().take(over) {
                self.days.remove(&key);
                self.uncount(day);
            }
        }
    }

    /// Every key with its day, in the order of the keys.
    pub(crate) fn sorted(&self) -> Vec<([u8; 16], i64)> {
        let mut all: Vec<_> = self.days.iter().map(|(key, day)| (*key, *day)).collect();
        all.sort_unstable();
        all
    }
}

/// What is recorded of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A counter counts on by so many.
    Add(u64),
    /// A level is this.
    Level(u64),
    /// A key was seen: a digest of it.
    Key([u8; 16]),
}

impl Entry {
    /// The kind of meter of a feature. Fails with `invalid_argument` where it takes another verb.
    pub(crate) fn kind(self, feature: &Feature) -> Result<Kind> {
        let bad = |what: &str| {
            let sentence = format!("the feature {:.64} {what}", feature.id);
            Err(Error::new(Code::InvalidArgument, sentence))
        };
        match (Kind::of(feature), self) {
            (Some(kind @ Kind::Count(_)), Entry::Add(_))
            | (Some(kind @ Kind::Level), Entry::Level(_))
            | (Some(kind @ Kind::Distinct), Entry::Key(_)) => Ok(kind),
            (Some(Kind::Count(_)), _) => bad("is a counter: use record"),
            (Some(Kind::Level), _) => bad("is a level: use record_level"),
            (Some(Kind::Distinct), _) => bad("counts different keys: use record_key"),
            (None, _) if feature.meter.is_none() => bad("has no meter: there is nothing to record"),
            (None, _) => bad("has a meter that this version does not know"),
        }
    }
}
