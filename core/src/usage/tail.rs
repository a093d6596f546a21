//! The tail: records in a file of zeros, each in the place that its number gives it.

use super::record::{LENGTH, Record};
use super::totals::Totals;
use crate::store::File;
use crate::store::disk::{read_full_at, write_all_at};
use std::io;

/// Where the tail of a generation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// Where it begins in its file.
    pub(super) start: u64,
    /// How many bytes it has. The last record is not one: see [`Tail::mark`].
    pub(super) room: u64,
    /// The number of the checkpoint before it.
    pub(super) base: u64,
}

/// What was found wrong with a whole tail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flaws {
    /// Records that were durable once and are not there.
    pub(super) lost: u64,
    /// Places with something that is not their record.
    pub(super) torn: u64,
    /// Places before the last record with nothing in them. Records are written one after the
    /// other, but reach the disk in any order: these were cut off by a power failure.
    pub(super) holes: u64,
}

const BLOCK: usize = 4096;

/// What is written where no record is to follow: the disk has lost what it had taken.
const MARK: [u8; LENGTH] = [b'!'; LENGTH];

impl Tail {
    /// Where the record with a number is.
    pub(super) fn at(&self, seq: u64) -> u64 {
        let index = seq.saturating_sub(self.base).saturating_sub(1);
        self.start.saturating_add(index.saturating_mul(LENGTH as u64))
    }

    /// Whether there is a place for a number.
    pub(super) fn has(&self, seq: u64) -> bool {
        seq > self.base && self.at(seq) < self.marked_at()
    }

    fn marked_at(&self) -> u64 {
        self.start.saturating_add(self.room.saturating_sub(LENGTH as u64))
    }

    /// Whether anything follows the record with a number.
    pub(super) fn is_next(&self, file: &dyn File, seq: u64) -> io::Result<bool> {
        let mut bytes = [0; LENGTH];
        let has = self.has(seq + 1);
        let got = if has { read_full_at(file, &mut bytes, self.at(seq + 1))? } else { LENGTH };
        // A file that has become shorter is something too.
        Ok(got < LENGTH || bytes.iter().any(|byte| *byte != 0))
    }

    /// Reads what follows the last record that is known. `false` = it is followed by something
    /// that is not the next record.
    pub(super) fn read_on(&self, file: &dyn File, totals: &mut Totals) -> io::Result<bool> {
        let mut block = [0; BLOCK];
        while self.has(totals.seq + 1) {
            let at = self.at(totals.seq + 1);
            let wanted = (self.marked_at() - at).min(BLOCK as u64) as usize;
            let got = read_full_at(file, block.get_mut(..wanted).unwrap_or_default(), at)?;
            for bytes in block.get(..got).unwrap_or_default().as_chunks::<LENGTH>().0 {
                let next = totals.seq + 1;
                match Record::from_bytes(bytes) {
                    Some(record) if record.event.seq == next && totals.apply(bytes, &record) => {}
                    _ => return Ok(bytes.iter().all(|byte| *byte == 0)),
                }
            }
            if got < wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the whole, whatever state it is in. `synced`: up to where it was durable once.
    pub(super) fn read_all(
        &self,
        file: &dyn File,
        totals: &mut Totals,
        synced: u64,
    ) -> io::Result<Flaws> {
        let length = self.marked_at().saturating_sub(self.start).min(file.len()?);
        let mut bytes = vec![0; length as usize];
        let got = read_full_at(file, &mut bytes, self.start)?;
        let (mut flaws, mut durable, mut applied) = (Flaws::default(), 0, 0);
        let slots = bytes.get(..got).unwrap_or_default().as_chunks::<LENGTH>().0;
        for (slot, seq) in slots.iter().zip(self.base + 1..) {
            match Record::from_bytes(slot) {
                Some(record) if record.event.seq == seq && totals.apply(slot, &record) => {
                    applied += 1;
                    durable += u64::from(seq <= synced);
                }
                _ if slot.iter().all(|byte| *byte == 0) => {}
                _ => flaws.torn += 1,
            }
        }
        flaws.lost = synced.saturating_sub(self.base) - durable;
        flaws.holes = totals.seq - self.base - applied;
        let mut mark = [0; LENGTH];
        let whole = read_full_at(file, &mut mark, self.marked_at())? == LENGTH;
        if !whole || (mark != MARK && mark != [0; LENGTH]) {
            flaws.torn += 1;
        }
        Ok(flaws)
    }

    /// The number of the last record in a row that begins with `seq`, which is there.
    pub(super) fn last_from(&self, file: &dyn File, seq: u64) -> io::Result<u64> {
        let (mut last, mut block) = (seq, [0; BLOCK]);
        while self.has(last + 1) {
            let at = self.at(last + 1);
            let wanted = (self.marked_at() - at).min(BLOCK as u64) as usize;
            let got = read_full_at(file, block.get_mut(..wanted).unwrap_or_default(), at)?;
            for bytes in block.get(..got).unwrap_or_default().as_chunks::<LENGTH>().0 {
                match Record::from_bytes(bytes) {
                    Some(record) if record.event.seq == last + 1 => last += 1,
                    _ => return Ok(last),
                }
            }
            if got < wanted {
                break;
            }
        }
        Ok(last)
    }

    /// Whether the file is not to be written to any more.
    pub(super) fn is_marked(&self, file: &dyn File) -> io::Result<bool> {
        let mut bytes = [0; LENGTH];
        read_full_at(file, &mut bytes, self.marked_at())?;
        Ok(bytes.iter().any(|byte| *byte != 0))
    }

    /// Says, to every process, that the disk has lost what it had taken: whatever it says of this
    /// file from now on proves nothing. Has its own place, so that no lock is needed.
    pub(super) fn mark(&self, file: &dyn File) -> io::Result<()> {
        write_all_at(file, &MARK, self.marked_at())
    }
}

impl Flaws {
    /// Whether no more is to be written after it.
    pub(super) fn are_any(self) -> bool {
        self != Flaws::default()
    }

    /// What to tell people. Nothing of what was never acknowledged.
    pub(super) fn sentence(self) -> Option<String> {
        match (self.lost, self.torn) {
            (0, 0) => None,
            (0, _) => Some("a record of what was used is damaged".to_string()),
            (1, _) => Some("one record of what was used is lost".to_string()),
            (lost, _) => Some(format!("{lost} records of what was used are lost")),
        }
    }
}
