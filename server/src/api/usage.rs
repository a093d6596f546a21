//! What was used.

use super::{Answer, Asked, Caller, Id, PageQuery, Problem, Scope, Shared};
use crate::error::{Code, Error, Result};
use crate::store::usage::{self, Filter, Sum};
use crate::store::{activations, licenses};
use crate::terms::Moment;
use axum::extract::State;
use licentia::parse_time;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(of_license)).routes(routes!(of_activation))
}

/// What all installations of a license have used of a feature in one period.
#[derive(Debug, Serialize, ToSchema)]
pub struct Used {
    feature: String,
    /// hour, day, month, year or ever of a counter; level or distinct, of which it is the highest
    /// of a month.
    kind: String,
    /// The first second of the period; null = of all the periods that were too many to keep.
    from: Option<Moment>,
    used: i64,
    /// How many installations that is.
    activations: i64,
}

impl Used {
    /// As it is shown.
    pub fn of(sum: Sum) -> Used {
        let Sum { feature, kind, period, used, activations } = sum;
        Used { feature, kind, from: (period >= 0).then_some(Moment(period)), used, activations }
    }
}

/// A page of what was used.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    usage: Vec<Used>,
    total: u64,
}

/// Characters of the id of a feature.
const FEATURE_MAX: usize = 64;

/// Which sums are meant. Fails with `malformed` for what is no feature or no time.
pub(super) fn filter(
    feature: Option<String>,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<Filter> {
    if feature.as_ref().is_some_and(|feature| feature.chars().count() > FEATURE_MAX) {
        return Err(Error::new(Code::Malformed, "feature is the id of a feature"));
    }
    Ok(Filter { activation: None, from: time("from", from)?, to: time("to", to)?, feature })
}

/// What is listed.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UsageQuery {
    /// Of this feature.
    #[param(max_length = 64)]
    feature: Option<String>,
    /// In periods that begin then or later (RFC 3339).
    #[param(format = DateTime)]
    from: Option<String>,
    /// In periods that begin before (RFC 3339).
    #[param(format = DateTime)]
    to: Option<String>,
    /// Which page, from 1.
    #[param(minimum = 1, default = 1)]
    page: Option<u64>,
    /// Rows on a page, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u64>,
}

/// List what was used of a license
///
/// By feature and period, the newest first, over all installations.
#[utoipa::path(get, path = "/licenses/{id}/usage", tag = "licenses",
    params(("id" = Uuid, Path), UsageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Usage), (status = "4XX", body = Problem)))]
async fn of_license(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Asked(query): Asked<UsageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let filter = filter(query.feature, query.from.as_deref(), query.to.as_deref())?;
    let page = PageQuery { page: query.page, per_page: query.per_page, cursor: None }.page()?;
    let (read, organization) = (server.store.read(), caller.organization.id);
    let license = licenses::get(read, organization, id).await?;
    let license = license.ok_or_else(|| Error::not_found("license"))?;
    let rows = (page.limit, page.offset);
    let (sums, total) = usage::sums(read, organization, license.id, &filter, rows).await?;
    Ok(Answer::ok(&Usage { usage: sums.into_iter().map(Used::of).collect(), total }))
}

/// List what was used by an installation
///
/// Of the license that it is activated for: by feature and period, the newest first.
#[utoipa::path(get, path = "/activations/{id}/usage", tag = "activations",
    params(("id" = Uuid, Path), UsageQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, body = Usage), (status = "4XX", body = Problem)))]
async fn of_activation(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Asked(query): Asked<UsageQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let filter = filter(query.feature, query.from.as_deref(), query.to.as_deref())?;
    let page = PageQuery { page: query.page, per_page: query.per_page, cursor: None }.page()?;
    let (read, organization) = (server.store.read(), caller.organization.id);
    let row = activations::get(read, organization, id).await?;
    let row = row.ok_or_else(|| Error::not_found("activation"))?;
    let (filter, rows) = (Filter { activation: Some(id), ..filter }, (page.limit, page.offset));
    let (sums, total) = usage::sums(read, organization, row.license_id, &filter, rows).await?;
    Ok(Answer::ok(&Usage { usage: sums.into_iter().map(Used::of).collect(), total }))
}

/// A time of a query.
pub(super) fn time(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let wrong =
        || Error::new(Code::Malformed, format!("{name} is a time such as 2025-01-15T10:30:00Z"));
    text.map(|text| parse_time(text).filter(|_| text.contains('-')).ok_or_else(wrong)).transpose()
}
