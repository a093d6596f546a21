//! Licenses that end.

use super::table::{Form, Table};
use super::{DAYS_MAX, Day, Days, check_product, days};
use crate::api::{Answer, Asked, Caller, Problem, Scope, Shared};
use crate::error::{Code, Error, Result};
use crate::reports::{DAY, day_of};
use crate::store::reckon;
use crate::terms::Moment;
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Days, if nobody says.
const USUAL: i64 = 90;

/// Which days are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExpiringQuery {
    /// So many days, today with them, 1 to 800.
    #[param(minimum = 1, maximum = 800, default = 90)]
    days: Option<i64>,
    /// Of this product; of all of them without it.
    product_id: Option<Uuid>,
    /// As JSON, or as CSV.
    #[param(inline)]
    format: Option<Form>,
}

/// How many licenses end on each of some days.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ends {
    /// All of them.
    total: i64,
    /// Each day, the first one first.
    days: Vec<Day>,
    /// How many on each.
    licenses: Vec<i64>,
}

/// Licenses that end, neither revoked nor suspended.
#[derive(Debug, Serialize, ToSchema)]
pub struct Expiring {
    as_of: Moment,
    /// Those that will, by the day of their end: today, from this moment on, and the days after.
    ending: Ends,
    /// Those that did, and were not renewed: so many days up to this moment.
    not_renewed: Ends,
}

/// List the days on which licenses end
#[utoipa::path(get, path = "/reports/expiring", tag = "reports", params(ExpiringQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, content((Expiring = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = Problem)))]
pub async fn expiring(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<ExpiringQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let count = query.days.unwrap_or(USUAL);
    if !(1..=DAYS_MAX).contains(&count) {
        return Err(Error::new(Code::Malformed, format!("days is from 1 to {DAYS_MAX}")));
    }
    let (organization, product) = (caller.organization.id, query.product_id);
    check_product(&server, organization, product).await?;
    let now = server.clock.now();
    let (today, long) = (day_of(now), days(count));
    let coming = Days { from: today, to: today.saturating_add(long) };
    let gone = Days { from: today.saturating_sub(long).saturating_add(DAY), to: today + DAY };
    let ends = async |days: Days, between: (i64, i64)| -> Result<Ends> {
        let found = reckon::ending(server.store.read(), organization, product, between).await?;
        let found: BTreeMap<i64, i64> = found.into_iter().collect();
        let all: Vec<i64> = days.each().collect();
        let licenses: Vec<i64> =
            all.iter().map(|day| found.get(day).copied().unwrap_or_default()).collect();
        Ok(Ends {
            total: licenses.iter().sum(),
            days: all.into_iter().map(Day).collect(),
            licenses,
        })
    };
    let report = Expiring {
        as_of: Moment(now),
        ending: ends(coming, (now, coming.to.saturating_sub(1))).await?,
        not_renewed: ends(gone, (gone.from.saturating_sub(1), now)).await?,
    };
    query.format.unwrap_or_default().answer(&report, now, || report.table())
}

impl Expiring {
    /// A line for each day, the first one first: today has both.
    fn table(&self) -> Table {
        let mut days: BTreeMap<Day, (Option<i64>, Option<i64>)> = BTreeMap::new();
        for (day, count) in self.not_renewed.days.iter().zip(&self.not_renewed.licenses) {
            days.entry(*day).or_default().0 = Some(*count);
        }
        for (day, count) in self.ending.days.iter().zip(&self.ending.licenses) {
            days.entry(*day).or_default().1 = Some(*count);
        }
        let row = |(day, (gone, coming)): (Day, (Option<i64>, Option<i64>))| {
            vec![day.text().into(), coming.into(), gone.into()]
        };
        Table {
            name: "expiring",
            columns: vec!["day", "ending", "not_renewed"],
            rows: days.into_iter().map(row).collect(),
        }
    }
}
