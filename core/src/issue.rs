//! Signing: what a vendor's tools do.

use crate::claims::{Claims, Details, is_product_code, not_a_code};
use crate::clock::Clock;
use crate::errors::{Code, Error, Result};
use crate::jwk;
use crate::keys::KeySet;
use crate::keyset::SignedKeys;
use crate::machine;
use crate::messages::{ClockReset, Lease, Revocations, kind_of};
use crate::product::Product;
use crate::product_file;
use crate::secret::SecretKey;
use crate::token::{self, Kind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub use crate::messages::{
    InstallationKey, IssuerStatus, Ledger, Licensed, Request, Seat, SyncAnswer, Totals, Used,
    Version, is_request, read as read_request, unpack as unpack_request,
};

/// Letters of a serial number: Crockford's base32, without what is easily misread.
const SERIAL: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Starts a license: in force from `now` (seconds since 1970), without end, granting nothing,
/// with a new id, token id and serial number. Fails with `io` if there is no randomness.
pub fn draft(issuer: &str, product: &str, now: i64) -> Result<Claims> {
    Ok(Claims {
        iss: issuer.to_string(),
        aud: product.to_string(),
        sub: None,
        jti: uuid::Uuid::now_v7().to_string(),
        iat: now,
        exp: None,
        nbf: None,
        must: None,
        license: Details {
            id: uuid::Uuid::new_v4().to_string(),
            serial: Some(serial(product)?),
            kind: "perpetual".to_string(),
            tier: None,
            description: None,
            policy: None,
            product: None,
            customer: None,
            created_at: Some(now),
            updated_at: None,
            valid_from: now,
            valid_until: None,
            support_until: None,
            seats: None,
            machines: None,
            features: Vec::new(),
            binding: None,
            refresh_days: None,
            notice: None,
            stages: None,
            metadata: None,
        },
    })
}

/// `LIC-<PRODUCT CODE>-<8 characters>`: a name for people, 40 random bits.
fn serial(product: &str) -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::new(Code::Io, format!("no randomness: {error}")))?;
    let letter = |byte: &u8| SERIAL.get(usize::from(byte % 32)).map(|letter| char::from(*letter));
    let tail: String = bytes.iter().filter_map(letter).collect();
    Ok(format!("LIC-{}-{tail}", product.to_ascii_uppercase()))
}

/// Signs a license. To renew one, start from the vendor's record and not from the claims of the
/// old token: members that this version does not know are not in them. Fails as verifying it would
/// with `malformed`, `too_large` or `too_new`, so that nothing is issued that every product
/// refuses, and with `invalid_argument` where its type and its dates contradict each other.
pub fn sign(key: &SecretKey, claims: &Claims) -> Result<String> {
    Ok(token::sign(key, Kind::License, &payload(claims)?))
}

/// Whether a license can be signed, without signing it. Fails as [`sign`] does.
pub fn check(claims: &Claims) -> Result<()> {
    payload(claims).map(|_| ())
}

/// The bytes that are signed, of a license that products take.
fn payload(claims: &Claims) -> Result<Vec<u8>> {
    check_type(claims)?;
    let machine = claims.license.binding.as_ref().and_then(|binding| binding.machine.as_ref());
    if let Some(machine) = machine {
        machine.check_version()?;
    }
    let payload = serde_json::to_vec(claims)
        .map_err(|error| Error::new(Code::Internal, format!("the claims: {error}")))?;
    Claims::parse(&payload)?;
    let length = token::length(Kind::License, payload.len());
    if length > Kind::License.max_bytes() {
        return Err(Error::new(Code::TooLarge, format!("{length} bytes of license")));
    }
    Ok(payload)
}

/// Signs exact bytes as a document of a kind, without looking at them: for key sets that are
/// written by hand, and for tests that need what no honest vendor would sign.
pub fn sign_bytes(key: &SecretKey, kind: Kind, payload: &[u8]) -> String {
    token::sign(key, kind, payload)
}

/// Signs a key set for a product with a root key. `payload` is the claim set of docs/format.md,
/// section 5.3; fails as trusting it would.
pub fn sign_key_set(key: &SecretKey, product: &str, payload: &[u8]) -> Result<String> {
    let token = token::sign(key, Kind::KeySet, payload);
    SignedKeys::verify(&token, product, &own(key)?)?;
    Ok(token)
}

/// Signs a set of keys for a product with a root key, as [`sign_key_set`] does. `epoch` has to be
/// higher than that of the set before, and `iat` is now, in seconds since 1970.
pub fn sign_keys(
    key: &SecretKey,
    product: &str,
    issuer: &str,
    iat: i64,
    epoch: u64,
    keys: &KeySet,
) -> Result<String> {
    let keys: Vec<Value> = keys.keys().iter().map(jwk::write).collect();
    let claims = json!({ "iss": issuer, "aud": product, "iat": iat, "epoch": epoch, "keys": keys });
    sign_key_set(key, product, claims.to_string().as_bytes())
}

/// What a product file says.
#[derive(Clone, Debug)]
pub struct ProductTerms {
    /// The product code.
    pub code: String,
    /// The product's name for people.
    pub name: Option<String>,
    /// The keys it trusts; one of them signs the file.
    pub keys: KeySet,
    /// Settings of [`crate::SETTINGS`] that all installations have in common, by name.
    pub settings: BTreeMap<String, String>,
}

impl ProductTerms {
    /// Fails with `invalid_argument` for a code that is none, and for a setting that no file may
    /// have or that cannot have this value.
    pub fn check(&self) -> Result<()> {
        if !is_product_code(&self.code) {
            return Err(Error::new(Code::InvalidArgument, not_a_code(&self.code)));
        }
        let mut product = Product::pinning(&self.code, self.keys.clone());
        let mut set = self.settings.iter();
        set.try_for_each(|(name, value)| product_file::set(&mut product, name, value))
            .map_err(as_argument)
    }
}

/// What would be wrong in a file is, before it is signed, an argument to correct.
fn as_argument(error: Error) -> Error {
    match error.code() {
        Code::Malformed | Code::TooLarge | Code::TooNew => {
            Error::new(Code::InvalidArgument, error.detail())
        }
        _ => error,
    }
}

/// Signs a product file, with a key in it that has the role `root`. `iat` is now, in seconds
/// since 1970. Fails with `invalid_argument` for what no file may say, and for a key that may not
/// sign it; otherwise as reading it would.
pub fn sign_product_file(
    key: &SecretKey,
    issuer: &str,
    iat: i64,
    terms: &ProductTerms,
) -> Result<String> {
    terms.check()?;
    let kid = key.public().kid();
    let own = terms.keys.find(kid).map(|own| own.roles().contains(&Kind::Product.role()));
    if own != Some(true) {
        let what = match own {
            None => format!("the key {kid} is not among the keys of the product"),
            Some(_) => format!("the key {kid} has not the role root, and signs no product file"),
        };
        return Err(Error::new(Code::InvalidArgument, what));
    }
    let keys: Vec<Value> = terms.keys.keys().iter().map(jwk::write).collect();
    let mut product = json!({ "keys": keys, "settings": terms.settings });
    if let (Some(name), Some(members)) = (&terms.name, product.as_object_mut()) {
        members.insert("name".to_string(), name.as_str().into());
    }
    let claims = json!({
        "iss": issuer, "aud": terms.code, "jti": uuid::Uuid::now_v7().to_string(), "iat": iat,
        "product": product,
    });
    let token = sign_claims(key, Kind::Product, &claims)?;
    Product::from_file_of(token.as_bytes(), kid).map_err(as_argument)?;
    Ok(token)
}

/// Signs a list of every license that is withdrawn: the bytes of their ids, see [`license_id`].
/// `version` has to be higher than that of the list before, and `iat` is now, in seconds since
/// 1970. Fails as applying it would.
pub fn sign_revocations(
    key: &SecretKey,
    product: &str,
    issuer: &str,
    version: u64,
    iat: i64,
    ids: &BTreeSet<[u8; 16]>,
) -> Result<String> {
    let claims = json!({
        "iss": issuer, "aud": product, "iat": iat, "version": version,
        "ids": Revocations::texts(ids),
    });
    let token = sign_claims(key, Kind::Revocations, &claims)?;
    let own = own(key)?;
    Revocations::verify(token.as_bytes(), product, None, |kid| own.find(kid))?;
    Ok(token)
}

/// Reads a list that was signed for a product: its version, and the licenses that are withdrawn,
/// for an issuer that takes up its own again. Fails as applying it would, whatever is installed.
pub fn read_revocations(product: &Product, data: &[u8]) -> Result<(u64, BTreeSet<[u8; 16]>)> {
    let find = |kid: &str| product.find(kid);
    let list = Revocations::verify(data, product.code(), product.issuer(), find)?;
    Ok((list.version, list.ids.into_iter().collect()))
}

/// Whether a text can name who has a seat: 1 to 128 bytes of what can be seen, and spaces between.
pub fn is_holder(text: &str) -> bool {
    crate::messages::is_holder(text)
}

/// The bytes of the id of a license, a UUID. Fails with `invalid_argument` if it is none.
pub fn license_id(text: &str) -> Result<[u8; 16]> {
    let id = uuid::Uuid::try_parse(text).map(uuid::Uuid::into_bytes);
    id.map_err(|_| Error::new(Code::InvalidArgument, format!("{text:.40} is no license id (UUID)")))
}

/// Answers a request for `clock`: says what time it is, `server_time`, and that whatever time the
/// installation has seen is void. Both times are seconds since 1970; `iat` is now.
///
/// **A `server_time` in the future lasts:** the installation never again takes it to be earlier.
/// Fails with `wrong_kind` if something else was asked for, otherwise as applying it would.
pub fn sign_clock_reset(
    key: &SecretKey,
    request: &Request,
    issuer: &str,
    iat: i64,
    server_time: i64,
) -> Result<String> {
    if request.what != "clock" {
        let what = format!("the request asks for {:.32}, not for clock", request.what);
        return Err(Error::new(Code::WrongKind, what));
    }
    let claims = json!({
        "iss": issuer, "aud": request.product, "iat": iat, "nonce": request.nonce,
        "installation": request.installation, "server_time": server_time,
    });
    let token = sign_claims(key, Kind::Clock, &claims)?;
    let own = own(key)?;
    ClockReset::verify(token.as_bytes(), &request.product, None, |kid| own.find(kid))?;
    Ok(token)
}

/// Signs what an issuer says of a license: the answer to `sync`, `activation`, `renewal`,
/// `deactivation` and `license`. Fails as applying it would.
pub fn sign_sync(
    key: &SecretKey,
    product: &str,
    issuer: &str,
    answer: &SyncAnswer,
) -> Result<String> {
    let token = sign_claims(key, Kind::Sync, &answer.claims(issuer, product))?;
    let own = own(key)?;
    SyncAnswer::verify(token.as_bytes(), product, None, |kid| own.find(kid))?;
    Ok(token)
}

/// The machine that wrote a request, for the answer to name: three of five of its parts have to be
/// there when the answer is applied. `None` = it named no part.
pub fn machine_of(request: &Request) -> Option<machine::Binding> {
    let options = machine::Options { allow_weak: true, ..machine::Options::default() };
    machine::Binding::bind(request.machine.as_ref()?, &request.product, &options).ok()
}

/// Signs a seat lease: the answer to `seat` and `borrow`, and, with an end that is not later than
/// `iat`, to `release`. Fails as applying it would.
pub fn sign_lease(key: &SecretKey, product: &str, issuer: &str, lease: &Lease) -> Result<String> {
    let token = sign_claims(key, Kind::Lease, &lease.claims(issuer, product))?;
    let own = own(key)?;
    Lease::verify(token.as_bytes(), product, None, |kid| own.find(kid))?;
    Ok(token)
}

/// Checks the signature, key, issuer and product of a signed document that is neither a license
/// nor a key set, and that its claims are complete: of a product file, that a root key of this
/// product signed it. Says which kind it is. Fails with `wrong_kind` for one that nobody takes.
pub fn check_document(product: &Product, data: &[u8]) -> Result<Kind> {
    let (code, issuer) = (product.code(), product.issuer());
    let find = |kid: &str| product.find(kid);
    let kind = kind_of(data)?;
    match kind {
        Kind::Revocations => Revocations::verify(data, code, issuer, find).map(drop),
        Kind::Clock => ClockReset::verify(data, code, issuer, find).map(drop),
        Kind::Sync => SyncAnswer::verify(data, code, issuer, find).map(drop),
        Kind::Lease => Lease::verify(data, code, issuer, find).map(drop),
        Kind::Product => product_file::check(data, code, find),
        _ => Err(Error::new(Code::WrongKind, format!("it is a {}", kind.name()))),
    }?;
    Ok(kind)
}

/// The trust of whoever has the key.
fn own(key: &SecretKey) -> Result<KeySet> {
    KeySet::parse(&key.public().to_short())
}

fn sign_claims(key: &SecretKey, kind: Kind, claims: &Value) -> Result<String> {
    let payload = serde_json::to_vec(claims)
        .map_err(|error| Error::new(Code::Internal, format!("the claims: {error}")))?;
    Ok(token::sign(key, kind, &payload))
}

fn check_type(claims: &Claims) -> Result<()> {
    let license = &claims.license;
    let what = match (license.kind.as_str(), license.valid_until) {
        ("perpetual", Some(_)) => "a perpetual license has no end",
        ("subscription" | "trial", None) => "a subscription or a trial needs an end",
        ("floating", _) if license.seats.is_none() => "a floating license needs seats",
        ("perpetual" | "subscription" | "trial" | "node_locked" | "floating", _) => return Ok(()),
        _ => "the type is none of perpetual, subscription, trial, node_locked and floating",
    };
    Err(Error::new(Code::InvalidArgument, what))
}

/// A clock for a vendor's tools: the system's, in seconds since 1970.
pub fn now() -> i64 {
    Clock::system().now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_signed_is_known_without_signing_it() {
        let key = SecretKey::generate().unwrap();
        let mut claims = draft("acme", "myapp", 1_700_000_000).unwrap();
        let mut refused = 0;
        for size in (0..60_000).step_by(997) {
            claims.license.features = (0..size / 60)
                .map(|n| crate::Feature {
                    name: Some("n".repeat(40)),
                    ..crate::Feature::new(format!("f{n}"))
                })
                .collect();
            claims.license.tier = Some("t".repeat(size % 256));
            let bytes = serde_json::to_vec(&claims).unwrap();
            let signed = token::sign(&key, Kind::License, &bytes);
            assert_eq!(signed.len(), token::length(Kind::License, bytes.len()));
            match sign(&key, &claims) {
                Ok(_) => check(&claims).unwrap(),
                Err(error) => {
                    assert_eq!(check(&claims).unwrap_err(), error);
                    refused += 1;
                }
            }
        }
        assert!(refused > 5, "{refused}");
        claims.license.kind = "other".into();
        assert_eq!(check(&claims).unwrap_err().code(), Code::InvalidArgument);
    }
}
