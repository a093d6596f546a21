//! One key as JSON (RFC 7517, RFC 8037), with the members licentia adds: roles, state, dates.

use crate::errors::Result;
use crate::json::{List, Object};
use crate::keys::{KeyState, PublicKey, Role, TrustedKey, decode_x, invalid};
use crate::limits::{KEYS_MAX, TIME_MAX};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Words in `roles`: later versions may have a few more.
const ROLES_MAX: usize = 16;

/// A key set, or, without `keys`, a single key.
#[derive(Deserialize)]
pub(crate) struct Jwks {
    pub(crate) keys: Option<List<Object<Jwk>, KEYS_MAX>>,
}

#[derive(Deserialize)]
pub(crate) struct Jwk {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    key_ops: Option<List<String, 2>>,
    roles: Option<List<String, ROLES_MAX>>,
    state: Option<String>,
    nbf: Option<i64>,
    exp: Option<i64>,
    // What only a private or a symmetric key has (RFC 7518, section 6; RFC 8037, section 2).
    d: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
}

impl Jwk {
    /// The key, if every word of it is usable.
    pub(crate) fn trust(&self) -> Result<TrustedKey> {
        self.check_public()?;
        self.check_use()?;
        let Some(x) = &self.x else { return Err(invalid("the key has no x")) };
        let key = PublicKey::from_bytes(&decode_x(x)?)?;
        if self.kid.as_deref().is_some_and(|kid| kid != key.kid()) {
            let wanted = key.kid();
            return Err(invalid(&format!("the kid is not the key's thumbprint {wanted}")));
        }
        let (not_before, not_after) = (self.nbf, self.exp);
        for time in [not_before, not_after].into_iter().flatten() {
            if !(0..=TIME_MAX).contains(&time) {
                return Err(invalid(&format!("{time} is not a time")));
            }
        }
        let state = self.state()?;
        Ok(TrustedKey { key, roles: self.roles(), state, not_before, not_after })
    }

    fn check_public(&self) -> Result<()> {
        let secrets = [&self.d, &self.k, &self.p, &self.q, &self.dp, &self.dq, &self.qi, &self.oth];
        if secrets.iter().any(|member| member.is_some()) {
            return Err(invalid("a private key: only its public half belongs in a product"));
        }
        if self.kty != "OKP" || self.crv.as_deref() != Some("Ed25519") {
            return Err(invalid("the key is not of kty OKP and crv Ed25519"));
        }
        Ok(())
    }

    fn check_use(&self) -> Result<()> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return Err(invalid("the key's use is not sig"));
        }
        if self.alg.as_deref().is_some_and(|alg| alg != "EdDSA" && alg != "Ed25519") {
            return Err(invalid("the key's alg is neither EdDSA nor Ed25519"));
        }
        if self.key_ops.as_ref().is_some_and(|ops| ops.0 != ["verify"]) {
            return Err(invalid("the key's key_ops are not exactly verify"));
        }
        Ok(())
    }

    /// Unknown roles grant nothing; no roles at all are all of them.
    fn roles(&self) -> Vec<Role> {
        let Some(words) = &self.roles else { return Role::ALL.to_vec() };
        Role::ALL
            .into_iter()
            .filter(|role| words.0.iter().any(|word| word == role.word()))
            .collect()
    }

    fn state(&self) -> Result<KeyState> {
        match self.state.as_deref() {
            None | Some("active") => Ok(KeyState::Active),
            Some("retired") if self.exp.is_none() => {
                Err(invalid("a retired key needs exp, the second of its retirement"))
            }
            Some("retired") => Ok(KeyState::Retired),
            Some("compromised") => Ok(KeyState::Compromised),
            Some(other) => Err(invalid(&format!("the key's state {other} is unknown"))),
        }
    }
}

/// A key as [`Jwk::trust`] reads it.
#[cfg(feature = "issue")]
pub(crate) fn write(trusted: &TrustedKey) -> serde_json::Value {
    use base64::Engine;
    let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(trusted.key.as_bytes());
    let mut jwk = serde_json::Map::new();
    let mut add = |name: &str, value: serde_json::Value| jwk.insert(name.to_string(), value);
    add("kty", "OKP".into());
    add("crv", "Ed25519".into());
    add("x", x.into());
    add("kid", trusted.key.kid().into());
    if trusted.roles != Role::ALL {
        add("roles", trusted.roles.iter().map(|role| role.word()).collect());
    }
    if trusted.state != KeyState::Active {
        add("state", trusted.state.word().into());
    }
    for (name, time) in [("nbf", trusted.not_before), ("exp", trusted.not_after)] {
        if let Some(time) = time {
            add(name, time.into());
        }
    }
    jwk.into()
}
