//! Keeps the license in touch with the vendor's server for as long as the agent runs. Nobody waits
//! for it.

use super::log::Log;
use licentia::{Code, Error, Installation, Result};
use serde::Deserialize;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

// All in seconds.
const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// What it has to know of the status.
#[derive(Deserialize)]
struct Standing {
    at: i64,
    reason: String,
    license: Option<License>,
    issuer: Issuer,
}

#[derive(Deserialize)]
struct License {
    id: String,
}

#[derive(Deserialize)]
struct Issuer {
    last_contact: Option<i64>,
    next_contact: Option<i64>,
}

/// When to ask.
#[derive(Default)]
struct Keeper {
    /// The license, and when its server last answered, as of the last look.
    known: Option<(Option<String>, Option<i64>)>,
    /// By the clock of the status.
    due: i64,
    /// The server was asked since the last look, and has answered.
    asked: bool,
    answered: bool,
    /// Until then it is left alone, by a clock that nobody sets.
    rest: i64,
    failures: u32,
}

/// Asks when the server has said to, and ever more seldom while it fails. It does not end.
pub async fn keep(installation: Arc<Installation>, log: Log) {
    let began = Instant::now();
    let now = || i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX);
    let mut keeper = Keeper::default();
    loop {
        // A machine may sleep meanwhile, a clock be set, and another process ask.
        let wait = keeper.wait(look(&installation).await.as_ref(), now()).min(HOUR);
        tokio::time::sleep(spread(wait)).await;
        if keeper.wait(look(&installation).await.as_ref(), now()) > 0 {
            continue;
        }
        let it = Arc::clone(&installation);
        let lost = |_| Err(Error::new(Code::Internal, "it ended in a panic"));
        let asked = tokio::task::spawn_blocking(move || it.sync()).await.unwrap_or_else(lost);
        if let Err(error) = &asked
            && error.code() != Code::NoTransport
        {
            log.note(&format!("the license server: {error}"));
        }
        keeper.has_asked(asked.as_ref().err().map(Error::code), now());
    }
}

impl Keeper {
    /// Seconds for which there is nothing to ask.
    fn wait(&mut self, status: Option<&Standing>, now: i64) -> i64 {
        let left = status.map_or(MINUTE, |status| self.left(status, now));
        left.max(self.rest.saturating_sub(now))
    }

    fn left(&mut self, status: &Standing, now: i64) -> i64 {
        // Where its key was stolen, there is none until the server gives another for it.
        if status.license.is_none() && status.reason != Code::KeyCompromised.slug() {
            return MINUTE;
        }
        let id = status.license.as_ref().map(|license| license.id.clone());
        let (known, fresh) = ((id, status.issuer.last_contact), due(status));
        let is_same = self.known.as_ref() == Some(&known);
        // That another process has failed puts nothing off: one that always does would for ever.
        self.due = if is_same && !self.asked { self.due.min(fresh) } else { fresh };
        let before = self.known.as_ref().filter(|before| before.0 == known.0);
        let heard = known.1.is_some() && before.is_some_and(|before| before.1 != known.1);
        let has_answered = self.answered || heard;
        (self.asked, self.answered) = (false, false);
        let left = self.due.saturating_sub(status.at).max(0);
        // Somebody has just answered, and by the clock here it is time again: then that is wrong.
        if left == 0 && has_answered {
            let rest = known.1.map_or(HOUR, |last| fresh.saturating_sub(last).min(DAY));
            self.rest = self.rest.max(now.saturating_add(rest));
        }
        self.known = Some(known);
        left
    }

    /// Notes what became of a sync.
    fn has_asked(&mut self, failure: Option<Code>, now: i64) {
        let rest = match failure {
            None => {
                (self.asked, self.answered, self.failures) = (true, true, 0);
                MINUTE
            }
            // There is no server, and nothing wrong with that.
            Some(Code::NoTransport) => HOUR,
            Some(_) => {
                self.asked = true;
                self.failures = self.failures.saturating_add(1);
                pause(self.failures)
            }
        };
        self.rest = now.saturating_add(rest);
    }
}

async fn look(installation: &Arc<Installation>) -> Option<Standing> {
    let it = Arc::clone(installation);
    let status = tokio::task::spawn_blocking(move || read(&it)).await;
    status.ok().and_then(Result::ok)
}

fn read(installation: &Installation) -> Result<Standing> {
    let status = installation.status(None)?;
    serde_json::from_str(&status).map_err(|error| Error::new(Code::Internal, error.to_string()))
}

/// Who has not been asked yet is asked now; who did not say when, is asked once a day.
fn due(status: &Standing) -> i64 {
    let daily = status.issuer.last_contact.map(|last| last.saturating_add(DAY));
    status.issuer.next_contact.or(daily).unwrap_or(status.at)
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
        let license = licensed.then(|| License { id: "one".to_string() });
        let issuer = Issuer { last_contact: last, next_contact: next };
        Standing { at: 1_000, reason: "none".to_string(), license, issuer }
    }

    #[test]
    fn another_that_always_fails_keeps_nobody_from_asking() {
        let mut keeper = Keeper::default();
        assert_eq!(keeper.wait(Some(&standing(true, Some(900), Some(1_500))), 0), 500);
        assert_eq!(keeper.wait(Some(&standing(true, Some(900), Some(4_600))), 0), 500);
        assert_eq!(keeper.wait(Some(&standing(true, Some(900), Some(1_200))), 0), 200);
        assert_eq!(keeper.wait(Some(&standing(true, Some(950), Some(1_900))), 0), 900);
        // A failure of its own does count, once.
        keeper.has_asked(Some(Code::Unreachable), 0);
        assert_eq!(keeper.wait(Some(&standing(true, Some(950), Some(4_600))), 0), 3_600);
        assert_eq!(keeper.wait(Some(&standing(true, Some(950), Some(9_999))), 0), 3_600);
    }

    #[test]
    fn a_clock_that_is_ahead_is_no_reason_to_ask_without_end() {
        let mut keeper = Keeper::default();
        assert_eq!(keeper.wait(Some(&standing(true, None, None)), 0), 0);
        keeper.has_asked(None, 0);
        let ahead = standing(true, Some(100), Some(700));
        assert_eq!(keeper.wait(Some(&ahead), 0), 600);
        assert_eq!(keeper.wait(Some(&ahead), 200), 400);
        assert_eq!(keeper.wait(Some(&ahead), 600), 0);
        keeper.has_asked(Some(Code::Unreachable), 600);
        assert_eq!(keeper.wait(Some(&ahead), 600), MINUTE);
    }

    #[test]
    fn a_stolen_key_is_replaced() {
        let mut keeper = Keeper::default();
        let stolen =
            Standing { reason: "key_compromised".to_string(), ..standing(false, None, None) };
        assert_eq!(keeper.wait(Some(&stolen), 0), 0);
        keeper.has_asked(None, 0);
        assert_eq!(keeper.wait(Some(&stolen), 0), HOUR);
    }

    #[test]
    fn it_asks_when_it_was_told_to_and_never_in_a_hurry() {
        assert_eq!(Keeper::default().wait(None, 0), MINUTE);
        for (status, wanted) in [
            (standing(false, None, Some(0)), MINUTE),
            (standing(true, None, None), 0),
            (standing(true, None, Some(1_300)), 300),
            (standing(true, Some(900), None), DAY - 100),
            (standing(true, Some(900), Some(1_500)), 500),
            (standing(true, Some(900), Some(1)), 0),
        ] {
            assert_eq!(Keeper::default().wait(Some(&status), 0), wanted);
        }
        let pauses = [1, 2, 3, 7, 30, u32::MAX].map(pause);
        assert_eq!(pauses, [60, 120, 240, HOUR, HOUR, HOUR]);
        assert_eq!(spread(0), Duration::ZERO);
        let range = Duration::from_secs(60)..Duration::from_secs(66);
        assert!((0..100).all(|_| range.contains(&spread(60))));
    }
}
