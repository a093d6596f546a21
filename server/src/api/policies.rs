//! Policies: templates that licenses are made from.

use super::given::{self, Nothing};
use super::licenses::Template;
use super::products::Done;
use super::{Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Shared, Stop, Work, Written};
use crate::error::{Code, Error, Result};
use crate::store::{policies, products};
use axum::extract::State;
use licentia::rfc3339;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of a name.
const NAME_MAX: usize = 255;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(create, list)).routes(routes!(get, change, delete))
}

/// A policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct Policy {
    id: Uuid,
    name: String,
    /// The one product that it is for; null = any.
    product_id: Option<Uuid>,
    #[serde(flatten)]
    template: Template,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

impl Policy {
    fn of(row: &policies::Model) -> Result<Policy> {
        Ok(Policy {
            id: row.id,
            name: row.name.clone(),
            product_id: row.product_id,
            template: row.template()?,
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        })
    }
}

impl policies::Model {
    /// What licenses begin with that are made from it.
    pub fn template(&self) -> Result<Template> {
        serde_json::from_str(&self.template_json).map_err(|error| {
            tracing::error!(%error, "a policy that cannot be read");
            Error::new(Code::Internal, "The policy cannot be read")
        })
    }
}

/// A page of policies.
#[derive(Debug, Serialize, ToSchema)]
pub struct Policies {
    policies: Vec<Policy>,
    /// How many there are on all pages.
    total: u64,
    /// For the next page; null after the last.
    next_cursor: Option<String>,
}

/// A policy to be.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewPolicy {
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The one product that it is for; absent = any.
    product_id: Option<Uuid>,
    /// Whatever else there is: which members may be is asked of [`Template`].
    #[serde(flatten)]
    #[schema(inline, value_type = Template)]
    template: Map<String, Value>,
}

/// What is to be otherwise. A member that is absent stays as it is, one that is null is taken
/// away.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PolicyChange {
    #[serde(default, deserialize_with = "given::some")]
    #[schema(value_type = String, min_length = 1, max_length = 255, nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "given::maybe")]
    #[schema(value_type = Option<Uuid>)]
    product_id: Option<Option<Uuid>>,
    #[serde(flatten)]
    #[schema(inline, value_type = Template)]
    template: Map<String, Value>,
}

/// A template with some members otherwise. Those of `terms` are each for themselves.
fn changed(before: &Template, change: Map<String, Value>) -> Result<Template> {
    let Ok(Value::Object(mut all)) = serde_json::to_value(before) else {
        return Err(Error::new(Code::Internal, "The policy cannot be written"));
    };
    for (name, value) in change {
        match (all.get_mut(&name), value) {
            (Some(Value::Object(terms)), Value::Object(change)) if name == "terms" => {
                terms.extend(change);
            }
            (_, value) => {
                all.insert(name, value);
            }
        }
    }
    let template: Template = serde_json::from_value(Value::Object(all)).map_err(|error| {
        Error::new(Code::Malformed, format!("The body cannot be read: {error:.200}"))
    })?;
    template.check()?;
    Ok(template)
}

async fn check(row: &policies::Model, tx: &impl ConnectionTrait) -> Result<()> {
    given::line("name", &row.name, NAME_MAX)?;
    if let Some(product) = row.product_id
        && products::hold(tx, row.organization_id, product).await?.is_none()
    {
        return Err(Error::invalid("product_id: there is no such product: look at its id"));
    }
    Ok(())
}

/// Create a policy
#[utoipa::path(post, path = "/policies", tag = "policies", request_body = NewPolicy,
    security(("api_key" = ["catalog"])),
    responses((status = 201, body = Policy), (status = "4XX", body = Problem)))]
async fn create(
    State(server): State<Shared>,
    caller: Caller,
    Written { body, origin }: Written<NewPolicy>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Catalog)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let template = changed(&Template::default(), body.template)?;
    let row = policies::Model {
        id: Uuid::now_v7(),
        organization_id: caller.organization.id,
        product_id: body.product_id,
        name: body.name,
        template_json: serde_json::to_string(&template).unwrap_or_default(),
        created_at: work.now,
        updated_at: work.now,
    };
    check(&row, &work.tx).await?;
    let policy = Policy::of(&row)?;
    policies::insert(&work.tx, row).await?;
    work.event("policy.created", policy.id, &policy);
    let location = format!("/api/v1/policies/{}", policy.id);
    work.commit(Answer::created(&location, &policy)).await
}

/// Which policies are asked for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PolicyQuery {
    /// Those for this product alone.
    product_id: Option<Uuid>,
    /// Which page, from 1. Not with `cursor`.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Policies on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
    /// `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
}

/// List policies
#[utoipa::path(get, path = "/policies", tag = "policies", params(PolicyQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Policies), (status = "4XX", body = Problem)))]
async fn list(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<PolicyQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let PolicyQuery { product_id, page, per_page, cursor } = query;
    let page = PageQuery { page, per_page, cursor }.page()?;
    let (store, organization) = (server.store.read(), caller.organization.id);
    let (mut rows, total) = policies::list(store, organization, product_id, page.and_one()).await?;
    let next_cursor = page.cut(&mut rows, |row| row.id);
    let policies = rows.iter().map(Policy::of).collect::<Result<_>>()?;
    Ok(Answer::ok(&Policies { policies, total, next_cursor }))
}

/// Get a policy
#[utoipa::path(get, path = "/policies/{id}", tag = "policies", params(("id" = Uuid, Path)),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Policy), (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, caller: Caller, Id(id): Id) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let row = policies::get(server.store.read(), caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("policy"))?;
    Ok(Answer::ok(&Policy::of(&row)?))
}

/// Change a policy
///
/// Only the members that are given change, and licenses that are there stay as they are.
#[utoipa::path(put, path = "/policies/{id}", tag = "policies", params(("id" = Uuid, Path)),
    request_body = PolicyChange, security(("api_key" = ["catalog"])),
    responses((status = 200, body = Policy), (status = "4XX", body = Problem)))]
async fn change(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body, origin }: Written<PolicyChange>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Catalog)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = policies::lock(&work.tx, caller.organization.id, id).await?;
    let mut row = row.ok_or_else(|| Error::not_found("policy"))?;
    let before = row.clone();
    let template = changed(&row.template()?, body.template)?;
    row.template_json = serde_json::to_string(&template).unwrap_or_default();
    row.name = body.name.unwrap_or(row.name);
    row.product_id = body.product_id.unwrap_or(row.product_id);
    check(&row, &work.tx).await?;
    if row == before {
        let policy = Policy::of(&row)?;
        return work.commit(Answer::ok(&policy)).await;
    }
    row.updated_at = work.now;
    let policy = Policy::of(&row)?;
    policies::update(&work.tx, row).await?;
    work.changed("policy.updated", id, &Policy::of(&before)?, &policy);
    work.commit(Answer::ok(&policy)).await
}

/// Delete a policy
///
/// Licenses that were made from it stay as they are.
#[utoipa::path(delete, path = "/policies/{id}", tag = "policies", params(("id" = Uuid, Path)),
    security(("api_key" = ["catalog"])),
    responses((status = 200, body = Done), (status = "4XX", body = Problem)))]
async fn delete(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Catalog)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let row = policies::lock(&work.tx, caller.organization.id, id).await?;
    let row = row.ok_or_else(|| Error::not_found("policy"))?;
    work.event("policy.deleted", id, &Policy::of(&row)?);
    policies::delete(&work.tx, row.organization_id, id).await?;
    work.commit(Answer::ok(&Done { message: "Policy deleted successfully".into() })).await
}
