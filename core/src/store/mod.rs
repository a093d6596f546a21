//! What is kept on a disk, and how it survives whatever happens to it: docs/state.md.
//!
//! Five sentences hold, whatever fails and whenever the power goes; `faults.rs` and `crashes.rs`
//! try to break them:
//!
//! 1. What [`Locked::replace`] acknowledged is read by everybody from then on, or something newer.
//! 2. A replacement that was not acknowledged is there as a whole or not at all.
//! 3. Nothing is ever read that nobody wrote: damage is told from a slot that was never written.
//! 4. A first run that was cut off begins again, and a folder that was in use never begins again.
//! 5. Whatever failed, the next attempt on a healthy disk succeeds.

pub(crate) mod disk;
pub(crate) mod failure;
mod lock;
mod real;
mod slot;

#[cfg(test)]
mod crashes;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod real_folder;
#[cfg(any(test, feature = "simulate"))]
pub(crate) mod simulated;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;

pub(crate) use disk::{Disk, File, How};
pub(crate) use lock::Locked;
pub(crate) use real::open_to_read;
pub(crate) use slot::{Found, Slot};

use crate::errors::Result;

/// A folder with the state of one installation. Holds no open files: they are opened for one
/// operation, so that a fork, a removed disk or a renewed mount cannot leave stale ones behind.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    disk: Arc<dyn Disk>,
    /// Whose lock records were seen, by all clones of it.
    boots: Arc<AtomicU8>,
}

impl Folder {
    /// A folder of this machine. Touches nothing: it need not exist.
    pub(crate) fn at(path: &Path) -> Folder {
        Folder::on(Arc::new(real::RealDisk::at(path)))
    }

    /// A folder on any disk.
    pub(crate) fn on(disk: Arc<dyn Disk>) -> Folder {
        Folder { disk, boots: Arc::default() }
    }

    /// What is in a slot; `None` if it was never written. Takes no lock and writes nothing.
    ///
    /// Fails with `state_unavailable` or `io` if it cannot be read, `state_corrupt` if it is
    /// damaged or gone, and `too_new` if a later version of licentia wrote it.
    pub(crate) fn find(&self, slot: Slot) -> Result<Option<Found>> {
        slot::find(&*self.disk, slot)
    }

    /// The generation of a slot, by its headers only; 0 if it has none. Compared with the
    /// [`Found::generation`] of what was read, it tells at once whether that was replaced.
    pub(crate) fn glance(&self, slot: Slot) -> Result<u64> {
        slot::glance(&*self.disk, slot)
    }

    /// What tells one content of a slot from all others, by its headers only: a folder that was
    /// put back has the same numbers again. `None` if there is none.
    pub(crate) fn digest(&self, slot: Slot) -> Result<Option<[u8; 32]>> {
        slot::digest(&*self.disk, slot)
    }

    /// The file of a generation, for what comes after its payload. Fails with `busy` if a later
    /// generation has taken its place.
    pub(crate) fn open(&self, slot: Slot, generation: u64, how: How) -> Result<Box<dyn File>> {
        slot::open(&*self.disk, slot, generation, how)
    }

    /// The number of [`Folder::set_synced`]; 0 if there is none, or it is being written.
    pub(crate) fn synced(&self) -> Result<u64> {
        lock::synced(&*self.disk)
    }

    /// Keeps a number in `lock`, for all processes at once, but not durably.
    pub(crate) fn set_synced(&self, seq: u64) -> Result<()> {
        lock::set_synced(&*self.disk, seq)
    }

    /// Takes the lock, and waits up to [`crate::limits::LOCK_WAIT`] for it: then `busy`.
    pub(crate) fn lock(&self) -> Result<Locked<'_>> {
        lock::within(self, crate::limits::LOCK_WAIT)
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_lock(&self) -> Result<Option<Locked<'_>>> {
        lock::at_once(self)
    }
}
