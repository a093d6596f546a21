//! Whether licenses are good: their signature and dates, and what the record says of them.

use crate::api::{Answer, Caller, Problem, Scope, Server, Shared, Written};
use crate::error::{Code, Error, Result};
use crate::key_pair;
use crate::store::status::Status;
use crate::store::{licenses, products, signing_keys, withdrawn};
use axum::extract::State;
use licentia::{Claims, KeySet, Product, rfc3339};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Serial numbers in one question.
const SERIALS_MAX: usize = 100;

/// A license, and by which keys to judge it: of `product_id` and `public_key` there is one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToVerify {
    /// The license file in base64.
    license_blob: String,
    /// The product: its keys and its record.
    product_id: Option<Uuid>,
    /// A public key as PEM, with which only signature and dates are judged.
    public_key: Option<String>,
}

/// What there is to say of a license.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verified {
    /// Whether it is good.
    valid: bool,
    /// Whether it was judged by keys of this server, and not by one that came with the question.
    trusted: bool,
    /// What it says; null where nobody signed that.
    license: Option<VerifiedLicense>,
    /// Why it is not good.
    errors: Vec<String>,
}

/// What a license says.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifiedLicense {
    id: String,
    serial: Option<String>,
    product_id: Option<String>,
    customer_id: Option<String>,
    license_type: String,
    features: Vec<String>,
    #[schema(format = DateTime)]
    valid_from: String,
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    is_expired: bool,
    /// What the record says; null where there is none, or another's key was given.
    status: Option<Status>,
}

impl Verified {
    fn bad(trusted: bool, error: &licentia::Error) -> Verified {
        let errors = vec![format!("The license is not good: {error}")];
        Verified { valid: false, trusted, license: None, errors }
    }
}

/// Verify a license
///
/// By the keys and the record of a product, or by a key that comes with the question.
#[utoipa::path(post, path = "/licenses/verify", tag = "licenses", request_body = ToVerify,
    security(("api_key" = ["read"]), ("api_key" = ["sync"])),
    responses((status = 200, body = Verified), (status = "4XX", body = Problem)))]
pub(super) async fn verify(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, .. }: Written<ToVerify>,
) -> Result<Answer> {
    caller.must_any(&[Scope::Read, Scope::Sync])?;
    let verified = match (body.product_id, &body.public_key) {
        (Some(product), None) => by_product(&server, &caller, product, &body.license_blob).await?,
        (None, Some(key)) => by_key(&server, key, &body.license_blob)?,
        _ => {
            let what = "Send product_id or public_key, one of them";
            return Err(Error::new(Code::Malformed, what));
        }
    };
    Ok(Answer::ok(&verified))
}

async fn by_product(
    server: &Server,
    caller: &Caller,
    product: Uuid,
    blob: &str,
) -> Result<Verified> {
    let (store, organization) = (server.store.read(), caller.organization.id);
    let product = products::get(store, organization, product).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    let pair = product.key_pair_id.ok_or_else(|| {
        Error::new(Code::NoKeyPair, "The product has no key pair: no license is signed for it")
    })?;
    let keys = signing_keys::of_pair(store, organization, pair).await?;
    let keys = key_pair::trusted(&keys)?;
    let claims = match open(&product.code, &keys, blob) {
        Ok(claims) => claims,
        Err(error) => return Ok(Verified::bad(true, &error)),
    };
    let row = match Uuid::try_parse(&claims.license.id) {
        Ok(id) => licenses::get(store, organization, id).await?,
        Err(_) => None,
    };
    let mut verified = judge(&claims, row.as_ref(), true, server.clock.now());
    // One that a restored backup does not have, and that was revoked.
    if row.is_none()
        && let Ok(id) = Uuid::try_parse(&claims.license.id)
        && let Some(at) = withdrawn::since(store, organization, product.id, id).await?
    {
        verified.valid = false;
        verified.errors.push(format!("The license was revoked before {}", rfc3339(at)));
    }
    Ok(verified)
}

fn by_key(server: &Server, key: &str, blob: &str) -> Result<Verified> {
    let keys = KeySet::parse(key)
        .map_err(|error| Error::invalid(format!("public_key: {}", error.detail())))?;
    // The product is whatever the license says: there is nothing to hold it against.
    let code = licentia::peek::peek(blob.as_bytes()).and_then(|document| {
        let claims: serde_json::Value = serde_json::from_str(&document.payload)
            .map_err(|error| licentia::Error::new(licentia::Code::Malformed, error.to_string()))?;
        Ok(claims.get("aud").and_then(|code| code.as_str()).unwrap_or_default().to_string())
    });
    let claims = code.and_then(|code| open(&code, &keys, blob));
    Ok(match claims {
        Ok(claims) => judge(&claims, None, false, server.clock.now()),
        Err(error) => Verified::bad(false, &error),
    })
}

/// What a license says that one of the keys signed.
fn open(code: &str, keys: &KeySet, blob: &str) -> Result<Claims, licentia::Error> {
    let mut product = Product::new(code, &keys.to_jwks())
        .map_err(|error| licentia::Error::new(licentia::Code::WrongProduct, error.detail()))?;
    // Where it is bound to is not asked: this is not the machine, and need not be read.
    product.set("machine", "license server")?;
    Ok(product.inspect(blob.as_bytes())?.claims().clone())
}

/// `exp` is not asked: a token that is to be renewed is old, and not bad.
fn judge(claims: &Claims, row: Option<&licenses::Model>, trusted: bool, now: i64) -> Verified {
    let license = &claims.license;
    // The record knows of an end that was moved since: later, too, by a renewal.
    let end = row.map_or(license.valid_until, |row| row.valid_until);
    let is_expired = end.is_some_and(|end| end <= now);
    let mut errors = Vec::new();
    let reason = row.and_then(|row| row.reason.as_ref()).map(|why| format!(": {why}"));
    let reason = reason.unwrap_or_default();
    match row.map(|row| (row.revoked_at, row.suspended_at)) {
        Some((Some(at), _)) => {
            errors.push(format!("The license was revoked on {}{reason}", rfc3339(at)));
        }
        Some((None, Some(at))) => {
            errors.push(format!("The license has been suspended since {}{reason}", rfc3339(at)));
        }
        _ => {}
    }
    if let Some(end) = end.filter(|_| is_expired) {
        errors.push(format!("The license expired on {}", rfc3339(end)));
    }
    if license.valid_from > now {
        errors.push(format!("The license begins on {}", rfc3339(license.valid_from)));
    }
    let shown = VerifiedLicense {
        id: license.id.clone(),
        serial: license.serial.clone(),
        product_id: license.product.as_ref().and_then(|product| product.id.clone()),
        customer_id: claims.sub.clone(),
        license_type: license.kind.clone(),
        features: license.features.iter().map(|feature| feature.id.clone()).collect(),
        valid_from: rfc3339(license.valid_from),
        valid_until: license.valid_until.map(rfc3339),
        is_expired,
        status: row.map(|row| Status::of(row, now)),
    };
    Verified { valid: errors.is_empty(), trusted, license: Some(shown), errors }
}

/// Which licenses are asked about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Serials {
    /// Serial numbers, at most 100.
    #[schema(max_items = 100)]
    serials: Vec<String>,
}

/// What there is to say of each, in the order of the question.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checked {
    results: Vec<CheckedSerial>,
    /// When.
    #[schema(format = DateTime)]
    checked_at: String,
}

/// What there is to say of one.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedSerial {
    serial: String,
    status: Found,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

/// The status of a license, if there is one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It is good.
    Active,
    /// It was withdrawn for ever.
    Revoked,
    /// It ended.
    Expired,
    /// It is on hold.
    Suspended,
    /// There is none with this serial number.
    #[serde(rename = "not_found")]
    Unknown,
}

impl From<Status> for Found {
    fn from(status: Status) -> Found {
        match status {
            Status::Active => Found::Active,
            Status::Revoked => Found::Revoked,
            Status::Expired => Found::Expired,
            Status::Suspended => Found::Suspended,
        }
    }
}

/// Check which licenses are revoked
#[utoipa::path(post, path = "/licenses/check-revocation", tag = "licenses",
    request_body = Serials, security(("api_key" = ["read"]), ("api_key" = ["sync"])),
    responses((status = 200, body = Checked), (status = "4XX", body = Problem)))]
pub(super) async fn check_revocation(
    State(server): State<Shared>,
    caller: Caller,
    Written { body: Serials { serials }, .. }: Written<Serials>,
) -> Result<Answer> {
    caller.must_any(&[Scope::Read, Scope::Sync])?;
    if serials.len() > SERIALS_MAX {
        let what = "At most 100 serials at a time: ask for the others with another request";
        return Err(Error::new(Code::Malformed, what));
    }
    let now = server.clock.now();
    let rows = licenses::of_serials(server.store.read(), caller.organization.id, &serials).await?;
    let known: HashMap<&str, &licenses::Standing> =
        rows.iter().map(|row| (row.serial.as_str(), row)).collect();
    let check = |serial: &String| {
        let row = known.get(serial.as_str());
        let status = row.map(|row| row.status(now));
        CheckedSerial {
            serial: serial.clone(),
            status: status.map_or(Found::Unknown, Found::from),
            revoked_at: row.and_then(|row| row.revoked_at).map(rfc3339),
        }
    };
    let results = serials.iter().map(check).collect();
    Ok(Answer::ok(&Checked { results, checked_at: rfc3339(now) }))
}
