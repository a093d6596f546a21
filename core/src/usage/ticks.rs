//! A clock that nobody sets, for the rule of one second.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The system's, or one that a test turns.
#[derive(Clone, Debug, Default)]
pub(super) enum Ticks {
    #[default]
    System,
    #[cfg(test)]
    Turned(std::sync::Arc<std::sync::atomic::AtomicU64>),
}

impl Ticks {
    /// Since some moment in the life of this process.
    pub(super) fn now(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Ticks::System => BEGAN.elapsed(),
            #[cfg(test)]
            Ticks::Turned(millis) => {
                Duration::from_millis(millis.load(std::sync::atomic::Ordering::Relaxed))
            }
        }
    }
}
