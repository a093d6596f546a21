//! An installation: what holds here and now.

use crate::errors::{Code, Error, Result};
pub use crate::verdict::Access;
use std::path::Path;

/// One copy of a product on one machine: its licenses, its state, its use. Any number of threads
/// and processes may use the same folder at once.
#[derive(Debug)]
pub struct Installation {}

/// How much of a metered feature was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// In this period or window; of a level, its value.
    pub used: u64,
    /// The limit, or [`crate::UNLIMITED`].
    pub limit: u64,
    /// When it starts again, in seconds since 1970; `None` = never.
    pub resets_at: Option<i64>,
}

/// What a host answers instead of its own page where a feature may not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The body: JSON with `detail` and `code`.
    pub body: String,
}

fn not_yet<T>() -> Result<T> {
    Err(Error::new(Code::Internal, "not there yet"))
}

impl Installation {
    /// Sets one of [`crate::SITE_SETTINGS`] by name. Fails with `invalid_argument`, naming the
    /// nearest, and then changes nothing.
    pub fn set(&mut self, _name: &str, _value: &str) -> Result<()> {
        not_yet()
    }

    /// Whether `feature` may be used at this moment: [`Installation::access`] is at least
    /// [`Access::Warn`].
    pub fn allows(&self, feature: impl AsRef<[u8]>) -> bool {
        self.access(feature) >= Access::Warn
    }

    /// What may be done with `feature` at this moment.
    pub fn access(&self, _feature: impl AsRef<[u8]>) -> Access {
        Access::Deny
    }

    /// The answer to give to whoever asks for `feature`, if it may not be used; `None` = go on.
    pub fn gate(&self, _feature: impl AsRef<[u8]>) -> Option<Refusal> {
        None
    }

    /// Everything that holds at a time (`None` = now), as JSON: docs/verdict.md.
    pub fn status(&self, _at: Option<i64>) -> Result<String> {
        not_yet()
    }

    /// Why: the tree of checks behind [`Installation::status`], as JSON.
    pub fn explain(&self, _at: Option<i64>) -> Result<String> {
        not_yet()
    }

    /// Takes anything the vendor signed: a license, a key set, a revocation list, a sync answer, a
    /// clock reset. Everything is checked first; what is refused changes nothing.
    pub fn apply(&self, _data: &[u8]) -> Result<()> {
        not_yet()
    }

    /// The same, and lets a license take the place of a newer one.
    pub fn apply_older(&self, _data: &[u8]) -> Result<()> {
        not_yet()
    }

    /// Removes what was applied. Says whether there was a license.
    pub fn remove(&self) -> Result<bool> {
        not_yet()
    }

    /// A text to send to the vendor: `license` (the request code), `clock`, `sync`.
    pub fn request(&self, _what: &str, _argument: Option<&str>) -> Result<String> {
        not_yet()
    }

    /// Adds to a counter. On disk when it returns.
    pub fn record(&self, _feature: &str, _amount: u64) -> Result<()> {
        not_yet()
    }

    /// Adds to a counter without waiting for the disk: what was recorded in the last second may be
    /// lost when the power fails.
    pub fn record_later(&self, _feature: &str, _amount: u64) -> Result<()> {
        not_yet()
    }

    /// Sets a level. On disk when it returns.
    pub fn record_level(&self, _feature: &str, _level: u64) -> Result<()> {
        not_yet()
    }

    /// Notes a key. On disk when it returns.
    pub fn record_key(&self, _feature: &str, _key: &str) -> Result<()> {
        not_yet()
    }

    /// How much of a metered feature was used, of how much.
    pub fn usage(&self, _feature: &str) -> Result<Usage> {
        not_yet()
    }

    /// Notes when the product was first used (`None` = now): the unlicensed grace begins.
    pub fn first_use(&self, _at: Option<i64>) -> Result<()> {
        not_yet()
    }

    /// Makes durable what [`Installation::record_later`] left. Dropping does the same.
    pub fn flush(&self) -> Result<()> {
        not_yet()
    }
}

impl crate::Product {
    /// Opens an installation in a folder, which has to exist. Any state of the folder is reported
    /// by `status`; only a path that is none fails, with `invalid_argument`.
    pub fn open(&self, _folder: impl AsRef<Path>) -> Result<Installation> {
        Ok(Installation {})
    }
}
