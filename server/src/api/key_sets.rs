//! The keys of a product: what its programs pin, and the signed set in which they learn of changes.

use super::{Answer, Caller, Id, Problem, Scope, Shared, Stop};
use crate::documents::{self, no_key_pair};
use crate::error::{Code, Error, Result};
use crate::key_pair;
use crate::store::{organizations, products, signing_keys};
use axum::extract::State;
use licentia::Role;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(public_key)).routes(routes!(key_set))
}

/// What a program needs to verify the licenses of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicKey {
    /// The name of the key that signs licenses now: its JWK thumbprint (RFC 7638).
    kid: String,
    /// `Ed25519`.
    algorithm: String,
    /// That key as PEM (RFC 8410): enough to verify licenses offline.
    public_key: String,
    /// That key as `ed25519:` and 43 characters of base64url.
    short: String,
    /// What a program pins: every key with its roles (RFC 7517). With these it also understands
    /// what the server says, and learns of new keys.
    keys: Jwks,
}

/// A JSON Web Key Set.
#[derive(Debug, Serialize, ToSchema)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

/// A JSON Web Key: `kty`, `crv`, `x`, `kid`, and what docs/format.md adds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct Jwk(serde_json::Value);

/// Get the public key of a product
#[utoipa::path(get, path = "/products/{id}/public-key", tag = "products",
    params(("id" = Uuid, Path)), security(("api_key" = ["read"])),
    responses((status = 200, body = PublicKey), (status = "4XX", body = Problem)))]
async fn public_key(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (read, of) = (server.store.read(), caller.organization.id);
    let product = products::get(read, of, id).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    let pair = product.key_pair_id.ok_or_else(no_key_pair)?;
    let keys = signing_keys::of_pair(read, of, pair).await?;
    let active = key_pair::active(&keys, Role::License).ok_or_else(|| {
        Error::new(Code::NoKeyPair, "The key pair of the product has no active license key")
    })?;
    let key = key_pair::public(active)?;
    let jwks: serde_json::Value = serde_json::from_str(&key_pair::trusted(&keys)?.to_jwks())
        .map_err(|_| Error::new(Code::Internal, "The keys cannot be written"))?;
    let jwks = jwks.get("keys").and_then(|keys| keys.as_array()).cloned().unwrap_or_default();
    Ok(Answer::ok(&PublicKey {
        kid: key.kid().to_string(),
        algorithm: "Ed25519".to_string(),
        public_key: key.to_pem()?,
        short: key.to_short(),
        keys: Jwks { keys: jwks.into_iter().map(Jwk).collect() },
    }))
}

/// Get the signed key set of a product
///
/// For programs, without an API key: they check it with the root key that they have pinned. It is
/// the text that `apply` takes, and the same until the keys change.
#[utoipa::path(get, path = "/products/{id}/key-set", tag = "products",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "application/jwt"),
        (status = "4XX", body = Problem)))]
async fn key_set(State(server): State<Shared>, Id(id): Id) -> Result<Answer, Stop> {
    let none = || Error::not_found("product");
    let product = products::any(server.store.read(), id).await?.ok_or_else(none)?;
    let of = organizations::get(server.store.read(), product.organization_id).await?;
    let of = of.ok_or_else(none)?;
    let set = documents::newest_key_set(&server, &of, &product).await?;
    Ok(raw(set.token))
}

/// A signed document as it is.
pub(super) fn raw(token: String) -> Answer {
    let answer = Answer { status: 200, headers: Vec::new(), body: token.into_bytes() };
    // Whoever keeps it has to ask whether it is still the newest.
    answer.with("content-type", "application/jwt").with("cache-control", "no-cache")
}
