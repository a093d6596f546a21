//! A checkpoint: all totals as JSON, the payload of a generation.

use super::meter::{Kind, Meter, Total};
use super::record::LENGTH;
use super::totals::{Damage, Place, Totals};
use crate::errors::{Code, Error, Result};
use crate::json::INTEGER_MAX;
use crate::limits::{DAMAGE_DAYS, METER_KEYS_MAX, METER_PERIODS_MAX, METERS_MAX, USAGE_MAX};
use crate::stages::DAY;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is written. Members of a later version are passed over.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// Its own number: every record after it has a higher one.
    seq: u64,
    /// The head of what was before it, or `lost`.
    prev: String,
    /// Bytes for records after it.
    room: u64,
    /// How often everything was lost.
    lost: u64,
    /// When counting began, or began anew.
    began: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<Place>,
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<Damage>,
    features: Vec<String>,
    meters: Vec<Written>,
}

/// One meter. Periods are `[first second, value, number of the last record]`.
#[derive(Serialize, Deserialize)]
struct Written {
    feature: u16,
    kind: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    level: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<(u64, u64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    periods: Vec<(i64, u64, u64)>,
    /// 16 bytes of key and 4 of the day of each, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keys: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Why a checkpoint is written, and what changes with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Turn {
    /// The number of the checkpoint.
    pub(super) seq: u64,
    /// Bytes for records after it.
    pub(super) room: u64,
    /// The time, where it is known: what is too old goes.
    pub(super) at: Option<i64>,
    /// A feature that is to be recorded.
    pub(super) feature: Option<String>,
    /// What the server has just acknowledged.
    pub(super) acknowledged: Option<Place>,
    /// What is damaged.
    pub(super) damage: Option<String>,
    /// Whether there was nothing left to go on from.
    pub(super) lost: bool,
}

/// The totals to go on with, and their payload.
pub(super) fn write(before: &Totals, turn: &Turn) -> Result<(Totals, Vec<u8>)> {
    let prev = if turn.lost { "lost".to_string() } else { before.place().head };
    let (mut periods, mut keys) = (METER_PERIODS_MAX, METER_KEYS_MAX);
    loop {
        let mut totals = compacted(before, turn, periods, keys)?;
        let payload = payload(&totals, prev.clone(), turn.room)?;
        // Whatever there is too much of, recording goes on.
        if payload.len() <= USAGE_MAX || periods <= 1 {
            totals.chain = Sha256::new().chain_update(&payload);
            return Ok((totals, payload));
        }
        (periods, keys) = (periods / 2, keys / 2);
    }
}

/// Without what is not needed any more, and with a list of the features that are left.
fn compacted(before: &Totals, turn: &Turn, periods: usize, keys: usize) -> Result<Totals> {
    let acknowledged = turn.acknowledged.clone().or_else(|| before.acknowledged.clone());
    let acknowledged_seq = acknowledged.as_ref().map_or(0, |place| place.seq);
    let mut features: Vec<String> = Vec::new();
    let mut meters = BTreeMap::new();
    for ((index, kind), meter) in &before.meters {
        let Some(id) = before.features.get(usize::from(*index)) else { continue };
        let mut meter = Meter::clone(meter);
        meter.prune(*kind, acknowledged_seq, turn.at, (periods, keys));
        if !meter.is_empty() {
            let place = place_of(&mut features, id)?;
            meters.insert((place, *kind), Arc::new(meter));
        }
    }
    if let Some(id) = &turn.feature {
        place_of(&mut features, id)?;
    }
    let begins = turn.lost || before.seq == 0;
    let heard = |damage: &Damage| {
        let old = turn.at.is_some_and(|at| at.saturating_sub(damage.at) > DAMAGE_DAYS * DAY);
        old || damage.seq <= acknowledged_seq
    };
    let found = turn.damage.clone().map(|what| Damage {
        seq: turn.seq,
        at: turn.at.unwrap_or_default(),
        what,
    });
    Ok(Totals {
        features: Arc::new(features),
        meters,
        seq: turn.seq,
        acknowledged,
        lost: before.lost + u64::from(turn.lost),
        began: if begins { turn.at.unwrap_or(before.began) } else { before.began },
        damage: found.or_else(|| before.damage.clone().filter(|damage| !heard(damage))),
        chain: Sha256::new(),
    })
}

/// The place of an id in a list, at its end if it is new. Meters are in the order of their
/// features, so an id that is there is the last.
fn place_of(features: &mut Vec<String>, id: &str) -> Result<u16> {
    let at = features.iter().rposition(|known| known == id).unwrap_or_else(|| {
        features.push(id.to_string());
        features.len() - 1
    });
    if at >= METERS_MAX {
        let what = format!("more than {METERS_MAX} features were measured here");
        return Err(Error::new(Code::TooLarge, what));
    }
    u16::try_from(at).map_err(|_| Error::new(Code::Internal, "a place in a list"))
}

fn payload(totals: &Totals, prev: String, room: u64) -> Result<Vec<u8>> {
    let meters = totals.meters.iter().map(|((feature, kind), meter)| Written {
        feature: *feature,
        kind: kind.word().to_string(),
        level: meter.level,
        earlier: Some(meter.earlier).filter(|it| it.value > 0).map(|it| (it.value, it.seq)),
        periods: meter.periods.iter().map(|(at, it)| (*at, it.value, it.seq)).collect(),
        keys: pack(meter),
    });
    let checkpoint = Checkpoint {
        seq: totals.seq,
        prev,
        room,
        lost: totals.lost,
        began: totals.began,
        acknowledged: totals.acknowledged.clone(),
        damage: totals.damage.clone(),
        features: totals.features.to_vec(),
        meters: meters.collect(),
    };
    serde_json::to_vec(&checkpoint)
        .map_err(|error| Error::new(Code::Internal, format!("a checkpoint: {error}")))
}

fn pack(meter: &Meter) -> String {
    let mut bytes = Vec::new();
    for (key, day) in meter.keys.sorted() {
        bytes.extend(key);
        bytes.extend(i32::try_from(day).unwrap_or_default().to_le_bytes());
    }
    STANDARD.encode(bytes)
}

/// Reads a payload: the totals, and the bytes for records after it.
pub(super) fn read(payload: &[u8]) -> Result<(Totals, u64)> {
    let bad = |what: &str| Error::new(Code::StateCorrupt, format!("what was used: {what}"));
    let written: Checkpoint =
        serde_json::from_slice(payload).map_err(|error| bad(&error.to_string()))?;
    let numbers = [written.seq, written.lost, written.room];
    let theirs = written.acknowledged.as_ref().map_or(0, |place| place.seq);
    if numbers.into_iter().chain([theirs]).any(|number| number > INTEGER_MAX) {
        return Err(bad("a number that is none"));
    }
    let mut meters = BTreeMap::new();
    for row in written.meters {
        let values = row.periods.iter().map(|it| it.1).chain(row.earlier.map(|it| it.0));
        if values.chain([row.level]).any(|value| value > INTEGER_MAX) {
            return Err(bad("a total that is too large"));
        }
        let kind = Kind::from_word(&row.kind).ok_or_else(|| bad("a meter of no known kind"))?;
        if usize::from(row.feature) >= written.features.len() {
            return Err(bad("a meter of no feature"));
        }
        let total = |(value, seq)| Total { value, seq };
        let mut meter = Meter {
            periods: row.periods.iter().map(|it| (it.0, total((it.1, it.2)))).collect(),
            earlier: row.earlier.map(total).unwrap_or_default(),
            level: row.level,
            ..Meter::default()
        };
        let keys = STANDARD.decode(row.keys).map_err(|_| bad("keys that are no base64"))?;
        for packed in keys.as_chunks::<20>().0 {
            if let (Some(key), Some(day)) = (packed.first_chunk(), packed.last_chunk()) {
                meter.keys.note(*key, i64::from(i32::from_le_bytes(*day)));
            }
        }
        meters.insert((row.feature, kind), Arc::new(meter));
    }
    let room = written.room - written.room % LENGTH as u64;
    let totals = Totals {
        features: Arc::new(written.features),
        meters,
        seq: written.seq,
        acknowledged: written.acknowledged,
        lost: written.lost,
        began: written.began,
        damage: written.damage,
        chain: Sha256::new().chain_update(payload),
    };
    Ok((totals, room))
}
