//! A sync: what was used goes out, and what the issuer has that is newer comes in.

use crate::errors::{Code, Error, Result};
use crate::installation::Installation;
use crate::installation::apply::{Applied, Way};
use crate::installation::request::{KEYS, REVOCATIONS, SYNC};
use crate::messages::Version;

/// Reports in one sync, at the most: 240 totals each, of which a year of use of twenty meters
/// needs one.
const REPORTS_MAX: usize = 64;

impl Installation {
    /// Reports to the issuer what was used, and applies what it says of the license; fetches the
    /// key set and the revocation list where it has newer ones. What is too much for one report
    /// goes in several.
    ///
    /// Fails as [`Installation::call`] does. What was applied before it failed stays; what was
    /// used is reported by the next sync that succeeds, once.
    pub fn sync(&self) -> Result<()> {
        self.check_writable()?;
        self.issuers()?;
        self.noting(self.report())
    }

    fn report(&self) -> Result<()> {
        let mut left = self.unreported();
        for _ in 0..REPORTS_MAX {
            let take = |answer: &[u8]| self.apply_any(answer, Way::Word(SYNC));
            let said = self.exchange(SYNC, None, &take)?;
            self.fetch(&said)?;
            let now = self.unreported();
            if now == 0 || now >= left {
                break;
            }
            left = now;
        }
        Ok(())
    }

    /// How many totals the issuer has not acknowledged.
    fn unreported(&self) -> usize {
        self.fresh().view.facts.usage.unreported()
    }

    /// Fetches what the issuer has said there is, where it is newer than what is here.
    fn fetch(&self, said: &Applied) -> Result<()> {
        let known = self.fresh();
        let newer = |told: &&Version, here: u64| told.version > here;
        let epoch = known.view.product.epoch();
        if let Some(told) = said.keys.as_ref().filter(|told| newer(told, epoch)) {
            self.fetch_one(KEYS, told)?;
        }
        let listed = known.view.state.as_ref().and_then(|state| state.revocations);
        let listed = listed.filter(|_| known.view.has_revocations()).unwrap_or(0);
        if let Some(told) = said.revocations.as_ref().filter(|told| newer(told, listed)) {
            self.fetch_one(REVOCATIONS, told)?;
        }
        Ok(())
    }

    /// Fetches a document, which is the one that the issuer spoke of, or a newer one.
    fn fetch_one(&self, what: &'static str, told: &Version) -> Result<()> {
        self.exchange(what, None, &|answer| {
            if !told.is_of(answer)? {
                let what = "it is not the document that the issuer has signed for";
                return Err(Error::new(Code::BadSignature, what));
            }
            self.apply_any(answer, Way::Word(what)).map(drop)
        })
    }
}
