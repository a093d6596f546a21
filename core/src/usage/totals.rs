//! What was used: a total for every meter and period. Pure: no disk and no clock.

use super::limit;
use super::meter::{Entry, Event, Kind, Meter};
use super::period;
use super::record::{LENGTH, Record};
use crate::errors::{Code, Error, Result};
use crate::feature::Feature;
use crate::json::INTEGER_MAX;
use crate::limits::REPORT_ROWS_MAX;
use crate::stages::DAY;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The totals of one installation, after so many records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    /// The features that were ever measured; records and meters call them by their place here.
    pub(super) features: Arc<Vec<String>>,
    /// What each has come to.
    pub(super) meters: BTreeMap<(u16, Kind), Arc<Meter>>,
    /// The number of the last record.
    pub(super) seq: u64,
    /// What the server has.
    pub(super) acknowledged: Option<Place>,
    /// How often everything was lost, and counting began anew.
    pub(super) lost: u64,
    /// When it last began, in seconds since 1970.
    pub(super) began: i64,
    /// Damage of which the server has not heard.
    pub(super) damage: Option<Damage>,
    /// Over the checkpoint and every record after it.
    pub(super) chain: Sha256,
}

/// A place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The number of the last record.
    pub(crate) seq: u64,
    /// SHA-256 in hex, over everything up to there.
    pub(crate) head: String,
}

/// Damage that was found and made good as far as that could be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    /// The number of the checkpoint that says so first.
    pub(crate) seq: u64,
    /// When it was found, in seconds since 1970.
    pub(crate) at: i64,
    /// What was found.
    pub(crate) what: String,
}

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

/// What the server has not heard of yet. Once it has, [`Report::place`] is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    /// Everything up to there is in `rows`, or was acknowledged before.
    pub(crate) place: Place,
    /// What was acknowledged before: it tells the server of a ledger that was set back or copied.
    pub(crate) since: Option<Place>,
    /// How often everything was lost, and counting began anew.
    pub(crate) lost: u64,
    /// When it last began, in seconds since 1970.
    pub(crate) began: i64,
    /// In the order of their fields.
    pub(crate) rows: Vec<Row>,
}

/// The total of one period. A later one takes its place: nothing is to be added up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Row {
    /// The id of the feature.
    pub(crate) feature: String,
    /// `hour`, `day`, `month`, `year` or `ever` of a counter; `level` or `distinct`.
    pub(crate) kind: &'static str,
    /// The first second of the period; of a level and of keys that of a month, of `ever` 0.
    /// `None` = the periods before all others that were too many to keep.
    pub(crate) from: Option<i64>,
    /// What was counted; of the others the highest in that month.
    pub(crate) value: u64,
}

impl Totals {
    /// What a feature has come to at a time. Of a feature without a meter, nothing.
    pub(crate) fn of(&self, feature: &Feature, at: i64) -> Use {
        let Some(kind) = Kind::of(feature) else { return Use::default() };
        let resets_at = match kind {
            Kind::Count(per) => per.end(at),
            _ => None,
        };
        let Some(meter) = self.meter(&feature.id, kind) else {
            return Use { resets_at, ..Use::default() };
        };
        match kind {
            Kind::Count(_) => {
                let used = meter.total(kind, at);
                Use { used, high: used, resets_at }
            }
            Kind::Level => {
                let high = meter.total(kind, at).max(meter.level);
                Use { used: meter.level, high, resets_at: None }
            }
            Kind::Distinct => {
                let (day, days) = (period::day(at), feature.days.unwrap_or(1));
                let used = meter.keys.within(day, days);
                let oldest = meter.keys.oldest_within(day, days);
                let resets_at = oldest.map(|oldest| (oldest + i64::from(days)) * DAY);
                Use { used, high: used, resets_at }
            }
        }
    }

    /// How many totals are not acknowledged.
    pub(crate) fn unreported(&self) -> usize {
        let acknowledged = self.acknowledged_seq();
        let of = |meter: &Meter| {
            let periods = meter.periods.values().filter(|it| it.seq > acknowledged).count();
            periods + usize::from(meter.earlier.value > 0 && meter.earlier.seq > acknowledged)
        };
        self.meters.values().map(|meter| of(meter)).sum()
    }

    /// Every total that is not acknowledged: those that changed first, if they are too many for
    /// one request.
    pub(crate) fn to_report(&self) -> Report {
        let acknowledged = self.acknowledged_seq();
        let mut rows = Vec::new();
        for ((feature, kind), meter) in &self.meters {
            let Some(id) = self.features.get(usize::from(*feature)) else { continue };
            let periods = meter.periods.iter().map(|(from, total)| (Some(*from), *total));
            let earlier = Some((None, meter.earlier)).filter(|(_, total)| total.value > 0);
            for (from, total) in periods.chain(earlier).filter(|(_, it)| it.seq > acknowledged) {
                let row = Row { feature: id.clone(), kind: kind.word(), from, value: total.value };
                rows.push((total.seq, row));
            }
        }
        rows.sort_unstable();
        let mut place = self.place();
        if rows.len() > REPORT_ROWS_MAX {
            rows.truncate(REPORT_ROWS_MAX);
            place.seq = rows.last().map_or(place.seq, |(seq, _)| *seq);
        }
        let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        rows.sort_unstable();
        Report { place, since: self.acknowledged.clone(), lost: self.lost, began: self.began, rows }
    }

    /// Where the ledger stands.
    pub(crate) fn place(&self) -> Place {
        Place { seq: self.seq, head: hex(&self.chain.clone().finalize()) }
    }

    /// What would be recorded for an entry at a time. `None` = it would change nothing.
    ///
    /// Fails with `limit_exceeded` where the license stops it, and with `invalid_argument` for a
    /// number that is too large or a verb that is not that of the feature's meter.
    pub(super) fn admit(
        &self,
        feature: &Feature,
        entry: Entry,
        at: i64,
    ) -> Result<Option<(Kind, Event)>> {
        let kind = entry.kind(feature)?;
        let time = period::bounded(at);
        let before = self.of(feature, time).used;
        let meter = self.meter(&feature.id, kind);
        let (amount, after, key) = match entry {
            Entry::Add(0) => return Ok(None),
            Entry::Add(amount) => (amount, before.saturating_add(amount), [0; 16]),
            Entry::Level(level) if meter.is_some_and(|it| it.is_at(level, time)) => {
                return Ok(None);
            }
            Entry::Level(level) => (level, level, [0; 16]),
            Entry::Key(key) => {
                let (day, days) = (period::day(time), i64::from(feature.days.unwrap_or(1)));
                let seen = meter.and_then(|it| it.keys.day(&key));
                if seen == Some(day) {
                    return Ok(None);
                }
                let inside = seen.is_some_and(|seen| seen <= day && seen > day - days);
                let after = before + u64::from(!inside);
                (after, after, key)
            }
        };
        if after > INTEGER_MAX {
            let what = format!("{after} is more of {:.64} than can be recorded", feature.id);
            return Err(Error::new(Code::InvalidArgument, what));
        }
        let line = limit::verdict(feature, after).stops_at;
        let line = line.filter(|line| after > *line && after > before && limit::stops(feature));
        if let Some(line) = line {
            let what = format!("{:.64} would be {after}, and may be {line}", feature.id);
            return Err(Error::new(Code::LimitExceeded, what));
        }
        Ok(Some((kind, Event { seq: self.seq + 1, time, amount, key })))
    }

    /// Adds a record, whose number the caller has checked. `false` = its feature is not there.
    pub(super) fn apply(&mut self, bytes: &[u8; LENGTH], record: &Record) -> bool {
        if usize::from(record.feature) >= self.features.len() {
            return false;
        }
        self.seq = record.event.seq;
        self.chain.update(bytes);
        let meter = self.meters.entry((record.feature, record.kind)).or_default();
        Arc::make_mut(meter).apply(record.kind, record.event);
        true
    }

    /// The place of a feature in the list.
    pub(super) fn index(&self, id: &str) -> Option<u16> {
        let at = self.features.iter().position(|known| known == id)?;
        u16::try_from(at).ok()
    }

    /// The number up to which the server has everything.
    pub(crate) fn acknowledged_seq(&self) -> u64 {
        self.acknowledged.as_ref().map_or(0, |place| place.seq)
    }

    fn meter(&self, id: &str, kind: Kind) -> Option<&Meter> {
        self.meters.get(&(self.index(id)?, kind)).map(|meter| &**meter)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
