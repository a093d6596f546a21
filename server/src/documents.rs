//! Signed documents of a product: made when they are first asked for, and from then on the same.

use crate::api::Server;
use crate::error::{Code, Error, Result};
use crate::key_pair;
use crate::store::{documents, key_pairs, organizations, products, signing_keys};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use licentia::issue;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};

/// The newest signed key set of a product, where it is signed already; `None` = it is not.
async fn signed_key_set(
    connection: &impl ConnectionTrait,
    product: &products::Model,
) -> Result<Option<documents::Model>> {
    let of = product.organization_id;
    let pair = product.key_pair_id.ok_or_else(no_key_pair)?;
    let epoch = key_pairs::get(connection, of, pair).await?.ok_or_else(no_key_pair)?.epoch;
    documents::get(connection, product.id, documents::KEYS, epoch).await
}

/// The newest signed key set of a product, signed now if it is not yet. Fails with `no_key_pair`
/// where the product has no key pair.
pub async fn newest_key_set(
    server: &Server,
    organization: &organizations::Model,
    product: &products::Model,
) -> Result<documents::Model> {
    if let Some(signed) = signed_key_set(server.store.read(), product).await? {
        return Ok(signed);
    }
    let tx = server.store.begin().await?;
    let set = key_set(server, &tx, organization, product).await?;
    tx.commit().await?;
    Ok(set)
}

/// The same within a transaction. Fails with `no_key_pair` where the product has no key pair.
///
/// It writes where the set is new. A set is signed by the root also after that was stolen: it is
/// how the products that pinned it come to know.
pub async fn key_set(
    server: &Server,
    connection: &impl ConnectionTrait,
    organization: &organizations::Model,
    product: &products::Model,
) -> Result<documents::Model> {
    if let Some(signed) = signed_key_set(connection, product).await? {
        return Ok(signed);
    }
    let of = organization.id;
    let pair = product.key_pair_id.ok_or_else(no_key_pair)?;
    // From here on the keys do not change.
    let pair = key_pairs::hold(connection, of, pair).await?.ok_or_else(no_key_pair)?;
    let keys = signing_keys::of_pair(connection, of, pair.id).await?;
    let root = key_pair::root(&keys).ok_or_else(|| {
        Error::new(Code::NoKeyPair, "The key pair of the product has no root key: make a new one")
    })?;
    let root = server.signer.open(root)?;
    let at = server.signer.time()?;
    let set = key_pair::trusted(&keys)?;
    let epoch = u64::try_from(pair.epoch).unwrap_or_default();
    let token = issue::sign_keys(&root, &product.code, &organization.issuer, at, epoch, &set)?;
    documents::keep(connection, document(product, documents::KEYS, pair.epoch, token, at)).await
}

/// Forgets the key sets of a product that has another code or key pair now: what they say is not
/// so, and the next one is newer than all of them.
pub async fn begin_anew(
    connection: &impl ConnectionTrait,
    product: &products::Model,
    now: i64,
) -> Result<()> {
    documents::drop_older(connection, product.id, documents::KEYS, i64::MAX).await?;
    let Some(pair) = product.key_pair_id else { return Ok(()) };
    let pair = key_pairs::lock(connection, product.organization_id, pair).await?;
    let Some(mut pair) = pair else { return Ok(()) };
    pair.epoch = now.saturating_mul(1_000_000).max(pair.epoch.saturating_add(1));
    key_pairs::keep_epoch(connection, &pair).await
}

/// What is kept of a signed document.
pub fn document(
    product: &products::Model,
    kind: &str,
    version: i64,
    token: String,
    at: i64,
) -> documents::Model {
    documents::Model {
        organization_id: product.organization_id,
        product_id: product.id,
        kind: kind.to_string(),
        version,
        sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(&token)),
        token,
        created_at: at,
    }
}

/// What is said of a product that cannot have anything signed.
pub fn no_key_pair() -> Error {
    Error::new(Code::NoKeyPair, "The product has no key pair: give it one (key_pair_id) first")
}
