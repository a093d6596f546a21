//! The time, as an input: the system's, or one that a test has set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Stands for "ask the system".
const SYSTEM: i64 = i64::MIN;

/// The clock of a server.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

impl Default for Clock {
    fn default() -> Clock {
        Clock(Arc::new(AtomicI64::new(SYSTEM)))
    }
}

impl Clock {
    /// Stops it at `at`, in seconds since 1970; `None` lets the system's run again. For tests.
    pub fn set(&self, at: Option<i64>) {
        self.0.store(at.unwrap_or(SYSTEM), Ordering::Relaxed);
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.micros().div_euclid(1_000_000)
    }

    /// Microseconds since 1970.
    pub fn micros(&self) -> i64 {
        match self.0.load(Ordering::Relaxed) {
            SYSTEM => system(),
            at => at.saturating_mul(1_000_000),
        }
    }

    /// A number that rises, also after a backup was restored: the next after `previous`.
    pub fn next(&self, previous: i64) -> i64 {
        self.micros().max(previous.saturating_add(1))
    }
}

fn system() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
