//! How what is kept is changed: under the lock, whole or not at all, and known to this process at
//! once.

use super::Installation;
use super::gate::{Eye, Known};
use super::state::State;
use super::view::View;
use crate::errors::{Code, Error, Result};
use crate::store::{Locked, Slot};
use crate::usage::Ledger;
use crate::verdict::Now;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a change is made from: everything as it is under the lock.
pub(crate) struct Change<'a> {
    /// To be changed.
    pub(crate) state: State,
    /// What is known besides.
    pub(crate) view: Arc<View>,
    /// The one time of this change.
    pub(crate) now: Now,
    pub(crate) locked: &'a Locked<'a>,
    /// Whether the folder is new, and has to be begun.
    is_new: bool,
}

/// What to do where everything that is kept is damaged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Leave it alone, and say so.
    Keep,
    /// Begin again: a license has come that makes good what was lost.
    BeginAgain,
}

impl Installation {
    /// Makes a change: `make` gives `None` where nothing has to be written.
    pub(crate) fn change<T>(
        &self,
        damage: Damage,
        make: impl FnOnce(&mut Change<'_>) -> Result<(bool, T)>,
    ) -> Result<T> {
        self.check_writable()?;
        let eye = self.eyes.get();
        // In this order: whoever only looks does not wait while this waits for another process.
        let locked = self.folder.lock()?;
        let _looking = eye.look();
        let outcome = self.change_locked(&eye, &locked, damage, make);
        drop(locked);
        self.look(&eye);
        outcome
    }

    fn change_locked<T>(
        &self,
        eye: &Eye,
        locked: &Locked<'_>,
        damage: Damage,
        make: impl FnOnce(&mut Change<'_>) -> Result<(bool, T)>,
    ) -> Result<T> {
        self.shared.fetch_or(locked.shared(), Ordering::Relaxed);
        let (mut state, is_new) = self.state_to_change(locked, damage)?;
        let view = Arc::clone(&self.look(eye).view);
        let now = eye.keeper().now(self.product.clock(), &state.floors);
        // A first use that was noted by a clock far ahead begins now: it was never later.
        state.anchor = state.anchor.map(|anchor| anchor.min(now.at));
        let era = state.floors.era;
        let mut change = Change { state, view, now, locked, is_new };
        let (write, given) = make(&mut change)?;
        if write || is_new {
            // A change that has set the time right has the last word on it.
            if change.state.floors.era == era {
                change.state.floors = eye.keeper().noted(&change.now, &change.state.floors);
            }
            change.write()?;
        }
        Ok(given)
    }

    /// The state as it is under the lock, or a first one.
    fn state_to_change(&self, locked: &Locked<'_>, damage: Damage) -> Result<(State, bool)> {
        let at = self.product.clock().now();
        let found = self.folder.find(Slot::State).and_then(|found| {
            let Some(found) = found else { return Ok(None) };
            let mut state = State::from_bytes(&found.payload, self.product.code())?;
            state.note_damage(at, found.recovered);
            Ok(Some(state))
        });
        match found {
            Ok(Some(state)) => Ok((state, false)),
            Ok(None) => {
                Ledger::begin(locked, at)?;
                Ok((State::new(self.product.code(), at, 0)?, true))
            }
            Err(error) if error.code() == Code::StateCorrupt && damage == Damage::BeginAgain => {
                Ok((State::new(self.product.code(), at, 1)?, false))
            }
            Err(error) => Err(error),
        }
    }

    /// Makes what a folder needs before anything else, where it is new.
    pub(crate) fn begin(&self) -> Result<()> {
        match self.folder.find(Slot::State) {
            Ok(None) => self.change(Damage::Keep, |_| Ok((false, ()))),
            _ => Ok(()),
        }
    }

    /// Notes the time, if that is due. Never waits, and never fails: there will be another time.
    pub(crate) fn note_time(&self, eye: &Eye, snapshot: &Arc<Known>, opened: bool) {
        if self.reads_only {
            return;
        }
        let Some(state) = &snapshot.view.state else { return };
        if eye.keeper().due(&snapshot.seen, &state.floors, opened).is_none() {
            return;
        }
        let Ok(Some(locked)) = self.folder.try_lock() else { return };
        let noted = self.change_locked(eye, &locked, Damage::Keep, |_| Ok((true, ())));
        drop(locked);
        if noted.is_ok() {
            self.look(eye);
        }
    }

    pub(crate) fn check_writable(&self) -> Result<()> {
        match self.reads_only {
            true => Err(Error::new(Code::StateUnavailable, "the folder was opened to be read")),
            false => Ok(()),
        }
    }
}

impl Change<'_> {
    /// Writes the next generation; in a new folder two, so that there is another from the start.
    pub(super) fn write(&self) -> Result<()> {
        let bytes = self.state.to_bytes()?;
        for _ in 0..1 + u32::from(self.is_new) {
            let next = self.locked.next(Slot::State)?;
            self.locked.replace(Slot::State, next, &bytes, 0)?;
        }
        Ok(())
    }
}
