//! What a verdict is made from.

use crate::claims::Claims;
use crate::errors::Error;
use crate::usage::totals::Totals;
use serde::Serialize;
use std::collections::HashSet;
use std::sync::Arc;

/// What may be done with a feature, in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i32)]
pub enum Access {
    /// Nothing.
    Deny = 0,
    /// What is there can be read.
    ReadOnly = 1,
    /// Everything; a warning is due.
    Warn = 2,
    /// Everything.
    Allow = 3,
}

/// Everything that is known of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The product's code.
    pub(crate) product: String,
    /// What its vendor has set.
    pub(crate) terms: Terms,
    /// Every source that holds something, in the order of [`Source`].
    pub(crate) candidates: Vec<Candidate>,
    /// The ids of the licenses that the vendor has withdrawn: the bytes of their UUIDs.
    pub(crate) revoked: Arc<HashSet<[u8; 16]>>,
    /// What the issuer last said.
    pub(crate) issuer: Option<Issuer>,
    /// Why it could not be asked since.
    pub(crate) failure: Option<Failure>,
    /// When the unlicensed grace began, if it did: seconds since 1970.
    pub(crate) anchor: Option<Anchor>,
    /// What was used.
    pub(crate) usage: Arc<Totals>,
    /// How the folder is.
    pub(crate) state: StateHealth,
}

/// What binds the customer before there is a license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The vendor's name, for sentences.
    pub(crate) vendor: Option<String>,
    /// Where the product runs.
    pub(crate) deployment: Deployment,
    /// Days without a license, from the anchor; `None` = nothing without a license.
    pub(crate) grace_days: Option<u32>,
    /// Warn this many days before an end, where the license does not say.
    pub(crate) warning_days: u32,
    /// The feature whose counter is "the monthly one" of the entitlements.
    pub(crate) monthly_meter: String,
}

/// Where a product runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Deployment {
    /// With the customer: the license decides.
    #[default]
    OnPremise,
    /// With the vendor: nothing is enforced.
    Saas,
}

/// The first use of an installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// When it was, in seconds since 1970.
    pub(crate) at: i64,
}

/// Where a license comes from. The order is the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// Applied, and kept in the state.
    Installed,
    /// The setting `license_file`.
    File,
    /// The setting `license_env`.
    Environment,
    /// The setting `license`.
    Text,
}

/// What one source holds.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// Which source it is.
    pub(crate) source: Source,
    /// The path or the variable; empty for the others.
    pub(crate) name: String,
    /// A license whose signature, key, issuer and product hold (checks 1 to 12 of
    /// docs/format.md, section 4), or why there is none.
    pub(crate) license: Result<Arc<Held>, Error>,
}

/// A verified license, and what was found of where it may be used.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// What it says.
    pub(crate) claims: Claims,
    /// The thumbprint of the key that signed it.
    pub(crate) key_id: String,
    /// Whether its binding holds (checks 13 to 15), and how well.
    pub(crate) binding: Result<Drift, Error>,
}

/// How far a machine has drifted from what a license was bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// Kinds that match. Zero where no machine is bound.
    pub(crate) matched: usize,
    /// Kinds that have to.
    pub(crate) need: usize,
    /// Kinds that are bound.
    pub(crate) of: usize,
    /// The words of the kinds that do not match any more.
    pub(crate) changed: Vec<String>,
}

/// Why the issuer could not be asked, the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// When: seconds since 1970, by the clock here.
    pub(crate) at: i64,
    /// How long after that to try again, in seconds.
    #[serde(skip)]
    pub(crate) pause: i64,
    /// The word of the table of errors.
    pub(crate) code: String,
    /// What it was and what to do, in a sentence.
    pub(crate) message: String,
}

impl Failure {
    /// When to try again.
    pub(crate) fn again(&self) -> i64 {
        self.at.saturating_add(self.pause)
    }

    /// The same where the time has been set right since: when it was is not known, and it is time
    /// to try again.
    pub(crate) fn seen_at(&self, now: &Now) -> Failure {
        let latest = now.at.max(now.clock);
        match self.at <= latest {
            true => self.clone(),
            false => Failure { at: latest, pause: 0, ..self.clone() },
        }
    }
}

/// What the issuer last said about a license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    /// The license it spoke of.
    pub(crate) license_id: String,
    /// What it said.
    pub(crate) status: IssuerStatus,
    /// When it first said so without a break: seconds since 1970, by its own clock.
    pub(crate) since: i64,
    /// When it last spoke, by its own clock.
    pub(crate) last_contact: i64,
    /// When to ask again.
    pub(crate) next_contact: Option<i64>,
    /// When it has to have been asked again.
    pub(crate) next_sync_by: Option<i64>,
    /// What it wants the customer to read.
    pub(crate) message: Option<String>,
}

/// The words of docs/format.md, section 6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerStatus {
    /// All is well.
    Ok,
    /// Withdrawn.
    Revoked,
    /// Ended, by its record.
    Expired,
    /// On hold.
    Suspended,
    /// It knows no such license.
    NotFound,
}

impl IssuerStatus {
    /// Every one.
    pub(crate) const ALL: [IssuerStatus; 5] = [
        IssuerStatus::Ok,
        IssuerStatus::Revoked,
        IssuerStatus::Expired,
        IssuerStatus::Suspended,
        IssuerStatus::NotFound,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            IssuerStatus::Ok => "ok",
            IssuerStatus::Revoked => "revoked",
            IssuerStatus::Expired => "expired",
            IssuerStatus::Suspended => "suspended",
            IssuerStatus::NotFound => "not_found",
        }
    }

    /// The one with this word.
    pub(crate) fn from_word(word: &str) -> Option<IssuerStatus> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}

/// How the folder is.
#[derive(Clone, Debug, Default)]
pub(crate) struct StateHealth {
    /// The id of this installation, where it is known.
    pub(crate) installation: Option<String>,
    /// Why the folder cannot be used; `None` = it can.
    pub(crate) error: Option<Error>,
    /// What was damaged and made good from the other generation.
    pub(crate) recovered: Option<String>,
    /// Another machine uses the same folder.
    pub(crate) shared: bool,
}

/// A moment: the only time a verdict knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Now {
    /// The effective time, in seconds since 1970: `max(clock, floor)`.
    pub(crate) at: i64,
    /// What the clock says.
    pub(crate) clock: i64,
    /// The time before which it cannot be.
    pub(crate) floor: Option<Floor>,
}

/// A time that has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Floor {
    /// Seconds since 1970.
    pub(crate) at: i64,
    /// Whether the issuer signed it; if not, this machine's clock has shown it.
    pub(crate) signed: bool,
}

/// When the issuer is to be asked again: when it said, or, since it could not be asked, when that
/// is to be tried again.
pub(crate) fn next_contact(issuer: Option<&Issuer>, failure: Option<&Failure>) -> Option<i64> {
    let said = issuer.and_then(|issuer| issuer.next_contact);
    failure.map_or(said, |failure| Some(failure.again()))
}
