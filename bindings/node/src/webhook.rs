//! The check of a webhook, for `licentia/webhooks`.

use crate::errors::{Failure, attempt};
use crate::{Data, bytes};
use licentia::webhook::{Headers, Secret, verify};
use napi_derive::napi;

/// The longest body of a webhook. `checks.js` cuts one that is longer, after one more byte.
#[napi]
#[cfg_attr(test, allow(dead_code))] // Nothing is handed to JavaScript there.
pub const WEBHOOK_MAX: u32 = licentia::limits::WEBHOOK_MAX as u32;

/// A webhook that one of the secrets has signed.
#[napi(object, object_from_js = false)]
pub struct Signed {
    /// Its name.
    pub id: String,
    /// When it was sent, in seconds since 1970.
    pub sent: f64,
}

/// Checks a webhook. `headers` are a name, its value, the next name; `now` is in seconds.
#[napi]
#[cfg_attr(test, allow(dead_code))]
pub fn verify_webhook(
    body: Data<'_>,
    headers: Vec<String>,
    secrets: Vec<String>,
    now: i64,
) -> Result<Signed, Failure> {
    attempt(|| {
        let secrets: Result<Vec<_>, _> = secrets.iter().map(|text| Secret::parse(text)).collect();
        let secrets = secrets?;
        let pairs = headers.chunks_exact(2).filter_map(|pair| match pair {
            [name, value] => Some((name.as_str(), value.as_str())),
            _ => None,
        });
        let found = Headers::find(pairs)?;
        let sent = verify(bytes(&body), &found, &secrets, now)?;
        Ok(Signed { id: found.id.to_string(), sent: sent as f64 })
    })
}
