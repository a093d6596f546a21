//! The one door out: texts to send to the vendor.

use super::Installation;
use super::apply::NONCES;
use super::gate::Known;
use super::state::State;
use crate::errors::{Code, Error, Result};
use crate::limits::{BORROW_DAYS_MAX, TIME_MAX};
use crate::machine::Report;
use crate::messages::{self, InstallationKey, Licensed, Request, Seat, Totals, Used};
use crate::usage::{Place, Row};
use crate::verdict;

/// What can be asked for.
const WORDS: &[&str] = &[
    LICENSE,
    RENEWAL,
    ACTIVATION,
    CLOCK,
    SYNC,
    DEACTIVATION,
    SEAT,
    BORROW,
    RELEASE,
    KEYS,
    REVOCATIONS,
];

/// Those that are answered about the license, by one counter.
pub(crate) const LICENSE_WORDS: &[&str] = &[SYNC, ACTIVATION, RENEWAL, DEACTIVATION, LICENSE];

/// A license for this machine.
pub(crate) const LICENSE: &str = "license";

/// A newer token of the license in use.
pub(crate) const RENEWAL: &str = "renewal";

/// A license for a license key, or this machine for the license in use.
pub(crate) const ACTIVATION: &str = "activation";

/// What time it is.
pub(crate) const CLOCK: &str = "clock";

/// What was used, for what the issuer says of the license.
pub(crate) const SYNC: &str = "sync";

/// This machine is to be free of the license.
pub(crate) const DEACTIVATION: &str = "deactivation";

/// A seat for a holder.
pub(crate) const SEAT: &str = "seat";

/// The same, for days without the server.
pub(crate) const BORROW: &str = "borrow";

/// A holder's seat is given back.
pub(crate) const RELEASE: &str = "release";

/// The newest key set.
pub(crate) const KEYS: &str = "keys";

/// The newest list of withdrawn licenses.
pub(crate) const REVOCATIONS: &str = "revocations";

/// One of the words. Fails with `invalid_argument` for another.
pub(crate) fn word(what: &str) -> Result<&'static str> {
    let known = WORDS.iter().find(|word| **word == what);
    known.copied().ok_or_else(|| {
        let what = format!("{what:.40} is none of {}", WORDS.join(", "));
        Error::new(Code::InvalidArgument, what)
    })
}

/// What a request is about, by its word.
#[derive(Default)]
struct Wish {
    key: Option<String>,
    seat: Option<Seat>,
}

impl Installation {
    pub(crate) fn ask_vendor(&self, what: &str, argument: Option<&str>) -> Result<String> {
        self.asked(what, argument).map(|(text, _)| text)
    }

    /// The text of a request, and what is in it.
    pub(super) fn asked(&self, what: &str, argument: Option<&str>) -> Result<(String, Request)> {
        let what = word(what)?;
        let argument = argument.filter(|argument| !argument.is_empty());
        let wish = Wish::of(what, argument)?;
        let snapshot = self.fresh();
        if what == SYNC && !self.reads_only {
            // What the vendor is told of is on disk.
            self.ledger.settle_records(snapshot.view.facts.usage.place().seq)?;
        }
        let state = snapshot.view.state.as_ref().ok_or_else(|| self.no_state(&snapshot))?;
        let ruling = verdict::rule(&snapshot.view.facts, &snapshot.now);
        let license = ruling.held.map(|held| Licensed {
            id: held.claims.license.id.clone(),
            token_id: held.claims.jti.clone(),
        });
        // Whose key was stolen asks for what takes its place.
        let license = license.or_else(|| snapshot.view.taken_back().last());
        if license.is_none()
            && let Some(what) = wish.needs_license(what)
        {
            return Err(Error::new(Code::NotLicensed, what));
        }
        let sync = if what == SYNC { Some(self.totals(&snapshot)?) } else { None };
        let stopped = self.product.clock().fixed();
        let asks_the_time = what == CLOCK;
        let machine = (!asks_the_time).then(|| self.product.look_at_machine().ok()).flatten();
        let request = Request {
            what: what.to_string(),
            product: self.product.code().to_string(),
            installation: state.installation.clone(),
            nonce: messages::nonce(&state.key(NONCES)?, what, counter(state, what), stopped)?,
            sdk: messages::SDK.to_string(),
            at: snapshot.now.clock.clamp(0, TIME_MAX),
            machine: machine.map(|report| Report::clone(&report)),
            license,
            key: wish.key,
            seat: wish.seat,
            sync,
            signer: None,
        };
        let key = InstallationKey::from_seed(&state.key(messages::REQUESTS)?)?;
        Ok((request.to_signed_text(&key)?, request))
    }

    fn totals(&self, snapshot: &Known) -> Result<Totals> {
        let state = snapshot.view.state.as_ref().ok_or_else(|| self.no_state(snapshot))?;
        let report = snapshot.view.facts.usage.to_report();
        let place = |place: Place| messages::Ledger { seq: place.seq, head: place.head };
        let used = |row: Row| Used {
            feature: row.feature,
            kind: row.kind.to_string(),
            from: row.from,
            used: row.value,
        };
        Ok(Totals {
            seq: state.seq,
            epoch: snapshot.view.product.epoch(),
            usage: report.rows.into_iter().map(used).collect(),
            ledger: Some(place(report.place)),
            since: report.since.map(place),
            lost: report.lost,
            revocations: state.revocations,
        })
    }
}

impl Wish {
    /// Reads the argument of a word. An empty one is as none.
    fn of(what: &str, argument: Option<&str>) -> Result<Wish> {
        let none = || Error::new(Code::InvalidArgument, format!("a request for {what} needs one"));
        match (what, argument) {
            (ACTIVATION | KEYS, Some(key)) => {
                Ok(Wish { key: Some(license_key(key)?), ..Wish::default() })
            }
            (SEAT | RELEASE, argument) => {
                let holder = holder(argument.ok_or_else(none)?)?;
                Ok(Wish { seat: Some(Seat { holder, days: None }), ..Wish::default() })
            }
            (BORROW, argument) => {
                let seat = borrowed(argument.ok_or_else(none)?)?;
                Ok(Wish { seat: Some(seat), ..Wish::default() })
            }
            (_, None) => Ok(Wish::default()),
            (_, Some(_)) => {
                let what = format!("a request for {what} takes no argument");
                Err(Error::new(Code::InvalidArgument, what))
            }
        }
    }

    /// Why a word is about the license in use, if it is.
    fn needs_license(&self, what: &str) -> Option<&'static str> {
        match what {
            RENEWAL => Some("there is no license to renew"),
            ACTIVATION if self.key.is_none() => Some("there is no license to activate"),
            DEACTIVATION => Some("there is no license to deactivate"),
            SEAT | BORROW | RELEASE => Some("there is no license to have seats of"),
            KEYS if self.key.is_none() => Some("there is no license whose keys to ask for"),
            REVOCATIONS => Some("there is no license to ask about"),
            _ => None,
        }
    }
}

/// How many answers to a word have been applied that leave no earlier request good.
fn counter(state: &State, what: &str) -> u64 {
    match what {
        CLOCK => state.resets,
        // Any number of workers may ask at once, so an answer leaves the other requests good. What
        // is old is told by its dates.
        SEAT | BORROW | RELEASE => state.ends,
        _ => state.syncs,
    }
}

/// Who is to have a seat: what stands around it is taken off.
fn holder(text: &str) -> Result<String> {
    let holder = text.trim();
    match messages::is_holder(holder) {
        true => Ok(holder.to_string()),
        false => {
            let what = "the holder of a seat has 1 to 128 bytes of what can be seen";
            Err(Error::new(Code::InvalidArgument, what))
        }
    }
}

/// `DAYS HOLDER`.
fn borrowed(text: &str) -> Result<Seat> {
    let (days, rest) = text.trim().split_once(' ').unwrap_or_default();
    let number = days.bytes().all(|byte| byte.is_ascii_digit()).then(|| days.parse().ok());
    match number.flatten().filter(|days| (1..=BORROW_DAYS_MAX).contains(days)) {
        Some(days) => Ok(Seat { holder: holder(rest)?, days: Some(days) }),
        None => {
            let what = format!("what is borrowed is not DAYS HOLDER, with 1 to {BORROW_DAYS_MAX}");
            Err(Error::new(Code::InvalidArgument, what))
        }
    }
}

/// A license key as a person types it: what stands around it is taken off.
pub(crate) fn license_key(text: &str) -> Result<String> {
    let key = text.trim();
    match messages::is_license_key(key) {
        true => Ok(key.to_string()),
        false => {
            let what = "a license key has 1 to 128 characters, letters without accents, digits and \
                        signs";
            Err(Error::new(Code::InvalidArgument, what))
        }
    }
}
