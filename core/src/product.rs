//! A product: what is licensed, whose keys it trusts, and where it runs.

use crate::claims::{Binding, Claims, is_product_code, not_a_code};
use crate::clock::Clock;
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::keys::KeySet;
use crate::keyset::{self, SignedKeys};
use crate::license::{License, check_dates};
use crate::limits::{IDENTITY_MAX, TOKEN_MAX};
use crate::machine;
use crate::settings::{self, Identity, Settings};
use crate::token::{self, Kind};
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
        Ok(Product {
            code: code.to_string(),
            pinned: KeySet::parse(keys)?,
            listed: None,
            settings: Settings::default(),
            clock: Clock::system(),
            machine: Mutex::new(None),
        })
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
        let (claims, payload) = self.read(data)?;
        self.check_binding(&claims)?;
        check_dates(&claims, self.clock.now())?;
        Ok(License::new(claims, payload, true, self.clock.clone()))
    }

    /// Checks a license's signature, key, issuer and product only, to show one that has ended or
    /// belongs elsewhere. What it gives allows nothing unless the license is in force here.
    pub fn inspect(&self, data: &[u8]) -> Result<License> {
        let (claims, payload) = self.read(data)?;
        let here = self.check_binding(&claims).is_ok();
        Ok(License::new(claims, payload, here, self.clock.clone()))
    }

    /// Checks 1 to 12.
    fn read(&self, data: &[u8]) -> Result<(Claims, String)> {
        let token = undress(data, TOKEN_MAX)?;
        let opened = token::open(&token, Kind::License, |kid| {
            self.pinned.find(kid).or_else(|| self.listed.as_ref()?.keys.find(kid))
        })?;
        let claims = Claims::parse(&opened.payload)?;
        opened.key.check_time(claims.iat)?;
        if let Some(issuer) = self.settings.issuer.as_ref().filter(|wanted| **wanted != claims.iss)
        {
            let what = format!("issued by {:.60}, not {issuer:.60}", claims.iss);
            return Err(Error::new(Code::WrongIssuer, what));
        }
        if claims.aud != self.code {
            let what = format!("the license is for {:.60}, not {:.60}", claims.aud, self.code);
            return Err(Error::new(Code::WrongProduct, what));
        }
        let payload = String::from_utf8(opened.payload)
            .map_err(|_| Error::new(Code::Internal, "a payload that is not UTF-8"))?;
        Ok((claims, payload))
    }

    /// Checks 13 to 15.
    fn check_binding(&self, claims: &Claims) -> Result<()> {
        let Some(binding) = &claims.license.binding else { return Ok(()) };
        if let Some(machine) = &binding.machine {
            machine.check_version()?;
            self.check_machine(machine)?;
        }
        self.check_place(binding)
    }

    /// A machine seen before is believed when it matches and read again when it does not: a disk
    /// may have been mounted since.
    fn check_machine(&self, binding: &machine::Binding) -> Result<()> {
        let seen = self.seen().and_then(|seen| seen.clone());
        if seen.is_some_and(|report| binding.compare(&report).holds()) {
            return Ok(());
        }
        let report = Arc::new(self.machine()?);
        let comparison = binding.compare(&report);
        if let Some(mut seen) = self.seen() {
            *seen = Some(report);
        }
        if comparison.holds() {
            return Ok(());
        }
        Err(Error::new(Code::WrongMachine, comparison.to_string()))
    }

    fn check_place(&self, binding: &Binding) -> Result<()> {
        let bare = |url: &str| url.trim_end_matches('/').to_string();
        let places = [
            ("installation", &binding.installation, &self.settings.installation),
            ("instance", &binding.instance, &self.settings.instance),
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

/// Reads no more than tells that a file is too long: it may be a device that never ends.
fn read_identity(path: &Path) -> Result<String> {
    let mut text = String::new();
    let most = IDENTITY_MAX as u64 + 64;
    std::fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)).map_err(
        |error| Error::new(Code::Io, format!("the machine_file {:.60}: {error}", path.display())),
    )?;
    Ok(text)
}
