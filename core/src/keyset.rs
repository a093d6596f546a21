//! A key set that a root key signed: docs/format.md, section 5.3.

use crate::claims::{check_must, check_text};
use crate::coat::undress;
use crate::errors::{Code, Error, Result};
use crate::json::{self, INTEGER_MAX, List, Object};
use crate::jwk::Jwk;
use crate::keys::{KeySet, Role};
use crate::limits::{KEYS_MAX, TIME_MAX, TOKEN_MAX};
use crate::token::{self, Kind};
use serde::Deserialize;

/// The keys of a signed set.
#[derive(Clone, Debug)]
pub(crate) struct SignedKeys {
    /// Rises with every set.
    pub(crate) epoch: u64,
    /// The keys it lists, none of them a root: only a pinned key is, or one stolen root key could
    /// make itself others.
    pub(crate) keys: KeySet,
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
    /// Checks a signed set for a product. `pinned` has the root keys, with all that is known of
    /// them: one that was retired or stolen signs no more sets.
    pub(crate) fn verify(text: &str, product: &str, pinned: &KeySet) -> Result<SignedKeys> {
        let token = undress(text.as_bytes(), TOKEN_MAX)?;
        let opened = token::open(&token, Kind::KeySet, |kid| pinned.find(kid))?;
        let text = json::scan(&opened.payload, TOKEN_MAX)?;
        check_must(text)?;
        let claims: Claims = json::read(text)?;
        check_text("iss", &claims.iss, 256)?;
        if !(0..=TIME_MAX).contains(&claims.iat) || !(1..=INTEGER_MAX).contains(&claims.epoch) {
            return Err(Error::new(Code::Malformed, "the key set's iat or epoch is no value"));
        }
        opened.key.check_time(claims.iat)?;
        if claims.aud != product {
            let what = format!("the key set is for {:.60}, not {product:.60}", claims.aud);
            return Err(Error::new(Code::WrongProduct, what));
        }
        let mut listed =
            claims.keys.0.iter().map(|jwk| jwk.0.trust()).collect::<Result<Vec<_>>>()?;
        for key in &mut listed {
            key.roles.retain(|role| *role != Role::Root);
        }
        Ok(SignedKeys { epoch: claims.epoch, keys: KeySet::from_keys(listed)? })
    }
}
