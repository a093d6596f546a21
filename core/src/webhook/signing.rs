//! What a vendor's server signs webhooks with.

use super::secret::{BASE64, PRIVATE, PUBLIC, SYMMETRIC, decode, mac, symmetric, wrong};
use super::{Signed, check_id};
use crate::errors::{Code, Error, Result};
use crate::limits::{WEBHOOK_MAX, WEBHOOK_SECRETS_MAX};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer;
use hmac::Mac;
use zeroize::Zeroizing;

/// Bytes of a secret that is made here: as many as the code has (RFC 2104, section 3).
const MADE: usize = 32;

/// What one endpoint's webhooks are signed with. It is wiped from memory when dropped, and never
/// shown.
pub struct SigningKey(Kind);

enum Kind {
    Symmetric(Zeroizing<Vec<u8>>),
    Ed25519(ed25519_dalek::SigningKey),
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Kind::Symmetric(_) => "SigningKey(whsec_)",
            Kind::Ed25519(_) => "SigningKey(whsk_)",
        })
    }
}

impl SigningKey {
    /// Makes a secret that both sides have, from the system's randomness. Fails with `io` if there
    /// is none.
    pub fn generate_symmetric() -> Result<SigningKey> {
        Ok(SigningKey(Kind::Symmetric(Zeroizing::new(random()?.to_vec()))))
    }

    /// Makes a pair of keys: the receiver has the public one, and can sign nothing with it. Fails
    /// with `io`.
    pub fn generate_ed25519() -> Result<SigningKey> {
        Ok(SigningKey(Kind::Ed25519(ed25519_dalek::SigningKey::from_bytes(&*random()?))))
    }

    /// Reads `whsec_` and 24 to 64 bytes in base64, or `whsk_` and an Ed25519 private key: its 32
    /// bytes, alone or with the 32 of the public key behind them. Fails with `invalid_argument`,
    /// and never says what was given.
    pub fn parse(text: &str) -> Result<SigningKey> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix(SYMMETRIC) {
            let bytes = symmetric(decode(rest)?)?;
            return Ok(SigningKey(Kind::Symmetric(Zeroizing::new(bytes))));
        }
        let Some(rest) = text.strip_prefix(PRIVATE) else {
            return Err(wrong("what signs webhooks starts with whsec_, or with whsk_"));
        };
        let bytes = Zeroizing::new(decode(rest)?);
        let key = match bytes.len() {
            32 => <&[u8; 32]>::try_from(bytes.as_slice())
                .map(ed25519_dalek::SigningKey::from_bytes)
                .map_err(|_| wrong("whsk_ has another length than 32 or 64 bytes"))?,
            64 => <&[u8; 64]>::try_from(bytes.as_slice())
                .ok()
                .and_then(|pair| ed25519_dalek::SigningKey::from_keypair_bytes(pair).ok())
                .ok_or_else(|| wrong("the two halves of whsk_ are not of one pair"))?,
            other => return Err(wrong(&format!("whsk_ has {other} bytes, not 32 or 64"))),
        };
        Ok(SigningKey(Kind::Ed25519(key)))
    }

    /// It as text, to be kept: `whsec_…`, or `whsk_…` with both halves of the pair.
    pub fn to_text(&self) -> Zeroizing<String> {
        match &self.0 {
            Kind::Symmetric(bytes) => text(SYMMETRIC, bytes),
            Kind::Ed25519(key) => text(PRIVATE, &*Zeroizing::new(key.to_keypair_bytes())),
        }
    }

    /// What its receiver needs, as [`Secret::parse`](super::Secret::parse) reads it: the same
    /// `whsec_…`, or the public key `whpk_…`.
    pub fn verifier(&self) -> Zeroizing<String> {
        match &self.0 {
            Kind::Symmetric(bytes) => text(SYMMETRIC, bytes),
            Kind::Ed25519(key) => text(PUBLIC, key.verifying_key().as_bytes()),
        }
    }

    /// One signature: `v1,…` or `v1a,…`. Fails with `invalid_argument` for an id, a time or a body
    /// that no receiver would take.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
        check_id(id).map_err(|error| wrong(error.detail()))?;
        let timestamp = timestamp.to_string();
        super::timestamp(&timestamp).map_err(|error| wrong(error.detail()))?;
        if body.len() > WEBHOOK_MAX {
            return Err(wrong(&format!("a webhook of {} bytes", body.len())));
        }
        let signed = Signed { id, timestamp: &timestamp, body };
        match &self.0 {
            Kind::Symmetric(bytes) => {
                let mac = mac(bytes, &signed)
                    .ok_or_else(|| Error::new(Code::Internal, "the secret takes no code"))?;
                Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
            }
            Kind::Ed25519(key) => {
                let signature = key.sign(&signed.parts().concat());
                Ok(format!("v1a,{}", STANDARD.encode(signature.to_bytes())))
            }
        }
    }
}

/// The value of `webhook-signature`: a signature of each key, the newest first by custom, for the
/// time in which one follows another. `timestamp` is the time of this attempt, in seconds since
/// 1970, and goes into `webhook-timestamp` as a whole number. Fails with `invalid_argument`, also
/// unless there are 1 to 16 keys.
pub fn sign(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    if keys.is_empty() || keys.len() > WEBHOOK_SECRETS_MAX {
        return Err(wrong(&format!("{} keys, not 1 to {WEBHOOK_SECRETS_MAX}", keys.len())));
    }
    let each: Result<Vec<_>> = keys.iter().map(|key| key.sign(id, timestamp, body)).collect();
    Ok(each?.join(" "))
}

fn random() -> Result<Zeroizing<[u8; MADE]>> {
    let mut bytes = Zeroizing::new([0; MADE]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| Error::new(Code::Io, format!("no randomness: {error}")))?;
    Ok(bytes)
}

fn text(start: &str, bytes: &[u8]) -> Zeroizing<String> {
    // Of its full size from the start: growing would leave copies behind that nobody wipes.
    let mut text = Zeroizing::new(String::with_capacity(start.len() + bytes.len() * 4 / 3 + 4));
    text.push_str(start);
    BASE64.encode_string(bytes, &mut text);
    text
}
