//! The time, as an input: the system's, or one that a test has set.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Stands for "ask the system". No time that can be set is this early.
const SYSTEM: i64 = i64::MIN;

/// A clock that is shared by a product and every license it verified.
#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn system() -> Clock {
        Clock(Arc::new(AtomicI64::new(SYSTEM)))
    }

    /// Stops the clock at `at`, or lets the system's run again with `None`.
    pub(crate) fn set(&self, at: Option<i64>) {
        self.0.store(at.unwrap_or(SYSTEM), Ordering::Relaxed);
    }

    /// The time it was stopped at, if it was.
    pub(crate) fn fixed(&self) -> Option<i64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at != SYSTEM)
    }

    /// What tells one second from another, for answers that are kept for that long: the time it
    /// was stopped at, and the system's second. Both, since the world goes on when it stands still.
    #[inline]
    pub(crate) fn second(&self) -> (i64, i64) {
        (self.0.load(Ordering::Relaxed), system_seconds())
    }

    /// Seconds since 1970. Lags the exact time by up to 4 ms on Linux: it is asked for on every
    /// `allows`, and the coarse clock costs a third of the exact one.
    #[inline]
    pub(crate) fn now(&self) -> i64 {
        match self.0.load(Ordering::Relaxed) {
            SYSTEM => system_seconds(),
            fixed => fixed,
        }
    }
}

#[cfg(target_os = "linux")]
#[inline]
fn system_seconds() -> i64 {
    rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse).tv_sec
}

/// Seconds since this machine was started, those asleep included; `None` where nobody says.
#[cfg(target_os = "linux")]
pub(crate) fn boot_seconds() -> Option<i64> {
    Some(rustix::time::clock_gettime(rustix::time::ClockId::Boottime).tv_sec)
}

/// Seconds since this machine was started; `None` where nobody says.
#[cfg(not(target_os = "linux"))]
pub(crate) fn boot_seconds() -> Option<i64> {
    None
}

/// What tells one start of this machine from another; `None` where nobody says.
pub(crate) fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_string()).filter(|id| !id.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn system_seconds() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}

/// 1970-01-01T00:00:00Z. Times are reckoned from here on the calendar: it goes on to the last
/// second of the year 9999, where jiff's instants end a day before.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// An instant for people: `2025-01-15T10:30:00Z` (RFC 3339), or the number where that cannot be.
pub fn rfc3339(seconds: i64) -> String {
    EPOCH
        .checked_add(SignedDuration::from_secs(seconds))
        .map_or_else(|_| seconds.to_string(), |time| format!("{time}Z"))
}

/// Reads an instant: seconds since 1970, RFC 3339 (`2025-01-15T10:30:00Z`), or a date
/// (`2025-01-15`, its first second in UTC). `None` where it is neither.
pub fn parse_time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let since_epoch = |time: DateTime| time.duration_since(EPOCH).as_secs();
    if let Some(utc) = text.strip_suffix('Z') {
        let written = |time: &DateTime| text.len() >= 20 && time.subsec_nanosecond() == 0;
        return utc.parse().ok().filter(written).map(since_epoch);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    let date: Date = text.parse().ok().filter(|_| text.len() == "2025-01-15".len())?;
    Some(since_epoch(date.at(0, 0, 0, 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_clock_stands_still_and_is_shared() {
        let clock = Clock::system();
        let other = clock.clone();
        clock.set(Some(-5));
        assert_eq!((other.now(), other.fixed()), (-5, Some(-5)));
        other.set(None);
        assert!(clock.now() > 1_700_000_000 && clock.fixed().is_none());
    }

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(rfc3339(1_736_937_000), "2025-01-15T10:30:00Z");
        assert_eq!(parse_time("2025-01-15T10:30:00Z"), Some(1_736_937_000));
        assert_eq!(parse_time("2025-01-15T11:30:00+01:00"), Some(1_736_937_000));
        assert_eq!(parse_time("2025-01-15"), Some(1_736_899_200));
        assert_eq!(parse_time("1736937000"), Some(1_736_937_000));
        assert_eq!(parse_time("-1"), Some(-1));
        let last = 253_402_300_799;
        assert_eq!(rfc3339(last), "9999-12-31T23:59:59Z");
        assert_eq!(parse_time("9999-12-31T23:59:59Z"), Some(last));
        assert_eq!(parse_time("9999-12-31"), Some(last - 86_399));
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(last + 1), (last + 1).to_string());
        assert_eq!(rfc3339(i64::MIN), i64::MIN.to_string());
        for bad in [
            "",
            "soon",
            "2025-13-01",
            "2025-02-30",
            "2025-01-15T10:30:00",
            "1e9",
            "1.5",
            "Z",
            "2025-01-15Z",
            "2025-01-15T10Z",
            "2025-W03-3",
            "-000001-01-01",
        ] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
