//! Nonces that are good for one answer, without a list of them: an answer may come weeks later,
//! to any process, after a restart.
//!
//! A nonce is 16 random bytes and the first 16 of HMAC-SHA256 over them, what was asked for, and
//! how many answers to that there had been. An answer that is taken raises that number, and with
//! it every nonce before is used.

use super::document::malformed;
use crate::errors::{Code, Error, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How far back an answer is known for one that was used. Older ones are refused as foreign.
const REMEMBERED: u64 = 64;

/// Makes a nonce for asking for `what` when `counter` answers to that were taken. The kernel is
/// asked for every one: a copied virtual machine does not repeat itself. Only where a test has
/// `stopped` the clock, the random part is derived from that time: copies of one folder then ask
/// with the same bytes.
///
/// Fails with `io` if there is no randomness.
pub(crate) fn nonce(
    secret: &[u8; 32],
    what: &str,
    counter: u64,
    stopped: Option<i64>,
) -> Result<String> {
    let mut random = [0; 16];
    match stopped {
        Some(at) => {
            let label = [&b"stopped clock"[..], &at.to_be_bytes()].concat();
            let bytes = mac(secret, &label, what, counter)?.finalize().into_bytes();
            random.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
        None => getrandom::fill(&mut random)
            .map_err(|error| Error::new(Code::Io, format!("no randomness: {error}")))?,
    }
    let mac = mac(secret, &random, what, counter)?.finalize().into_bytes();
    let bytes: Vec<u8> = random.into_iter().chain(mac.into_iter().take(16)).collect();
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// An id for one request, by which it is found again: a UUID. Where there is no randomness, all
/// zeros.
pub(crate) fn random_id() -> String {
    let mut random = [0; 16];
    let _ = getrandom::fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid().to_string()
}

/// Whether a nonce was made here for `what` and not yet answered.
///
/// Fails with `already_used` for one of an earlier counter, with `wrong_installation` for one that
/// was not made here or for something else, and with `malformed` for what is none.
pub(crate) fn check_nonce(secret: &[u8; 32], what: &str, counter: u64, nonce: &str) -> Result<()> {
    let bytes = URL_SAFE_NO_PAD.decode(nonce).ok();
    let bytes: [u8; 32] = bytes
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| malformed("the nonce is not 43 characters of base64url"))?;
    let (random, tag) = bytes.split_at(16);
    let is = |counter| -> Result<bool> {
        Ok(mac(secret, random, what, counter)?.verify_truncated_left(tag).is_ok())
    };
    if is(counter)? {
        return Ok(());
    }
    for earlier in (counter.saturating_sub(REMEMBERED)..counter).rev() {
        if is(earlier)? {
            return Err(Error::new(Code::AlreadyUsed, "the answer was already applied"));
        }
    }
    Err(Error::new(Code::WrongInstallation, "the answer is to another request"))
}

/// Which of several words a nonce was made for, where they share one counter. Fails as
/// [`check_nonce`] does.
pub(crate) fn answered(
    secret: &[u8; 32],
    words: &[&'static str],
    counter: u64,
    nonce: &str,
) -> Result<&'static str> {
    let mut foreign = Error::new(Code::WrongInstallation, "the answer is to another request");
    for word in words {
        match check_nonce(secret, word, counter, nonce) {
            Ok(()) => return Ok(word),
            Err(error) if error.code() == Code::WrongInstallation => foreign = error,
            Err(error) => return Err(error),
        }
    }
    Err(foreign)
}

fn mac(secret: &[u8; 32], random: &[u8], what: &str, counter: u64) -> Result<Hmac<Sha256>> {
    let mac = Hmac::<Sha256>::new_from_slice(secret);
    let mut mac = mac.map_err(|error| Error::new(Code::Internal, error.to_string()))?;
    mac.update(random);
    mac.update(what.as_bytes());
    mac.update(&counter.to_be_bytes());
    Ok(mac)
}
