//! Webhooks, signed by a vendor's server and checked by whoever receives them: Standard Webhooks
//! 1.0.0 (`spec/standard-webhooks.md` of the project of that name).
//!
//! A webhook is a POST with three headers. What is signed is `id.timestamp.body`, byte for byte
//! as it is sent; `webhook-signature` is a list, so that one secret can follow another without a
//! webhook that nobody can check: `v1,` and HMAC-SHA256 (RFC 2104), `v1a,` and Ed25519 (RFC 8032).

mod secret;
#[cfg(feature = "issue")]
mod signing;

use crate::errors::{Code, Error, Result};
use crate::limits::{WEBHOOK_ID_MAX, WEBHOOK_MAX, WEBHOOK_SECRETS_MAX};
use crate::limits::{WEBHOOK_SIGNATURES_MAX, WEBHOOK_SIGNATURES_TEXT_MAX};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use secret::Secret;
#[cfg(feature = "issue")]
pub use signing::{SigningKey, sign};

/// Seconds by which the clocks of the two sides may differ, with the time on the way.
pub const TOLERANCE: i64 = 300;

/// The names of the headers, as they are sent.
pub const ID: &str = "webhook-id";
/// When it was sent this time.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// Its signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// The headers of a webhook, as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Headers<'a> {
    /// `webhook-id`: the same however often one webhook is sent.
    pub id: &'a str,
    /// `webhook-timestamp`: when it was sent this time, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: one or more signatures with a space in between.
    pub signature: &'a str,
}

impl<'a> Headers<'a> {
    /// Finds them among all headers of a request, whose names are in any case. Fails with
    /// `malformed` where one is missing, or there twice: which of two counts is not for us to say.
    pub fn find(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Headers<'a>> {
        let mut found = [(ID, None), (TIMESTAMP, None), (SIGNATURE, None)];
        for (name, value) in all {
            let known = found.iter_mut().find(|(known, _)| name.eq_ignore_ascii_case(known));
            if let Some((known, old)) = known
                && old.replace(value).is_some()
            {
                return Err(Error::new(Code::Malformed, format!("{known} is there twice")));
            }
        }
        let of = |(name, value): (&str, Option<&'a str>)| {
            value.ok_or_else(|| Error::new(Code::Malformed, format!("there is no {name}")))
        };
        let [id, timestamp, signature] = found;
        Ok(Headers { id: of(id)?, timestamp: of(timestamp)?, signature: of(signature)? })
    }
}

/// Checks a webhook: that whoever has one of the secrets signed exactly this body under this id,
/// not more than [`TOLERANCE`] seconds before or after `now` (seconds since 1970). Gives the time
/// at which it was sent. Whether the id was seen before is for the caller to know.
///
/// Fails with `malformed` for headers that no webhook has, with `too_large` for a body or a list
/// of signatures that is larger than any, with `bad_signature`, and with `bad_timestamp` where it
/// is signed but not of this time. With `invalid_argument` unless there are 1 to 16 secrets.
pub fn verify(body: &[u8], headers: &Headers<'_>, secrets: &[Secret], now: i64) -> Result<i64> {
    if secrets.is_empty() || secrets.len() > WEBHOOK_SECRETS_MAX {
        let what = format!("{} secrets, not 1 to {WEBHOOK_SECRETS_MAX}", secrets.len());
        return Err(Error::new(Code::InvalidArgument, what));
    }
    if body.len() > WEBHOOK_MAX {
        return Err(Error::new(Code::TooLarge, format!("a webhook of {} bytes", body.len())));
    }
    check_id(headers.id)?;
    let timestamp = timestamp(headers.timestamp)?;
    let given = signatures(headers.signature)?;
    let signed = Signed { id: headers.id, timestamp: headers.timestamp, body };
    // Every secret is asked, so that how long it takes does not say which of them it was.
    let found = secrets.iter().fold(false, |found, secret| secret.signed(&signed, &given) | found);
    if !found {
        let what = "none of the secrets has signed this webhook, byte for byte";
        return Err(Error::new(Code::BadSignature, what));
    }
    let apart = timestamp.abs_diff(now);
    if apart > TOLERANCE.unsigned_abs() {
        let side = if timestamp < now { "ago" } else { "from now" };
        let what = format!("the webhook was sent {apart} seconds {side}, {TOLERANCE} are allowed");
        return Err(Error::new(Code::BadTimestamp, what));
    }
    Ok(timestamp)
}

/// What is signed: the three with a full stop in between.
struct Signed<'a> {
    id: &'a str,
    timestamp: &'a str,
    body: &'a [u8],
}

impl Signed<'_> {
    fn parts(&self) -> [&[u8]; 5] {
        [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body]
    }
}

/// A signature of a kind that is known.
enum Signature {
    /// `v1`: HMAC-SHA256.
    Symmetric([u8; 32]),
    /// `v1a`: Ed25519.
    Asymmetric([u8; 64]),
}

/// An id that has a full stop could give a part of itself to the timestamp.
fn check_id(id: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    if id.is_empty() || id.len() > WEBHOOK_ID_MAX || !id.bytes().all(good) {
        let what = format!(
            "webhook-id has 1 to {WEBHOOK_ID_MAX} visible characters of ASCII without a full stop"
        );
        return Err(Error::new(Code::Malformed, what));
    }
    Ok(())
}

/// A whole number of seconds in its one spelling, as it was signed.
fn timestamp(text: &str) -> Result<i64> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let spelled = digits && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| spelled).ok_or_else(|| {
        Error::new(Code::Malformed, "webhook-timestamp is no number of seconds since 1970")
    })
}

/// The signatures that are of a known kind. Others are left out: a sender may have newer ones too.
fn signatures(list: &str) -> Result<Vec<Signature>> {
    let parts = list.split(' ').filter(|part| !part.is_empty());
    if list.len() > WEBHOOK_SIGNATURES_TEXT_MAX || parts.clone().count() > WEBHOOK_SIGNATURES_MAX {
        let what = format!("webhook-signature has {} bytes of signatures", list.len());
        return Err(Error::new(Code::TooLarge, what));
    }
    let wrong = "webhook-signature is no list such as v1,…";
    if parts.clone().next().is_none() || !parts.clone().all(|part| part.contains(',')) {
        return Err(Error::new(Code::Malformed, wrong));
    }
    let read = |part: &str| {
        let (kind, value) = part.split_once(',')?;
        let bytes = STANDARD.decode(value).ok()?;
        match kind {
            "v1" => bytes.try_into().ok().map(Signature::Symmetric),
            "v1a" => bytes.try_into().ok().map(Signature::Asymmetric),
            _ => None,
        }
    };
    Ok(parts.filter_map(read).collect())
}
