//! What goes between an installation and its issuer, right and wrong.

mod documents;
mod leases;
mod lists;
mod matrix;
mod nonces;
mod proofs;
mod requests;
mod signing;

use crate::errors::{Code, Result};
use crate::issue::{IssuerStatus, read_request, sign_bytes, sign_sync};
use crate::keys::KeySet;
use crate::messages::{ClockReset, Lease, Revocations, SyncAnswer};
use crate::peek::peek;
use crate::secret::SecretKey;
use crate::token::Kind;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
pub(super) const HERE: &str = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";
pub(super) const DIGEST: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
pub(super) const THEN: i64 = 1_763_769_600;

pub(super) fn key() -> SecretKey {
    SecretKey::from_seed(&[7; 32]).unwrap()
}

/// What an issuer answers a request with that brings a license. What is no license is given as it
/// is.
pub(crate) fn bringing(request: &str, said: &[u8]) -> Vec<u8> {
    static SEQ: AtomicU64 = AtomicU64::new(10);
    let Some(seen) = peek(said).ok().filter(|seen| seen.kind == Some(Kind::License)) else {
        return said.to_vec();
    };
    let request = read_request(request.as_bytes()).unwrap();
    let claims: Value = serde_json::from_str(&seen.payload).unwrap();
    let at = claims["iat"].as_i64().unwrap();
    let answer = SyncAnswer {
        iat: at,
        nonce: request.nonce,
        license_id: claims["license"]["id"].as_str().unwrap().into(),
        installation: request.installation,
        activation: None,
        seq: SEQ.fetch_add(1, Ordering::Relaxed),
        epoch: 0,
        server_time: at,
        status: IssuerStatus::Ok,
        message: None,
        license: Some(String::from_utf8(said.to_vec()).unwrap()),
        keys: None,
        revocations: None,
        ack: None,
        sync_after: None,
        next_sync_by: None,
        machine: None,
    };
    let issuer = claims["iss"].as_str().unwrap();
    sign_sync(&key(), &request.product, issuer, &answer).unwrap().into_bytes()
}

/// Trusts the key with more members in its JWK.
pub(super) fn keys(more: Value) -> KeySet {
    let mut set: Value = serde_json::from_str(&key().public().to_jwks()).unwrap();
    for (name, value) in more.as_object().unwrap() {
        set["keys"][0][name] = value.clone();
    }
    KeySet::parse(&set.to_string()).unwrap()
}

/// The smallest claims of a kind.
pub(super) fn least(kind: Kind) -> Value {
    let head = json!({ "iss": "https://acme.example", "aud": "myapp", "iat": THEN });
    let own = match kind {
        Kind::Clock => json!({ "nonce": "n", "installation": HERE, "server_time": THEN }),
        Kind::Revocations => json!({ "version": 1, "ids": [] }),
        Kind::Sync => json!({
            "nonce": "n", "license_id": ID, "installation": HERE, "seq": 1, "epoch": 0,
            "server_time": THEN, "status": "ok",
        }),
        Kind::Lease => json!({
            "jti": "l", "exp": THEN + 60, "license_id": ID, "holder": "ann", "seat": 1,
            "borrowed": false,
        }),
        _ => json!({}),
    };
    with(&head, &own)
}

/// Claims with others over them.
pub(super) fn with(claims: &Value, more: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

pub(super) fn signed(kind: Kind, claims: &Value) -> String {
    sign_bytes(&key(), kind, claims.to_string().as_bytes())
}

/// What became of a document, whichever of the four is expected.
pub(super) fn verify(kind: Kind, token: &str, issuer: Option<&str>, keys: &KeySet) -> Result<()> {
    let (data, find) = (token.as_bytes(), |kid: &str| keys.find(kid));
    match kind {
        Kind::Clock => ClockReset::verify(data, "myapp", issuer, find).map(drop),
        Kind::Revocations => Revocations::verify(data, "myapp", issuer, find).map(drop),
        Kind::Sync => SyncAnswer::verify(data, "myapp", issuer, find).map(drop),
        Kind::Lease => Lease::verify(data, "myapp", issuer, find).map(drop),
        _ => unreachable!("no test needs it"),
    }
}

/// The word for what claims come to, signed and trusted.
pub(super) fn judged(kind: Kind, claims: &Value) -> &'static str {
    word(verify(kind, &signed(kind, claims), None, &keys(json!({}))))
}

pub(super) fn word<T>(result: Result<T>) -> &'static str {
    result.map_or_else(|error| error.slug(), |_| "ok")
}

pub(super) const KINDS: [Kind; 4] = [Kind::Clock, Kind::Revocations, Kind::Sync, Kind::Lease];

pub(super) fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code()
}
