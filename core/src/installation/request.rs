//! The one door out: texts to send to the vendor.

use super::Installation;
use super::apply::NONCES;
use super::gate::Known;
use crate::errors::{Code, Error, Result};
use crate::limits::TIME_MAX;
use crate::messages::{self, Licensed, Request, Totals, Used};
use crate::usage::{Place, Row};
use crate::verdict;

/// What can be asked for, and with what argument.
const WORDS: &[&str] = &["license", "clock", "sync"];

impl Installation {
    pub(crate) fn ask_vendor(&self, what: &str, argument: Option<&str>) -> Result<String> {
        if !WORDS.contains(&what) {
            let what = format!("{what:.40} is none of {}", WORDS.join(", "));
            return Err(Error::new(Code::InvalidArgument, what));
        }
        if argument.is_some_and(|argument| !argument.is_empty()) {
            let what = format!("a request for {what} takes no argument");
            return Err(Error::new(Code::InvalidArgument, what));
        }
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
        let sync = if what == "sync" { Some(self.totals(&snapshot)?) } else { None };
        let request = Request {
            what: what.to_string(),
            product: self.product.code().to_string(),
            installation: state.installation.clone(),
            nonce: messages::nonce(&state.key(NONCES)?, what, counter)?,
            sdk: messages::SDK.to_string(),
            at: snapshot.now.clock.clamp(0, TIME_MAX),
            machine: if what == "clock" { None } else { self.product.machine().ok() },
            license,
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
