//! The list of a product's revoked licenses: signed when it is first asked for after it changed,
//! for products that are offline. Revocation is for ever, also where a backup was restored.

use crate::api::{Origin, Server, Shared, Work};
use crate::documents::{self as signed, no_key_pair};
use crate::error::{Code, Error, Result};
use crate::key_pair;
use crate::store::{documents, meta, organizations, products, revoked, signing_keys, withdrawn};
use licentia::{Product, Role, issue};
use sea_orm::prelude::Uuid;
use serde::Serialize;
use std::collections::BTreeSet;
use tokio::sync::Mutex;

/// Licenses that are revoked with one statement.
const AT_ONCE: usize = 500;

/// Versions are microseconds since 1970.
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// One list is signed at a time: a long one takes tens of megabytes and all of one core.
static SIGNING: Mutex<()> = Mutex::const_new(());

/// The newest list of a product, signed now if it is not yet. Fails with `no_key_pair` where the
/// product has none.
pub async fn current(
    server: &Server,
    organization: &organizations::Model,
    product: &products::Model,
) -> Result<documents::Model> {
    match known(server, organization, product).await? {
        Some((version, _)) => one(server, product, version).await,
        None => sign(server, organization, product).await,
    }
}

/// Version and digest of the list, where it is signed as it stands.
pub async fn known(
    server: &Server,
    organization: &organizations::Model,
    product: &products::Model,
) -> Result<Option<(i64, String)>> {
    let (store, kind) = (server.store.read(), documents::REVOCATIONS);
    let newest = documents::version(store, organization.id, product.id, kind).await?;
    Ok(newest.filter(|(version, _)| *version >= product.revocations_version))
}

async fn one(server: &Server, product: &products::Model, version: i64) -> Result<documents::Model> {
    let (store, kind) = (server.store.read(), documents::REVOCATIONS);
    let one = documents::get(store, product.id, kind, version).await?;
    // It is cleared away where a newer one is signed at this moment.
    one.ok_or_else(|| Error::new(Code::Busy, "The list changes just now: ask again").retry_after(1))
}

/// Signs the list as it stands, away from the threads that answer others.
async fn sign(
    server: &Server,
    organization: &organizations::Model,
    product: &products::Model,
) -> Result<documents::Model> {
    let _one = SIGNING.lock().await;
    // Licenses and version as they are at one moment.
    let tx = server.store.snapshot().await?;
    let product = products::get(&tx, organization.id, product.id).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    if let Some((version, _)) = known(server, organization, &product).await? {
        return one(server, &product, version).await;
    }
    let by = server.signer.signing(&tx, organization, &product, Role::Server).await?;
    let ids = revoked::ids(&tx, organization.id, product.id).await?;
    drop(tx);
    let (code, at) = (product.code.clone(), by.at);
    // A list without any is one, too: the first.
    let version = product.revocations_version.max(1);
    let number = u64::try_from(version).unwrap_or_default();
    let token = away(move || {
        issue::sign_revocations(&by.key, &code, &by.issuer, number, at, &ids).map_err(too_long)
    });
    let token = token.await??;
    let document = signed::document(&product, documents::REVOCATIONS, version, token, at);
    let tx = server.store.begin().await?;
    let document = documents::keep(&tx, document).await?;
    documents::drop_older(&tx, product.id, documents::REVOCATIONS, version).await?;
    tx.commit().await?;
    Ok(document)
}

fn too_long(error: licentia::Error) -> Error {
    match error.code() {
        licentia::Code::TooLarge => {
            let what = "More licenses of the product are revoked than a signed list can hold: ask \
                        for each with check-revocation";
            Error::new(Code::Conflict, what)
        }
        _ => error.into(),
    }
}

/// Does what takes long on a thread of its own.
async fn away<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::new(Code::Internal, "Something went wrong in the server: report it"))
}

/// What came of a list that was taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Adopted {
    /// Licenses in the list.
    pub licenses: u64,
    /// Those that were not revoked here any more, and are now.
    pub revoked: u64,
    /// Those that are not here at all. They stay in every list to come.
    pub unknown: u64,
    /// The version of the next list.
    pub version: i64,
}

/// A list that was read, and is one of ours.
#[derive(Debug)]
pub struct List {
    version: u64,
    ids: BTreeSet<[u8; 16]>,
}

/// Reads a list that this server signed for a product. Fails with `invalid_argument` where a key
/// of the product did not.
pub async fn read(
    server: &Server,
    organization: &organizations::Model,
    product: &products::Model,
    list: Vec<u8>,
) -> Result<List> {
    let pair = product.key_pair_id.ok_or_else(no_key_pair)?;
    let keys = signing_keys::of_pair(server.store.read(), organization.id, pair).await?;
    let keys = key_pair::trusted(&keys)?.to_jwks();
    let code = product.code.clone();
    let read = away(move || issue::read_revocations(&Product::new(&code, &keys)?, &list)).await?;
    let (version, ids) = read.map_err(|error| {
        Error::invalid(format!("It is no revocation list of this product: {error:.200}"))
    })?;
    Ok(List { version, ids })
}

/// Revokes again whatever a list names: it was signed before a backup was restored. What is
/// revoked already stays as it is.
pub async fn adopt(
    server: &Server,
    work: &mut Work,
    product: &products::Model,
    list: List,
) -> Result<Adopted> {
    let (organization, now) = (product.organization_id, work.now);
    let known = revoked::ids(&work.tx, organization, product.id).await?;
    let news: Vec<Uuid> = list.ids.difference(&known).map(|id| Uuid::from_bytes(*id)).collect();
    let mut adopted = Adopted {
        licenses: count(list.ids.len()),
        revoked: 0,
        unknown: 0,
        version: product.revocations_version,
    };
    for ids in news.chunks(AT_ONCE) {
        let here = revoked::revoke(&work.tx, organization, product.id, ids, now).await?;
        adopted.revoked = adopted.revoked.saturating_add(count(here.len()));
        let gone = ids.iter().filter(|id| !here.contains(id)).map(|id| withdrawn::Model {
            organization_id: organization,
            product_id: product.id,
            license_id: *id,
            created_at: now,
        });
        let gone: Vec<_> = gone.collect();
        adopted.unknown = adopted.unknown.saturating_add(count(gone.len()));
        withdrawn::add(&work.tx, gone).await?;
    }
    // The version as it is now, and nobody else raises it meanwhile. Licenses come first, as with
    // whoever revokes one of them.
    let product = products::turn(&work.tx, organization, product.id).await?;
    let product = &product.ok_or_else(|| Error::not_found("product"))?;
    adopted.version = product.revocations_version;
    // Clients have seen its version, and take no lower one.
    let theirs = i64::try_from(list.version).unwrap_or(i64::MAX - 1);
    if news.is_empty() && theirs <= product.revocations_version {
        return Ok(adopted);
    }
    adopted.version = server.clock.next(theirs.max(product.revocations_version));
    revoked::raise(&work.tx, product, adopted.version).await?;
    work.event("product.revocations_adopted", product.id, &adopted);
    Ok(adopted)
}

/// A client reports which list it has, if it has any. Where that is newer than ours, an older
/// backup was restored, and an event says so: once for each hour of lists that are missing.
pub async fn heard(
    server: &Shared,
    product: &products::Model,
    theirs: Option<u64>,
    actor: &str,
    origin: &Origin,
) -> Result<()> {
    #[derive(Serialize)]
    struct Older {
        product_id: Uuid,
        revocations_version: i64,
        reported_version: i64,
    }
    let Some(theirs) = theirs.and_then(|theirs| i64::try_from(theirs).ok()) else { return Ok(()) };
    // Nobody has signed what is of tomorrow.
    let future = server.clock.micros().saturating_add(DAY);
    if theirs <= product.revocations_version.max(1) || theirs > future {
        return Ok(());
    }
    let name = format!("revocations_heard {}", product.id);
    let known = meta::number(server.store.read(), &name).await?;
    if known.is_some_and(|known| theirs < known.saturating_add(HOUR)) {
        return Ok(());
    }
    let mut work = Work::of(server, product.organization_id, actor, origin).await?;
    // A license may have been revoked since it was read.
    let product = products::get(&work.tx, product.organization_id, product.id).await?;
    let ours = product.as_ref().map_or(i64::MAX, |product| product.revocations_version);
    let Some(product) = product.filter(|_| theirs > ours.max(1)) else { return Ok(()) };
    meta::raise(&work.tx, &name, theirs).await?;
    tracing::warn!(
        product = %product.id, ours, theirs,
        "a client has a newer revocation list than this server: was an older backup restored?"
    );
    let older =
        Older { product_id: product.id, revocations_version: ours, reported_version: theirs };
    work.event("server.older_than_clients", product.id, &older);
    work.finish().await
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
