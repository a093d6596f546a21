//! Wrong passwords, by where they come from and whom they try: after some of them, the next is not
//! looked at for a while. The right one from elsewhere is.

use licentia_server::listen::network;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords in a row before anything is limited.
const FREE: u32 = 10;

/// One more is forgiven after so long.
const PAUSE: Duration = Duration::from_secs(6);

/// Pairs that are remembered: more are forgotten, the oldest first.
const PAIRS_MAX: usize = 10_000;

type Pair = [u8; 32];

/// What went wrong lately.
#[derive(Default)]
pub struct Attempts(Mutex<HashMap<Pair, Wrong>>);

struct Wrong {
    count: u32,
    last: Instant,
}

impl Attempts {
    /// The seconds to wait before the next password is looked at; `None` = now.
    pub fn wait(&self, from: IpAddr, name: &[u8]) -> Option<u64> {
        let now = Instant::now();
        let pairs = self.pairs();
        let wrong = pairs.get(&pair(from, name))?;
        let left = wrong.left(now);
        let over = left.checked_sub(FREE)?;
        let due = PAUSE * (over + 1);
        // Of the pause that is running, a part is over.
        let begun =
            Duration::from_nanos((elapsed(wrong, now).as_nanos() % PAUSE.as_nanos()) as u64);
        Some(due.saturating_sub(begun).as_secs().max(1))
    }

    /// One more was wrong.
    pub fn bad(&self, from: IpAddr, name: &[u8]) {
        let now = Instant::now();
        let mut pairs = self.pairs();
        if pairs.len() >= PAIRS_MAX {
            forget(&mut pairs, now);
        }
        let wrong = pairs.entry(pair(from, name)).or_insert(Wrong { count: 0, last: now });
        *wrong = Wrong { count: wrong.left(now).min(FREE) + 1, last: now };
    }

    /// One was right.
    pub fn good(&self, from: IpAddr, name: &[u8]) {
        self.pairs().remove(&pair(from, name));
    }

    fn pairs(&self) -> MutexGuard<'_, HashMap<Pair, Wrong>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wrong {
    /// What is left of the count after what was forgiven.
    fn left(&self, now: Instant) -> u32 {
        let forgiven = elapsed(self, now).as_secs() / PAUSE.as_secs();
        self.count.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

fn elapsed(wrong: &Wrong, now: Instant) -> Duration {
    now.saturating_duration_since(wrong.last)
}

/// Forgets what is forgiven, and if that is too little, the older half.
fn forget(pairs: &mut HashMap<Pair, Wrong>, now: Instant) {
    pairs.retain(|_, wrong| wrong.left(now) > 0);
    if pairs.len() < PAIRS_MAX {
        return;
    }
    let mut times: Vec<Instant> = pairs.values().map(|wrong| wrong.last).collect();
    times.sort_unstable();
    if let Some(middle) = times.get(times.len() / 2).copied() {
        pairs.retain(|_, wrong| wrong.last > middle);
    }
}

fn pair(from: IpAddr, name: &[u8]) -> Pair {
    let mut hash = Sha256::new();
    match network(from) {
        IpAddr::V4(address) => hash.update(address.octets()),
        IpAddr::V6(address) => hash.update(address.octets()),
    }
    hash.update([0]);
    hash.update(name);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_waits_and_the_right_one_from_elsewhere_does_not() {
        let attempts = Attempts::default();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..FREE {
            assert_eq!(attempts.wait(here, b"anna"), None);
            attempts.bad(here, b"anna");
        }
        let wait = attempts.wait(here, b"anna").unwrap();
        assert!((1..=PAUSE.as_secs()).contains(&wait), "{wait}");
        assert_eq!(attempts.wait(here, b"bert"), None);
        assert_eq!(attempts.wait("192.0.2.2".parse().unwrap(), b"anna"), None);
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(attempts.wait(mapped, b"anna").is_some(), "the same address in IPv6");
        attempts.good(here, b"anna");
        assert_eq!(attempts.wait(here, b"anna"), None);
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let attempts = Attempts::default();
        for last in 0..FREE {
            attempts.bad(format!("2001:db8::{last}").parse().unwrap(), b"anna");
        }
        assert!(attempts.wait("2001:db8::ffff".parse().unwrap(), b"anna").is_some());
        assert!(attempts.wait("2001:db8:0:1::".parse().unwrap(), b"anna").is_none());
    }

    #[test]
    fn what_is_wrong_is_forgiven_in_time_and_never_counts_without_end() {
        let now = Instant::now();
        let wrong = Wrong { count: FREE + 1, last: now };
        assert_eq!(wrong.left(now + PAUSE), FREE);
        assert_eq!(wrong.left(now + PAUSE * (FREE + 1)), 0);
        let attempts = Attempts::default();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        for _ in 0..1000 {
            attempts.bad(here, b"anna");
        }
        assert!(attempts.wait(here, b"anna").unwrap() <= 2 * PAUSE.as_secs());
    }

    #[test]
    fn the_memory_of_it_is_bounded() {
        let attempts = Attempts::default();
        let here: IpAddr = "192.0.2.1".parse().unwrap();
        for number in 0..PAIRS_MAX + 10 {
            attempts.bad(here, &number.to_be_bytes());
        }
        assert!(attempts.pairs().len() <= PAIRS_MAX);
    }
}
