//! What was used, over all licenses or of one.

use super::table::{Form, Table};
use super::{Day, Days, check_product, reckoned_at};
use crate::api::{Answer, Asked, Caller, Problem, Scope, Shared};
use crate::error::{Code, Error, Result};
use crate::reports::{DAY, USAGE, USAGE_AT, label, meter};
use crate::store::figures::{self, Which};
use crate::store::licenses;
use crate::store::reckon::{self, Whose};
use crate::terms::Moment;
use axum::extract::State;
use licentia::rfc3339;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Days, if nobody says.
const USUAL: i64 = 365;

/// Characters of the id of a feature.
const FEATURE_MAX: usize = 64;

/// Which usage is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UsageReportQuery {
    /// Of this product; of all of them without it.
    product_id: Option<Uuid>,
    /// Of this license.
    license_id: Option<Uuid>,
    /// Of this feature: with it, the meters have their values over time.
    #[param(max_length = 64)]
    feature: Option<String>,
    /// In periods that begin on this day or later; without it there are 365.
    #[param(format = Date)]
    from: Option<String>,
    /// In periods that begin on this day or before; without it today. There are at most 800.
    #[param(format = Date)]
    to: Option<String>,
    /// As JSON, or as CSV.
    #[param(inline)]
    format: Option<Form>,
}

/// A feature, what is counted of it, and what was used.
#[derive(Debug, Serialize, ToSchema)]
pub struct Meter {
    feature: String,
    /// hour, day, month, year or ever of a counter; level or distinct, of which it is the highest
    /// of a month.
    kind: String,
    /// In all of the time: of counters the sum, of level and distinct the highest.
    used: i64,
    /// The first day of each period, where a feature was asked for: those of hours are days.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<Vec<Day>>,
    /// What was used in each.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<i64>>,
}

/// What was used.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageReport {
    /// When it was reckoned last; null = not yet.
    as_of: Option<Moment>,
    from: Day,
    to: Day,
    meters: Vec<Meter>,
}

/// Periods of a meter and what was used in each.
type Periods = BTreeMap<i64, i64>;

/// Report what was used
///
/// By feature and kind, over all installations; with `feature`, also by period. Of a license it is
/// as it is at this moment.
#[utoipa::path(get, path = "/reports/usage", tag = "reports", params(UsageReportQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, content((UsageReport = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = Problem)))]
pub async fn usage(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<UsageReportQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    if query.feature.as_ref().is_some_and(|feature| feature.chars().count() > FEATURE_MAX) {
        return Err(Error::new(Code::Malformed, "feature is the id of a feature"));
    }
    let now = server.clock.now();
    let days = Days::read(query.from.as_deref(), query.to.as_deref(), now, USUAL)?;
    let organization = caller.organization.id;
    check_product(&server, organization, query.product_id).await?;
    let (as_of, meters) = match query.license_id {
        Some(id) => {
            let license = licenses::get(server.store.read(), organization, id).await?;
            let license = license.ok_or_else(|| Error::not_found("license"))?;
            let of_other = query.product_id.is_some_and(|product| product != license.product_id);
            let periods = match of_other {
                true => BTreeMap::new(),
                false => of_license(&server, organization, id, days).await?,
            };
            let wanted = |label: &String| {
                query.feature.as_ref().is_none_or(|feature| meter(label).0 == feature)
            };
            let periods = periods.into_iter().filter(|(label, _)| wanted(label));
            let with_days = query.feature.is_some();
            (Some(Moment(now)), periods.map(|it| Meter::of(it, days, with_days)).collect())
        }
        None => {
            let meters = of_all(&server, organization, &query, days).await?;
            (reckoned_at(&server, USAGE_AT).await?, meters)
        }
    };
    let last = Day(days.to.saturating_sub(DAY));
    let report = UsageReport { as_of, from: Day(days.from), to: last, meters };
    query.format.unwrap_or_default().answer(&report, now, || report.table(&query))
}

impl UsageReport {
    /// A line for each meter; where a feature was asked for, for each of its periods.
    fn table(&self, query: &UsageReportQuery) -> Table {
        let total = |meter: &Meter| -> Vec<Value> {
            vec![meter.feature.clone().into(), meter.kind.clone().into(), meter.used.into()]
        };
        let mut columns = vec!["feature", "kind", "used"];
        if query.feature.is_none() {
            let rows = self.meters.iter().map(total).collect();
            return Table { name: "usage", columns, rows };
        }
        columns.push("day");
        let mut rows = Vec::new();
        for meter in &self.meters {
            let days = meter.days.iter().flatten().zip(meter.values.iter().flatten());
            let is_one = meter.kind == EVER;
            rows.extend(is_one.then(|| [total(meter), vec![Value::Null]].concat()));
            rows.extend(days.map(|(day, used)| -> Vec<Value> {
                let (feature, kind) = (meter.feature.clone(), meter.kind.clone());
                vec![feature.into(), kind.into(), (*used).into(), day.text().into()]
            }));
        }
        Table { name: "usage", columns, rows }
    }
}

impl Meter {
    fn of((label, periods): (String, Periods), days: Days, with_days: bool) -> Meter {
        let (feature, kind) = meter(&label);
        let used = match is_level(kind) {
            true => periods.values().max().copied().unwrap_or_default(),
            false => periods.values().fold(0, |sum: i64, used| sum.saturating_add(*used)),
        };
        let all = with_days.then(|| grid(kind, days, &periods));
        let value = |day: &i64| periods.get(day).copied().unwrap_or_default();
        Meter {
            feature: feature.to_string(),
            kind: kind.to_string(),
            used,
            values: all.as_ref().map(|all| all.iter().map(value).collect()),
            days: all.map(|all| all.into_iter().map(Day).collect()),
        }
    }
}

fn is_level(kind: &str) -> bool {
    matches!(kind, "level" | "distinct")
}

/// What a kind never ends with: it has one period, outside of all days.
const EVER: &str = "ever";

/// Whether a period is meant.
fn is_within(kind: &str, period: i64, days: Days) -> bool {
    kind == EVER || (days.from..days.to).contains(&period)
}

/// The first days of all periods of a kind that begin on these days, and of those that are there.
fn grid(kind: &str, days: Days, periods: &Periods) -> Vec<i64> {
    let begins = |day: &i64| {
        let text = rfc3339(*day);
        match kind {
            "hour" | "day" => true,
            "month" | "level" | "distinct" => text.get(8..10) == Some("01"),
            "year" => text.get(5..10) == Some("01-01"),
            _ => false,
        }
    };
    let mut all: Vec<i64> = days.each().filter(begins).collect();
    all.extend(periods.keys().filter(|day| (days.from..days.to).contains(*day)));
    all.sort_unstable();
    all.dedup();
    all
}

async fn of_license(
    server: &Shared,
    organization: Uuid,
    license: Uuid,
    days: Days,
) -> Result<BTreeMap<String, Periods>> {
    let whose = Whose::License(organization, license);
    let mut meters: BTreeMap<String, Periods> = BTreeMap::new();
    for it in reckon::used(server.store.read(), whose, days.from).await? {
        if is_within(&it.kind, it.period, days) {
            let periods = meters.entry(label(&it.feature, &it.kind)).or_default();
            periods.insert(it.period, it.used);
        }
    }
    Ok(meters)
}

async fn of_all(
    server: &Shared,
    organization: Uuid,
    query: &UsageReportQuery,
    days: Days,
) -> Result<Vec<Meter>> {
    let (read, product) = (server.store.read(), query.product_id);
    let within = Which { organization, metric: USAGE, product, from: days.from, to: days.to };
    let ever = Which { from: i64::MIN, to: DAY, ..within };
    let mut meters = Vec::new();
    for (which, is_ever) in [(within, false), (ever, true)] {
        for (label, sum, most) in figures::labels(read, which).await? {
            let (feature, kind) = meter(&label);
            let is_other = query.feature.as_ref().is_some_and(|wanted| wanted != feature);
            if (kind == EVER) != is_ever || is_other {
                continue;
            }
            let (feature, kind) = (feature.to_string(), kind.to_string());
            let used = if is_level(&kind) { most } else { sum };
            if query.feature.is_none() {
                meters.push(Meter { feature, kind, used, days: None, values: None });
                continue;
            }
            let periods = figures::of_label(read, which, &label).await?.into_iter().collect();
            meters.push(Meter::of((label, periods), days, true));
        }
    }
    meters.sort_by(|one, other| (&one.feature, &one.kind).cmp(&(&other.feature, &other.kind)));
    Ok(meters)
}
