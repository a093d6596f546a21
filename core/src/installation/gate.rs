//! The hot path: an answer that is true for one second of the clock, and how the next is found.

use super::Installation;
use super::time::Keeper;
use super::view::View;
use crate::feature::Feature;
use crate::product::Product;
use crate::stages::DAY;
use crate::usage::{Totals, limit};
use crate::verdict::{self, Access, Floor, Gate, Now, Source};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// How long whoever has recorded waits for another thread to have looked, and how long at a time.
const SOON: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_micros(20);

/// An answer for every feature, and the second it was found in.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) gate: Arc<Gate>,
    pub(crate) view: Arc<View>,
    pub(crate) now: Now,
    /// The same time without what a license says of it: what is kept of it.
    pub(crate) seen: Now,
    second: (i64, i64),
}

impl Known {
    /// Knows nothing and grants nothing: of an installation that is being opened.
    pub(crate) fn blank(product: &Product) -> Known {
        let view = View::blank(product);
        let now = Now { at: 0, clock: 0, floor: None };
        let gate = Arc::new(verdict::gate(&view.facts, &now));
        Known { gate, view: Arc::new(view), now, seen: now, second: (0, 0) }
    }

    /// The same, found in no second, by a view that is to be made anew.
    pub(crate) fn outdated(&self) -> Known {
        let (gate, view) = (Arc::clone(&self.gate), Arc::new(self.view.outdated()));
        Known { gate, view, second: (0, 0), ..*self }
    }
}

/// What one process needs to look. The child of a fork makes its own: a lock that another thread
/// of the parent held is never let go there.
#[derive(Debug)]
pub(crate) struct Eye {
    process: u32,
    /// Held for as long as files are looked at.
    looking: Mutex<()>,
    /// Held for as long as a time is reckoned.
    keeper: Mutex<Keeper>,
}

impl Eye {
    fn new() -> Eye {
        let keeper = Mutex::new(Keeper::new());
        Eye { process: std::process::id(), looking: Mutex::new(()), keeper }
    }
}

/// The eye of this process.
#[derive(Debug)]
pub(crate) struct Eyes(ArcSwap<Eye>);

impl Eyes {
    pub(crate) fn new() -> Eyes {
        Eyes(ArcSwap::from_pointee(Eye::new()))
    }

    pub(crate) fn get(&self) -> Arc<Eye> {
        let eye = self.0.load_full();
        if eye.process == std::process::id() {
            return eye;
        }
        self.0.store(Arc::new(Eye::new()));
        self.0.load_full()
    }
}

impl Eye {
    /// Waits until nobody else looks.
    pub(crate) fn look(&self) -> MutexGuard<'_, ()> {
        self.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, but not for long: files may be looked at on a disk that does not answer.
    fn look_soon(&self) -> Option<MutexGuard<'_, ()>> {
        let began = Instant::now();
        loop {
            match self.try_look() {
                None if began.elapsed() < SOON => std::thread::sleep(PAUSE),
                looking => return looking,
            }
        }
    }

    fn try_look(&self) -> Option<MutexGuard<'_, ()>> {
        match self.looking.try_lock() {
            Ok(looking) => Some(looking),
            Err(TryLockError::Poisoned(looking)) => Some(looking.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Installation {
    /// The answers of this second.
    #[inline]
    pub(crate) fn answers(&self) -> Arc<Known> {
        let snapshot = self.snapshot.load();
        if snapshot.second == self.product.clock().second() {
            return Arc::clone(&snapshot);
        }
        self.refresh()
    }

    /// What may be done with a feature, in this second.
    #[inline]
    pub(crate) fn ask(&self, feature: &[u8]) -> Access {
        let snapshot = self.snapshot.load();
        if snapshot.second == self.product.clock().second() {
            return snapshot.gate.access(feature);
        }
        self.refresh().gate.access(feature)
    }

    /// One look, unless another thread takes it right now: then what is known is judged at this
    /// second, and the look is that thread's.
    #[cold]
    fn refresh(&self) -> Arc<Known> {
        let eye = self.eyes.get();
        let Some(_looking) = eye.try_look() else {
            let snapshot = self.snapshot.load_full();
            return Arc::new(self.judge(&eye, Arc::clone(&snapshot.view), &snapshot));
        };
        let snapshot = self.look(&eye);
        self.note_time(&eye, &snapshot, false);
        self.snapshot.load_full()
    }

    /// What this process has just recorded of a feature, and what it has read of others for that:
    /// if its limit leaves something else now, it knows at once. Looks at no file. What else has
    /// changed is looked at when its second is over.
    pub(crate) fn note_usage(&self, feature: &Feature) {
        let eye = self.eyes.get();
        let Some(_looking) = eye.look_soon() else { return };
        let before = self.snapshot.load_full();
        let Some(usage) = self.ledger.remembered() else {
            self.look(&eye);
            return;
        };
        let left = |usage: &Totals| {
            limit::verdict(feature, usage.of(feature, before.now.at).used).standing
        };
        if left(&usage) != left(&before.view.facts.usage) {
            let known = self.judge(&eye, before.view.with_usage(usage), &before);
            // Not a second longer than the look on which the rest of it stands.
            self.snapshot.store(Arc::new(Known { second: before.second, ..known }));
        }
    }

    /// Looks at the folder and the sources, and publishes what follows. Only one thread at a time.
    pub(crate) fn look(&self, eye: &Eye) -> Arc<Known> {
        let before = self.snapshot.load_full();
        let view = View::look(self, Some(&before.view));
        let next = Arc::new(self.judge(eye, view, &before));
        self.snapshot.store(Arc::clone(&next));
        next
    }

    fn judge(&self, eye: &Eye, view: Arc<View>, before: &Known) -> Known {
        let second = self.product.clock().second();
        let seen = self.now(eye, &view);
        let now = signed_time(&view, seen);
        let same = Arc::ptr_eq(&view, &before.view)
            && before.now.at <= now.at
            && before.gate.next_change_at.is_none_or(|next| now.at < next);
        let gate = match same {
            true => Arc::clone(&before.gate),
            false => Arc::new(verdict::gate(&view.facts, &now)),
        };
        Known { gate, view, now, seen, second }
    }

    pub(crate) fn now(&self, eye: &Eye, view: &View) -> Now {
        let floors = view.state.as_ref().map(|state| state.floors.clone()).unwrap_or_default();
        eye.keeper().now(self.product.clock(), &floors)
    }

    /// What holds now, looked at anew.
    pub(crate) fn fresh(&self) -> Arc<Known> {
        let eye = self.eyes.get();
        let _looking = eye.look();
        self.look(&eye)
    }
}

/// A clock that is more than a day behind the signature of the license that decides is wrong: then
/// it is as late as that, and as much later as time has gone by since it was applied, for as long
/// as that license decides.
fn signed_time(view: &View, now: Now) -> Now {
    let Some(held) = verdict::rule(&view.facts, &now).held else { return now };
    let iat = held.claims.iat;
    if iat.saturating_sub(now.at) <= DAY {
        return now;
    }
    let installed = view.facts.candidates.iter().any(|candidate| {
        let same = candidate.license.as_ref().is_ok_and(|it| Arc::ptr_eq(it, &held));
        same && candidate.source == Source::Installed
    });
    let licenses = view.state.iter().flat_map(|state| &state.licenses);
    let applied = licenses.map(|license| license.applied_at).max().filter(|_| installed);
    let gone = applied.map_or(0, |applied| now.at.saturating_sub(applied).max(0));
    let at = iat.saturating_add(gone);
    Now { at, clock: now.clock, floor: Some(Floor { at, signed: true }) }
}
