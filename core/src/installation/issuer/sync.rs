//! A sync: what was used goes out, and what the issuer has that is newer comes in.

use super::Ask;
use super::desk::hold;
use crate::errors::{Code, Error, Result};
use crate::installation::Installation;
use crate::installation::apply::{Applied, Way};
use crate::installation::request::{KEYS, RENEWAL, REVOCATIONS, SYNC};
use crate::limits::REPORT_ROWS_MAX;
use crate::messages::{Revocations, Version};
use crate::verdict;
use std::time::Instant;

/// Reports in one sync, at the most: 240 totals each, of which a year of use of twenty meters
/// needs one.
const REPORTS_MAX: usize = 64;

impl Installation {
    /// Reports to the issuer what was used, and applies what it says of the license; fetches the
    /// key set and the revocation list where it has newer ones. What is too much for one report
    /// goes in several, as many as there is time for. Of all who call at the same time one asks,
    /// and all get its answer; each process asks for itself.
    ///
    /// Fails as [`Installation::call`] does. What was applied before it failed stays; what was
    /// used is reported by the next sync that succeeds, once.
    pub fn sync(&self) -> Result<()> {
        let (began, ends) = (Instant::now(), self.deadline());
        self.check_writable()?;
        self.issuers()?;
        let queue = self.issuer.desk.queue();
        let mut last = hold(&queue.sync);
        if let Some((_, outcome)) = last.as_ref().filter(|(over, _)| *over >= began) {
            // What was recorded since it began has to go out, too.
            if outcome.is_err() || self.unreported() == 0 || Instant::now() >= ends {
                return outcome.clone();
            }
        }
        let outcome = self.noting(SYNC, || self.report(ends));
        let fetch = |said| self.noting(SYNC, || self.fetch(&said, ends));
        let outcome = outcome.and_then(|said| said.map_or(Ok(()), fetch));
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    }

    /// Reports until the issuer has everything, or says nothing new of what it has.
    fn report(&self, ends: Instant) -> Result<Option<Applied>> {
        let mut may_go_back = true;
        let mut said: Option<Applied> = None;
        for _ in 0..REPORTS_MAX {
            let (before, waiting) = (self.acknowledged(), self.unreported());
            let ask = Ask { what: SYNC, argument: None, ends };
            let take = |answer: &[u8], keys: Option<&[u8]>, nonce: &str| {
                self.apply_with(keys, answer, Way::Word(SYNC), Some(nonce))
            };
            match self.exchange(&ask, &take) {
                Ok(next) => said = Some(next),
                // What has come holds. The rest goes with the next sync.
                Err(error) if said.is_some() && error.code() == Code::Unreachable => break,
                Err(error) => return Err(error),
            }
            let now = self.acknowledged();
            // The issuer has lost some of it: it is sent again, once.
            let goes_back = now < before && std::mem::take(&mut may_go_back);
            let goes_on = now > before && waiting > REPORT_ROWS_MAX;
            if !(goes_back || goes_on) || self.unreported() == 0 || Instant::now() >= ends {
                break;
            }
        }
        Ok(said)
    }

    /// How many totals the issuer has not acknowledged.
    fn unreported(&self) -> usize {
        self.fresh().view.facts.usage.unreported()
    }

    /// Up to which record it has.
    fn acknowledged(&self) -> u64 {
        self.fresh().view.facts.usage.acknowledged_seq()
    }

    /// Fetches what the issuer has said there is, where it is newer than what is here.
    fn fetch(&self, said: &Applied, ends: Instant) -> Result<()> {
        let told = |told: &Option<Version>, here| told.clone().filter(|it| it.version > here);
        if let Some(told) = told(&said.keys, self.version(KEYS)) {
            self.fetch_one(KEYS, &told, ends)?;
        }
        if let Some(told) = told(&said.revocations, self.version(REVOCATIONS)) {
            self.fetch_one(REVOCATIONS, &told, ends)?;
        }
        Ok(())
    }

    /// Fetches a document, which is the one that the issuer spoke of, or a newer one.
    fn fetch_one(&self, what: &'static str, told: &Version, ends: Instant) -> Result<()> {
        let ask = Ask { what, argument: None, ends };
        let fetched = self.exchange(&ask, &|answer, keys, _| {
            let version = self.version_of(what, answer, keys)?;
            let is_told = version == told.version && told.is_of(answer)?;
            if !is_told && version <= told.version {
                let what = "it is not the document that the issuer has signed for";
                return Err(Error::new(Code::BadSignature, what));
            }
            match what {
                KEYS => self.apply_keys_of_issuer(answer, ends),
                _ => self.apply_with(keys, answer, Way::Word(what), None).map(drop),
            }
        });
        match fetched {
            // It has come another way in between.
            Err(_) if self.version(what) >= told.version => Ok(()),
            fetched => fetched,
        }
    }

    /// Applies a key set. One that takes the license in use back, because the key was stolen that
    /// signed it, is applied with what the issuer gives for it, or not yet.
    pub(super) fn apply_keys_of_issuer(&self, set: &[u8], ends: Instant) -> Result<()> {
        let Some(license_id) = self.voided_by(set) else {
            return self.apply_any(set, Way::Word(KEYS)).map(drop);
        };
        let ask = Ask { what: RENEWAL, argument: None, ends };
        let way = Way::Renewal(&license_id);
        self.exchange(&ask, &|answer, _, nonce| {
            self.apply_with(Some(set), answer, way, Some(nonce)).map(drop)
        })
    }

    /// The license in use, if it is signed by a key that a key set takes back.
    fn voided_by(&self, set: &[u8]) -> Option<String> {
        let known = self.fresh();
        let held = verdict::rule(&known.view.facts, &known.now).held?;
        let mut next = known.view.product.clone();
        next.trust(std::str::from_utf8(set).ok()?).ok()?;
        (!next.believes(&held.key_id, held.claims.iat)).then(|| held.claims.license.id.clone())
    }

    /// The version of what is here; 0 = nothing, or nothing that counts.
    pub(super) fn version(&self, what: &str) -> u64 {
        let known = self.fresh();
        let listed = known.view.state.as_ref().and_then(|state| state.revocations);
        match what {
            KEYS => known.view.product.epoch(),
            _ => listed.filter(|_| known.view.has_revocations()).unwrap_or(0),
        }
    }

    /// The version of a document that somebody signed, checked.
    pub(super) fn version_of(
        &self,
        what: &str,
        document: &[u8],
        keys: Option<&[u8]>,
    ) -> Result<u64> {
        let mut product = self.fresh().view.product.clone();
        if let Some(keys) = keys.and_then(|keys| std::str::from_utf8(keys).ok()) {
            product.trust(keys)?;
        }
        if what == KEYS {
            return product.epoch_of(document);
        }
        let find = |kid: &str| product.find(kid);
        let list = Revocations::verify(document, product.code(), product.issuer(), find)?;
        Ok(list.version)
    }
}
