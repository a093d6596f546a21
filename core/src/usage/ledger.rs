//! The ledger of what was used.

use super::meter::Entry;
use super::totals::Totals;
use crate::errors::{Code, Error, Result};
use crate::feature::Feature;
use crate::store::{Folder, Locked};
use std::sync::Arc;

/// What was used in one installation: one per process, for all its threads.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: Folder,
}

fn not_yet<T>() -> Result<T> {
    Err(Error::new(Code::Internal, "not there yet"))
}

impl Ledger {
    /// The ledger in a folder. Touches nothing.
    pub(crate) fn new(folder: Folder) -> Ledger {
        Ledger { folder }
    }

    /// Writes an empty one, where there is none: part of the first run.
    pub(crate) fn begin(_locked: &Locked<'_>, _at: i64) -> Result<()> {
        Ok(())
    }

    /// What was used, by all processes up to now. Takes no lock and writes nothing; the same
    /// `Arc` as long as nothing changes.
    pub(crate) fn totals(&self) -> Result<Arc<Totals>> {
        Ok(Arc::default())
    }

    /// Records an entry at a time (seconds since 1970). On disk when it returns.
    ///
    /// Fails with `limit_exceeded` where the license stops it, with `invalid_argument` for a
    /// wrong verb or number, and as the store does. What failed was not counted, or was not
    /// acknowledged and is counted all the same.
    pub(crate) fn record(&self, _feature: &Feature, _entry: Entry, _at: i64) -> Result<()> {
        not_yet()
    }

    /// The same without waiting for the disk: a killed process loses nothing, and a power failure
    /// the records of one second at most.
    pub(crate) fn record_later(&self, _feature: &Feature, _entry: Entry, _at: i64) -> Result<()> {
        not_yet()
    }

    /// Makes durable what [`Ledger::record_later`] left.
    pub(crate) fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// Where it stands. For a request take [`super::Report::place`] instead: it goes with the
    /// totals that are sent.
    pub(crate) fn head(&self) -> Result<(u64, String)> {
        let place = self.totals()?.place();
        Ok((place.seq, place.head))
    }

    /// The server has everything up to a place.
    pub(crate) fn acknowledge(&self, _locked: &Locked<'_>, _seq: u64, _head: &str) -> Result<()> {
        Ok(())
    }

    /// Damage that was found and made good as far as that could be done.
    pub(crate) fn damaged(&self) -> Option<String> {
        None
    }
}
