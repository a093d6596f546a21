//! Talking to the issuer: what is asked goes out as the text of a request, and what comes back is
//! applied like anything else that was signed.

mod calls;
mod desk;
mod sync;

use super::Installation;
use super::change::Damage;
use super::request::KEYS;
use super::state::Failure;
use crate::errors::{Code, Error, Result};
use crate::limits::{COAT_FACTOR, REVOCATIONS_MAX, SYNC_MAX};
use desk::Desk;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What goes to the issuer, and how long and how large its answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// A text of [`Installation::request`].
    pub request: &'m str,
    /// Bytes of an answer at the most: more is none.
    pub answer_max: usize,
    /// How long it may take in all, from now on.
    pub patience: Duration,
}

/// Whoever signs licenses, where it can be asked on line.
pub trait Issuer: Send + Sync {
    /// Takes a request to the issuer, and brings back what it has signed in answer.
    ///
    /// Fails with `unreachable` where there is no way to it or it gives no answer in time; where
    /// it says no, with its reason as the detail, with `no_seat` where every seat is taken, and
    /// with `refused` otherwise. Any other code is taken for `unreachable`. What it says unsigned
    /// is told to whoever called, and never counts for the license.
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>>;
}

/// The ways to the issuer, in the order in which they are tried.
#[derive(Clone, Default)]
pub(crate) struct Line {
    issuers: Vec<Arc<dyn Issuer>>,
    desk: Arc<Desk>,
}

impl Line {
    /// Takes other ways from now on.
    pub(super) fn take(&mut self, issuers: Vec<Arc<dyn Issuer>>) {
        self.issuers = issuers;
    }
}

impl Installation {
    /// Says how the issuer is asked, in the place of the setting `server`. Without either, what
    /// needs the issuer fails with `no_transport`.
    pub fn connect(&mut self, issuer: Arc<dyn Issuer>) {
        self.issuer.take(vec![issuer]);
    }

    /// The ways to the issuer. Fails with `no_transport` where there is none.
    fn issuers(&self) -> Result<&[Arc<dyn Issuer>]> {
        match self.issuer.issuers.as_slice() {
            [] => Err(Error::new(Code::NoTransport, "no license server is configured")),
            issuers => Ok(issuers),
        }
    }

    /// Asks for something, and does with the answer what `take` does: over each way in turn, until
    /// one brings what can be taken. A stranger on one way cannot keep us from another.
    fn exchange<T>(
        &self,
        what: &'static str,
        argument: Option<&str>,
        take: &dyn Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let issuers = self.issuers()?;
        let request = self.ask_vendor(what, argument)?;
        let ends = Instant::now() + self.site().patience();
        let mut failure = None;
        for (at, issuer) in issuers.iter().enumerate() {
            let ways = u32::try_from(issuers.len() - at).unwrap_or(u32::MAX);
            let patience = ends.saturating_duration_since(Instant::now()) / ways;
            let message = Message { request: &request, answer_max: answer_max(what), patience };
            let answer = ask(issuer, &message);
            match answer.and_then(|answer| self.take_by(issuer, what, argument, &answer, take)) {
                Err(error) if is_elsewhere(&error) => failure = Some(telling(failure, error)),
                outcome => return outcome,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(Code::Internal, "no way was tried")))
    }

    /// Takes an answer. Where a key has signed it that is not known here, newer keys are asked for
    /// first.
    fn take_by<T>(
        &self,
        issuer: &Arc<dyn Issuer>,
        what: &str,
        argument: Option<&str>,
        answer: &[u8],
        take: &dyn Fn(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let taken = take(answer);
        let Err(unknown) = &taken else { return taken };
        if unknown.code() != Code::UnknownKey || what == KEYS {
            return taken;
        }
        let key = argument.filter(|_| what == super::request::ACTIVATION);
        let Ok(request) = self.ask_vendor(KEYS, key) else { return taken };
        let patience = self.site().patience();
        let message = Message { request: &request, answer_max: answer_max(KEYS), patience };
        let keys = ask(issuer, &message);
        match keys.and_then(|keys| self.apply_any(&keys, super::apply::Way::Word(KEYS))) {
            Ok(_) => take(answer),
            Err(_) => taken,
        }
    }
}

impl Installation {
    /// Keeps why the issuer could not be asked, for everybody who looks at this folder. Where that
    /// cannot be kept, nothing is lost: whoever called knows.
    fn noting<T>(&self, outcome: Result<T>) -> Result<T> {
        let Err(error) = &outcome else { return outcome };
        if !is_elsewhere(error) || error.code() == Code::NotLicensed {
            return outcome;
        }
        let _ = self.change(Damage::Keep, |change| {
            let count = change.state.failure.as_ref().map_or(0, |before| before.count);
            change.state.failure = Some(Failure {
                at: change.now.at,
                count: count.saturating_add(1),
                code: error.slug().to_string(),
                what: error.to_string(),
            });
            Ok((true, ()))
        });
        outcome
    }
}

/// What the issuer answers.
fn ask(issuer: &Arc<dyn Issuer>, message: &Message<'_>) -> Result<Vec<u8>> {
    let answer = issuer.ask(message).map_err(|error| match error.code() {
        Code::Unreachable | Code::Refused | Code::NoSeat | Code::NoTransport => error,
        _ => Error::new(Code::Unreachable, error.detail()),
    })?;
    match answer.len() <= message.answer_max {
        true => Ok(answer),
        false => Err(Error::new(Code::TooLarge, "the answer is longer than any real one")),
    }
}

/// Bytes that the answer to a word may have.
fn answer_max(what: &str) -> usize {
    match what {
        super::request::REVOCATIONS => REVOCATIONS_MAX * COAT_FACTOR,
        _ => SYNC_MAX * COAT_FACTOR,
    }
}

/// Whether another way may bring something better: not where this machine is what fails.
fn is_elsewhere(error: &Error) -> bool {
    !matches!(
        error.code(),
        Code::Io
            | Code::Internal
            | Code::StateCorrupt
            | Code::StateUnavailable
            | Code::Busy
            | Code::DiskFull
    )
}

/// Of two failures the one that says more: somebody was there.
fn telling(before: Option<Error>, next: Error) -> Error {
    match before {
        Some(before) if before.code() != Code::Unreachable => before,
        _ => next,
    }
}
