//! A number for each day.

use super::table::{Form, Table};
use super::{Day, Days, check_product, reckoned_at};
use crate::api::{Answer, Asked, Caller, Problem, Scope, Shared};
use crate::error::Result;
use crate::reports::{Metric, SUMMARY_AT, day_of};
use crate::store::figures::{self, Which};
use crate::terms::Moment;
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Days, if nobody says.
const USUAL: i64 = 90;

/// Which numbers are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SeriesQuery {
    /// Of what; without it, active licenses.
    #[param(inline)]
    metric: Option<Metric>,
    /// Of this product; of all of them without it.
    product_id: Option<Uuid>,
    /// The first day; without it there are 90.
    #[param(format = Date)]
    from: Option<String>,
    /// The last day; without it today. There are at most 800.
    #[param(format = Date)]
    to: Option<String>,
    /// As JSON, or as CSV.
    #[param(inline)]
    format: Option<Form>,
}

/// A number for each day.
#[derive(Debug, Serialize, ToSchema)]
pub struct Series {
    metric: Metric,
    product_id: Option<Uuid>,
    /// When it was reckoned last; null = not yet.
    as_of: Option<Moment>,
    /// Each day, the first one first.
    days: Vec<Day>,
    /// The number of each; null = it is not known.
    values: Vec<Option<i64>>,
}

/// Get a number for each day
///
/// Of what happens (licenses that were made, reports that came), a day without any has 0. Of what
/// there is (active licenses, machines, seats), a day has the last number that was seen on it, and
/// null where nobody looked.
#[utoipa::path(get, path = "/reports/series", tag = "reports", params(SeriesQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, content((Series = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = Problem)))]
pub async fn series(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<SeriesQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let now = server.clock.now();
    let days = Days::read(query.from.as_deref(), query.to.as_deref(), now, USUAL)?;
    let (organization, product) = (caller.organization.id, query.product_id);
    check_product(&server, organization, product).await?;
    let metric = query.metric.unwrap_or(Metric::LicensesActive);
    let which =
        Which { organization, metric: metric.word(), product, from: days.from, to: days.to };
    let known = figures::days(server.store.read(), which).await?;
    let known: BTreeMap<i64, i64> = known.into_iter().collect();
    // Of a day that is to come nothing is known.
    let none = |day: &i64| (metric.happens() && *day <= day_of(now)).then_some(0);
    let value = |day: &i64| known.get(day).copied().or_else(|| none(day));
    let all: Vec<i64> = days.each().collect();
    let report = Series {
        metric,
        product_id: product,
        as_of: reckoned_at(&server, SUMMARY_AT).await?,
        values: all.iter().map(value).collect(),
        days: all.into_iter().map(Day).collect(),
    };
    query.format.unwrap_or_default().answer(&report, now, || Table {
        name: metric.word(),
        columns: vec!["day", metric.word()],
        rows: std::iter::zip(&report.days, &report.values)
            .map(|(day, value)| vec![day.text().into(), (*value).into()])
            .collect(),
    })
}
