//! A key set that a root key signed: docs/format.md, section 5.3.

use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::json::{self, List, Object};
use crate::jwk::Jwk;
use crate::keys::{KeySet, Role};
use crate::limits::{KEYS_MAX, TIME_MAX, TOKEN_MAX};
use crate::token::{self, Kind};
use serde::Deserialize;

/// The keys of a signed set, over the pinned ones.
#[derive(Clone, Debug)]
pub(crate) struct SignedKeys {
    /// Rises with every set.
    pub(crate) epoch: u64,
    /// What to look keys up in: pinned keys keep their roles, and take state and dates from the
    /// set where it names them.
    pub(crate) effective: KeySet,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    epoch: u64,
    keys: List<Object<Jwk>, KEYS_MAX>,
}

/// Whether a text is a signed document and not one of the plain forms of a key set.
pub(crate) fn looks_signed(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    !(text.starts_with('{') || text.starts_with("-----") || text.starts_with("ed25519:"))
        && text.len() > 64
}

impl SignedKeys {
    /// Checks a signed set for a product. `pinned` has the root keys.
    pub(crate) fn verify(text: &str, product: &str, pinned: &KeySet) -> Result<SignedKeys> {
        let token = undress(text.as_bytes(), TOKEN_MAX)?;
        let opened = token::open(&token, Kind::KeySet, pinned)?;
        let text = json::scan(&opened.payload, TOKEN_MAX)?;
        crate::claims::check_must(text)?;
        let claims: Claims = json::read(text)?;
        if !(0..=TIME_MAX).contains(&claims.iat) || claims.iss.is_empty() || claims.epoch == 0 {
            return Err(Error::new(Code::Malformed, "the key set's iss, iat or epoch is no value"));
        }
        opened.key.check_time(claims.iat)?;
        if claims.aud != product {
            let what = format!("the key set is for {:.60}, not {product:.60}", claims.aud);
            return Err(Error::new(Code::WrongProduct, what));
        }
        let listed = claims.keys.0.iter().map(|jwk| jwk.0.trust()).collect::<Result<Vec<_>>>()?;
        let listed = KeySet::from_keys(listed)?;
        Ok(SignedKeys { epoch: claims.epoch, effective: merge(pinned, listed)? })
    }
}

fn merge(pinned: &KeySet, listed: KeySet) -> Result<KeySet> {
    let mut keys = Vec::new();
    for pin in pinned.keys() {
        let mut key = pin.clone();
        if let Some(news) = listed.find(pin.key().kid()) {
            key.state = news.state;
            key.not_before = news.not_before;
            key.not_after = news.not_after;
        }
        keys.push(key);
    }
    for mut key in listed.keys().iter().cloned() {
        if pinned.find(key.key().kid()).is_none() {
            // Only a pinned key is a root: else one stolen root key could make itself others.
            key.roles.retain(|role| *role != Role::Root);
            keys.push(key);
        }
    }
    KeySet::from_keys(keys)
}
