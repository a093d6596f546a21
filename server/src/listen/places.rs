//! Which connections can be done without: those that wait for a request, or for the rest of one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// How often room is made where there is none.
const ROOM: Duration = Duration::from_millis(50);

/// As many as there may be.
#[derive(Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    waiting: Arc<Waiting>,
}

/// Connections that wait, the one that has waited longest first.
#[derive(Default)]
struct Waiting {
    next: AtomicU64,
    all: Mutex<BTreeMap<u64, Arc<Notify>>>,
}

/// The place of one connection, free again when it is dropped.
pub struct Place {
    waiting: Arc<Waiting>,
    number: AtomicU64,
    leave: Arc<Notify>,
    is_working: AtomicBool,
    _taken: OwnedSemaphorePermit,
}

impl Places {
    pub fn new(count: usize) -> Places {
        Places { free: Arc::new(Semaphore::new(count)), waiting: Arc::default() }
    }

    /// A place for one more connection. Where there is none, the one that has waited longest makes
    /// room: those that only hold their place keep nobody out.
    pub async fn take(&self) -> Option<Place> {
        if let Ok(taken) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(Place::new(&self.waiting, taken));
        }
        loop {
            self.make_room();
            // All of them may be busy now, and wait a moment later.
            let free = Arc::clone(&self.free).acquire_owned();
            if let Ok(taken) = tokio::time::timeout(ROOM, free).await {
                return Some(Place::new(&self.waiting, taken.ok()?));
            }
        }
    }

    /// Has the one leave that has waited longest.
    pub fn make_room(&self) {
        if let Some((_, oldest)) = self.waiting.all().pop_first() {
            oldest.notify_one();
        }
    }

    /// Waits until all are free. `count` is how many there are.
    pub async fn all_free(&self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let _ = self.free.acquire_many(count).await;
    }
}

impl Waiting {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Notify>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// A new connection waits for its first request.
    fn new(waiting: &Arc<Waiting>, taken: OwnedSemaphorePermit) -> Place {
        let (number, leave) = (AtomicU64::new(0), Arc::default());
        let is_working = AtomicBool::new(false);
        let waiting = Arc::clone(waiting);
        let place = Place { waiting, number, leave, is_working, _taken: taken };
        place.waits();
        place
    }

    /// It waits, from now on.
    pub fn waits(&self) {
        self.is_working.store(false, Ordering::Relaxed);
        let number = self.waiting.next.fetch_add(1, Ordering::Relaxed);
        self.number.store(number, Ordering::Relaxed);
        self.waiting.all().insert(number, Arc::clone(&self.leave));
    }

    /// It is being answered, and stays.
    pub fn works(&self) {
        self.is_working.store(true, Ordering::Relaxed);
        self.waiting.all().remove(&self.number.load(Ordering::Relaxed));
    }

    /// It waits, and has not for long: somebody takes what it gives.
    pub fn goes_on(&self) {
        self.works();
        self.waits();
    }

    /// Waits until it has to make room.
    pub async fn has_to_leave(&self) {
        self.leave.notified().await;
        // It may have been told at the moment when it began to be answered.
        while self.is_working.load(Ordering::Relaxed) {
            self.leave.notified().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.works();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    #[tokio::test]
    async fn what_is_answered_stays_even_if_it_was_told_to_leave_just_before() {
        let places = Places::new(1);
        let place = places.take().await.unwrap();
        let leaves = || {
            let mut context = Context::from_waker(Waker::noop());
            pin!(place.has_to_leave()).poll(&mut context).is_ready()
        };
        assert!(!leaves(), "nobody wants its place");
        places.make_room();
        place.works();
        assert!(!leaves(), "it is being answered");
        place.waits();
        assert!(!leaves(), "it was told before");
        places.make_room();
        assert!(leaves());
    }
}
