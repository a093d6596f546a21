//! Lists as files for spreadsheets: every row, however many.

pub(super) mod sheet;
mod stream;
mod tables;

use super::activations::check_machine;
use super::audit::Wanted;
use super::deliveries::DeliveryState;
use super::licenses::{LicenseQuery, Status, direct};
use super::{Asked, Caller, Origin, Problem, Scope, Shared, Work};
use crate::error::Result;
use crate::store::activations;
use axum::extract::State;
use axum::response::Response;
use sea_orm::prelude::Uuid;
use serde::Deserialize;
use serde_json::Value;
use stream::{Rows, answer};
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
        .routes(routes!(audit))
        .routes(routes!(deliveries))
}

/// A table in UTF-8 (RFC 4180), the names of the columns first.
#[derive(ToSchema)]
#[schema(value_type = String)]
#[expect(dead_code, reason = "it is there for its schema")]
struct Table(String);

/// Gives a table to whoever asked for it, and notes that they have it.
async fn export<R: Rows>(
    server: &Shared,
    caller: &Caller,
    origin: &Origin,
    rows: R,
) -> Result<Response> {
    let mut work = Work::by_caller(server, caller, origin).await?;
    let of = [("of", Value::from(R::NAME)), ("filters", Value::from(origin.query.clone()))];
    let detail = of.map(|(name, value)| (name.to_string(), value)).into_iter().collect();
    work.note("data.exported", caller.organization.id, detail);
    work.finish().await?;
    Ok(answer(server, rows))
}

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
    /// Active now, with an end within so many days, 1 to 3650.
    #[param(minimum = 1, maximum = 3650)]
    ending_within_days: Option<i64>,
    /// A part of the customer's address, in upper or lower case.
    #[param(max_length = 2048)]
    customer_email: Option<String>,
    /// Your id of the customer.
    #[param(max_length = 2048)]
    customer_id: Option<String>,
    /// The serial number.
    #[param(max_length = 2048)]
    serial: Option<String>,
    /// As with the list of licenses.
    #[param(max_length = 200)]
    search: Option<String>,
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
    origin: Origin,
    Asked(query): Asked<LicensesQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let query = LicenseQuery {
        product_id: query.product_id,
        status: query.status,
        ending_within_days: query.ending_within_days,
        customer_email: query.customer_email,
        customer_id: query.customer_id,
        serial: query.serial,
        search: query.search,
        ..LicenseQuery::default()
    };
    let now = server.clock.now();
    let organization = caller.organization.id;
    let filter = direct(&server, organization, &query, query.filter(now)?).await?;
    let rows = tables::Licenses { organization, filter, now, after: None };
    export(&server, &caller, &origin, rows).await
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
    origin: Origin,
    Asked(query): Asked<ActivationsQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let ActivationsQuery { license_id, installation, machine, active } = query;
    check_machine(machine.as_deref())?;
    let filter = activations::Filter { license: license_id, installation, machine, active };
    let organization = caller.organization.id;
    let rows = tables::Activations { organization, filter, after: None };
    export(&server, &caller, &origin, rows).await
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
    origin: Origin,
    Asked(query): Asked<SeatsQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let filter = super::seats::filter(query.license_id, query.holder)?;
    let (organization, now) = (caller.organization.id, server.clock.now());
    let rows = tables::Seats { organization, filter, now, after: None };
    export(&server, &caller, &origin, rows).await
}

/// What of the usage is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UsageQuery {
    /// Of licenses of this product.
    product_id: Option<Uuid>,
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
    origin: Origin,
    Asked(query): Asked<UsageQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let filter = super::usage::filter(query.feature, query.from.as_deref(), query.to.as_deref())?;
    let organization = caller.organization.id;
    let rows = tables::Usage { organization, product: query.product_id, filter, after: None };
    export(&server, &caller, &origin, rows).await
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
    origin: Origin,
    Asked(query): Asked<EventsQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let filter = super::events::filter(query.kind, query.subject)?;
    let rows = tables::Events { organization: caller.organization.id, filter };
    export(&server, &caller, &origin, rows).await
}

/// Which entries of the audit log are exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// By this one.
    #[param(pattern = "^[!-~]{1,64}$")]
    actor: Option<String>,
    /// Of this kind, such as `license.revoked`.
    #[param(pattern = "^[!-~]{1,64}$")]
    action: Option<String>,
    /// Done to the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
    /// Then or later (RFC 3339).
    #[param(format = DateTime)]
    from: Option<String>,
    /// Before (RFC 3339).
    #[param(format = DateTime)]
    to: Option<String>,
    /// A part of the name of who did it, or of what it was done to, in upper or lower case.
    #[param(max_length = 200)]
    search: Option<String>,
}

/// Export the audit log
///
/// As CSV, the oldest first, with what each hash is of: whoever has the file can verify it.
#[utoipa::path(get, path = "/exports/audit", tag = "exports", params(AuditQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn audit(
    State(server): State<Shared>,
    caller: Caller,
    origin: Origin,
    Asked(query): Asked<AuditQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let AuditQuery { actor, action, subject, from, to, search } = query;
    let filter = Wanted { actor, action, subject, from, to, search }.filter()?;
    let rows = tables::Audit { organization: caller.organization.id, filter, after: None };
    export(&server, &caller, &origin, rows).await
}

/// Which deliveries are exported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeliveriesQuery {
    /// To this webhook.
    webhook_id: Option<Uuid>,
    /// In this state.
    #[param(inline)]
    state: Option<DeliveryState>,
    /// Of this kind of event, such as `license.created`.
    #[param(pattern = "^[!-~]{1,64}$")]
    kind: Option<String>,
    /// About the thing with this id.
    #[param(pattern = "^[!-~]{1,64}$")]
    subject: Option<String>,
}

/// Export deliveries
///
/// As CSV, the newest first, without what was sent.
#[utoipa::path(get, path = "/exports/deliveries", tag = "exports", params(DeliveriesQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Table, content_type = "text/csv"),
        (status = "4XX", body = Problem)))]
async fn deliveries(
    State(server): State<Shared>,
    caller: Caller,
    origin: Origin,
    Asked(query): Asked<DeliveriesQuery>,
) -> Result<Response> {
    caller.must(Scope::Read)?;
    let DeliveriesQuery { webhook_id, state, kind, subject } = query;
    let filter = super::deliveries::filter(webhook_id, state, kind, subject)?;
    let rows = tables::Deliveries { organization: caller.organization.id, filter, after: None };
    export(&server, &caller, &origin, rows).await
}
