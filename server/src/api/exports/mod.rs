//! Lists as files for spreadsheets: every row, however many.

mod sheet;
mod stream;
mod tables;

use super::licenses::{LicenseQuery, Status};
use super::{Asked, Caller, Problem, Scope, Shared};
use crate::error::Result;
use crate::store::activations;
use axum::extract::State;
use axum::response::Response;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use stream::answer;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(licenses))
        .routes(routes!(activations))
        .routes(routes!(seats))
        .routes(routes!(usage))
        .routes(routes!(events))
}

/// A table in UTF-8 (RFC 4180), the names of the columns first.
#[derive(ToSchema)]
#[schema(value_type = String)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Table(String);

/// Which licenses are exported: those that meet everything that is given.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LicensesQuery {
    /// Of this product.
    product_id: Option<Uuid>,
    /// With this status.
    #[param(inline)]
    status: Option<Status>,
    /// A part of the customer's address, in upper or lower case.
    #[param(max_length = 2048)]
    customer_email: Option<String>,
    /// Your id of the customer.
    #[param(max_length = 2048)]
    customer_id: Option<String>,
    /// The serial number.
    #[param(max_length = 2048)]
    serial: Option<String>,
}

/// Export licenses
///
/// As CSV, the newest first, without their files. What is made meanwhile is not among them.
#[utoipa::path(get, path = "/exports/licenses", tag = "exports", params(LicensesQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn licenses(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<LicensesQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let LicensesQuery { product_id, status, customer_email, customer_id, serial } = query;
    let query = LicenseQuery {
        product_id,
        status,
        customer_email,
        customer_id,
        serial,
        ..LicenseQuery::default()
    };
    let now = server.clock.now();
    let filter = query.filter(now)?;
    let rows = tables::Licenses { organization: caller.organization.id, filter, now, after: None };
    Ok(answer(&server, rows))
}

/// Which activations are exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ActivationsQuery {
    /// Those of this license.
    license_id: Option<Uuid>,
    /// Those of this installation.
    installation: Option<Uuid>,
    /// Those on the machine with this short id.
    #[param(max_length = 64)]
    machine: Option<String>,
    /// Those that take a machine, or those that do not any more.
    active: Option<bool>,
}

/// Export activations
///
/// As CSV, the newest first.
#[utoipa::path(get, path = "/exports/activations", tag = "exports", params(ActivationsQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn activations(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<ActivationsQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let ActivationsQuery { license_id, installation, machine, active } = query;
    let filter = activations::Filter { license: license_id, installation, machine, active };
    let organization = caller.organization.id;
    Ok(answer(&server, tables::Activations { organization, filter, after: None }))
}

/// Which seats are exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct SeatsQuery {
    /// Seats of this license.
    license_id: Option<Uuid>,
    /// Seats of this holder.
    #[param(max_length = 128)]
    holder: Option<String>,
}

/// Export seats
///
/// As CSV: those that somebody has now, of all licenses, the newest first.
#[utoipa::path(get, path = "/exports/seats", tag = "exports", params(SeatsQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn seats(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<SeatsQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let filter = super::seats::filter(query.license_id, query.holder)?;
    let (organization, now) = (caller.organization.id, server.clock.now());
    Ok(answer(&server, tables::Seats { organization, filter, now, after: None }))
}

/// What of the usage is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UsageQuery {
    /// Of this feature.
    #[param(max_length = 64)]
    feature: Option<String>,
    /// In periods that begin then or later (RFC 3339).
    #[param(format = DateTime)]
    from: Option<String>,
    /// In periods that begin before (RFC 3339).
    #[param(format = DateTime)]
    to: Option<String>,
}

/// Export usage
///
/// As CSV: by license, feature and period, over all installations of the license.
#[utoipa::path(get, path = "/exports/usage", tag = "exports", params(UsageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn usage(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<UsageQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let filter =
        super::usage::filter(query.feature, query.from.as_deref(), query.to.as_deref())?;
    let organization = caller.organization.id;
    Ok(answer(&server, tables::Usage { organization, filter, after: None }))
}

/// Which events are exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// Of this kind, such as `license.created`.
    #[param(pattern = "^[!-~]{1,64}$")]
    kind: Option<String>,
    /// About the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
}

/// Export events
///
/// As CSV, the newest first.
#[utoipa::path(get, path = "/exports/events", tag = "exports", params(EventsQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn events(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<EventsQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let filter = super::events::filter(query.kind, query.subject)?;
    Ok(answer(&server, tables::Events { organization: caller.organization.id, filter }))
}
