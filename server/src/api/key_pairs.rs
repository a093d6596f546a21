//! Key pairs: what signs. Private halves never leave the server.

use super::given::{self, Nothing};
use super::{
    Answer, Asked, Caller, Id, Ids, PageQuery, Problem, Scope, Shared, Stop, Work, Written,
};
use crate::error::{Code, Error, Result};
use crate::key_pair::{self, Desk, KeyPair as Pair};
use crate::store::{key_pairs, signing_keys};
use axum::extract::State;
use licentia::{SecretKey, rfc3339};
use sea_orm::DatabaseTransaction;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

/// Characters of a name.
const NAME_MAX: usize = 255;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, change, delete))
        .routes(routes!(rotate))
        .routes(routes!(retire))
        .routes(routes!(compromise))
}

/// What a key may sign.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyRole {
    /// Key sets and product files.
    Root,
    /// Licenses.
    License,
    /// What the server says online.
    Server,
}

/// Whether a key is in use.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It signs.
    Active,
    /// It signs nothing new; what it signed goes on.
    Retired,
    /// Somebody else has it: nothing it signed is believed.
    Compromised,
}

/// The public half of a key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Key {
    id: Uuid,
    /// Its name: the JWK thumbprint (RFC 7638).
    kid: String,
    roles: Vec<KeyRole>,
    state: KeyState,
    /// `ed25519:` and 43 characters of base64url.
    public_key: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    retired_at: Option<String>,
    #[schema(format = DateTime)]
    compromised_at: Option<String>,
}

impl Key {
    fn of(row: &signing_keys::Model) -> Key {
        let role = |role: licentia::Role| match role {
            licentia::Role::Root => KeyRole::Root,
            licentia::Role::License => KeyRole::License,
            licentia::Role::Server => KeyRole::Server,
        };
        Key {
            id: row.id,
            kid: row.kid.clone(),
            roles: row.roles().into_iter().map(role).collect(),
            state: match row.state() {
                licentia::KeyState::Active => KeyState::Active,
                licentia::KeyState::Retired => KeyState::Retired,
                licentia::KeyState::Compromised => KeyState::Compromised,
            },
            public_key: row.public_key.clone(),
            created_at: rfc3339(row.created_at),
            retired_at: row.retired_at.map(rfc3339),
            compromised_at: row.compromised_at.map(rfc3339),
        }
    }
}

/// A key pair: keys with roles, their public halves.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyPair {
    id: Uuid,
    name: String,
    /// Of its key set. It rises with every change.
    epoch: i64,
    /// In the order in which they were made.
    keys: Vec<Key>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl KeyPair {
    /// That of a pair and its keys.
    pub fn of<'a>(
        pair: &key_pairs::Model,
        keys: impl IntoIterator<Item = &'a signing_keys::Model>,
    ) -> KeyPair {
        KeyPair {
            id: pair.id,
            name: pair.name.clone(),
            epoch: pair.epoch,
            keys: keys.into_iter().map(Key::of).collect(),
            created_at: rfc3339(pair.created_at),
            updated_at: rfc3339(pair.updated_at),
        }
    }
}

/// A page of key pairs.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyPairs {
    key_pairs: Vec<KeyPair>,
    /// How many there are on all pages.
    total: u64,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// A key pair to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyPair {
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// A key that there is already: Ed25519, PKCS#8 in PEM. Absent = three new ones are made.
    #[schema(value_type = Option<String>)]
    private_key: Option<Pem>,
}

/// A private key as text: wiped from memory, and never shown.
struct Pem(Zeroizing<String>);

impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pem")
    }
}

impl<'de> Deserialize<'de> for Pem {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pem, D::Error> {
        String::deserialize(from).map(|text| Pem(Zeroizing::new(text)))
    }
}

fn desk<'a>(server: &'a Shared, work: &'a Work) -> Desk<'a, DatabaseTransaction> {
    let vault = server.signer.vault();
    Desk { tx: &work.tx, vault, clock: &server.clock, now: work.now }
}

/// Create a key pair
///
/// With three new keys: one that signs key sets, one that signs licenses, and one that signs what
/// the server says. Or with a key that is brought along, which signs all of these.
#[utoipa::path(post, path = "/key-pairs", tag = "key pairs", request_body = NewKeyPair,
    security(("api_key" = ["admin"])),
    responses((status = 201, body = KeyPair), (status = "4XX", body = Problem)))]
async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewKeyPair>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    given::line("name", &body.name, NAME_MAX)?;
    let brought = body.private_key.map(|pem| SecretKey::from_pem(&pem.0));
    let brought = brought.transpose().map_err(|error| {
        Error::invalid(format!("private_key: {}: send an Ed25519 key as PEM", error.detail()))
    })?;
    let desk = desk(&server, &work);
    let made = desk.create(caller.organization.id, &body.name, brought.as_ref()).await?;
    let answer = KeyPair::of(&made.pair, &made.keys);
    work.event("key_pair.created", made.pair.id, &answer);
    let location = format!("/api/v1/key-pairs/{}", made.pair.id);
    work.commit(Answer::created(&location, &answer)).await
}

/// List key pairs
#[utoipa::path(get, path = "/key-pairs", tag = "key pairs", params(PageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = KeyPairs), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<PageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (page, of) = (query.page()?, caller.organization.id);
    let (mut rows, total) = key_pairs::list(server.store.read(), of, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let keys = signing_keys::of_pairs(server.store.read(), of, ids).await?;
    let own = |row: &key_pairs::Model| {
        KeyPair::of(row, keys.iter().filter(|key| key.key_pair_id == row.id))
    };
    Ok(Answer::ok(&KeyPairs { key_pairs: rows.iter().map(own).collect(), total, next_cursor }))
}

/// Get a key pair
#[utoipa::path(get, path = "/key-pairs/{id}", tag = "key pairs", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = KeyPair), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let of = caller.organization.id;
    let pair = key_pairs::get(server.store.read(), of, id).await?.ok_or_else(none)?;
    let keys = signing_keys::of_pair(server.store.read(), of, id).await?;
    Ok(Answer::ok(&KeyPair::of(&pair, &keys)))
}

/// What is to be otherwise. A member that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyPairChange {
    #[serde(default, deserialize_with = "given::some")]
    #[schema(value_type = String, min_length = 1, max_length = 255, nullable = false)]
    name: Option<String>,
}

/// Change a key pair
///
/// What it is called: no program sees that. Its keys are rotated.
#[utoipa::path(put, path = "/key-pairs/{id}", tag = "key pairs", params(("id" = Uuid, Path)),
    request_body = KeyPairChange, security(("api_key" = ["admin"])),
    responses((status = 200, body = KeyPair), (status = "4XX", body = Problem)))]
async fn change(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<KeyPairChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let work = Work::begin(&server, &caller, &origin).await?;
    let mut of = desk(&server, &work).lock(caller.organization.id, id).await?;
    let name = body.name.filter(|name| *name != of.pair.name);
    let changed = name.is_some();
    if let Some(name) = name {
        given::line("name", &name, NAME_MAX)?;
        (of.pair.name, of.pair.updated_at) = (name, work.now);
        key_pairs::rename(&work.tx, &of.pair).await?;
    }
    answer(work, changed.then_some("key_pair.updated"), &of).await
}

/// Delete a key pair
///
/// One that a product uses stays. Its private keys are gone for ever: nothing can be signed again
/// for programs that trust them.
#[utoipa::path(delete, path = "/key-pairs/{id}", tag = "key pairs", params(("id" = Uuid, Path)),
    security(("api_key" = ["admin"])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let of = desk(&server, &work).lock(caller.organization.id, id).await?;
    if key_pairs::is_used(&work.tx, caller.organization.id, id).await? {
        let what = "A product uses the key pair: it stays as long as it does";
        return Err(Error::new(Code::Conflict, what).into());
    }
    signing_keys::clear(&work.tx, id).await?;
    key_pairs::delete(&work.tx, id).await?;
    work.event("key_pair.deleted", id, &KeyPair::of(&of.pair, &of.keys));
    work.commit(Answer::empty()).await
}

/// Rotate the keys of a key pair
///
/// New keys sign licenses and what the server says from now on. The old ones are retired: licenses
/// that they have signed go on. Programs learn of the new keys by the key set of the product,
/// which the root key signs; a root is never rotated.
#[utoipa::path(post, path = "/key-pairs/{id}/rotate", tag = "key pairs",
    params(("id" = Uuid, Path)), security(("api_key" = ["admin"])),
    responses((status = 200, body = KeyPair), (status = "4XX", body = Problem)))]
async fn rotate(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let work = Work::begin(&server, &caller, &origin).await?;
    let mut of = desk(&server, &work).lock(caller.organization.id, id).await?;
    desk(&server, &work).rotate(&mut of).await?;
    answer(work, Some("key_pair.rotated"), &of).await
}

/// Retire a key
///
/// It signs nothing new; what it has signed goes on. A new one takes its place.
#[utoipa::path(post, path = "/key-pairs/{id}/keys/{key_id}/retire", tag = "key pairs",
    params(("id" = Uuid, Path), ("key_id" = Uuid, Path)), security(("api_key" = ["admin"])),
    responses((status = 200, body = KeyPair), (status = "4XX", body = Problem)))]
async fn retire(
    State(server): State<Shared>,
    caller: Caller,
    Ids(id, key): Ids,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let work = Work::begin(&server, &caller, &origin).await?;
    let mut of = desk(&server, &work).lock(caller.organization.id, id).await?;
    let changed = desk(&server, &work).retire(&mut of, key).await?;
    answer(work, changed.then_some("key.retired"), &of).await
}

/// Say that a key is in other hands
///
/// For ever: programs that have the new key set believe nothing that it has signed, so its licenses
/// have to be signed anew. A new one takes its place, unless it is the root: then programs learn
/// of no new keys any more, and need a new key pair.
#[utoipa::path(post, path = "/key-pairs/{id}/keys/{key_id}/compromise", tag = "key pairs",
    params(("id" = Uuid, Path), ("key_id" = Uuid, Path)), security(("api_key" = ["admin"])),
    responses((status = 200, body = KeyPair), (status = "4XX", body = Problem)))]
async fn compromise(
    State(server): State<Shared>,
    caller: Caller,
    Ids(id, key): Ids,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let work = Work::begin(&server, &caller, &origin).await?;
    let mut of = desk(&server, &work).lock(caller.organization.id, id).await?;
    let changed = desk(&server, &work).compromise(&mut of, key).await?;
    answer(work, changed.then_some("key.compromised"), &of).await
}

async fn answer(mut work: Work, event: Option<&str>, of: &Pair) -> Result<Answer, Stop> {
    let answer = KeyPair::of(&of.pair, &of.keys);
    if let Some(event) = event {
        work.event(event, of.pair.id, &answer);
    }
    work.commit(Answer::ok(&answer)).await
}

fn none() -> Error {
    key_pair::none()
}
