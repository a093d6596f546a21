//! What is written now and then, and not on the way of a request: when API keys were used last,
//! when something was signed last, and how often products report.

use crate::api::Server;
use crate::error::Result;
use crate::store::{api_keys, meta};
use sea_orm::prelude::Uuid;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often [`keep`] is to be called.
pub const EVERY: Duration = Duration::from_secs(5);

/// Seconds between two notes of one key.
const USES: i64 = 60;

/// Keys whose use is remembered until it is written.
const KEYS_MAX: usize = 10_000;

/// When API keys were used, and until when that is written.
#[derive(Debug, Default)]
pub struct Used(Mutex<HashMap<Uuid, Times>>);

#[derive(Clone, Copy, Debug)]
struct Times {
    used: i64,
    written: i64,
}

impl Used {
    /// A key was used at a time.
    pub fn note(&self, key: Uuid, at: i64) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = keys.get_mut(&key) {
            times.used = times.used.max(at);
        } else if keys.len() < KEYS_MAX {
            keys.insert(key, Times { used: at, written: i64::MIN });
        }
    }

    /// What is to be written now: at most once a minute for each key, or `all`.
    fn due(&self, now: i64, all: bool) -> Vec<(Uuid, i64)> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that was written and not used since needs no place.
        keys.retain(|_, times| {
            times.used > times.written || now.saturating_sub(times.written) < USES
        });
        let mut due = Vec::new();
        for (key, times) in keys.iter_mut() {
            let is_time = all || now.saturating_sub(times.written) >= USES;
            if times.used > times.written && is_time {
                // Reckoned by when it was written: a key that is always in use is always due.
                times.written = now.max(times.used);
                due.push((*key, times.used));
            }
        }
        due
    }
}

/// Writes what there is to write, and learns what other servers have signed. To be called every
/// [`EVERY`]; and with `all` at the end.
pub async fn keep(server: &Server, all: bool) -> Result<()> {
    server.counts.write(&server.store, server.clock.now()).await?;
    let signed = server.signer.latest();
    let known = meta::number(server.store.read(), meta::SIGNED_AT).await?;
    if let Some(known) = known {
        server.signer.remember(known);
    }
    let signed = signed.filter(|signed| known.is_none_or(|known| *signed > known));
    let used = server.used.due(server.clock.now(), all);
    if signed.is_none() && used.is_empty() {
        return Ok(());
    }
    let tx = server.store.begin().await?;
    if let Some(signed) = signed {
        meta::raise(&tx, meta::SIGNED_AT, signed).await?;
    }
    for (key, at) in used {
        api_keys::used(&tx, key, at).await?;
    }
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_is_written_at_most_once_a_minute() {
        let (used, key) = (Used::default(), Uuid::from_u128(1));
        used.note(key, 1000);
        used.note(key, 999);
        assert_eq!(used.due(1000, false), [(key, 1000)]);
        assert!(used.due(1001, false).is_empty(), "it was not used since");
        used.note(key, 1030);
        assert!(used.due(1059, false).is_empty(), "it was written within this minute");
        assert_eq!(used.due(1060, false), [(key, 1030)]);
        used.note(key, 1061);
        assert_eq!(used.due(1062, true), [(key, 1061)], "at the end all is written");
        used.due(2000, false);
        assert!(used.0.lock().unwrap().is_empty(), "nobody is remembered for ever");
    }

    #[test]
    fn a_flood_of_keys_takes_no_more_than_its_place() {
        let used = Used::default();
        for key in 0..KEYS_MAX as u128 + 5 {
            used.note(Uuid::from_u128(key), 1);
        }
        assert_eq!(used.0.lock().unwrap().len(), KEYS_MAX);
    }
}
