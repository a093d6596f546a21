//! The calls: a request, its answer, and what that changes here, in one.

use super::desk::{PAUSE, Renewal, hold};
use super::{Ask, is_elsewhere};
use crate::errors::{Code, Error, Result};
use crate::installation::Installation;
use crate::installation::apply::{Applied, Way};
use crate::installation::request::{
    ACTIVATION, BORROW, KEYS, RELEASE, RENEWAL, SEAT, SYNC, license_key, word,
};
use crate::installation::state::mask;
use crate::verdict;
use sha2::{Digest, Sha256};
use std::time::Instant;

impl Installation {
    /// Asks the issuer, and applies what it signs in answer: a text of [`Installation::request`]
    /// goes out, and [`Installation::apply`] takes what comes back. The words and their arguments
    /// are those of `request`.
    ///
    /// Fails as these two do, and with `no_transport`, `unreachable`, `refused` and `no_seat`;
    /// what was here before then stays. Writes no license off: that the issuer cannot be reached
    /// says nothing of it.
    pub fn call(&self, what: &str, argument: Option<&str>) -> Result<()> {
        match (word(what)?, argument.filter(|argument| !argument.is_empty())) {
            (RENEWAL, None) => self.renew(),
            (ACTIVATION, Some(key)) => self.activate(key),
            (SYNC, None) => self.sync(),
            (what @ (SEAT | BORROW | RELEASE), argument) => self.call_seat(what, argument),
            (what, argument) => {
                self.check_writable()?;
                self.issuers()?;
                told(self.talk((what, argument), Way::Word(what), self.deadline()))
            }
        }
    }

    /// Asks the issuer for a newer token of the license in use, and applies it. Of all who ask at
    /// the same time or within ten seconds one does, and all get its answer; each process asks for
    /// itself.
    ///
    /// Fails with `not_licensed` without a license, with `no_transport`, as [`super::Issuer::ask`]
    /// does, and as [`Installation::apply`] does; the license before then stays. A signed answer
    /// that brings none because the license is not in order is `refused`, and known from then on.
    pub fn renew(&self) -> Result<()> {
        self.check_writable()?;
        let ends = self.deadline();
        let queue = self.issuer.desk.queue();
        let mut last = hold(&queue.renewal);
        let known = self.fresh();
        let held = verdict::rule(&known.view.facts, &known.now).held;
        let held = held.map(|held| held.claims.license.id.clone());
        // One whose key was stolen is renewed with another.
        let id = held.or_else(|| known.view.taken_back().last().map(|license| license.id));
        let none = || Error::new(Code::NotLicensed, "there is no license to renew");
        // Where the folder cannot be read, there may be one.
        let license_id =
            id.ok_or_else(|| known.view.facts.state.error.clone().unwrap_or_else(none))?;
        let same = |it: &&Renewal| it.license_id == license_id && it.at.elapsed() < PAUSE;
        if let Some(renewal) = last.as_ref().filter(same) {
            return renewal.outcome.clone();
        }
        // What never left this machine may be asked again at once.
        self.issuers()?;
        let way = Way::Renewal(&license_id);
        let outcome = told(self.talk((RENEWAL, None), way, ends));
        let is_own = |error: &Error| !is_elsewhere(error);
        if !outcome.as_ref().is_err_and(is_own) {
            *last = Some(Renewal { license_id, at: Instant::now(), outcome: outcome.clone() });
        }
        outcome
    }

    /// Gives the issuer a license key, as a person types it, and applies the license for this
    /// machine that comes back. The key is kept nowhere but for its last group. One key is tried
    /// at a time; after five in a row that the issuer refused, one a minute, by each process.
    ///
    /// Fails with `invalid_argument` for what is no key, with `refused` also while the next key
    /// has to wait, with `no_transport`, as [`super::Issuer::ask`] does, and as
    /// [`Installation::apply`] does; the license before then stays.
    pub fn activate(&self, key: &str) -> Result<()> {
        let (began, ends) = (Instant::now(), self.deadline());
        let key = license_key(key)?;
        self.check_writable()?;
        self.issuers()?;
        let digest = Sha256::digest(&key).into();
        let queue = self.issuer.desk.queue();
        let mut keys = hold(&queue.keys);
        if let Some(answer) = keys.answer_since(began, &digest) {
            return answer;
        }
        keys.check(Instant::now())?;
        let outcome = told(self.talk((ACTIVATION, Some(&key)), Way::Key(&key), ends));
        let outcome = outcome.map_err(|error| hiding(error, &key));
        keys.note(digest, Instant::now(), &outcome);
        outcome
    }

    /// Asks for something and applies the answer, and notes where that fails.
    fn talk(
        &self,
        (what, argument): (&'static str, Option<&str>),
        way: Way<'_>,
        ends: Instant,
    ) -> Result<Applied> {
        let ask = Ask { what, argument, ends };
        let take = |answer: &[u8], keys: Option<&[u8]>, nonce: &str| {
            self.apply_with(keys, answer, way, Some(nonce))
        };
        // What is noted is shown to others.
        let key = argument.filter(|_| matches!(what, ACTIVATION | KEYS));
        let hide = |error: Error| match key {
            Some(key) => hiding(error, key),
            None => error,
        };
        self.noting(what, || self.exchange(&ask, &take).map_err(hide))
    }
}

/// Whoever says why not may repeat the key.
fn hiding(error: Error, key: &str) -> Error {
    let key = key.trim();
    Error::new(error.code(), error.detail().replace(key, &mask(key)))
}

/// Fails where what was signed says no.
fn told(outcome: Result<Applied>) -> Result<()> {
    outcome?.refused.map_or(Ok(()), Err)
}
