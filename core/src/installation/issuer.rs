//! Talking to the issuer, where the host has said how: what is asked goes out as the text of a
//! request, and what comes back is applied like anything else that was signed.

use super::Installation;
use super::apply::Way;
use super::request::{ACTIVATION, RENEWAL, license_key};
use super::state::mask;
use crate::errors::{Code, Error, Result};
use crate::verdict;
use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who asks for the same renewal again within this time is given the last answer.
const PAUSE: Duration = Duration::from_secs(10);

/// After so many license keys in a row that the issuer refused, whoever guesses is slowed.
const GUESSES: u32 = 5;

/// How long the next key then has to wait.
const GUESS_PAUSE: Duration = Duration::from_secs(60);

/// Whoever signs licenses, where it can be asked on line.
pub trait Issuer: Send + Sync {
    /// Takes a text of [`Installation::request`] to the issuer, and brings back what it has signed
    /// in answer: to a `renewal` a newer token of the same license, to an `activation` a license,
    /// to either also a sync answer, which may bring it.
    /// Fails with `unreachable` where there is no way to it, and with `refused` where it says no,
    /// with its reason as the detail; any other code is taken for `unreachable`. Has to give up
    /// after a while: others wait for it.
    fn ask(&self, request: &str) -> Result<Vec<u8>>;
}

/// The way to the issuer.
#[derive(Default)]
pub(crate) struct Line {
    issuer: Option<Arc<dyn Issuer>>,
    desk: Desk,
}

/// What one process asks the issuer, one thing at a time. The child of a fork makes its own: a
/// lock that another thread of the parent held is never let go there.
struct Desk(ArcSwap<Queue>);

struct Queue {
    process: u32,
    /// The last renewal. Held for as long as one is under way.
    renewal: Mutex<Option<Renewal>>,
    /// The license keys that were tried. Held for as long as one is.
    keys: Mutex<Keys>,
}

/// What a renewal came to.
struct Renewal {
    license_id: String,
    at: Instant,
    outcome: Result<()>,
}

/// What became of the license keys that were tried.
#[derive(Default)]
struct Keys {
    /// The last: its digest, when it was answered, and how.
    last: Option<([u8; 32], Instant, Result<()>)>,
    /// How many in a row the issuer refused, and when it refused the last.
    refused: u32,
    refused_at: Option<Instant>,
}

impl Default for Desk {
    fn default() -> Desk {
        Desk(ArcSwap::from_pointee(Queue::new()))
    }
}

impl Desk {
    fn queue(&self) -> Arc<Queue> {
        let own = |queue: &Arc<Queue>| match queue.process == std::process::id() {
            true => Arc::clone(queue),
            false => Arc::new(Queue::new()),
        };
        self.0.rcu(own);
        self.0.load_full()
    }
}

impl Queue {
    fn new() -> Queue {
        let process = std::process::id();
        Queue { process, renewal: Mutex::default(), keys: Mutex::default() }
    }
}

impl Keys {
    /// The answer that was waited for, if it was to the same key.
    fn answer_since(&self, began: Instant, digest: &[u8; 32]) -> Option<Result<()>> {
        let same = |(last, at, _): &&([u8; 32], Instant, _)| last == digest && *at >= began;
        self.last.as_ref().filter(same).map(|(_, _, outcome)| outcome.clone())
    }

    /// Fails while whoever guesses has to wait.
    fn check(&self, now: Instant) -> Result<()> {
        let waits = |at: Instant| now.saturating_duration_since(at) < GUESS_PAUSE;
        if self.refused < GUESSES || !self.refused_at.is_some_and(waits) {
            return Ok(());
        }
        let what = format!(
            "{GUESSES} license keys in a row were refused: the next is tried a minute later"
        );
        Err(Error::new(Code::Refused, what))
    }

    fn note(&mut self, digest: [u8; 32], now: Instant, outcome: &Result<()>) {
        match outcome {
            Ok(()) => self.refused = 0,
            Err(error) if error.code() == Code::Refused => {
                self.refused = self.refused.saturating_add(1);
                self.refused_at = Some(now);
            }
            // Nobody has judged the key.
            Err(_) => {}
        }
        self.last = Some((digest, now, outcome.clone()));
    }
}

impl Installation {
    /// Says how the issuer is asked. Without it, what needs the issuer fails with `no_transport`.
    pub fn connect(&mut self, issuer: Arc<dyn Issuer>) {
        self.issuer.issuer = Some(issuer);
    }

    /// Asks the issuer for a newer token of the license in use, and applies it. Of all who ask at
    /// the same time or within ten seconds one does, and all get its answer; each process asks for
    /// itself.
    ///
    /// Fails with `not_licensed` without a license, with `no_transport`, as [`Issuer::ask`] does,
    /// and as [`Installation::apply`] does; the license before then stays. A signed answer that
    /// brings none because the license is not in order is `refused`, and known from then on.
    pub fn renew(&self) -> Result<()> {
        self.check_writable()?;
        let queue = self.issuer.desk.queue();
        let mut last = hold(&queue.renewal);
        let known = self.fresh();
        let held = verdict::rule(&known.view.facts, &known.now).held;
        let none = || Error::new(Code::NotLicensed, "there is no license to renew");
        // Where the folder cannot be read, there may be one.
        let held = held.ok_or_else(|| known.view.facts.state.error.clone().unwrap_or_else(none))?;
        let license_id = held.claims.license.id.clone();
        let same = |it: &&Renewal| it.license_id == license_id && it.at.elapsed() < PAUSE;
        if let Some(renewal) = last.as_ref().filter(same) {
            return renewal.outcome.clone();
        }
        // What never left this machine may be asked again at once.
        let issuer = self.issuer()?;
        let request = self.ask_vendor(RENEWAL, None)?;
        let answer = ask(&issuer, &request);
        let outcome = answer.and_then(|it| self.apply_any(&it, Way::Renewal(&license_id)));
        *last = Some(Renewal { license_id, at: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    /// Gives the issuer a license key, as a person types it, and applies the license for this
    /// machine that comes back. The key is kept nowhere but for its last group. One key is tried
    /// at a time; after five in a row that the issuer refused, one a minute, by each process.
    ///
    /// Fails with `invalid_argument` for what is no key, with `refused` also while the next key
    /// has to wait, with `no_transport`, as [`Issuer::ask`] does, and as [`Installation::apply`]
    /// does; the license before then stays.
    pub fn activate(&self, key: &str) -> Result<()> {
        let began = Instant::now();
        let key = license_key(key)?;
        self.check_writable()?;
        let issuer = self.issuer()?;
        let digest = Sha256::digest(&key).into();
        let queue = self.issuer.desk.queue();
        let mut keys = hold(&queue.keys);
        if let Some(answer) = keys.answer_since(began, &digest) {
            return answer;
        }
        keys.check(Instant::now())?;
        let request = self.ask_vendor(ACTIVATION, Some(&key))?;
        // Whoever says why not may repeat the key.
        let hide =
            |error: Error| Error::new(error.code(), error.detail().replace(&key, &mask(&key)));
        let answer = ask(&issuer, &request).map_err(hide);
        let outcome = answer.and_then(|it| self.apply_any(&it, Way::Key(&key)));
        keys.note(digest, Instant::now(), &outcome);
        outcome
    }

    fn issuer(&self) -> Result<Arc<dyn Issuer>> {
        let none = || Error::new(Code::NoTransport, "no license server is configured");
        self.issuer.issuer.clone().ok_or_else(none)
    }
}

/// What the issuer answers.
fn ask(issuer: &Arc<dyn Issuer>, request: &str) -> Result<Vec<u8>> {
    issuer.ask(request).map_err(|error| match error.code() {
        Code::Unreachable | Code::Refused | Code::NoTransport => error,
        _ => Error::new(Code::Unreachable, error.detail()),
    })
}

fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Result<()> {
        Err(Error::new(Code::Refused, "there is no such key"))
    }

    #[test]
    fn whoever_guesses_waits_a_minute_for_each_key_and_a_right_one_ends_that() {
        let (mut keys, start) = (Keys::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        for number in 0..GUESSES {
            assert!(keys.check(start).is_ok(), "{number}");
            keys.note([0; 32], start, &refused());
        }
        for (seconds, may) in [(0, false), (59, false), (60, true)] {
            assert_eq!(keys.check(after(seconds)).is_ok(), may, "{seconds}");
        }
        keys.note([0; 32], after(60), &refused());
        assert!(keys.check(after(119)).is_err() && keys.check(after(120)).is_ok());
        keys.note([0; 32], after(120), &Err(Error::new(Code::Unreachable, "no route")));
        keys.note([0; 32], after(121), &refused());
        assert!(keys.check(after(180)).is_err(), "what nobody judged is not forgiven");
        keys.note([0; 32], after(181), &Ok(()));
        assert!(keys.check(after(181)).is_ok());
    }

    #[test]
    fn an_answer_is_for_those_who_waited_for_it_with_the_same_key() {
        let (mut keys, start) = (Keys::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        keys.note([1; 32], after(5), &refused());
        assert_eq!(keys.answer_since(after(4), &[1; 32]), Some(refused()));
        assert_eq!(keys.answer_since(after(6), &[1; 32]), None, "it was over before");
        assert_eq!(keys.answer_since(after(4), &[2; 32]), None);
    }

    #[test]
    fn the_child_of_a_fork_does_not_wait_for_its_parent() {
        let parents = Arc::new(Queue { process: 0, ..Queue::new() });
        let _held = (hold(&parents.renewal), hold(&parents.keys));
        let desk = Desk(ArcSwap::new(Arc::clone(&parents)));
        let own = desk.queue();
        assert!(own.renewal.try_lock().is_ok() && own.keys.try_lock().is_ok());
        assert!(Arc::ptr_eq(&own, &desk.queue()), "one for all threads of it");
    }
}
