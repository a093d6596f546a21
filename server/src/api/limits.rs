//! How much one client may ask: by its API key, or else by its address. Whoever guesses keys is
//! slowed down, and holds up nobody elsewhere, nor anybody whose key was good before.

use crate::config::Rates;
use crate::error::{Code, Error, Result};
use crate::listen::network;
use crate::metrics::Metrics;
use governor::clock::{Clock as _, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use sea_orm::prelude::Uuid;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Keys that are known to be good, and addresses that sent wrong ones: more are forgotten.
const KNOWN_MAX: usize = 50_000;

/// How long a key that was good is known.
const KNOWN: Duration = Duration::from_secs(3600);

/// Seconds over which requests are counted.
const WINDOW: u32 = 60;

/// The limits of a server.
pub struct Limits {
    keys: Option<Limiter<Uuid>>,
    addresses: Option<Limiter<IpAddr>>,
    wrong: Wrong,
    known: Mutex<HashMap<String, (Uuid, Instant)>>,
    metrics: Arc<Metrics>,
}

/// What is left of a limit, for headers (draft-ietf-httpapi-ratelimit-headers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// What is counted by: `key` or `address`.
    pub by: &'static str,
    /// Requests a minute.
    pub quota: u32,
    /// Requests that may come now.
    pub remaining: u32,
    /// Seconds until all of them may come again.
    pub reset: u32,
}

/// Counts one kind of client.
struct Limiter<K: Hash + Eq + Clone> {
    by: &'static str,
    quota: NonZeroU32,
    clock: DefaultClock,
    all: RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    fn new(by: &'static str, quota: NonZeroU32) -> Limiter<K> {
        let all = RateLimiter::dashmap(Quota::per_minute(quota));
        Limiter { by, quota, clock: DefaultClock::default(), all: all.with_middleware() }
    }

    fn take(&self, client: &K) -> Result<Left, u64> {
        let quota = self.quota.get();
        match self.all.check_key(client) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(quota.saturating_sub(remaining)) * u64::from(WINDOW);
                let reset = used.div_ceil(quota.into());
                let reset = u32::try_from(reset).unwrap_or(WINDOW);
                Ok(Left { by: self.by, quota, remaining, reset })
            }
            Err(over) => Err(over.wait_time_from(self.clock.now()).as_secs() + 1),
        }
    }
}

impl Limits {
    /// Limits of so many requests a minute.
    pub fn new(rates: Rates, metrics: Arc<Metrics>) -> Limits {
        Limits {
            keys: rates.key.map(|quota| Limiter::new("key", quota)),
            addresses: rates.address.map(|quota| Limiter::new("address", quota)),
            wrong: Wrong { quota: rates.wrong, all: Mutex::default() },
            known: Mutex::default(),
            metrics,
        }
    }

    /// Takes one request: of the key with this digest where it was good before, or else of its
    /// address. Fails with `too_many_requests`.
    pub fn take(&self, from: IpAddr, digest: Option<&str>) -> Result<Option<Left>> {
        let key = digest.and_then(|digest| self.key(digest));
        let (taken, by) = match (key, &self.keys, &self.addresses) {
            (Some(key), Some(keys), _) => (keys.take(&key), "key"),
            (None, _, Some(addresses)) => (addresses.take(&network(from)), "address"),
            _ => return Ok(None),
        };
        taken.map(Some).map_err(|seconds| {
            self.metrics.limited(by);
            let whose = if by == "key" { "this API key" } else { "your address" };
            too_many(&format!("Too many requests from {whose}"), seconds)
        })
    }

    /// Whether a key may be looked up that nobody knows to be good. Fails with
    /// `too_many_requests` where too many from there were wrong.
    pub fn may_try(&self, from: IpAddr, digest: &str) -> Result<()> {
        if self.key(digest).is_some() {
            return Ok(());
        }
        self.wrong.wait(from, Instant::now()).map_or(Ok(()), |seconds| {
            self.metrics.limited("wrong_key");
            Err(too_many("Too many API keys from your address were not good", seconds))
        })
    }

    /// A key was wrong.
    pub fn wrong(&self, from: IpAddr, digest: &str) {
        self.known().remove(digest);
        self.wrong.note(from, Instant::now());
    }

    /// A key was good.
    pub fn good(&self, digest: &str, key: Uuid) {
        let mut known = self.known();
        if known.len() >= KNOWN_MAX {
            known.retain(|_, (_, since)| since.elapsed() < KNOWN / 2);
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(digest.to_string(), (key, Instant::now()));
    }

    /// Forgets whoever has not asked lately. To be called about once a minute.
    pub fn forget(&self) {
        if let Some(keys) = &self.keys {
            keys.all.retain_recent();
            keys.all.shrink_to_fit();
        }
        if let Some(addresses) = &self.addresses {
            addresses.all.retain_recent();
            addresses.all.shrink_to_fit();
        }
        self.known().retain(|_, (_, since)| since.elapsed() < KNOWN);
        self.wrong.forget(Instant::now());
    }

    fn key(&self, digest: &str) -> Option<Uuid> {
        let known = self.known();
        let (key, since) = known.get(digest)?;
        (since.elapsed() < KNOWN).then_some(*key)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, (Uuid, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(what: &str, seconds: u64) -> Error {
    let what = format!("{what}: try again in {seconds} seconds");
    Error::new(Code::TooManyRequests, what).retry_after(seconds)
}

/// Keys that were not good, by where they came from. One is forgiven after another.
struct Wrong {
    quota: Option<NonZeroU32>,
    all: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

impl Wrong {
    /// The time after which one is forgiven.
    fn pause(&self) -> Duration {
        self.quota.map_or(Duration::MAX, |quota| Duration::from_secs(WINDOW.into()) / quota.get())
    }

    /// Seconds to wait before another may be tried.
    fn wait(&self, from: IpAddr, now: Instant) -> Option<u64> {
        let quota = self.quota?;
        let all = self.all();
        let (count, since) = *all.get(&network(from))?;
        let elapsed = now.saturating_duration_since(since);
        let left = self.left(count, elapsed);
        let over = (left + 1).checked_sub(quota.get()).filter(|over| *over > 0)?;
        let forgiven = count.saturating_sub(left) + over;
        let wait = self.pause().saturating_mul(forgiven).saturating_sub(elapsed);
        Some(wait.as_secs() + 1)
    }

    fn note(&self, from: IpAddr, now: Instant) {
        let Some(quota) = self.quota else { return };
        let mut all = self.all();
        if all.len() >= KNOWN_MAX {
            self.retain(&mut all, now);
            if all.len() >= KNOWN_MAX {
                all.clear();
            }
        }
        let entry = all.entry(network(from)).or_insert((0, now));
        let left = self.left(entry.0, now.saturating_duration_since(entry.1));
        *entry = (left.saturating_add(1).min(quota.get()), now);
    }

    fn left(&self, count: u32, elapsed: Duration) -> u32 {
        let pause = self.pause().as_micros().max(1);
        let forgiven = u32::try_from(elapsed.as_micros() / pause).unwrap_or(u32::MAX);
        count.saturating_sub(forgiven)
    }

    fn forget(&self, now: Instant) {
        self.retain(&mut self.all(), now);
    }

    fn retain(&self, all: &mut HashMap<IpAddr, (u32, Instant)>, now: Instant) {
        all.retain(|_, (count, since)| {
            self.left(*count, now.saturating_duration_since(*since)) > 0
        });
    }

    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, (u32, Instant)>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request on its way through: what limits it, and what becomes known of it for the log.
#[derive(Clone)]
pub struct Gate(Arc<Passing>);

struct Passing {
    limits: Arc<Limits>,
    from: IpAddr,
    caller: OnceLock<(Uuid, Uuid)>,
    route: OnceLock<String>,
}

impl Gate {
    /// The gate of a request from this address.
    pub fn new(limits: Arc<Limits>, from: IpAddr) -> Gate {
        Gate(Arc::new(Passing { limits, from, caller: OnceLock::new(), route: OnceLock::new() }))
    }

    /// The address that it is counted for.
    pub fn from(&self) -> IpAddr {
        self.0.from
    }

    /// Before a key is looked up. Fails with `too_many_requests`.
    pub fn may_try(&self, digest: &str) -> Result<()> {
        self.0.limits.may_try(self.0.from, digest)
    }

    /// The key was not good.
    pub fn wrong(&self, digest: &str) {
        self.0.limits.wrong(self.0.from, digest);
    }

    /// The key was good: it is this one, of this organization.
    pub fn good(&self, digest: &str, organization: Uuid, key: Uuid) {
        self.0.limits.good(digest, key);
        let _ = self.0.caller.set((organization, key));
    }

    /// Who asks is known without a key in this request: for the log.
    pub fn known(&self, organization: Uuid, key: Uuid) {
        let _ = self.0.caller.set((organization, key));
    }

    /// The pattern of the path was found.
    pub fn route(&self, pattern: &str) {
        let _ = self.0.route.set(pattern.to_string());
    }

    /// The organization and the key of the caller, where it was found.
    pub fn caller(&self) -> Option<(Uuid, Uuid)> {
        self.0.caller.get().copied()
    }

    /// The pattern of the path; `None` = there is none.
    pub fn pattern(&self) -> Option<&str> {
        self.0.route.get().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rate: u32) -> Limits {
        let rate = NonZeroU32::new(rate);
        let rates = Rates { key: rate, address: rate, wrong: NonZeroU32::new(20) };
        Limits::new(rates, Arc::default())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_too_many_is_told_when_to_come_back_and_another_is_not() {
        let limits = limits(3);
        for remaining in [2, 1, 0] {
            let left = limits.take(ip("192.0.2.1"), None).unwrap().unwrap();
            assert_eq!((left.by, left.quota, left.remaining), ("address", 3, remaining));
            assert_eq!(left.reset, 20 * (3 - remaining));
        }
        let error = limits.take(ip("192.0.2.1"), Some("unknown")).unwrap_err();
        assert_eq!(error.code(), Code::TooManyRequests);
        assert!((1..=21).contains(&error.retry().unwrap()), "{error:?}");
        assert!(limits.take(ip("192.0.2.2"), None).is_ok());
        assert!(limits.take(ip("2001:db8::1"), None).is_ok());
        assert_eq!(limits.take(ip("2001:db8::2"), None).unwrap().unwrap().remaining, 1);
    }

    #[test]
    fn a_key_that_was_good_counts_by_itself_wherever_it_comes_from() {
        let limits = limits(3);
        let key = Uuid::now_v7();
        limits.good("digest", key);
        for from in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
            assert_eq!(limits.take(ip(from), Some("digest")).unwrap().unwrap().by, "key");
        }
        assert!(limits.take(ip("192.0.2.4"), Some("digest")).is_err());
        assert!(limits.take(ip("192.0.2.4"), None).is_ok());
        limits.wrong(ip("192.0.2.4"), "digest");
        let left = limits.take(ip("192.0.2.5"), Some("digest")).unwrap().unwrap();
        assert_eq!(left.by, "address", "it was revoked");
    }

    #[test]
    fn twenty_wrong_keys_are_enough_and_hold_up_nobody_else() {
        let limits = limits(1000);
        let here = ip("192.0.2.1");
        limits.good("right before", Uuid::now_v7());
        for at in 0..20 {
            assert!(limits.may_try(here, &at.to_string()).is_ok(), "{at}");
            limits.wrong(here, &at.to_string());
        }
        let error = limits.may_try(here, "right, and new").unwrap_err();
        assert_eq!(error.code(), Code::TooManyRequests);
        assert!((1..=4).contains(&error.retry().unwrap()), "{error:?}");
        assert!(limits.may_try(ip("192.0.2.2"), "right, and new").is_ok());
        assert!(limits.may_try(here, "right before").is_ok());
    }

    #[test]
    fn a_wrong_key_is_forgiven_in_time_and_a_thousand_count_like_twenty() {
        let wrong = Wrong { quota: NonZeroU32::new(20), all: Mutex::default() };
        let (here, now) = (ip("192.0.2.1"), Instant::now());
        for _ in 0..1000 {
            wrong.note(here, now);
        }
        assert_eq!(wrong.wait(here, now), Some(4));
        let later = now + Duration::from_secs(4);
        assert_eq!(wrong.wait(here, later), None);
        wrong.note(here, later);
        assert!(wrong.wait(here, later).is_some());
        wrong.forget(now + Duration::from_secs(61 + 4));
        assert!(wrong.all().is_empty());
        let off = Wrong { quota: None, all: Mutex::default() };
        off.note(here, now);
        assert!(off.wait(here, now).is_none() && off.all().is_empty());
    }

    #[test]
    fn without_limits_nothing_is_counted() {
        let rates = Rates { key: None, address: None, wrong: None };
        let limits = Limits::new(rates, Arc::default());
        limits.good("digest", Uuid::now_v7());
        for digest in [None, Some("digest"), Some("other")] {
            assert_eq!(limits.take(ip("192.0.2.1"), digest), Ok(None));
        }
    }
}
