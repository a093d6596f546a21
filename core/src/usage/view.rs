//! What a process last read of the ledger, and how it reads on.

use super::checkpoint;
use super::tail::Tail;
use super::totals::Totals;
use crate::errors::{Code, Error, Result};
use crate::store::failure::failed;
use crate::store::{File, Folder, Found, How, Slot};
use std::sync::Arc;
use std::time::Duration;

/// How often the ledger is read anew before something wrong with it is believed: a record may be
/// about to be written, or the file be replaced meanwhile.
const LOOKS: u32 = 4;

/// The name of the file, for people.
pub(super) const NAME: &str = "the file of what was used";

/// What was last read.
#[derive(Debug, Default)]
pub(super) struct View {
    /// The generation; 0 = nothing was read.
    pub(super) generation: u64,
    /// Its tail.
    pub(super) tail: Tail,
    /// The totals after its last record.
    pub(super) totals: Arc<Totals>,
    /// Whether the next record needs a new file first.
    pub(super) renew: bool,
    /// Whether its file is known to stay after a power failure.
    pub(super) settled: bool,
    /// What is wrong with it, and in no checkpoint yet.
    pub(super) flaw: Option<String>,
    /// Whether there was nothing to go on from.
    pub(super) lost: bool,
    /// What was recorded and may not be on disk yet.
    pub(super) later: Option<Later>,
}

/// Records for whose disk nobody waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Later {
    /// When the first was written, on a clock that is never set.
    pub(super) since: Duration,
    /// The number of the last.
    pub(super) seq: u64,
}

impl View {
    /// Reads what is new. Believes at once what is wrong where the folder is `locked`: nobody is
    /// writing then. Gives the file, open to be written, if it is locked and may be gone on with.
    pub(super) fn look(&mut self, folder: &Folder, locked: bool) -> Result<Option<Box<dyn File>>> {
        let mut last = Ok(None);
        for look in 0..LOOKS {
            if self.generation != 0 && self.is_newest(folder, locked)? {
                if self.renew && !locked {
                    // Nobody writes to it any more. Whoever is to replace it makes sure of that.
                    return Ok(None);
                }
                if let Some(file) = self.read_on(folder, locked)? {
                    return Ok(Some(file).filter(|_| locked));
                }
            }
            last = self.load(folder).map(|()| None);
            match &last {
                Err(error) if error.code() == Code::Busy => {}
                Err(_) => return last,
                Ok(_) if locked || self.flaw.is_none() => return Ok(None),
                Ok(_) if look + 1 < LOOKS => std::thread::sleep(Duration::from_micros(50)),
                Ok(_) => {}
            }
        }
        last
    }

    /// Whether no later generation has taken the place of what was read. While the folder is
    /// locked, it could only be in the other file: looking at that one alone saves an open.
    fn is_newest(&self, folder: &Folder, locked: bool) -> Result<bool> {
        if !locked {
            return Ok(folder.glance(Slot::Usage)? == self.generation);
        }
        // `busy` = there is another generation. Anything else is for a whole look to judge.
        let next = folder.open(Slot::Usage, self.generation + 1, How::Read);
        Ok(next.is_err_and(|error| error.code() == Code::Busy))
    }

    /// Reads on in the same file, and gives it. `None` = it has to be read anew.
    fn read_on(&mut self, folder: &Folder, locked: bool) -> Result<Option<Box<dyn File>>> {
        if self.renew {
            return Ok(None);
        }
        let how = if locked { How::Write } else { How::Read };
        let file = match folder.open(Slot::Usage, self.generation, how) {
            Ok(file) => file,
            Err(error) if matches!(error.code(), Code::Busy | Code::StateCorrupt) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let read = |error| failed(NAME, "read", &error);
        // Looked at before it is copied: mostly nothing is new.
        let whole = !self.tail.is_next(&*file, self.totals.seq).map_err(read)?
            || self.tail.read_on(&*file, Arc::make_mut(&mut self.totals)).map_err(read)?;
        Ok(whole.then_some(file))
    }

    /// Reads everything. A ledger that is lost is an empty one, with a flaw.
    fn load(&mut self, folder: &Folder) -> Result<()> {
        match folder.find(Slot::Usage) {
            Ok(Some(found)) => match checkpoint::read(&found.payload) {
                Ok((totals, room)) => self.load_tail(folder, found, totals, room),
                Err(error) if error.code() == Code::StateCorrupt => self.lose(&error),
                Err(error) => Err(error),
            },
            Ok(None) => {
                *self = View { renew: true, later: self.later, ..View::default() };
                Ok(())
            }
            Err(error) if error.code() == Code::StateCorrupt => self.lose(&error),
            Err(error) => Err(error),
        }
    }

    fn load_tail(
        &mut self,
        folder: &Folder,
        found: Found,
        mut totals: Totals,
        room: u64,
    ) -> Result<()> {
        let tail = Tail { start: found.end, room, base: totals.seq };
        let synced = folder.synced()?;
        let file = folder.open(Slot::Usage, found.generation, How::Read)?;
        let flaws = tail.read_all(&*file, &mut totals, synced);
        let flaws = flaws.map_err(|error| failed(NAME, "read", &error))?;
        let sentences: Vec<String> = found.recovered.into_iter().chain(flaws.sentence()).collect();
        *self = View {
            generation: found.generation,
            tail,
            totals: Arc::new(totals),
            renew: flaws.are_any() || !sentences.is_empty(),
            settled: synced >= tail.base,
            flaw: (!sentences.is_empty()).then(|| sentences.join("; ")),
            lost: false,
            later: self.later,
        };
        Ok(())
    }

    /// Goes on without the files: from what this process knows, if it knows anything.
    fn lose(&mut self, error: &Error) -> Result<()> {
        let remembers = self.generation != 0 || self.totals.seq > 0;
        let flaw = match (remembers && !self.lost, error.detail()) {
            (true, what) => format!("{what}; what was used was known, and is written again"),
            (false, what) => format!("{what}; what was used is counted anew"),
        };
        self.lost |= !remembers;
        self.generation = 0;
        self.renew = true;
        self.flaw = Some(flaw);
        Ok(())
    }

    /// Notes that everything up to a number is on disk.
    pub(super) fn note_durable(&mut self, seq: u64) {
        self.later = self.later.filter(|later| later.seq > seq);
    }
}
