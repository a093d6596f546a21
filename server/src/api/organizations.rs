//! Organizations: the vendors on this server. None sees anything of another.

use super::api_keys::{MadeApiKey, make};
use super::given::{self, Nothing, some};
use super::{
    Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Scopes, Shared, Stop, Work, Written,
};
use crate::error::{Code, Error, Result};
use crate::store::{api_keys, figures, organizations, webhooks};
use axum::extract::State;
use licentia::rfc3339;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of a name.
const NAME_MAX: usize = 255;

/// Bytes of an issuer: what a license may have as its `iss`.
const ISSUER_MAX: usize = 256;

/// What the first key of an organization is called.
const ADMINISTRATOR: &str = "Administrator";

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(get, change, delete))
        .routes(routes!(own))
}

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organization {
    id: Uuid,
    name: String,
    /// The `iss` of everything it signs. It stays: programs may expect it.
    issuer: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl Organization {
    fn of(row: &organizations::Model) -> Organization {
        Organization {
            id: row.id,
            name: row.name.clone(),
            issuer: row.issuer.clone(),
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}

/// A new organization, and the key of its administrator.
#[derive(Serialize, ToSchema)]
pub struct MadeOrganization {
    #[serde(flatten)]
    organization: Organization,
    api_key: MadeApiKey,
}

/// A page of organizations.
#[derive(Debug, Serialize, ToSchema)]
pub struct Organizations {
    organizations: Vec<Organization>,
    /// How many there are on all pages.
    total: u64,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// An organization to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The `iss` of everything it signs, such as `https://acme.example`; absent = one is made up.
    #[schema(min_length = 1, max_length = 256)]
    issuer: Option<String>,
}

/// What is to be otherwise. A member that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganizationChange {
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = String, min_length = 1, max_length = 255, nullable = false)]
    name: Option<String>,
}

/// Create an organization
///
/// The answer has the API key of its administrator, this once.
#[utoipa::path(post, path = "/organizations", tag = "organizations",
    request_body = NewOrganization, security(("api_key" = ["operator"])),
    responses((status = 201, body = MadeOrganization), (status = "4XX", body = Problem)))]
async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewOrganization>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Operator)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    given::line("name", &body.name, NAME_MAX)?;
    let id = Uuid::now_v7();
    let issuer = body.issuer.unwrap_or_else(|| format!("urn:uuid:{id}"));
    given::line("issuer", &issuer, ISSUER_MAX)?;
    if issuer.len() > ISSUER_MAX {
        return Err(Error::invalid(format!("issuer has at most {ISSUER_MAX} bytes")).into());
    }
    let row = organizations::Model {
        id,
        name: body.name,
        issuer,
        created_at: work.now,
        updated_at: work.now,
    };
    let organization = Organization::of(&row);
    let scopes = Scopes::of(&[Scope::Admin]);
    let (api_key, key) = make(id, ADMINISTRATOR.to_string(), &scopes, None, work.now)?;
    organizations::insert(&work.tx, row).await?;
    api_keys::insert(&work.tx, key).await?;
    work.event("organization.created", id, &organization);
    let location = format!("/api/v1/organizations/{id}");
    work.commit(Answer::created(&location, &MadeOrganization { organization, api_key })).await
}

/// List organizations
#[utoipa::path(get, path = "/organizations", tag = "organizations", params(PageQuery),
    security(("api_key" = ["operator"])),
    responses((status = 200, body = Organizations), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<PageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Operator)?;
    let page = query.page()?;
    let (mut rows, total) = organizations::list(server.store.read(), page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let organizations = rows.iter().map(Organization::of).collect();
    Ok(Answer::ok(&Organizations { organizations, total, next_cursor }))
}

/// Get an organization
#[utoipa::path(get, path = "/organizations/{id}", tag = "organizations",
    params(("id" = Uuid, Path)), security(("api_key" = ["operator"])),
    responses((status = 200, body = Organization), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Operator)?;
    let row = organizations::get(server.store.read(), id).await?.ok_or_else(none)?;
    Ok(Answer::ok(&Organization::of(&row)))
}

/// Get one's own organization
#[utoipa::path(get, path = "/organization", tag = "organizations",
    security(("api_key" = ["read"])),
    responses((status = 200, body = Organization), (status = "4XX", body = Problem)))]
async fn own(caller: Caller) -> Result<Answer> {
    caller.must(Scope::Read)?;
    Ok(Answer::ok(&Organization::of(&caller.organization)))
}

/// Change an organization
///
/// Only the members that are given change. The issuer stays: programs may expect it.
#[utoipa::path(put, path = "/organizations/{id}", tag = "organizations",
    params(("id" = Uuid, Path)), request_body = OrganizationChange,
    security(("api_key" = ["operator"])),
    responses((status = 200, body = Organization), (status = "4XX", body = Problem)))]
async fn change(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<OrganizationChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Operator)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut row = organizations::lock(&work.tx, id).await?.ok_or_else(none)?;
    let name = body.name.filter(|name| *name != row.name);
    if let Some(name) = name {
        given::line("name", &name, NAME_MAX)?;
        let before = Organization::of(&row);
        (row.name, row.updated_at) = (name, work.now);
        organizations::rename(&work.tx, &row).await?;
        work.changed("organization.updated", id, &before, &Organization::of(&row));
    }
    work.commit(Answer::ok(&Organization::of(&row))).await
}

/// Delete an organization
///
/// One that has licenses, products, policies or key pairs stays, and so does one's own. Its API
/// keys and its webhooks are gone with it.
#[utoipa::path(delete, path = "/organizations/{id}", tag = "organizations",
    params(("id" = Uuid, Path)), security(("api_key" = ["operator"])),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn delete(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Operator)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = organizations::lock(&work.tx, id).await?.ok_or_else(none)?;
    let conflict = |what: String| Err(Error::new(Code::Conflict, what).into());
    if id == caller.organization.id {
        return conflict("This is your own organization: it stays as long as you do".to_string());
    }
    if let Some(what) = organizations::has(&work.tx, id).await? {
        return conflict(format!("The organization has {what}: delete them first"));
    }
    api_keys::lock(&work.tx).await?;
    let operators = api_keys::lasting(&work.tx, None, Scope::Operator.word()).await?;
    if !operators.is_empty() && operators.iter().all(|key| key.organization_id == id) {
        let what = "The last key that may manage organizations is in it: make another first";
        return conflict(what.to_string());
    }
    webhooks::clear(&work.tx, id).await?;
    figures::forget(&work.tx, id).await?;
    api_keys::clear(&work.tx, id).await?;
    organizations::delete(&work.tx, id).await?;
    work.event("organization.deleted", id, &Organization::of(&row));
    work.commit(Answer::empty()).await
}

fn none() -> Error {
    Error::not_found("organization")
}
