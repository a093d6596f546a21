//! Waiting for the disk, together: one process makes the records of all durable at once.

use super::tail::Tail;
use super::view::NAME;
use crate::errors::{Code, Error, Result};
use crate::store::disk::patiently;
use crate::store::failure::failed;
use crate::store::{File, Folder};
use std::time::{Duration, Instant};

/// How long to wait before looking again whether another has done it.
const PAUSE: Duration = Duration::from_micros(50);

/// How long another may take. Whoever is stopped by a debugger must not stop everybody.
const PATIENCE: Duration = Duration::from_secs(1);

/// A record in a file that was open before it was written: a disk that loses it later says so to
/// every such file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) file: Box<dyn File>,
    pub(super) tail: Tail,
    pub(super) seq: u64,
}

impl Written {
    /// Returns when it is on disk. Whoever finds the file's lock free makes everything in it
    /// durable; the others look again. Nobody queues: who waited for the lock itself would be
    /// passed by those who come later, although his record is on disk long since.
    ///
    /// Fails with `io` or `disk_full`, and then says so to every other process: what failed once
    /// is not tried again, it is written anew.
    pub(super) fn wait(&self, folder: &Folder) -> Result<()> {
        let began = Instant::now();
        let locked = |error| failed(NAME, "locked", &error);
        loop {
            if patiently(|| self.file.try_lock()).map_err(locked)? {
                let done = self.lead(folder);
                // What is on disk is counted, whatever becomes of the lock: it goes with the file.
                let _ = patiently(|| self.file.unlock());
                return done;
            }
            if folder.synced()? >= self.seq {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                return self.sync();
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Makes durable what is in the file.
    fn lead(&self, folder: &Folder) -> Result<()> {
        if folder.synced()? >= self.seq {
            return Ok(());
        }
        let last = self.tail.last_from(&*self.file, self.seq);
        let last = last.map_err(|error| failed(NAME, "read", &error))?;
        self.sync()?;
        // Another may need one more round if this fails: the record is on disk all the same.
        let _ = folder.set_synced(last);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        if self.tail.is_marked(&*self.file).map_err(|error| failed(NAME, "read", &error))? {
            return Err(Error::new(Code::Io, format!("{NAME} was lost by the disk")));
        }
        self.file.sync_data().map_err(|error| {
            // If even that fails, this process remembers.
            let _ = self.tail.mark(&*self.file);
            failed(NAME, "made durable", &error)
        })
    }
}
