//! An installation: what holds here and now.

mod apply;
mod change;
mod gate;
mod issuer;
mod leases;
mod meters;
mod refusal;
mod request;
mod seat;
mod site;
mod state;
mod time;
mod view;
mod wording;

use crate::clock::rfc3339;
use crate::errors::{Code, Error, Result};
use crate::limits::TIME_MAX;
use crate::product::{Place, Product};
use crate::store::Folder;
use crate::usage::{Entry, Ledger};
use crate::verdict::{self, Now};
use apply::Way;
use arc_swap::ArcSwap;
use change::Damage;
use gate::Eyes;
use meters::Wait;
use site::Site;
use state::State;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use crate::verdict::Access;
pub(crate) use gate::Known;
pub use issuer::{Issuer, Message};
pub use seat::Seat;
pub(crate) use wording::{Wording, not_a_license};

/// 2025-01-01. Nobody ran this before: a clock that is earlier has lost its battery.
const SENSIBLE: i64 = 1_735_689_600;

/// One copy of a product on one machine: its licenses, its state, its use. Any number of threads
/// and processes may use the same folder at once, each through an installation of its own or,
/// after a fork, through the same one. It starts no threads and keeps no file open.
///
/// No [`crate::License`] comes out of it: one that is held would say no after a renewal.
pub struct Installation {
    product: Product,
    site: Site,
    folder: Folder,
    ledger: Ledger,
    reads_only: bool,
    /// Why a new folder could not be begun.
    unbegun: Option<Error>,
    shared: AtomicBool,
    eyes: Eyes,
    snapshot: ArcSwap<Known>,
    issuer: issuer::Line,
}

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

/// The answers of one second, for a host that keeps its own copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Every feature that has an answer of its own, sorted by its id.
    pub features: Vec<(String, Access)>,
    /// The answer for every other.
    pub otherwise: Access,
    /// The first second of clock time for which they hold.
    pub from: i64,
    /// The first second for which they do not.
    pub until: i64,
}

impl Product {
    /// Opens an installation in a folder, which has to exist, and makes what it needs in one that
    /// is new. Any state of the folder is reported by [`Installation::status`], and what is asked
    /// and applied goes by it; only a path that is none fails, with `invalid_argument`.
    ///
    /// The installation follows this product's clock, and keeps its other settings as they are
    /// now.
    pub fn open(&self, folder: impl AsRef<Path>) -> Result<Installation> {
        Installation::open(self, folder.as_ref(), false)
    }

    /// The same for whoever only looks: nothing is ever written, and every change is refused with
    /// `state_unavailable`.
    pub fn open_to_read(&self, folder: impl AsRef<Path>) -> Result<Installation> {
        Installation::open(self, folder.as_ref(), true)
    }

    /// The same on a simulated disk.
    #[cfg(feature = "simulate")]
    #[doc(hidden)]
    pub fn open_on(&self, disk: &crate::simulate::SimDisk) -> Installation {
        Installation::on(self, Folder::on(Arc::new(disk.clone())), false)
    }
}

impl Installation {
    fn open(product: &Product, path: &Path, reads_only: bool) -> Result<Installation> {
        let text = path.as_os_str().as_encoded_bytes();
        if text.is_empty() || text.contains(&0) {
            return Err(Error::new(Code::InvalidArgument, "the folder's path is empty or none"));
        }
        Ok(Installation::on(product, Folder::at(path), reads_only))
    }

    fn on(product: &Product, folder: Folder, reads_only: bool) -> Installation {
        let mut it = Installation {
            product: product.clone(),
            site: Site::default(),
            ledger: Ledger::new(folder.clone()),
            folder,
            reads_only,
            unbegun: None,
            shared: AtomicBool::new(false),
            eyes: Eyes::new(),
            snapshot: ArcSwap::from_pointee(Known::blank(product)),
            issuer: issuer::Line::default(),
        };
        it.issuer.take(it.servers());
        if !reads_only {
            it.unbegun = it.begin().err();
            // Why it failed is told from the next look on.
            it.snapshot.store(Known::blank(product).into());
        }
        let snapshot = it.fresh();
        it.note_time(&it.eyes.get(), &snapshot, true);
        it
    }

    /// Sets one of [`crate::SITE_SETTINGS`] by name. Fails with `invalid_argument`, naming the
    /// nearest, and then changes nothing.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.site.set(name, value)?;
        if Site::is_of_the_network(name) {
            self.issuer.take(self.servers());
        }
        // Everything that was known was known by the old settings.
        let known = self.snapshot.load_full().outdated();
        self.snapshot.store(Arc::new(known));
        self.fresh();
        Ok(())
    }

    /// Whether `feature` may be used at this moment: [`Installation::access`] is at least
    /// [`Access::Warn`]. Ask whenever it matters: the answer follows the clock, and within a
    /// second every other process. Costs a look at the clock and a short search; once a second
    /// one caller looks at the folder.
    #[inline]
    pub fn allows(&self, feature: impl AsRef<[u8]>) -> bool {
        self.access(feature) >= Access::Warn
    }

    /// What may be done with `feature` at this moment.
    #[inline]
    pub fn access(&self, feature: impl AsRef<[u8]>) -> Access {
        self.ask(feature.as_ref())
    }

    /// The answer to give to whoever asks for `feature`, if it may not be used; `None` = go on.
    pub fn gate(&self, feature: impl AsRef<[u8]>) -> Option<Refusal> {
        self.refuse(feature.as_ref())
    }

    /// The answers of this second, all at once.
    pub fn snapshot(&self) -> Snapshot {
        let snapshot = self.answers();
        let from = snapshot.now.clock;
        let features = snapshot.gate.features.iter();
        Snapshot {
            features: features.map(|(id, access)| (id.to_string(), *access)).collect(),
            otherwise: snapshot.gate.otherwise,
            from,
            until: from.saturating_add(1),
        }
    }

    /// Everything that holds at a time (`None` = now), as JSON: docs/verdict.md. Writes nothing.
    ///
    /// Fails with `invalid_argument` for a time that is none.
    pub fn status(&self, at: Option<i64>) -> Result<String> {
        let snapshot = self.fresh();
        let now = at_time(&snapshot, at)?;
        Ok(verdict::judge(&snapshot.view.facts, &now).to_json())
    }

    /// Why: the tree of checks behind [`Installation::status`], as JSON: docs/verdict.md.
    pub fn explain(&self, at: Option<i64>) -> Result<String> {
        let snapshot = self.fresh();
        let now = at_time(&snapshot, at)?;
        Ok(verdict::explain(&snapshot.view.facts, &now))
    }

    /// Takes anything the vendor signed: a license, a key set, a revocation list, a sync answer
    /// (to whatever was asked about a license), a seat lease, a clock reset, in any of its coats.
    /// Everything is checked first, and what is refused changes nothing. A license takes the place
    /// of the one before; one that begins later waits beside it. The answer to a `deactivation`
    /// takes the license away.
    ///
    /// Fails as verifying it does, with `revoked`, with `older_than_installed` for what is older
    /// than what is here, with `already_used` for an answer that was applied before, with
    /// `clock_rollback` for a license that is over by what was seen of the time but not by the
    /// clock, and with the codes of the folder (docs/state.md).
    pub fn apply(&self, data: &[u8]) -> Result<()> {
        self.apply_any(data, Way::Pasted).map(drop)
    }

    /// The same, and lets a license take the place of a newer one.
    pub fn apply_older(&self, data: &[u8]) -> Result<()> {
        self.apply_any(data, Way::Older).map(drop)
    }

    /// Removes the licenses that were applied, and says whether there were any. What was used, the
    /// first use and the time stay.
    pub fn remove(&self) -> Result<bool> {
        self.change(Damage::Keep, |change| {
            let had = !change.state.licenses.is_empty();
            change.state.licenses.clear();
            change.state.activation = None;
            Ok((had, had))
        })
    }

    /// A text to send to the vendor: `license` (the request code: a license for this machine is
    /// wanted), `renewal` (a newer token of the one in use is), `activation` (one for the license
    /// key in `argument` is; without it, this machine for the license in use), `deactivation`
    /// (this machine is to be free of the license in use), `clock` (a clock reset is), `sync` (what
    /// was used), `seat` (for the holder in `argument`, 1 to 128 bytes that can be seen), `borrow`
    /// (the same, for `DAYS HOLDER`, 1 to 366), `release` (a holder gives the seat back), `keys`
    /// (the newest key set; with a license key in `argument` also where there is no license) and
    /// `revocations` (the newest list of withdrawn licenses). It is signed with a key of this
    /// installation, and nothing in it is secret or raw but for a license key; docs/format.md,
    /// section 9, says what there is.
    ///
    /// Fails with `invalid_argument` for another word, or an argument that is none, with
    /// `not_licensed` where a word needs the license in use and there is none, and with the codes
    /// of the folder.
    pub fn request(&self, what: &str, argument: Option<&str>) -> Result<String> {
        self.ask_vendor(what, argument)
    }

    /// Adds to the counter of a feature. On disk when it returns. Counts nothing, and succeeds,
    /// where the license does not measure the feature, and without a license while none is needed.
    ///
    /// Fails with `limit_exceeded`, and then counts nothing, where the license stops at the limit;
    /// with `not_granted`; with the reason why the license is not in force; with
    /// `invalid_argument` where the feature has another kind of meter; and with the codes of the
    /// folder.
    pub fn record(&self, feature: &str, amount: u64) -> Result<()> {
        self.enter(feature, Entry::Add(amount), Wait::Yes)
    }

    /// The same without waiting for the disk. What it counts survives the end of the process at
    /// once; when the power fails, at most what was counted within one second is lost.
    pub fn record_later(&self, feature: &str, amount: u64) -> Result<()> {
        self.enter(feature, Entry::Add(amount), Wait::No)
    }

    /// Sets the level of a feature: an absolute value that the host knows, never one more or one
    /// less, which a crash would lose for ever. On disk when it returns. A level that falls is
    /// always taken.
    pub fn record_level(&self, feature: &str, level: u64) -> Result<()> {
        self.enter(feature, Entry::Level(level), Wait::Yes)
    }

    /// Notes a key of a feature that counts different ones: a device, a user. On disk when it
    /// returns, and costs nothing when the key was noted today. The key is kept as a keyed hash.
    pub fn record_key(&self, feature: &str, key: &str) -> Result<()> {
        self.enter_key(feature, key)
    }

    /// How much of a feature was used, of how much. Fails as [`Installation::record`] does, but
    /// for its limit.
    pub fn usage(&self, feature: &str) -> Result<Usage> {
        self.usage_of(feature)
    }

    /// Notes when the product was first used (`None` = now): the unlicensed grace begins. The
    /// earliest that was ever given holds; a host that keeps the date itself passes it each time,
    /// and it survives the loss of this folder. Fails with `invalid_argument` for a time that has
    /// not come, and with `clock_rollback` for now where the clock cannot be right: the days would
    /// be over when it is set.
    pub fn first_use(&self, at: Option<i64>) -> Result<()> {
        self.change(Damage::Keep, |change| {
            if at.is_none() && change.now.at < SENSIBLE {
                let what = format!("the clock shows {}", rfc3339(change.now.at));
                return Err(Error::new(Code::ClockRollback, what));
            }
            let at = at.unwrap_or(change.now.at);
            if !(0..=change.now.at).contains(&at) {
                let what = format!("the first use, {}, has not come yet", rfc3339(at));
                return Err(Error::new(Code::InvalidArgument, what));
            }
            let first = change.state.anchor.map_or(at, |anchor| anchor.min(at));
            let changed = change.state.anchor != Some(first);
            change.state.anchor = Some(first);
            Ok((changed, ()))
        })
    }

    /// Makes durable what [`Installation::record_later`] left. Dropping does the same.
    pub fn flush(&self) -> Result<()> {
        self.ledger.flush()
    }

    /// The same installation once more, for whoever outlives this one.
    pub fn again(&self) -> Installation {
        Installation {
            product: self.product.clone(),
            site: self.site.clone(),
            folder: self.folder.clone(),
            ledger: Ledger::new(self.folder.clone()),
            reads_only: self.reads_only,
            unbegun: self.unbegun.clone(),
            shared: AtomicBool::new(self.is_shared()),
            eyes: Eyes::new(),
            snapshot: ArcSwap::new(self.snapshot.load_full()),
            issuer: self.issuer.clone(),
        }
    }

    fn place(&self, state: Option<&State>) -> Place {
        let settings = self.product.settings();
        let own = state.map(|state| state.installation.clone());
        Place {
            installation: settings.installation.clone().or(own),
            instance: self.site.instance.clone().or_else(|| settings.instance.clone()),
        }
    }

    /// The root URL of this instance, where it was set.
    pub(crate) fn instance(&self) -> Option<String> {
        self.place(None).instance
    }

    /// What of a path is below the mount; `None` = it is beside it.
    pub(crate) fn below_mount<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.site.mount.as_str())
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    pub(crate) fn product(&self) -> &Product {
        &self.product
    }

    /// The ways to the issuer that the settings name.
    fn servers(&self) -> Vec<Arc<dyn Issuer>> {
        #[cfg(feature = "net")]
        return crate::net::servers(&self.site.network, &self.product);
        #[cfg(not(feature = "net"))]
        Vec::new()
    }

    fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    fn no_state(&self, snapshot: &Known) -> Error {
        let none = || Error::new(Code::StateUnavailable, "the folder was never used");
        snapshot.view.facts.state.error.clone().unwrap_or_else(none)
    }
}

impl std::fmt::Debug for Installation {
    /// Without the license and the customer in it: it may end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Installation({}, {:?})", self.product.code(), self.folder)
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        if !self.reads_only {
            let _ = self.ledger.flush();
        }
    }
}

/// The time of a question: now, or another.
fn at_time(snapshot: &Known, at: Option<i64>) -> Result<Now> {
    match at {
        None => Ok(snapshot.now),
        Some(at) if (0..=TIME_MAX).contains(&at) => Ok(Now { at, ..snapshot.now }),
        Some(at) => Err(Error::new(Code::InvalidArgument, format!("{at} is not a time"))),
    }
}
