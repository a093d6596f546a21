//! The one door out: texts to send to the vendor.

use super::Installation;
use super::apply::NONCES;
use super::gate::Known;
use crate::errors::{Code, Error, Result};
use crate::limits::TIME_MAX;
use crate::messages::{self, Licensed, Request, Totals, Used};
use crate::usage::{Place, Row};
use crate::verdict;

/// What can be asked for.
const WORDS: &[&str] = &["license", RENEWAL, ACTIVATION, "clock", "sync"];

/// A newer token of the license in use.
pub(crate) const RENEWAL: &str = "renewal";

/// A license for a license key.
pub(crate) const ACTIVATION: &str = "activation";

impl Installation {
    pub(crate) fn ask_vendor(&self, what: &str, argument: Option<&str>) -> Result<String> {
        if !WORDS.contains(&what) {
            let what = format!("{what:.40} is none of {}", WORDS.join(", "));
            return Err(Error::new(Code::InvalidArgument, what));
        }
        let argument = argument.filter(|argument| !argument.is_empty());
        let key = match (what, argument) {
            (ACTIVATION, key) => Some(license_key(key.unwrap_or_default())?),
            (_, None) => None,
            (_, Some(_)) => {
                let what = format!("a request for {what} takes no argument");
                return Err(Error::new(Code::InvalidArgument, what));
            }
        };
        if what == "sync" && !self.reads_only {
            // What the vendor is told of is on disk.
            self.flush()?;
        }
        let snapshot = self.fresh();
        let state = snapshot.view.state.as_ref().ok_or_else(|| self.no_state(&snapshot))?;
        let counter = match what {
            "clock" => state.resets,
            "sync" => state.syncs,
            _ => 0,
        };
        let ruling = verdict::rule(&snapshot.view.facts, &snapshot.now);
        let license = ruling.held.map(|held| Licensed {
            id: held.claims.license.id.clone(),
            token_id: held.claims.jti.clone(),
        });
        if what == RENEWAL && license.is_none() {
            return Err(Error::new(Code::NotLicensed, "there is no license to renew"));
        }
        let sync = if what == "sync" { Some(self.totals(&snapshot)?) } else { None };
        let stopped = self.product.clock().fixed();
        let request = Request {
            what: what.to_string(),
            product: self.product.code().to_string(),
            installation: state.installation.clone(),
            nonce: messages::nonce(&state.key(NONCES)?, what, counter, stopped)?,
            sdk: messages::SDK.to_string(),
            at: snapshot.now.clock.clamp(0, TIME_MAX),
            machine: if what == "clock" { None } else { self.product.machine().ok() },
            license,
            key,
            sync,
        };
        request.to_text()
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
