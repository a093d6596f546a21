//! Whose signature is on a request.

use super::document::malformed;
use super::proof::{SIGNATURE_CHARS, signed};
use crate::errors::{Code, Error, Result};
use crate::json::{self, Object};
use crate::jwk::Jwk;
use crate::keys::PublicKey;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Takes the signature off the end of a request: a line of its own after the object. Whatever
/// else stands there is left where it is, for the scan to refuse.
pub(super) fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let is_of_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let found =
        text.len().checked_sub(SIGNATURE_CHARS + 1).and_then(|at| text.split_at_checked(at));
    match found {
        Some((json, [b'\n', signature @ ..])) if signature.iter().all(is_of_base64url) => {
            (json, Some(signature))
        }
        _ => (text, None),
    }
}

#[derive(Deserialize)]
struct Head {
    cnf: Option<Object<Confirmation>>,
}

/// Other ways to confirm (RFC 7800, section 3.3 to 3.5) have other members, and are not known.
#[derive(Deserialize)]
struct Confirmation {
    jwk: Object<Jwk>,
}

/// Whose signature is on a request; `None` = nobody's.
///
/// Fails with `malformed` for a key without a signature and a signature without a key, as reading
/// a key does for one that is none, and with `bad_signature`.
pub(super) fn signer(json: &str, signature: Option<&[u8]>) -> Result<Option<PublicKey>> {
    let Head { cnf } = json::read(json)?;
    let (key, signature) = match (cnf, signature) {
        (None, None) => return Ok(None),
        (Some(cnf), Some(signature)) => (cnf.0.jwk.0.trust()?, signature),
        (Some(_), None) => return Err(malformed("it names a key in cnf and is not signed")),
        (None, Some(_)) => return Err(malformed("it is signed and names no key in cnf")),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).ok().and_then(|it| it.try_into().ok());
    let signature: [u8; 64] =
        signature.ok_or_else(|| malformed("the signature is not base64url in its one spelling"))?;
    let key = key.key().clone();
    match key.verifies(&signed(json), &signature) {
        true => Ok(Some(key)),
        false => {
            let what = "the request was altered after the installation signed it";
            Err(Error::new(Code::BadSignature, what))
        }
    }
}
