//! `ETag` on what is read (RFC 9110, section 8.8.3): whoever has it already is told so.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use sha2::{Digest, Sha256};

/// Adds the header to good answers to GET and HEAD, and answers 304 where it is known.
pub async fn layer(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if !reads || response.status() != StatusCode::OK || response.headers().contains_key(ETAG) {
        return response;
    }
    // What is made while it is taken is not known before its end.
    if response.body().size_hint().exact().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // It is there whole: collecting it waits for nothing.
    let Ok(body) = body.collect().await else {
        return Response::from_parts(parts, Body::empty());
    };
    let body = body.to_bytes();
    let tag = tag(&body);
    if known.is_some_and(|known| matches(&known, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_LENGTH);
        return Response::from_parts(with(parts, &tag), Body::empty());
    }
    Response::from_parts(with(parts, &tag), Body::from(body))
}

fn with(mut parts: axum::http::response::Parts, tag: &str) -> axum::http::response::Parts {
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(ETAG, tag);
    }
    parts
}

/// The tag of a body: half of its SHA-256.
pub fn tag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let half: Vec<u8> = digest.iter().take(16).copied().collect();
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(half))
}

/// Whether a header names the tag. Weak or strong makes no difference for reading.
pub fn matches(header: &HeaderValue, tag: &str) -> bool {
    let Ok(text) = header.to_str() else { return false };
    text.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
