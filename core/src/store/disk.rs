//! One folder on a disk, and the few things that are ever done to it: the seam at which tests
//! put a disk that fails, tears and forgets.

use std::fmt::Debug;
use std::io::{self, ErrorKind};

use crate::limits::INTERRUPTS_MAX;

/// A folder. Names are plain file names in it.
pub(crate) trait Disk: Debug + Send + Sync {
    /// Opens a file. Never follows a symbolic link when it makes one.
    fn open(&self, name: &str, how: How) -> io::Result<Box<dyn File>>;

    /// Puts a file in the place of another, at once or not at all. Durable only after
    /// [`Disk::sync_folder`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes names durable: those that were made and those that were replaced.
    fn sync_folder(&self) -> io::Result<()>;

    /// Whether the folder is there and may be entered.
    fn check(&self) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// To read, if it is there.
    Read,
    /// To read and write, if it is there.
    Write,
    /// To read and write, made if it is not there. What is in it stays.
    Make,
    /// To read and write, made anew: another file than the one that may have had the name.
    Renew,
}

/// An open file. Shared by threads: every read and write says where.
pub(crate) trait File: Debug + Send + Sync {
    /// Reads up to as many bytes as fit; 0 at the end. May be short, may be interrupted.
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes up to all bytes. May be short, may be interrupted.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize>;

    /// Its length, in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Makes its bytes and its length durable. Never tried again as if it could succeed later: a
    /// failure may have lost what was written.
    fn sync_all(&self) -> io::Result<()>;

    /// Makes its bytes durable, where its length has not changed.
    fn sync_data(&self) -> io::Result<()>;

    /// Takes the kernel's lock on it, unless another open file holds it: then `false`.
    fn try_lock(&self) -> io::Result<bool>;

    /// Lets go of the lock. Closing is not enough: the child of a fork shares the open file.
    fn unlock(&self) -> io::Result<()>;
}

/// Does it again as long as a signal interrupts it, but not for ever.
pub(crate) fn patiently<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..INTERRUPTS_MAX {
        match attempt() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
    attempt()
}

/// Writes all bytes.
pub(crate) fn write_all_at(file: &dyn File, bytes: &[u8], at: u64) -> io::Result<()> {
    let (mut rest, mut at) = (bytes, at);
    while !rest.is_empty() {
        let done = patiently(|| file.write_at(rest, at))?;
        if done == 0 {
            return Err(io::Error::new(ErrorKind::WriteZero, "nothing more is written"));
        }
        rest = rest.get(done..).unwrap_or_default();
        at = at.saturating_add(done as u64);
    }
    Ok(())
}

/// Reads until `into` is full or the file ends, and gives how many bytes there were.
pub(crate) fn read_full_at(file: &dyn File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match patiently(|| file.read_at(rest, at.saturating_add(filled as u64)))? {
            0 => break,
            done => filled += done,
        }
    }
    Ok(filled)
}
