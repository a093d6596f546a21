//! All of it at a glance.

use super::table::{Form, Table};
use super::{check_product, days, reckoned_at};
use crate::api::{Answer, Asked, Caller, Problem, Scope, Shared};
use crate::error::Result;
use crate::reports::{DAY, Metric, REVOKED_IN_ALL, SUMMARY_AT, SYNCS_BY_HOUR, day_of};
use crate::store::figures::{self, Which};
use crate::store::products;
use crate::store::reckon::{self, Count, Licenses};
use crate::terms::Moment;
use axum::extract::State;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Of more licenses it is told what was reckoned last, and not what they are at this moment.
const LIVE_MAX: i64 = 20_000;

/// Products that are named.
const TOP: usize = 10;

/// Of which product a report is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OverviewQuery {
    /// Of this product; of all of them without it.
    product_id: Option<Uuid>,
    /// As JSON, or as CSV.
    #[param(inline)]
    format: Option<Form>,
}

/// Licenses, by how they stand.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Standing {
    total: i64,
    active: i64,
    suspended: i64,
    expired: i64,
    revoked: i64,
}

/// Licenses that are good, and end soon.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Ending {
    /// Within 7 days.
    days_7: i64,
    /// Within 30 days, those of 7 with them.
    days_30: i64,
    /// Within 90 days.
    days_90: i64,
}

/// Seats.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SeatCount {
    /// That somebody has.
    in_use: i64,
    /// That active licenses grant.
    granted: i64,
}

/// Reports of products.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Syncs {
    /// Since midnight (UTC).
    today: i64,
    /// In the hour that is and the 23 before it.
    hours_24: i64,
    /// In the hour that is and the 167 before it.
    days_7: i64,
}

/// A product and its licenses.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProductStanding {
    product_id: Uuid,
    code: String,
    name: String,
    licenses: Standing,
    activations: i64,
    seats: SeatCount,
}

/// All of it at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// Of when licenses, activations and seats are.
    as_of: Moment,
    licenses: Standing,
    ending: Ending,
    /// Licenses that were made in the last 30 days.
    created_30_days: i64,
    /// Installations that take a machine.
    activations: i64,
    seats: SeatCount,
    syncs: Syncs,
    /// Those with the most active licenses, at most ten.
    products: Vec<ProductStanding>,
}

/// Get the overview
///
/// Of many licenses, how they stand, activations and seats are as they were reckoned last, a minute
/// or some ago: `as_of` says when.
#[utoipa::path(get, path = "/reports/overview", tag = "reports", params(OverviewQuery),
    security(("api_key" = ["read"])),
    responses((status = 200, content((Overview = "application/json"), (String = "text/csv"))),
        (status = "4XX", body = Problem)))]
pub async fn overview(
    State(server): State<Shared>,
    caller: Caller,
    Asked(query): Asked<OverviewQuery>,
) -> Result<Answer> {
    caller.must(Scope::Read)?;
    let (organization, product) = (caller.organization.id, query.product_id);
    check_product(&server, organization, product).await?;
    let report = look(&server, organization, product, LIVE_MAX).await?;
    let form = query.format.unwrap_or_default();
    form.answer(&report, server.clock.now(), || report.table())
}

impl Overview {
    /// A line for each number.
    fn table(&self) -> Table {
        let (licenses, ending, syncs) = (&self.licenses, &self.ending, &self.syncs);
        let rows = [
            ("licenses", licenses.total),
            ("licenses_active", licenses.active),
            ("licenses_suspended", licenses.suspended),
            ("licenses_expired", licenses.expired),
            ("licenses_revoked", licenses.revoked),
            ("ending_7_days", ending.days_7),
            ("ending_30_days", ending.days_30),
            ("ending_90_days", ending.days_90),
            ("created_30_days", self.created_30_days),
            ("activations", self.activations),
            ("seats_in_use", self.seats.in_use),
            ("seats_granted", self.seats.granted),
            ("syncs_today", syncs.today),
            ("syncs_24_hours", syncs.hours_24),
            ("syncs_7_days", syncs.days_7),
        ];
        Table {
            name: "overview",
            columns: vec!["metric", "value"],
            rows: rows.map(|(name, value)| vec![name.into(), value.into()]).into(),
        }
    }
}

/// What there is of each product.
#[derive(Clone, Copy, Debug, Default)]
struct Here {
    licenses: Standing,
    activations: i64,
    in_use: i64,
    granted: i64,
}

type ByProduct = BTreeMap<Uuid, Here>;

/// One of its numbers.
type Member = fn(&mut Here) -> &mut i64;

/// Looks at what there is, or at what was reckoned where there are more licenses than `live_max`.
async fn look(
    server: &Shared,
    organization: Uuid,
    product: Option<Uuid>,
    live_max: i64,
) -> Result<Overview> {
    let (read, now) = (server.store.read(), server.clock.now());
    let mut as_of = Moment(now);
    let mut all = None;
    if let Some(at) = reckoned_at(server, SUMMARY_AT).await? {
        let reckoned = reckoned(server, organization, product, at.0).await?;
        if reckoned.values().map(|it| it.licenses.total).sum::<i64>() > live_max {
            (as_of, all) = (at, Some(reckoned));
        }
    }
    let all = match all {
        Some(all) => all,
        None => live(server, organization, product, now).await?,
    };
    let within = [days(7), days(30), days(90)];
    let [days_7, days_30, days_90] =
        reckon::ending_within(read, organization, product, now, within).await?;
    let since = now.saturating_sub(days(30));
    let mut sum = Here::default();
    for it in all.values() {
        sum.add(it);
    }
    Ok(Overview {
        as_of,
        licenses: sum.licenses,
        ending: Ending { days_7, days_30, days_90 },
        created_30_days: reckon::created_since(read, organization, product, since).await?,
        activations: sum.activations,
        seats: SeatCount { in_use: sum.in_use, granted: sum.granted },
        syncs: syncs(server, organization, product, now).await?,
        products: top(server, organization, &all).await?,
    })
}

impl Here {
    fn add(&mut self, other: &Here) {
        let add = |number: &mut i64, more: i64| *number = number.saturating_add(more);
        let (mine, more) = (&mut self.licenses, other.licenses);
        add(&mut mine.total, more.total);
        add(&mut mine.active, more.active);
        add(&mut mine.suspended, more.suspended);
        add(&mut mine.expired, more.expired);
        add(&mut mine.revoked, more.revoked);
        add(&mut self.activations, other.activations);
        add(&mut self.in_use, other.in_use);
        add(&mut self.granted, other.granted);
    }
}

/// As it is at this moment.
async fn live(
    server: &Shared,
    organization: Uuid,
    product: Option<Uuid>,
    now: i64,
) -> Result<ByProduct> {
    let read = server.store.read();
    let of = product
        .map_or(Licenses::Organization(organization), |id| Licenses::Product(organization, id));
    let mut all = ByProduct::new();
    for it in reckon::standing(read, of, now).await? {
        let here = all.entry(it.product_id).or_default();
        here.granted = it.seats;
        here.licenses = Standing {
            total: [it.active, it.suspended, it.expired, it.revoked].iter().sum(),
            active: it.active,
            suspended: it.suspended,
            expired: it.expired,
            revoked: it.revoked,
        };
    }
    let mut note = |counts: Vec<Count>, member: Member| {
        for it in counts {
            *member(all.entry(it.product_id).or_default()) = it.count;
        }
    };
    note(reckon::activations(read, of).await?, |here| &mut here.activations);
    note(reckon::seats(read, of, now).await?, |here| &mut here.in_use);
    Ok(all)
}

/// As it was reckoned at a time.
async fn reckoned(
    server: &Shared,
    organization: Uuid,
    product: Option<Uuid>,
    at: i64,
) -> Result<ByProduct> {
    let mut all = ByProduct::new();
    let members: [(&str, Member); 7] = [
        (Metric::LicensesActive.word(), |here| &mut here.licenses.active),
        (Metric::LicensesSuspended.word(), |here| &mut here.licenses.suspended),
        (Metric::LicensesExpired.word(), |here| &mut here.licenses.expired),
        (REVOKED_IN_ALL, |here| &mut here.licenses.revoked),
        (Metric::Activations.word(), |here| &mut here.activations),
        (Metric::SeatsInUse.word(), |here| &mut here.in_use),
        (Metric::SeatsGranted.word(), |here| &mut here.granted),
    ];
    for (metric, member) in members {
        let (from, to) = (day_of(at), day_of(at).saturating_add(DAY));
        let which = Which { organization, metric, product, from, to };
        for (id, value) in figures::products(server.store.read(), which).await? {
            *member(all.entry(id).or_default()) = value;
        }
    }
    for here in all.values_mut() {
        let it = &mut here.licenses;
        it.total = [it.active, it.suspended, it.expired, it.revoked].iter().sum();
    }
    Ok(all)
}

async fn syncs(
    server: &Shared,
    organization: Uuid,
    product: Option<Uuid>,
    now: i64,
) -> Result<Syncs> {
    let since = async |metric: &str, from: i64| -> Result<i64> {
        let which = Which { organization, metric, product, from, to: i64::MAX };
        let days = figures::days(server.store.read(), which).await?;
        Ok(days.into_iter().map(|(_, value)| value).sum())
    };
    Ok(Syncs {
        today: since(Metric::Syncs.word(), day_of(now)).await?,
        hours_24: since(SYNCS_BY_HOUR, now.saturating_sub(days(1)).saturating_add(1)).await?,
        days_7: since(SYNCS_BY_HOUR, now.saturating_sub(days(7)).saturating_add(1)).await?,
    })
}

async fn top(server: &Shared, organization: Uuid, all: &ByProduct) -> Result<Vec<ProductStanding>> {
    let mut first: Vec<(&Uuid, &Here)> = all.iter().collect();
    first.sort_by_key(|(id, here)| (-here.licenses.active, **id));
    first.truncate(TOP);
    let ids = first.iter().map(|(id, _)| **id);
    let rows = products::some(server.store.read(), organization, ids).await?;
    let standing = |(id, here): (&Uuid, &Here)| {
        let row = rows.iter().find(|row| row.id == *id)?;
        Some(ProductStanding {
            product_id: *id,
            code: row.code.clone(),
            name: row.name.clone(),
            licenses: here.licenses,
            activations: here.activations,
            seats: SeatCount { in_use: here.in_use, granted: here.granted },
        })
    };
    Ok(first.into_iter().filter_map(standing).collect())
}
