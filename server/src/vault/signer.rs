//! Who signs for a product.

use super::Vault;
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::store::{organizations, products, signing_keys};
use licentia::{Role, SecretKey, rfc3339};
use sea_orm::ConnectionTrait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The clock may go back by so many seconds before nothing is signed any more.
pub const BACK_MAX: i64 = 60;

/// Keys that are kept open.
const OPEN_MAX: usize = 256;

/// Opens keys, and keeps those that are in use open.
pub struct Signer {
    vault: Arc<Vault>,
    clock: Clock,
    open: Mutex<HashMap<String, Arc<SecretKey>>>,
    latest: AtomicI64,
    count: AtomicU64,
}

/// A key that signs one thing now.
pub struct Signing {
    /// The key.
    pub key: Arc<SecretKey>,
    /// The `iss` of what it signs.
    pub issuer: String,
    /// The epoch of the key set that has it; 0 = none was ever signed.
    pub epoch: i64,
    /// When: seconds since 1970.
    pub at: i64,
}

/// A key that could sign one thing now, and is not opened.
pub struct Ready {
    /// The key.
    pub row: signing_keys::Model,
    /// As in [`Signing`].
    pub issuer: String,
    /// As in [`Signing`].
    pub epoch: i64,
    /// As in [`Signing`].
    pub at: i64,
}

impl Signer {
    /// A signer with this vault.
    pub fn new(vault: Arc<Vault>, clock: Clock) -> Signer {
        let (latest, count) = (AtomicI64::new(i64::MIN), AtomicU64::new(0));
        Signer { vault, clock, open: Mutex::default(), latest, count }
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// How often a key was given out to sign since the start.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// The key of a product for a role. Fails with `no_key_pair` where the product has none, and
    /// with `server_clock` after the clock was set back.
    pub async fn signing(
        &self,
        connection: &impl ConnectionTrait,
        organization: &organizations::Model,
        product: &products::Model,
        role: Role,
    ) -> Result<Signing> {
        let ready = self.ready(connection, organization, product, role).await?;
        self.sign(ready)
    }

    /// Opens a key to sign one thing.
    pub fn sign(&self, ready: Ready) -> Result<Signing> {
        let key = self.open(&ready.row)?;
        self.count.fetch_add(1, Ordering::Relaxed);
        let Ready { issuer, epoch, at, .. } = ready;
        Ok(Signing { key, issuer, epoch, at })
    }

    /// The same as [`Signer::signing`] without opening the key: whether it could sign, and as whom.
    pub async fn ready(
        &self,
        connection: &impl ConnectionTrait,
        organization: &organizations::Model,
        product: &products::Model,
        role: Role,
    ) -> Result<Ready> {
        let pair = product.key_pair_id.ok_or_else(|| {
            let what = "The product has no key pair: give it one (key_pair_id) first";
            Error::new(Code::NoKeyPair, what)
        })?;
        let at = self.time()?;
        let (row, epoch) = signing_keys::active(connection, organization.id, pair, role)
            .await?
            .ok_or_else(|| {
                let what = format!(
                    "The key pair of the product has no active key for {}: rotate it, or give the \
                     product another key pair if its root was compromised",
                    role.word()
                );
                Error::new(Code::NoKeyPair, what)
            })?;
        Ok(Ready { row, issuer: organization.issuer.clone(), epoch, at })
    }

    /// The private half of a key.
    pub fn open(&self, row: &signing_keys::Model) -> Result<Arc<SecretKey>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = open.get(&row.kid) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(self.vault.open_key(&row.kid, &row.sealed)?);
        if open.len() >= OPEN_MAX {
            open.clear();
        }
        open.insert(row.kid.clone(), Arc::clone(&key));
        Ok(key)
    }

    /// Now, for a signature. A clock that went back would sign what looks older than it is.
    pub fn time(&self) -> Result<i64> {
        let now = self.clock.now();
        let latest = self.latest.fetch_max(now, Ordering::Relaxed);
        if latest.saturating_sub(now) > BACK_MAX {
            let what = format!(
                "The clock of the server shows {}, and something was signed at {}: set it right, \
                 or if it was wrong then, stop the servers and run `licentia server forget-clock`",
                rfc3339(now),
                rfc3339(latest)
            );
            return Err(Error::new(Code::ServerClock, what).retry_after(60));
        }
        Ok(now)
    }

    /// When something was signed last, here or elsewhere, as far as is known.
    pub fn latest(&self) -> Option<i64> {
        Some(self.latest.load(Ordering::Relaxed)).filter(|latest| *latest != i64::MIN)
    }

    /// When something was signed last, as the database knows it: before this start, and by others.
    pub fn remember(&self, latest: i64) {
        self.latest.fetch_max(latest, Ordering::Relaxed);
    }
}
