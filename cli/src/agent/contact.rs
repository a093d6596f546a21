//! Keeps the license in touch with the vendor's server for as long as the agent runs. Nobody waits
//! for it.

use super::log::Log;
use licentia::{Code, Error, Installation, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

// All in seconds.
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What it has to know of the status.
#[derive(Deserialize)]
struct Standing {
    at: i64,
    license: Option<IgnoredAny>,
    issuer: Issuer,
}

#[derive(Deserialize)]
struct Issuer {
    last_contact: Option<i64>,
    next_contact: Option<i64>,
}

/// Asks when the server has said to, and ever more seldom while it fails. It does not end.
pub async fn keep(installation: Arc<Installation>, log: Log) {
    let (mut rest, mut failures) = (0, 0_u32);
    loop {
        // A machine may sleep meanwhile, a clock be set, and another process ask.
        let wait = left(&installation).await.max(rest).min(HOUR);
        tokio::time::sleep(spread(wait)).await;
        if left(&installation).await > 0 {
            rest = 0;
            continue;
        }
        let it = Arc::clone(&installation);
        let lost = |_| Err(Error::new(Code::Internal, "it ended in a panic"));
        let asked = tokio::task::spawn_blocking(move || it.sync()).await.unwrap_or_else(lost);
        rest = match asked {
            Ok(()) => {
                failures = 0;
                MINUTE
            }
            // There is no server, and nothing wrong with that.
            Err(error) if error.code() == Code::NoTransport => HOUR,
            Err(error) => {
                log.note(&format!("the license server: {error}"));
                failures = failures.saturating_add(1);
                pause(failures)
            }
        };
    }
}

/// Seconds for which there is nothing to ask.
async fn left(installation: &Arc<Installation>) -> i64 {
    let it = Arc::clone(installation);
    let status = tokio::task::spawn_blocking(move || read(&it)).await;
    status.ok().and_then(Result::ok).map_or(MINUTE, |status| due(&status))
}

fn read(installation: &Installation) -> Result<Standing> {
    let status = installation.status(None)?;
    serde_json::from_str(&status).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Who has not been asked yet is asked now; who did not say when, is asked once a day.
fn due(status: &Standing) -> i64 {
    if status.license.is_none() {
        return MINUTE;
    }
    let daily = status.issuer.last_contact.map(|last| last.saturating_add(DAY));
    let next = status.issuer.next_contact.or(daily).unwrap_or(status.at);
    next.saturating_sub(status.at).max(0)
}

/// How long it is left alone after so many failures.
fn pause(failures: u32) -> i64 {
    (MINUTE << failures.saturating_sub(1).min(6)).min(HOUR)
}

/// Up to a tenth longer: those who come due at the same time ask one after the other.
fn spread(seconds: i64) -> Duration {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let most = seconds * 100;
    let more = RandomState::new().build_hasher().finish().checked_rem(most).unwrap_or_default();
    Duration::from_millis(seconds * 1_000 + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(licensed: bool, last: Option<i64>, next: Option<i64>) -> Standing {
        let license = licensed.then_some(IgnoredAny);
        Standing { at: 1_000, license, issuer: Issuer { last_contact: last, next_contact: next } }
    }

    #[test]
    fn it_asks_when_it_was_told_to_and_never_in_a_hurry() {
        for (status, wanted) in [
            (standing(false, None, Some(0)), MINUTE),
            (standing(true, None, None), 0),
            (standing(true, None, Some(1_300)), 300),
            (standing(true, Some(900), None), DAY - 100),
            (standing(true, Some(900), Some(1_500)), 500),
            (standing(true, Some(900), Some(1)), 0),
        ] {
            assert_eq!(due(&status), wanted);
        }
        let pauses = [1, 2, 3, 7, 30, u32::MAX].map(pause);
        assert_eq!(pauses, [60, 120, 240, HOUR, HOUR, HOUR]);
        assert_eq!(spread(0), Duration::ZERO);
        let range = Duration::from_secs(60)..Duration::from_secs(66);
        assert!((0..100).all(|_| range.contains(&spread(60))));
    }
}
