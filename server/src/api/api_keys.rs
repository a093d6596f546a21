//! API keys: who may ask, and what.

use super::given::{self, Nothing};
use super::{
    Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Scopes, Shared, Stop, Work, Written,
};
use crate::api_key;
use crate::error::{Code, Error, Result};
use crate::store::api_keys;
use axum::extract::State;
use licentia::limits::TIME_MAX;
use licentia::{parse_time, rfc3339};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

/// Characters of a name.
const NAME_MAX: usize = 255;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, revoke))
}

/// Whether a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ApiKeyState {
    Active,
    Expired,
    Revoked,
}

/// An API key. The key itself is shown once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKey {
    id: Uuid,
    name: String,
    /// Its beginning, which is no secret; empty for one that was brought along.
    hint: String,
    scopes: Vec<Scope>,
    state: ApiKeyState,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// To the minute.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

impl ApiKey {
    fn of(row: &api_keys::Model, now: i64) -> Result<ApiKey> {
        Ok(ApiKey {
            id: row.id,
            name: row.name.clone(),
            hint: row.hint.clone(),
            scopes: Scopes::parse(&row.scopes)?.list().to_vec(),
            state: match row.revoked_at {
                Some(_) => ApiKeyState::Revoked,
                None if row.is_good(now) => ApiKeyState::Active,
                None => ApiKeyState::Expired,
            },
            created_at: rfc3339(row.created_at),
            expires_at: row.expires_at.map(rfc3339),
            revoked_at: row.revoked_at.map(rfc3339),
            last_used_at: row.last_used_at.map(rfc3339),
        })
    }
}

/// A new API key.
#[derive(Serialize, ToSchema)]
pub struct MadeApiKey {
    #[serde(flatten)]
    api_key: ApiKey,
    /// What to send as `Authorization: Bearer KEY`. It is shown this once, and kept nowhere.
    #[schema(value_type = String)]
    key: Secret,
}

/// A text that is shown once, on purpose.
pub(super) struct Secret(pub(super) Zeroizing<String>);

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

/// A page of API keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApiKeys {
    api_keys: Vec<ApiKey>,
    /// How many there are on all pages.
    total: u64,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// An API key to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What it may do: nothing that the key it is made with may not.
    #[schema(min_items = 1, max_items = 16)]
    scopes: Vec<Scope>,
    /// When it ends; absent or null = it does not.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Makes a key of an organization, and its row: not yet in the database.
pub(super) fn make(
    organization: Uuid,
    name: String,
    scopes: &Scopes,
    expires_at: Option<i64>,
    now: i64,
) -> Result<(MadeApiKey, api_keys::Model)> {
    let id = Uuid::now_v7();
    let key = api_key::generate(id)?;
    let row = api_keys::Model {
        id,
        organization_id: organization,
        name,
        hint: api_key::hint(id),
        digest: api_key::digest(&key),
        scopes: scopes.words(),
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    Ok((MadeApiKey { api_key: ApiKey::of(&row, now)?, key: Secret(key) }, row))
}

/// What was asked for, checked.
fn read(body: &NewApiKey, caller: &Caller, now: i64) -> Result<(Scopes, Option<i64>)> {
    given::line("name", &body.name, NAME_MAX)?;
    if body.scopes.is_empty() || body.scopes.len() > 16 {
        return Err(Error::invalid("scopes has 1 to 16 words: a key without any may do nothing"));
    }
    let scopes = Scopes::of(&body.scopes);
    if let Some(scope) = scopes.list().iter().find(|scope| !caller.scopes.has(**scope)) {
        let what = format!(
            "This API key has not the scope {} itself, and cannot give it to another",
            scope.word()
        );
        return Err(Error::new(Code::Forbidden, what));
    }
    let expires_at = body.expires_at.as_deref().map(|text| {
        let time = parse_time(text).filter(|time| (0..=TIME_MAX).contains(time));
        time.ok_or_else(|| Error::invalid("expires_at is a time such as 2027-01-31T12:00:00Z"))
    });
    let expires_at = expires_at.transpose()?;
    if expires_at.is_some_and(|end| end <= now) {
        return Err(Error::invalid("expires_at has passed: name a later time, or none"));
    }
    Ok((scopes, expires_at))
}

/// Create an API key
///
/// The answer has the key, this once.
#[utoipa::path(post, path = "/api-keys", tag = "api keys", request_body = NewApiKey,
    security(("api_key" = ["admin"])),
    responses((status = 201, body = MadeApiKey), (status = "4XX", body = Problem)))]
async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewApiKey>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let (scopes, expires_at) = read(&body, &caller, work.now)?;
    let of = caller.organization.id;
    let (made, row) = make(of, body.name, &scopes, expires_at, work.now)?;
    api_keys::insert(&work.tx, row).await?;
    work.event("api_key.created", made.api_key.id, &made.api_key);
    let location = format!("/api/v1/api-keys/{}", made.api_key.id);
    work.commit(Answer::created(&location, &made)).await
}

/// List API keys
///
/// Those that are over or revoked too.
#[utoipa::path(get, path = "/api-keys", tag = "api keys", params(PageQuery),
    security(("api_key" = ["admin"])),
    responses((status = 200, body = ApiKeys), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<PageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Admin)?;
    let (page, now) = (query.page()?, server.clock.now());
    let (mut rows, total) =
        api_keys::list(server.store.read(), caller.organization.id, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let api_keys = rows.iter().map(|row| ApiKey::of(row, now)).collect::<Result<_>>()?;
    Ok(Answer::ok(&ApiKeys { api_keys, total, next_cursor }))
}

/// Get an API key
#[utoipa::path(get, path = "/api-keys/{id}", tag = "api keys", params(("id" = Uuid, Path)),
    security(("api_key" = ["admin"])),
    responses((status = 200, body = ApiKey), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Admin)?;
    let row = api_keys::get(server.store.read(), caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("API key"))?;
    Ok(Answer::ok(&ApiKey::of(&row, server.clock.now())?))
}

/// Revoke an API key
///
/// The next request with it is refused, for ever. The last administrator's key without an end
/// stays: nobody could make another.
#[utoipa::path(delete, path = "/api-keys/{id}", tag = "api keys", params(("id" = Uuid, Path)),
    security(("api_key" = ["admin"])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Admin)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    api_keys::lock(&work.tx).await?;
    let row = api_keys::get(&work.tx, caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("API key"))?;
    if row.revoked_at.is_some() {
        return work.commit(Answer::empty()).await;
    }
    let scopes = Scopes::parse(&row.scopes)?;
    for (scope, of) in [(Scope::Admin, Some(row.organization_id)), (Scope::Operator, None)] {
        if !scopes.list().contains(&scope) || row.expires_at.is_some() {
            continue;
        }
        let lasting = api_keys::lasting(&work.tx, of, scope.word()).await?;
        if !lasting.iter().any(|key| key.id != id) {
            let what = format!(
                "This is the last key with the scope {} and without an end: make another first, \
                 or nobody could",
                scope.word()
            );
            return Err(Error::new(Code::Conflict, what).into());
        }
    }
    api_keys::revoke(&work.tx, id, work.now).await?;
    let told = ApiKey::of(&api_keys::Model { revoked_at: Some(work.now), ..row }, work.now)?;
    work.event("api_key.revoked", id, &told);
    work.commit(Answer::empty()).await
}
