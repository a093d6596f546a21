//! What a request brings: a body that was read strictly, a query, and where it came from.

use super::{Remote, RequestId, Shared};
use crate::error::{Code, Error, Result};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use licentia::json;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// Bytes of a body, at most.
pub const BODY_MAX: usize = 1024 * 1024;

/// Where a write came from, and what makes it the same as another.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The `Idempotency-Key`.
    pub key: Option<String>,
    /// SHA-256 of method, path, query and body, in hexadecimal.
    pub digest: String,
    /// The id of the request.
    pub request_id: Option<String>,
    /// The address it came from.
    pub remote: Option<IpAddr>,
    /// What was asked for after the path, as it was sent.
    pub query: Option<String>,
}

/// A body of JSON, and its origin. Members that are not known are refused by the type
/// (`deny_unknown_fields`), repeated ones before that.
#[derive(Debug)]
pub struct Written<T> {
    /// The body.
    pub body: T,
    /// Where it came from.
    pub origin: Origin,
}

/// The query, read strictly.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Written<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &Shared) -> Result<Written<T>> {
        let (parts, body) = request.into_parts();
        let bytes = match Limited::new(body, BODY_MAX).collect().await {
            Ok(bytes) => bytes.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(Error::new(Code::TooLarge, "The body has more than a mebibyte"));
            }
            Err(_) => return Err(malformed("The body ended before its end: send it again")),
        };
        let origin = Origin::of(&parts, &bytes)?;
        // A request without a body asks for nothing in particular.
        if bytes.is_empty() {
            return Ok(Written { body: read("{}")?, origin });
        }
        is_json(&parts)?;
        let text = json::scan_long(&bytes, BODY_MAX).map_err(licentia::Error::from);
        let text = text
            .map_err(|error| malformed(format!("The body cannot be read: {}", error.detail())))?;
        let body = read(text)?;
        Ok(Written { body, origin })
    }
}

/// What passed the strict scan, as a type.
fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    // serde takes an array for an object, by position.
    if !text.trim_start().starts_with('{') {
        return Err(malformed("The body is not a JSON object"));
    }
    serde_json::from_str(text)
        .map_err(|error| malformed(format!("The body cannot be read: {error:.200}")))
}

impl FromRequestParts<Shared> for Origin {
    type Rejection = Error;

    /// Of a request without a body.
    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Origin> {
        Origin::of(parts, b"")
    }
}

impl Origin {
    /// That of a request with these bytes as its body.
    pub fn of(parts: &Parts, body: &[u8]) -> Result<Origin> {
        let key = parts.headers.get("idempotency-key").map(|key| {
            let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
            key.map(str::to_string)
                .ok_or_else(|| malformed("Idempotency-Key has 1 to 255 characters of ASCII"))
        });
        let mut digest = Sha256::new();
        let query = parts.uri.query().unwrap_or_default();
        for part in [parts.method.as_str(), parts.uri.path(), query] {
            digest.update(part);
            digest.update([0]);
        }
        digest.update(body);
        Ok(Origin {
            key: key.transpose()?,
            digest: digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
            request_id: parts.extensions.get::<RequestId>().map(|id| id.0.clone()),
            remote: parts.extensions.get::<Remote>().map(|remote| remote.0),
            query: Some(query).filter(|query| !query.is_empty()).map(str::to_string),
        })
    }
}

/// A form of a page elsewhere cannot send this type without asking first.
fn is_json(parts: &Parts) -> Result<()> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    match kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        true => Ok(()),
        false => {
            let what = "The body has to be JSON: send `Content-Type: application/json`";
            Err(Error::new(Code::UnsupportedMediaType, what))
        }
    }
}

impl<T: DeserializeOwned> FromRequestParts<Shared> for Asked<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Asked<T>> {
        // No database has a text with it, so that nothing could be found.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(malformed("The query has a NUL: leave it out"));
        }
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        let query = query.map_err(|error| malformed(format!("The query: {}", error.body_text())));
        Ok(Asked(query?.0))
    }
}

fn malformed(what: impl Into<String>) -> Error {
    Error::new(Code::Malformed, what)
}
