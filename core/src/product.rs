//! A product: what is licensed, whose keys it trusts, and where it runs.

use crate::claims::{Binding, Claims, is_product_code, not_a_code};
use crate::clock::Clock;
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::keys::{KeySet, KeyState, TrustedKey};
use crate::keyset::{self, SignedKeys};
use crate::license::{License, check_dates};
use crate::limits::{IDENTITY_MAX, TOKEN_MAX};
use crate::machine::{self, Outcome};
use crate::settings::{self, Identity, Settings};
use crate::token::{self, Kind};
use crate::verdict::Drift;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// What a vendor ships: a product code and the keys that may sign its licenses. Set it up, then
/// share it: everything that answers takes `&self`, may be called from any thread and keeps no
/// state but the machine it last saw.
#[derive(Debug)]
pub struct Product {
    code: String,
    /// The keys the program trusts by itself, with all that signed sets have said against them.
    pinned: KeySet,
    listed: Option<SignedKeys>,
    settings: Settings,
    clock: Clock,
    machine: Mutex<Option<Arc<machine::Report>>>,
}

impl Clone for Product {
    /// A copy that is set up on its own from then on. The clock is shared: licenses that either
    /// verified follow both.
    fn clone(&self) -> Product {
        Product {
            code: self.code.clone(),
            pinned: self.pinned.clone(),
            listed: self.listed.clone(),
            settings: self.settings.clone(),
            clock: self.clock.clone(),
            machine: Mutex::new(self.seen().and_then(|seen| seen.clone())),
        }
    }
}

impl Product {
    /// `code` is the product code in its licenses; `keys` is a key set as
    /// [`KeySet::parse`] reads it.
    ///
    /// Fails with `invalid_argument` for a bad code, and as [`KeySet::parse`] does.
    pub fn new(code: &str, keys: &str) -> Result<Product> {
        if !is_product_code(code) {
            return Err(Error::new(Code::InvalidArgument, not_a_code(code)));
        }
        Ok(Product::pinning(code, KeySet::parse(keys)?))
    }

    /// The product of a code that is one.
    pub(crate) fn pinning(code: &str, keys: KeySet) -> Product {
        Product {
            code: code.to_string(),
            pinned: keys,
            listed: None,
            settings: Settings::default(),
            clock: Clock::system(),
            machine: Mutex::new(None),
        }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Trusts more keys: a key set as text, or one that a pinned `root` key signed. A signed set
    /// takes the place of the one before it, and tightens what is pinned: a key it calls retired
    /// or compromised stays so.
    ///
    /// Fails as [`KeySet::parse`] does; a signed set also as a license does, and with
    /// `older_than_installed` unless its epoch is higher than that of the last one.
    pub fn trust(&mut self, keys: &str) -> Result<()> {
        if keyset::looks_signed(keys) {
            let set = SignedKeys::verify(keys, &self.code, &self.pinned)?;
            if let Some(installed) = self.listed.as_ref().filter(|now| now.epoch >= set.epoch) {
                let what = format!("epoch {} after epoch {}", set.epoch, installed.epoch);
                return Err(Error::new(Code::OlderThanInstalled, what));
            }
            self.pinned.tighten(&set.keys);
            self.listed = Some(set);
            return Ok(());
        }
        self.pinned.add(KeySet::parse(keys)?)
    }

    /// Sets one of [`crate::SETTINGS`] by name. Fails with `invalid_argument`, naming the
    /// nearest setting, and then changes nothing.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        if name == "clock" {
            self.clock.set(settings::clock(value)?);
            return Ok(());
        }
        if name == "machine" && !value.is_empty() {
            machine::Report::from_identity(&self.code, value)
                .map_err(|error| settings::refuse(name, error.detail()))?;
        }
        self.settings.set(name, value)?;
        self.forget_machine();
        Ok(())
    }

    /// The time this product's clock was stopped at, if it was: for a host that keeps its own
    /// copy of an answer.
    pub fn fixed_clock(&self) -> Option<i64> {
        self.clock.fixed()
    }

    /// What identifies this machine, read anew. Reads files; fails with `io` or
    /// `invalid_argument` only if the setting `machine_file` cannot be read or is empty.
    pub fn machine(&self) -> Result<machine::Report> {
        match &self.settings.identity {
            Some(Identity::Text(text)) => machine::Report::from_identity(&self.code, text),
            Some(Identity::File(path)) => {
                machine::Report::from_identity(&self.code, &read_identity(path)?)
            }
            None => {
                let root = self.settings.machine_root.as_deref().unwrap_or(Path::new("/"));
                let exclude = &self.settings.machine_exclude;
                Ok(machine::Report::read(&self.code, root, exclude))
            }
        }
    }

    /// Checks a license in full: signature, key, issuer, product, machine and dates, in any of its
    /// coats. The order of the checks is that of docs/format.md, section 4; the first that fails
    /// is the error.
    pub fn verify(&self, data: &[u8]) -> Result<License> {
        let Verified { claims, payload, .. } = self.read(data)?;
        self.locate(&claims, &self.settings.place())?;
        check_dates(&claims, self.clock.now())?;
        Ok(License::new(claims, payload, true, self.clock.clone()))
    }

    /// Checks a license's signature, key, issuer and product only, to show one that has ended or
    /// belongs elsewhere. What it gives allows nothing unless the license is in force here.
    pub fn inspect(&self, data: &[u8]) -> Result<License> {
        let Verified { claims, payload, .. } = self.read(data)?;
        let here = self.locate(&claims, &self.settings.place()).is_ok();
        Ok(License::new(claims, payload, here, self.clock.clone()))
    }

    /// Checks 1 to 12.
    pub(crate) fn read(&self, data: &[u8]) -> Result<Verified> {
        let token = undress(data, TOKEN_MAX)?;
        let opened = token::open(&token, Kind::License, |kid| self.find(kid))?;
        let claims = Claims::parse(&opened.payload)?;
        opened.key.check_time(claims.iat)?;
        if let Some(issuer) = self.issuer().filter(|wanted| *wanted != claims.iss) {
            let what = format!("issued by {:.60}, not {issuer:.60}", claims.iss);
            return Err(Error::new(Code::WrongIssuer, what));
        }
        if claims.aud != self.code {
            let what = format!("the license is for {:.60}, not {:.60}", claims.aud, self.code);
            return Err(Error::new(Code::WrongProduct, what));
        }
        let kid = opened.key.key.kid().to_string();
        let payload = String::from_utf8(opened.payload)
            .map_err(|_| Error::new(Code::Internal, "a payload that is not UTF-8"))?;
        Ok(Verified { claims, payload, kid, token: token.into_owned() })
    }

    /// Checks 13 to 15, and how well the machine matches.
    pub(crate) fn locate(&self, claims: &Claims, place: &Place) -> Result<Drift> {
        let Some(binding) = &claims.license.binding else { return Ok(Drift::default()) };
        let drift = match &binding.machine {
            Some(machine) => {
                machine.check_version()?;
                self.check_machine(machine)?
            }
            None => Drift::default(),
        };
        check_place(binding, place)?;
        Ok(drift)
    }

    /// A key it trusts, by its thumbprint.
    pub(crate) fn find(&self, kid: &str) -> Option<&TrustedKey> {
        self.pinned.find(kid).or_else(|| self.listed.as_ref()?.keys.find(kid))
    }

    /// The issuer it expects, if it does.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.settings.issuer.as_deref()
    }

    /// What was set.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its clock.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The epoch of the newest signed key set; 0 = there is none.
    pub(crate) fn epoch(&self) -> u64 {
        self.listed.as_ref().map_or(0, |set| set.epoch)
    }

    /// The epoch of a signed key set, checked. Whether it is newer than another is not asked.
    pub(crate) fn epoch_of(&self, set: &[u8]) -> Result<u64> {
        let text = std::str::from_utf8(set)
            .map_err(|_| Error::new(Code::Malformed, "the key set is not text"))?;
        Ok(SignedKeys::verify(text, &self.code, &self.pinned)?.epoch)
    }

    /// Whether it takes anything of a key.
    pub(crate) fn trusts(&self, kid: &str) -> bool {
        self.find(kid).is_some_and(|key| key.state() != KeyState::Compromised)
    }

    /// Whether it takes what a key signed at a time.
    pub(crate) fn believes(&self, kid: &str, iat: i64) -> bool {
        self.trusts(kid) && self.find(kid).is_some_and(|key| key.check_time(iat).is_ok())
    }

    /// A machine seen before is believed when it matches and read again when it does not: a disk
    /// may have been mounted since.
    pub(crate) fn check_machine(&self, binding: &machine::Binding) -> Result<Drift> {
        let seen = self.seen().and_then(|seen| seen.clone());
        if let Some(comparison) = seen.map(|report| binding.compare(&report)).filter(holds) {
            return Ok(drift(&comparison));
        }
        let comparison = binding.compare(&*self.look_at_machine()?);
        match holds(&comparison) {
            true => Ok(drift(&comparison)),
            false => Err(Error::new(Code::WrongMachine, comparison.to_string())),
        }
    }

    /// The machine as it is now, kept for those who ask next.
    pub(crate) fn look_at_machine(&self) -> Result<Arc<machine::Report>> {
        let report = Arc::new(self.machine()?);
        if let Some(mut seen) = self.seen() {
            *seen = Some(Arc::clone(&report));
        }
        Ok(report)
    }

    /// The machine last seen, unless another thread has it right now. Nobody waits for it: in
    /// the child of a fork, that thread does not exist and never lets go.
    fn seen(&self) -> Option<MutexGuard<'_, Option<Arc<machine::Report>>>> {
        match self.machine.try_lock() {
            Ok(seen) => Some(seen),
            Err(TryLockError::Poisoned(seen)) => Some(seen.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn forget_machine(&mut self) {
        *self.machine.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A license whose signature, key, issuer and product hold.
pub(crate) struct Verified {
    pub(crate) claims: Claims,
    /// The JSON that was signed.
    pub(crate) payload: String,
    /// The thumbprint of the key that signed it.
    pub(crate) kid: String,
    /// Its compact serialization.
    pub(crate) token: String,
}

/// Where a license would be used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    /// The id of the installation.
    pub(crate) installation: Option<String>,
    /// The root URL of the instance.
    pub(crate) instance: Option<String>,
}

fn holds(comparison: &machine::Comparison) -> bool {
    comparison.holds()
}

fn drift(comparison: &machine::Comparison) -> Drift {
    let changed = comparison.parts.iter().filter(|part| part.outcome != Outcome::Matched);
    Drift {
        matched: comparison.matched as usize,
        need: comparison.need as usize,
        of: comparison.parts.len(),
        changed: changed.map(|part| part.kind.clone()).collect(),
    }
}

fn check_place(binding: &Binding, place: &Place) -> Result<()> {
    let bare = |url: &str| url.trim_end_matches('/').to_string();
    let places = [
        ("installation", &binding.installation, &place.installation),
        ("instance", &binding.instance, &place.instance),
    ];
    for (name, wanted, given) in places {
        let Some(wanted) = wanted else { continue };
        let what = match given {
            Some(given) if bare(given) == bare(wanted) => continue,
            Some(_) => format!("the license is bound to another {name}"),
            None => format!("the license is bound to an {name}, and none was set"),
        };
        return Err(Error::new(Code::WrongInstallation, what));
    }
    Ok(())
}

/// Reads no more than tells that a file is too long: it may be a device that never ends.
fn read_identity(path: &Path) -> Result<String> {
    let mut text = String::new();
    let most = IDENTITY_MAX as u64 + 64;
    std::fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(
        |error| Error::new(Code::Io, format!("the machine_file {:.60}: {error}", path.display())),
    )?;
    Ok(text)
}
