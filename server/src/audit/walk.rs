//! Whether a log is as it was written: each entry follows the one before, and its hash is its own.

use super::entry::{GENESIS, hash};
use crate::error::Result;
use crate::store::{audit, audit_heads};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;

/// Entries that are checked at a time.
pub const STEP: u64 = 10_000;

/// What has come of checking some entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// How many were checked.
    pub checked: u64,
    /// The first that is not as it was written, or that is missing; and what is wrong with it.
    pub broken: Option<(i64, &'static str)>,
    /// The last entry that was checked, where there are more.
    pub next: Option<i64>,
    /// Where the log ends.
    pub head: Option<audit_heads::Model>,
}

/// Checks the next `most` entries of an organization after one that was checked before; from the
/// first without one. What is read is to be of one moment.
pub async fn walk(
    snapshot: &impl ConnectionTrait,
    organization: Uuid,
    after: Option<i64>,
    most: u64,
) -> Result<Walked> {
    let head = audit_heads::get(snapshot, organization).await?;
    let before = match after {
        Some(seq) => audit::get(snapshot, organization, seq).await?,
        None => None,
    };
    let mut walked = Walked { checked: 0, broken: None, next: None, head };
    let (mut last, mut previous) = match (after, before) {
        (None, _) => (0, GENESIS.to_string()),
        (Some(seq), Some(row)) => (seq, row.hash),
        (Some(seq), None) => {
            walked.broken = Some((seq, MISSING));
            return Ok(walked);
        }
    };
    let rows = audit::next(snapshot, organization, after, most).await?;
    let is_full = u64::try_from(rows.len()).is_ok_and(|rows| rows >= most);
    for row in rows {
        walked.broken = flaw(&row, last, &previous);
        if walked.broken.is_some() {
            return Ok(walked);
        }
        walked.checked += 1;
        (last, previous) = (row.seq, row.hash);
    }
    match is_full {
        true => walked.next = Some(last),
        false => walked.broken = end(walked.head.as_ref(), last, &previous),
    }
    Ok(walked)
}

const MISSING: &str = "it is missing";

fn flaw(row: &audit::Model, last: i64, previous: &str) -> Option<(i64, &'static str)> {
    let expected = last.saturating_add(1);
    if row.seq > expected {
        return Some((expected, MISSING));
    }
    if row.seq < expected {
        return Some((row.seq, "it was never written"));
    }
    if row.previous != previous {
        return Some((row.seq, "it does not follow the entry before"));
    }
    (hash(row) != row.hash).then_some((row.seq, "it is not as it was written"))
}

/// What is wrong with the end, where `last` is the last entry.
fn end(
    head: Option<&audit_heads::Model>,
    last: i64,
    previous: &str,
) -> Option<(i64, &'static str)> {
    let (seq, hash) = head.map_or((0, GENESIS), |head| (head.seq, head.hash.as_str()));
    if seq > last {
        return Some((last.saturating_add(1), MISSING));
    }
    if seq < last {
        return Some((seq.saturating_add(1), "it was never written"));
    }
    (hash != previous).then_some((last, "the log did not end with it"))
}
