//! The file `lock`: who may write, and what is known of the folder as a whole.
//!
//! It is never replaced and never removed. Its 128 bytes, zero where nothing was written yet:
//!
//! | at | what |
//! |---|---|
//! | 0 | `state` was written: the 16 bytes `was written once` |
//! | 16 | the same for `revocations` |
//! | 32 | the same for `usage` |
//! | 64 | synced: sequence u64 and its CRC-32 u32, little-endian, zero u32 |
//! | 80 | the boot that locked last: the first 16 bytes of the SHA-256 of its id |
//!
//! A mark is durable only after the first generation of its slot is, so a slot with a mark and
//! without files is lost, not new.

use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::disk::{Disk, File, How, patiently, read_full_at, write_all_at};
use super::failure::{failed, is_absent};
use super::{Folder, Slot, slot};
use crate::errors::{Code, Error, Result};

const LOCK: &str = "lock";
const LENGTH: usize = 128;
const MARK: [u8; 16] = *b"was written once";
const SYNCED: u64 = 64;
const BOOT: usize = 80;

/// The first and the longest time to wait before the lock is tried again. Short, because it is
/// held for microseconds, and bounded, so that a waiter is not passed by for long.
const WAITS: [Duration; 2] = [Duration::from_micros(30), Duration::from_micros(120)];

/// The lock on a folder. Let go of when it is dropped.
#[derive(Debug)]
pub(crate) struct Locked<'f> {
    folder: &'f Folder,
    file: Box<dyn File>,
    shared: bool,
}

/// Everything in the file.
struct Record([u8; LENGTH]);

impl Record {
    fn read(file: &dyn File) -> Result<Record> {
        let mut bytes = [0; LENGTH];
        // Shorter where it was just made, or made by a crash: the rest is zeros.
        read_full_at(file, &mut bytes, 0).map_err(|error| failed(LOCK, "read", &error))?;
        Ok(Record(bytes))
    }

    /// Reads it without the lock.
    fn glance(disk: &dyn Disk) -> Result<Record> {
        match patiently(|| disk.open(LOCK, How::Read)) {
            Ok(file) => Record::read(&*file),
            Err(error) if is_absent(&error) => Ok(Record([0; LENGTH])),
            Err(error) => Err(failed(LOCK, "read", &error)),
        }
    }

    fn field(&self, at: usize) -> [u8; 16] {
        self.0.get(at..).and_then(|bytes| bytes.first_chunk().copied()).unwrap_or_default()
    }

    /// Half of the mark is enough: it may have been torn or damaged since, but neither is an
    /// empty file one, nor what an unfinished write left there.
    fn is_marked(&self, slot: Slot) -> bool {
        let field = self.field(mark_at(slot));
        let same = field.iter().zip(MARK).filter(|(byte, mark)| *byte == mark).count();
        same >= MARK.len() / 2
    }

    fn synced(&self) -> u64 {
        let field = self.field(SYNCED as usize);
        let seq = field.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if field == synced_field(seq) { seq } else { 0 }
    }
}

const fn mark_at(slot: Slot) -> usize {
    match slot {
        Slot::State => 0,
        Slot::Revocations => 16,
        Slot::Usage => 32,
    }
}

/// A number that is half the old and half the new one does not have the right sum: the CRC finds
/// every difference that spans no more than 32 bits.
fn synced_field(seq: u64) -> [u8; 16] {
    let mut field = [0; 16];
    let bytes = seq.to_le_bytes();
    let sum = if seq == 0 { 0 } else { crc32fast::hash(&bytes) };
    for (to, from) in field.iter_mut().zip(bytes.into_iter().chain(sum.to_le_bytes())) {
        *to = from;
    }
    field
}

pub(super) fn synced(disk: &dyn Disk) -> Result<u64> {
    Ok(Record::glance(disk)?.synced())
}

pub(super) fn set_synced(disk: &dyn Disk, seq: u64) -> Result<()> {
    let write = || {
        let file = patiently(|| disk.open(LOCK, How::Write))?;
        write_all_at(&*file, &synced_field(seq), SYNCED)
    };
    write().map_err(|error| failed(LOCK, "written", &error))
}

/// Whether a slot was ever written.
pub(super) fn was_written(disk: &dyn Disk, slot: Slot) -> Result<bool> {
    Ok(Record::glance(disk)?.is_marked(slot))
}

/// Takes the lock, if it is free before `patience` is over.
pub(super) fn within(folder: &Folder, patience: Duration) -> Result<Locked<'_>> {
    let [mut wait, longest] = WAITS;
    let began = Instant::now();
    let file = open(folder)?;
    while !try_lock(&*file)? {
        if began.elapsed() >= patience {
            let what = format!("{LOCK} is held by another process");
            return Err(Error::new(Code::Busy, what));
        }
        std::thread::sleep(wait);
        wait = longest.min(wait * 2);
    }
    Locked::new(folder, file)
}

/// Takes the lock if it is free now.
pub(super) fn at_once(folder: &Folder) -> Result<Option<Locked<'_>>> {
    let file = open(folder)?;
    if try_lock(&*file)? { Locked::new(folder, file).map(Some) } else { Ok(None) }
}

fn open(folder: &Folder) -> Result<Box<dyn File>> {
    patiently(|| folder.disk.open(LOCK, How::Make)).map_err(|error| failed(LOCK, "opened", &error))
}

fn try_lock(file: &dyn File) -> Result<bool> {
    patiently(|| file.try_lock()).map_err(|error| failed(LOCK, "locked", &error))
}

impl<'f> Locked<'f> {
    /// `file` is locked; it is let go of again if this fails.
    fn new(folder: &'f Folder, file: Box<dyn File>) -> Result<Locked<'f>> {
        let mut locked = Locked { folder, file, shared: false };
        let record = Record::read(&*locked.file)?;
        locked.make_room()?;
        locked.shared = locked.note_boot(&record);
        Ok(locked)
    }

    /// Has its blocks while there is room on the disk: later writes to it need no more.
    fn make_room(&self) -> Result<()> {
        let refused = |error| failed(LOCK, "written", &error);
        let length = patiently(|| self.file.len()).map_err(refused)?;
        let missing = (LENGTH as u64).saturating_sub(length) as usize;
        let zeros = [0; LENGTH];
        write_all_at(&*self.file, zeros.get(..missing).unwrap_or_default(), length).map_err(refused)
    }

    /// Keeps who locks, and gives whether that was another machine while this process lives: a
    /// boot of this one does not change meanwhile.
    fn note_boot(&self, record: &Record) -> bool {
        const SEEN: u8 = 1;
        const SHARED: u8 = 2;
        let Some(boot) = boot() else { return false };
        let before = self.folder.boots.fetch_or(SEEN, Ordering::Relaxed);
        if record.field(BOOT) == boot {
            return before & SHARED != 0;
        }
        // Not worth failing for.
        let _ = write_all_at(&*self.file, &boot, BOOT as u64);
        if before & SEEN != 0 {
            self.folder.boots.fetch_or(SHARED, Ordering::Relaxed);
        }
        before & SEEN != 0
    }

    /// Puts a new generation into a slot, with `room` zero bytes after its payload. Durable when
    /// it returns; if it fails, the slot holds what it held or, as a whole, the new generation.
    ///
    /// Fails with `disk_full`, `state_unavailable` or `io`, and `too_large`.
    pub(crate) fn replace(
        &self,
        slot: Slot,
        generation: u64,
        payload: &[u8],
        room: u64,
    ) -> Result<()> {
        slot::replace(&*self.folder.disk, slot, generation, payload, room)?;
        self.mark(slot)
    }

    /// The generation to write next into a slot: one higher than the newest, and past a damaged
    /// one. Works where the slot is corrupt.
    pub(crate) fn next(&self, slot: Slot) -> Result<u64> {
        slot::next(&*self.folder.disk, slot)
    }

    /// Whether nothing was ever completed here.
    #[cfg(test)]
    pub(crate) fn is_first_run(&self) -> bool {
        matches!(slot::find(&*self.folder.disk, Slot::State), Ok(None))
    }

    /// Says, durably, that the first run is complete: from here on nothing is something lost.
    #[cfg(test)]
    pub(crate) fn initialized(&self) -> Result<()> {
        self.mark(Slot::State)
    }

    /// Whether another machine took this lock while this process lives.
    pub(crate) fn shared(&self) -> bool {
        self.shared
    }

    /// Marks a slot as written, durably.
    fn mark(&self, slot: Slot) -> Result<()> {
        if !Record::read(&*self.file)?.is_marked(slot) {
            write_all_at(&*self.file, &MARK, mark_at(slot) as u64)
                .and_then(|()| patiently(|| self.file.sync_all()))
                .map_err(|error| failed(LOCK, "written", &error))?;
        }
        Ok(())
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Explicitly: the child of a fork would keep it locked.
        let _ = patiently(|| self.file.unlock());
    }
}

/// What tells this boot of this machine from all others, where the system says.
fn boot() -> Option<[u8; 16]> {
    static BOOT: OnceLock<Option<[u8; 16]>> = OnceLock::new();
    *BOOT.get_or_init(|| {
        let id = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        <[u8; 32]>::from(Sha256::digest(id.trim_ascii())).first_chunk().copied()
    })
}
