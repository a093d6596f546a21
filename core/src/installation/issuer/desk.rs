//! What one process asks the issuer, one thing at a time: renewals and syncs once for all who want
//! one, and license keys as fast as an honest person types them.

use crate::errors::{Code, Error, Result};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who asks for the same renewal again within this time is given the last answer.
pub(super) const PAUSE: Duration = Duration::from_secs(10);

/// After so many license keys in a row that the issuer refused, whoever guesses is slowed.
const GUESSES: u32 = 5;

/// How long the next key then has to wait.
const GUESS_PAUSE: Duration = Duration::from_secs(60);

/// What one process asks the issuer, one thing at a time. The child of a fork makes its own: a
/// lock that another thread of the parent held is never let go there.
pub(super) struct Desk(ArcSwap<Queue>);

pub(super) struct Queue {
    process: u32,
    /// The last renewal. Held for as long as one is under way.
    pub(super) renewal: Mutex<Option<Renewal>>,
    /// The license keys that were tried. Held for as long as one is.
    pub(super) keys: Mutex<Keys>,
    /// When the last sync was over, and what it came to. Held for as long as one is under way.
    pub(super) sync: Mutex<Option<(Instant, Result<()>)>>,
}

/// What a renewal came to.
pub(super) struct Renewal {
    pub(super) license_id: String,
    pub(super) at: Instant,
    pub(super) outcome: Result<()>,
}

/// What became of the license keys that were tried.
#[derive(Default)]
pub(super) struct Keys {
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
    pub(super) fn queue(&self) -> Arc<Queue> {
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
        let (renewal, keys, sync) = Default::default();
        Queue { process, renewal, keys, sync }
    }
}

impl Keys {
    /// The answer that was waited for, if it was to the same key.
    pub(super) fn answer_since(&self, began: Instant, digest: &[u8; 32]) -> Option<Result<()>> {
        let same = |(last, at, _): &&([u8; 32], Instant, _)| last == digest && *at >= began;
        self.last.as_ref().filter(same).map(|(_, _, outcome)| outcome.clone())
    }

    /// Fails while whoever guesses has to wait.
    pub(super) fn check(&self, now: Instant) -> Result<()> {
        let waits = |at: Instant| now.saturating_duration_since(at) < GUESS_PAUSE;
        if self.refused < GUESSES || !self.refused_at.is_some_and(waits) {
            return Ok(());
        }
        let what = format!(
            "{GUESSES} license keys in a row were refused: the next is tried a minute later"
        );
        Err(Error::new(Code::Refused, what))
    }

    pub(super) fn note(&mut self, digest: [u8; 32], now: Instant, outcome: &Result<()>) {
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

pub(super) fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
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
        let _held = (hold(&parents.renewal), hold(&parents.keys), hold(&parents.sync));
        let desk = Desk(ArcSwap::new(Arc::clone(&parents)));
        let own = desk.queue();
        assert!(own.renewal.try_lock().is_ok() && own.keys.try_lock().is_ok());
        assert!(own.sync.try_lock().is_ok());
        assert!(Arc::ptr_eq(&own, &desk.queue()), "one for all threads of it");
    }
}
