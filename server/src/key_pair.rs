//! What becomes of the keys of a key pair: made, brought along, rotated, retired, stolen.
//!
//! Programs pin the first keys; what comes later reaches them in key sets that the root key signs.
//! So a root is never rotated: with a new root begins a new key pair, and new programs.

use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::master_key;
use crate::store::{key_pairs, revoked, signing_keys};
use crate::vault::Vault;
use licentia::limits::KEYS_MAX;
use licentia::{KeySet, KeyState, PublicKey, Role, SecretKey, TrustedKey};
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;

/// Seconds for which a retired key may still sign: what is being signed at this moment, on a server
/// whose clock may be ahead, is to be good.
pub const NOTICE: i64 = 300;

/// Keys of a pair, at most, before it is rotated: some are left for the day when one is stolen.
const ROTATE_MAX: usize = KEYS_MAX - 8;

/// What signs day by day, and is rotated.
const DAILY: [Role; 2] = [Role::License, Role::Server];

/// A pair and its keys, as a transaction has them that nobody else changes meanwhile.
pub struct KeyPair {
    /// The pair.
    pub pair: key_pairs::Model,
    /// Its keys, in the order in which they were made.
    pub keys: Vec<signing_keys::Model>,
}

/// What has changes of key pairs made: the transaction, the vault, the time.
pub struct Desk<'a, C> {
    /// The transaction.
    pub tx: &'a C,
    /// Where private halves are sealed.
    pub vault: &'a Vault,
    /// For epochs.
    pub clock: &'a Clock,
    /// The time of the change, in seconds since 1970.
    pub now: i64,
}

impl<C: ConnectionTrait> Desk<'_, C> {
    /// A new pair: with a root, a license and a server key, or with the one key that is brought.
    ///
    /// Fails with `conflict` for a key that the organization has already.
    pub async fn create(
        &self,
        organization: Uuid,
        name: &str,
        brought: Option<&SecretKey>,
    ) -> Result<KeyPair> {
        let pair = key_pairs::Model {
            id: Uuid::now_v7(),
            organization_id: organization,
            name: name.to_string(),
            epoch: self.clock.next(0),
            created_at: self.now,
            updated_at: self.now,
        };
        let mut made = KeyPair { pair, keys: Vec::new() };
        master_key::check_within(self.tx, self.vault).await?;
        match brought {
            Some(key) => {
                let kid = key.public().kid();
                if signing_keys::named(self.tx, organization, kid).await?.is_some() {
                    let what = format!("The key {kid} is in a key pair already: use that one");
                    return Err(Error::new(Code::Conflict, what));
                }
                made.keys.push(self.row(&made.pair, key, &Role::ALL)?);
            }
            None => {
                for role in Role::ALL {
                    made.keys.push(self.row(&made.pair, &SecretKey::generate()?, &[role])?);
                }
            }
        }
        key_pairs::insert(self.tx, made.pair.clone()).await?;
        signing_keys::insert(self.tx, made.keys.clone()).await?;
        Ok(made)
    }

    /// A pair that is going to be changed. Fails with `not_found`.
    pub async fn lock(&self, organization: Uuid, id: Uuid) -> Result<KeyPair> {
        let pair = key_pairs::lock(self.tx, organization, id).await?;
        let pair = pair.ok_or_else(none)?;
        let keys = signing_keys::of_pair(self.tx, organization, id).await?;
        Ok(KeyPair { pair, keys })
    }

    /// New license and server keys in the place of those in use, which are retired: what they have
    /// signed goes on. A root that signed these things as well stays as it is.
    ///
    /// Fails with `conflict` where no program would learn of the new keys.
    pub async fn rotate(&self, of: &mut KeyPair) -> Result<()> {
        of.must_have_root()?;
        if of.keys.len() + DAILY.len() > ROTATE_MAX {
            let what = format!(
                "The key pair has {} keys, and no more fit into a key set: make a new key pair",
                of.keys.len()
            );
            return Err(Error::new(Code::Conflict, what));
        }
        for key in &mut of.keys {
            if key.state() == KeyState::Active && !key.has(Role::Root) {
                self.retire_one(key).await?;
            }
        }
        self.fill(of).await?;
        self.changed(of).await
    }

    /// Takes one key out of use; what it has signed goes on. A new one takes its place. Gives
    /// whether anything changed.
    ///
    /// Fails with `not_found`, and with `conflict` for a root, and where no program would learn of
    /// the new one.
    pub async fn retire(&self, of: &mut KeyPair, key: Uuid) -> Result<bool> {
        let key = of.key(key)?;
        if key.has(Role::Root) {
            let what = "A root key is not retired: no program could learn of new keys after that";
            return Err(Error::new(Code::Conflict, what));
        }
        if key.state() != KeyState::Active {
            return Ok(false);
        }
        let id = key.id;
        of.must_have_root()?;
        self.retire_one(of.key(id)?).await?;
        self.fill(of).await?;
        self.changed(of).await?;
        Ok(true)
    }

    /// Notes for ever that somebody else has a key: programs believe nothing that it has signed.
    /// A new one takes its place, where programs can learn of it. Gives whether anything changed.
    ///
    /// Fails with `not_found`.
    pub async fn compromise(&self, of: &mut KeyPair, key: Uuid) -> Result<bool> {
        let key = of.key(key)?;
        if key.state() == KeyState::Compromised {
            return Ok(false);
        }
        key.state = KeyState::Compromised.word().to_string();
        key.compromised_at = Some(self.now);
        signing_keys::keep_state(self.tx, key).await?;
        self.fill(of).await?;
        self.changed(of).await?;
        revoked::renew(self.tx, of.pair.id, self.clock.micros()).await?;
        Ok(true)
    }

    async fn retire_one(&self, key: &mut signing_keys::Model) -> Result<()> {
        key.state = KeyState::Retired.word().to_string();
        key.retired_at = Some(self.now);
        signing_keys::keep_state(self.tx, key).await
    }

    /// Makes a key for whatever no key of its own signs, as long as programs can learn of it.
    async fn fill(&self, of: &mut KeyPair) -> Result<()> {
        if !of.has_root() {
            return Ok(());
        }
        let mut made = Vec::new();
        for role in DAILY {
            let signs = |key: &signing_keys::Model| {
                key.state() == KeyState::Active && key.has(role) && !key.has(Role::Root)
            };
            if !of.keys.iter().any(signs) && of.keys.len() + made.len() < KEYS_MAX {
                made.push(self.row(&of.pair, &SecretKey::generate()?, &[role])?);
            }
        }
        if !made.is_empty() {
            master_key::check_within(self.tx, self.vault).await?;
            signing_keys::insert(self.tx, made.clone()).await?;
        }
        of.keys.extend(made);
        Ok(())
    }

    async fn changed(&self, of: &mut KeyPair) -> Result<()> {
        of.pair.epoch = self.clock.next(of.pair.epoch);
        of.pair.updated_at = self.now;
        key_pairs::keep_epoch(self.tx, &of.pair).await
    }

    fn row(
        &self,
        pair: &key_pairs::Model,
        key: &SecretKey,
        roles: &[Role],
    ) -> Result<signing_keys::Model> {
        Ok(signing_keys::Model {
            id: Uuid::now_v7(),
            organization_id: pair.organization_id,
            key_pair_id: pair.id,
            kid: key.public().kid().to_string(),
            public_key: key.public().to_short(),
            roles: roles.iter().map(|role| role.word()).collect::<Vec<_>>().join(" "),
            state: KeyState::Active.word().to_string(),
            sealed: self.vault.seal_key(key)?,
            created_at: self.now,
            retired_at: None,
            compromised_at: None,
        })
    }
}

impl KeyPair {
    /// Whether programs take new keys from it.
    fn has_root(&self) -> bool {
        has_root(&self.keys)
    }

    fn must_have_root(&self) -> Result<()> {
        if self.has_root() {
            return Ok(());
        }
        let what = "The root key is in other hands, so programs take no new keys from it: make a \
                    new key pair, give it to the product (key_pair_id), and ship programs that \
                    trust it";
        Err(Error::new(Code::Conflict, what))
    }

    fn key(&mut self, id: Uuid) -> Result<&mut signing_keys::Model> {
        let key = self.keys.iter_mut().find(|key| key.id == id);
        key.ok_or_else(|| Error::not_found("key"))
    }
}

/// The key that signs key sets, in whatever state it is.
pub fn root(keys: &[signing_keys::Model]) -> Option<&signing_keys::Model> {
    keys.iter().find(|key| key.has(Role::Root))
}

/// Whether programs take new keys from a pair with these keys.
pub fn has_root(keys: &[signing_keys::Model]) -> bool {
    root(keys).is_some_and(|root| root.state() == KeyState::Active)
}

/// The key that signs for a role now.
pub fn active(keys: &[signing_keys::Model], role: Role) -> Option<&signing_keys::Model> {
    let active = keys.iter().filter(|key| key.state() == KeyState::Active && key.has(role));
    active.max_by_key(|key| (!key.has(Role::Root), key.created_at, key.id))
}

/// The public halves, as programs trust them.
pub fn trusted(keys: &[signing_keys::Model]) -> Result<KeySet> {
    let trusted = keys.iter().map(trust).collect::<Result<Vec<_>>>()?;
    Ok(KeySet::of(trusted)?)
}

fn trust(row: &signing_keys::Model) -> Result<TrustedKey> {
    let mut key = TrustedKey::new(public(row)?, &row.roles());
    if let Some(at) = row.retired_at {
        key = key.retired(at.saturating_add(NOTICE));
    }
    Ok(if row.state() == KeyState::Compromised { key.compromised() } else { key })
}

/// The public half.
pub fn public(row: &signing_keys::Model) -> Result<PublicKey> {
    let set = KeySet::parse(&row.public_key)?;
    let key = set.keys().first().map(|trusted| trusted.key().clone());
    key.ok_or_else(|| Error::new(Code::Internal, "A key in the database is none"))
}

/// What is said of one that is not there.
pub fn none() -> Error {
    Error::not_found("key pair")
}
