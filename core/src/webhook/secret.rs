//! What a receiver checks webhooks with.

use super::{Signature, Signed};
use crate::errors::{Code, Error, Result};
use crate::signature::{KeyFlaw, StrictKey};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::ops::RangeInclusive;

/// What the text of a secret that both sides have starts with.
pub(super) const SYMMETRIC: &str = "whsec_";
/// What the text of a public key starts with.
pub(super) const PUBLIC: &str = "whpk_";
/// What the text of a private key starts with: it is never the receiver's.
pub(super) const PRIVATE: &str = "whsk_";

/// Bytes of a secret that both sides have.
pub(super) const BYTES: RangeInclusive<usize> = 24..=64;

/// Base64 as people copy it: with its padding or without.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest text of one, in bytes: a private key has 93.
const TEXT_MAX: usize = 128;

/// One secret of an endpoint, as its vendor gave it: `whsec_…`, or the public key `whpk_…`.
#[derive(Clone)]
pub struct Secret(Kind);

#[derive(Clone)]
enum Kind {
    Symmetric(Vec<u8>),
    Public(StrictKey),
}

impl std::fmt::Debug for Secret {
    /// Never what it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Kind::Symmetric(_) => "Secret(whsec_)",
            Kind::Public(_) => "Secret(whpk_)",
        })
    }
}

impl Secret {
    /// Reads `whsec_` and 24 to 64 bytes in base64, or `whpk_` and the 32 of an Ed25519 public key
    /// (RFC 8032, section 5.1.5). Fails with `invalid_argument`, and never says what was given.
    pub fn parse(text: &str) -> Result<Secret> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(SYMMETRIC) {
            let bytes = decode(rest)?;
            return symmetric(bytes).map(|bytes| Secret(Kind::Symmetric(bytes)));
        }
        if let Some(rest) = text.strip_prefix(PUBLIC) {
            let bytes = decode(rest)?;
            let bytes = <[u8; 32]>::try_from(bytes)
                .map_err(|bytes| wrong(&format!("whpk_ has {} bytes, not 32", bytes.len())))?;
            let key = StrictKey::new(&bytes).map_err(|flaw| match flaw {
                KeyFlaw::NotAPoint => wrong("whpk_ is not a canonical Ed25519 point"),
                KeyFlaw::SmallOrder => wrong("whpk_ is of small order: anyone can sign for it"),
            })?;
            return Ok(Secret(Kind::Public(key)));
        }
        if text.starts_with(PRIVATE) {
            return Err(wrong("whsk_ is the sender's: a receiver has whpk_, or whsec_"));
        }
        Err(wrong("the secret of a webhook starts with whsec_, or with whpk_"))
    }

    /// Whether one of the signatures is this secret's. All of them are looked at.
    pub(super) fn signed(&self, signed: &Signed<'_>, given: &[Signature]) -> bool {
        match &self.0 {
            Kind::Symmetric(bytes) => {
                let Some(mac) = mac(bytes, signed) else { return false };
                let is_ours = |one: &Signature| match one {
                    // In a time that does not tell how much of it is right.
                    Signature::Symmetric(tag) => mac.clone().verify_slice(tag).is_ok(),
                    Signature::Asymmetric(_) => false,
                };
                given.iter().fold(false, |found, one| is_ours(one) | found)
            }
            Kind::Public(key) => {
                let message = signed.parts().concat();
                let is_ours = |one: &Signature| match one {
                    Signature::Asymmetric(signature) => key.verifies(&message, signature),
                    Signature::Symmetric(_) => false,
                };
                given.iter().fold(false, |found, one| is_ours(one) | found)
            }
        }
    }
}

/// The code of what is signed, before it is compared or written. `None` for no key at all.
pub(super) fn mac(bytes: &[u8], signed: &Signed<'_>) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(bytes).ok()?;
    for part in signed.parts() {
        mac.update(part);
    }
    Some(mac)
}

/// The bytes behind the start of a text.
pub(super) fn decode(rest: &str) -> Result<Vec<u8>> {
    if rest.len() > TEXT_MAX {
        return Err(wrong(&format!("the secret of a webhook has {} characters", rest.len())));
    }
    BASE64.decode(rest).map_err(|_| wrong("the secret of a webhook is not base64 behind its _"))
}

/// As many bytes as a secret has.
pub(super) fn symmetric(bytes: Vec<u8>) -> Result<Vec<u8>> {
    match BYTES.contains(&bytes.len()) {
        true => Ok(bytes),
        false => Err(wrong(&format!("whsec_ has {} bytes, not 24 to 64", bytes.len()))),
    }
}

pub(super) fn wrong(what: &str) -> Error {
    Error::new(Code::InvalidArgument, what)
}
