//! Public keys and the sets a product trusts.

use crate::errors::{Code, Error, Result};
use crate::json;
use crate::jwk::{Jwk, Jwks};
use crate::limits::{KEYS_MAX, KEYS_TEXT_MAX};
use crate::signature::{KeyFlaw, StrictKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePublicKey};
use sha2::{Digest, Sha256};

/// What a key's short form starts with.
const SHORT: &str = "ed25519:";

/// One Ed25519 public key that is canonical and not of small order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: StrictKey,
    kid: String,
}

impl PublicKey {
    /// Takes the 32 bytes of RFC 8032, section 5.1.5. Fails with `invalid_key` if they are not
    /// a canonical point and with `weak_key` if anyone could sign for it.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<PublicKey> {
        let key = StrictKey::new(bytes).map_err(|flaw| match flaw {
            KeyFlaw::NotAPoint => invalid("the key is not a canonical Ed25519 point"),
            KeyFlaw::SmallOrder => {
                Error::new(Code::WeakKey, "the key is of small order: anyone can sign for it")
            }
        })?;
        Ok(PublicKey { kid: thumbprint(bytes), key })
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.bytes()
    }

    /// Its name: the JWK thumbprint of RFC 7638, 43 characters.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// `ed25519:` and 43 characters of base64url: short enough for a string in a program.
    pub fn to_short(&self) -> String {
        format!("{SHORT}{}", URL_SAFE_NO_PAD.encode(self.as_bytes()))
    }

    /// A `PUBLIC KEY` block (SubjectPublicKeyInfo, RFC 8410).
    pub fn to_pem(&self) -> Result<String> {
        ed25519_dalek::VerifyingKey::from_bytes(self.as_bytes())
            .ok()
            .and_then(|key| key.to_public_key_pem(LineEnding::LF).ok())
            .ok_or_else(|| Error::new(Code::Internal, "the key could not be written as PEM"))
    }

    /// A key set of one, as JSON (RFC 7517).
    pub fn to_jwks(&self) -> String {
        let x = URL_SAFE_NO_PAD.encode(self.as_bytes());
        let jwk = serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "x": x, "kid": self.kid, "use": "sig", "alg": "EdDSA",
        });
        serde_json::json!({ "keys": [jwk] }).to_string()
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verifies(message, signature)
    }
}

/// SHA-256 over the required members in their order, nothing between them (RFC 7638, section 3).
fn thumbprint(bytes: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(bytes);
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Key sets and product files.
    Root,
    /// Licenses.
    License,
    /// What a server says online: sync answers, leases, revocations.
    Server,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 3] = [Role::Root, Role::License, Role::Server];

    /// The word for it in a key set.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Root => "root",
            Role::License => "license",
            Role::Server => "server",
        }
    }
}

/// Whether a key is still in use, in rising severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// It signs.
    Active,
    /// It signs nothing new; what it signed in its time goes on.
    Retired,
    /// Somebody else has it: nothing it signed is believed.
    Compromised,
}

impl KeyState {
    /// The word for it in a key set.
    pub const fn word(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Retired => "retired",
            KeyState::Compromised => "compromised",
        }
    }
}

/// A key with what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    pub(crate) key: PublicKey,
    pub(crate) roles: Vec<Role>,
    pub(crate) state: KeyState,
    /// It signs from this second on.
    pub(crate) not_before: Option<i64>,
    /// It signs before this second.
    pub(crate) not_after: Option<i64>,
}

impl TrustedKey {
    /// A key with every role and no dates: the simplest trust.
    fn pinned(key: PublicKey) -> TrustedKey {
        let state = KeyState::Active;
        TrustedKey { key, roles: Role::ALL.to_vec(), state, not_before: None, not_after: None }
    }

    /// A key with these roles, that signs and has no dates.
    #[cfg(feature = "issue")]
    pub fn new(key: PublicKey, roles: &[Role]) -> TrustedKey {
        let roles = Role::ALL.into_iter().filter(|role| roles.contains(role)).collect();
        TrustedKey { roles, ..TrustedKey::pinned(key) }
    }

    /// The same, signing from this second on.
    #[cfg(feature = "issue")]
    pub fn starting(self, not_before: i64) -> TrustedKey {
        TrustedKey { not_before: Some(not_before), ..self }
    }

    /// The same, signing nothing new from this second on.
    #[cfg(feature = "issue")]
    pub fn retired(self, not_after: i64) -> TrustedKey {
        let state = self.state.max(KeyState::Retired);
        TrustedKey { state, not_after: Some(not_after), ..self }
    }

    /// The same, in somebody else's hands: nothing it signed is believed.
    #[cfg(feature = "issue")]
    pub fn compromised(self) -> TrustedKey {
        TrustedKey { state: KeyState::Compromised, ..self }
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What it may sign.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether it is still in use.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// It signs from this second on, since 1970; `None` = it always has.
    pub fn not_before(&self) -> Option<i64> {
        self.not_before
    }

    /// It signs before this second, since 1970; `None` = without end.
    pub fn not_after(&self) -> Option<i64> {
        self.not_after
    }

    /// Takes over what is known of the same key elsewhere, never to its gain: a stolen or retired
    /// key stays so, whatever is read later.
    fn tighten(&mut self, news: &TrustedKey) {
        self.state = self.state.max(news.state);
        self.not_before = self.not_before.max(news.not_before);
        self.not_after = match (self.not_after, news.not_after) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// Fails with `key_not_yet_valid` or `key_retired` unless it could sign at `iat`.
    pub(crate) fn check_time(&self, iat: i64) -> Result<()> {
        if self.not_before.is_some_and(|from| iat < from) {
            return Err(Error::new(Code::KeyNotYetValid, "it was signed before its key's time"));
        }
        if self.not_after.is_some_and(|until| iat >= until) {
            return Err(Error::new(Code::KeyRetired, "it was signed after its key was retired"));
        }
        Ok(())
    }
}

/// The keys a product trusts, each under its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<TrustedKey>,
}

impl KeySet {
    /// Reads a JWKS, a single JWK, one or more `PUBLIC KEY` blocks, or `ed25519:…`.
    ///
    /// Fails with `invalid_key`, `weak_key` or `too_large`; one bad key refuses the whole text,
    /// so that a typing error cannot silently leave a product with fewer keys.
    pub fn parse(text: &str) -> Result<KeySet> {
        if text.len() > KEYS_TEXT_MAX {
            return Err(Error::new(Code::TooLarge, format!("{} bytes of keys", text.len())));
        }
        let text = text.strip_prefix("\u{feff}").unwrap_or(text).trim();
        let keys = if let Some(x) = text.strip_prefix(SHORT) {
            vec![TrustedKey::pinned(PublicKey::from_bytes(&decode_x(x)?)?)]
        } else if text.starts_with("-----BEGIN") {
            parse_pem(text)?
        } else if text.starts_with('{') {
            parse_jwks(text)?
        } else {
            return Err(invalid(
                "it is no JWKS, PEM or ed25519:… (give the text, not a file's name)",
            ));
        };
        KeySet::from_keys(keys)
    }

    /// A set of 1 to 64 keys, each once. Fails with `invalid_key`.
    #[cfg(feature = "issue")]
    pub fn of(keys: Vec<TrustedKey>) -> Result<KeySet> {
        KeySet::from_keys(keys)
    }

    /// The set as JSON (RFC 7517), as [`KeySet::parse`] reads it.
    #[cfg(feature = "issue")]
    pub fn to_jwks(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(crate::jwk::write).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    pub(crate) fn from_keys(keys: Vec<TrustedKey>) -> Result<KeySet> {
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(invalid(&format!("the set has {} keys, not 1 to {KEYS_MAX}", keys.len())));
        }
        let mut kids: Vec<_> = keys.iter().map(|trusted| trusted.key.kid()).collect();
        kids.sort_unstable();
        if let Some([twice, _]) = kids.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(invalid(&format!("the key {twice} is in the set twice")));
        }
        Ok(KeySet { keys })
    }

    /// The keys, in the order of the text.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The key with this name, compared byte for byte.
    pub fn find(&self, kid: &str) -> Option<&TrustedKey> {
        self.keys.iter().find(|trusted| trusted.key.kid() == kid)
    }

    /// Adds keys. One that is already there keeps its roles, which have to be the same, and is
    /// tightened by the rest.
    pub(crate) fn add(&mut self, more: KeySet) -> Result<()> {
        let mut keys = self.keys.clone();
        for key in more.keys {
            match keys.iter_mut().find(|known| known.key == key.key) {
                None => keys.push(key),
                Some(known) if known.roles == key.roles => known.tighten(&key),
                Some(_) => {
                    let kid = key.key.kid();
                    return Err(invalid(&format!("the key {kid} is trusted with other roles")));
                }
            }
        }
        *self = KeySet::from_keys(keys)?;
        Ok(())
    }

    /// Takes over what another set says of the keys in this one, never to their gain.
    pub(crate) fn tighten(&mut self, news: &KeySet) {
        for key in &mut self.keys {
            if let Some(news) = news.find(key.key.kid()) {
                key.tighten(news);
            }
        }
    }
}

pub(crate) fn invalid(what: &str) -> Error {
    Error::new(Code::InvalidKey, what)
}

/// The 32 bytes behind 43 characters of base64url, in their one spelling.
pub(crate) fn decode_x(x: &str) -> Result<[u8; 32]> {
    let bytes = URL_SAFE_NO_PAD.decode(x).map_err(|_| invalid("the key is not base64url"))?;
    <[u8; 32]>::try_from(bytes)
        .map_err(|bytes| invalid(&format!("the key has {} bytes, not 32", bytes.len())))
}

fn parse_pem(text: &str) -> Result<Vec<TrustedKey>> {
    const END: &str = "-----END PUBLIC KEY-----";
    let mut keys = Vec::new();
    for block in text.split_inclusive(END) {
        let block = block.trim();
        if block.contains("PRIVATE KEY-----") {
            return Err(invalid("a private key: only its public half belongs in a product"));
        }
        let key = ed25519_dalek::VerifyingKey::from_public_key_pem(block)
            .map_err(|_| invalid("the PEM block is not an Ed25519 PUBLIC KEY"))?;
        keys.push(TrustedKey::pinned(PublicKey::from_bytes(key.as_bytes())?));
    }
    Ok(keys)
}

fn parse_jwks(text: &str) -> Result<Vec<TrustedKey>> {
    let reworded = |error: Error| match error.code() {
        Code::Malformed => invalid(error.detail()),
        _ => error,
    };
    let set: Jwks = json::parse(text.as_bytes(), KEYS_TEXT_MAX).map_err(reworded)?;
    match set.keys {
        Some(keys) => keys.0.into_iter().map(|jwk| jwk.0.trust()).collect(),
        None => {
            let jwk: Jwk = json::parse(text.as_bytes(), KEYS_TEXT_MAX).map_err(reworded)?;
            Ok(vec![jwk.trust()?])
        }
    }
}
