//! Licenses that are put on hold, and withdrawn.

use super::change::Changing;
use super::view::LicenseWithBlob;
use crate::api::given::{self, Nothing};
use crate::api::products::Done;
use crate::api::{Answer, Asked, Caller, Id, Problem, Scope, Server, Shared, Stop, Work, Written};
use crate::error::{Error, Result};
use crate::store::{licenses, products, revoked};
use axum::extract::State;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Characters of a reason.
const REASON_MAX: usize = 500;

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// For people, and for the customer.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// Why.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ReasonQuery {
    /// For people, and for the customer.
    #[param(max_length = 500)]
    reason: Option<String>,
}

fn checked(reason: Option<String>) -> Result<Option<String>> {
    given::lines("reason", reason.as_deref(), REASON_MAX)?;
    if reason.as_ref().is_some_and(|reason| reason.contains('\0')) {
        return Err(Error::invalid("reason is a text without NUL"));
    }
    Ok(reason.filter(|reason| !reason.trim().is_empty()))
}

/// Revoke a license
///
/// For ever. Doing it again changes nothing.
#[utoipa::path(delete, path = "/licenses/{id}", tag = "licenses",
    params(("id" = Uuid, Path), ReasonQuery), security(("api_key" = ["revoke"])),
    responses((status = 200, body = Done), (status = "4XX", body = Problem)))]
pub(super) async fn revoke(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Asked(ReasonQuery { reason }): Asked<ReasonQuery>,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Revoke)?;
    let reason = checked(reason)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    let done = Answer::ok(&Done { message: "License revoked successfully".into() });
    if changing.row.revoked_at.is_some() {
        return work.commit(done).await;
    }
    let organization = caller.organization.id;
    revoke_row(&server, &work.tx, organization, &mut changing.row, reason, work.now).await?;
    changing.keep(&mut work, "license.revoked").await?;
    work.commit(done).await
}

/// Revokes a license that is being changed, and raises the version of its product's list.
pub async fn revoke_row(
    server: &Server,
    tx: &impl ConnectionTrait,
    organization: Uuid,
    row: &mut licenses::Model,
    reason: Option<String>,
    now: i64,
) -> Result<()> {
    row.revoked_at = Some(now);
    row.reason = reason;
    row.updated_at = now;
    // The version as it is now, and nobody else raises it meanwhile.
    let product = products::turn(tx, organization, row.product_id).await?;
    let product = product.ok_or_else(|| Error::not_found("license"))?;
    revoked::raise(tx, &product, server.clock.next(product.revocations_version)).await
}

/// Suspend a license
///
/// Until it is reinstated. Doing it again changes nothing.
#[utoipa::path(post, path = "/licenses/{id}/suspend", tag = "licenses",
    params(("id" = Uuid, Path)), request_body = Reason, security(("api_key" = ["revoke"])),
    responses((status = 200, body = LicenseWithBlob), (status = "4XX", body = Problem)))]
pub(super) async fn suspend(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Reason { reason }, origin }: Written<Reason>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Revoke)?;
    let reason = checked(reason)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    changing.alive()?;
    if changing.row.suspended_at.is_some() {
        let shown = changing.shown(work.now)?;
        return work.commit(Answer::ok(&shown)).await;
    }
    changing.row.suspended_at = Some(work.now);
    changing.row.reason = reason;
    changing.row.updated_at = work.now;
    let shown = changing.keep(&mut work, "license.suspended").await?;
    work.commit(Answer::ok(&shown)).await
}

/// Reinstate a suspended license
#[utoipa::path(post, path = "/licenses/{id}/reinstate", tag = "licenses",
    params(("id" = Uuid, Path)), security(("api_key" = ["revoke"])),
    responses((status = 200, body = LicenseWithBlob), (status = "4XX", body = Problem)))]
pub(super) async fn reinstate(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Written { body: Nothing {}, origin }: Written<Nothing>,
) -> Result<Answer, Stop> {
    caller.must(Scope::Revoke)?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let mut changing = Changing::begin(&work, &caller, id).await?;
    changing.alive()?;
    if changing.row.suspended_at.is_none() {
        let shown = changing.shown(work.now)?;
        return work.commit(Answer::ok(&shown)).await;
    }
    changing.row.suspended_at = None;
    changing.row.reason = None;
    changing.row.updated_at = work.now;
    let shown = changing.keep(&mut work, "license.reinstated").await?;
    work.commit(Answer::ok(&shown)).await
}
