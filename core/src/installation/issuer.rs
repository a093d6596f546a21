//! Talking to the issuer, where the host has said how: what is asked goes out as the text of a
//! request, and what comes back is applied like anything else that was signed.

use super::Installation;
use crate::errors::{Code, Error, Result};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Who asks the issuer again within this time is given the last answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Whoever signs licenses, where it can be asked on line.
pub trait Issuer: Send + Sync {
    /// Takes a text of [`Installation::request`] to the issuer, and brings back what it has signed
    /// in answer. Fails with `unreachable` where there is no way to it, and with `refused` where it
    /// says no, with its reason as the detail. Has to give up after a while.
    fn ask(&self, request: &str) -> Result<Vec<u8>>;
}

/// The way to the issuer.
#[derive(Default)]
pub(crate) struct Line {
    issuer: Option<Arc<dyn Issuer>>,
    /// What the last renewal came to. Held for as long as one is under way.
    last: Mutex<Option<(Instant, Result<()>)>>,
}

impl Installation {
    /// Says how the issuer is asked. Without it, what needs the issuer fails with `no_transport`.
    pub fn connect(&mut self, issuer: Arc<dyn Issuer>) {
        self.issuer.issuer = Some(issuer);
    }

    /// Asks the issuer for a newer token of the license in use, and applies it. Of all who ask at
    /// the same time or within ten seconds one does, and all get its answer.
    ///
    /// Fails with `not_licensed` without a license, with `no_transport`, as [`Issuer::ask`] does,
    /// and as [`Installation::apply`] does; the license before then stays.
    pub fn renew(&self) -> Result<()> {
        let mut last = self.issuer.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, renewal)) = last.as_ref().filter(|(at, _)| at.elapsed() < PAUSE) {
            return renewal.clone();
        }
        let renewal = self.ask_issuer("renewal", None);
        // What never left this machine may be asked again at once.
        let asked = |error: &Error| !matches!(error.code(), Code::NoTransport | Code::NotLicensed);
        if renewal.as_ref().err().is_none_or(asked) {
            *last = Some((Instant::now(), renewal.clone()));
        }
        renewal
    }

    /// Gives the issuer a license key, as a person types it, and applies the license for this
    /// machine that comes back. The key is kept nowhere but for its last group.
    pub fn activate(&self, key: &str) -> Result<()> {
        self.ask_issuer("activation", Some(key))
    }

    fn ask_issuer(&self, what: &str, argument: Option<&str>) -> Result<()> {
        let none = || Error::new(Code::NoTransport, "no license server is configured");
        let issuer = self.issuer.issuer.as_ref().ok_or_else(none)?;
        let request = self.ask_vendor(what, argument)?;
        self.apply(&issuer.ask(&request)?)
    }
}
