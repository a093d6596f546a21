//! What the first page asks for, as the API tells of it.

use super::super::chart::{Chart, Line};
use super::super::client::{Refusal, query};
use super::super::session::Visit;
use super::super::{Desk, when};
use licentia::parse_time;
use serde::Deserialize;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days above which charts have a number for each week: a line has room for no more.
const DAILY_MAX: i64 = 92;

#[derive(Debug, Deserialize)]
pub struct Overview {
    pub as_of: String,
    pub licenses: Standing,
    pub ending: Ending,
    pub created_30_days: i64,
    pub activations: i64,
    pub seats: Seats,
    pub syncs: Syncs,
    pub products: Vec<Product>,
}

#[derive(Debug, Deserialize)]
pub struct Standing {
    pub total: i64,
    pub active: i64,
    pub suspended: i64,
    pub expired: i64,
    pub revoked: i64,
}

#[derive(Debug, Deserialize)]
pub struct Ending {
    pub days_7: i64,
    pub days_30: i64,
    pub days_90: i64,
}

#[derive(Debug, Deserialize)]
pub struct Seats {
    pub in_use: i64,
    pub granted: i64,
}

#[derive(Debug, Deserialize)]
pub struct Syncs {
    pub today: i64,
    pub days_7: i64,
}

#[derive(Debug, Deserialize)]
pub struct Product {
    pub product_id: String,
    pub name: String,
    pub licenses: Standing,
    pub activations: i64,
    pub seats: Seats,
}

#[derive(Deserialize)]
struct Series {
    days: Vec<String>,
    values: Vec<Option<i64>>,
}

#[derive(Deserialize)]
struct Expiring {
    ending: Ends,
}

#[derive(Deserialize)]
struct Ends {
    total: i64,
    days: Vec<String>,
    licenses: Vec<i64>,
}

/// The first seconds of dates.
pub fn seconds(days: &[String]) -> Vec<i64> {
    days.iter().map(|day| parse_time(day).unwrap_or_default()).collect()
}

/// Of what charts are: a product or all of them, and the days up to this one.
pub struct Range<'a> {
    pub product: &'a str,
    pub days: i64,
}

impl Range<'_> {
    /// The first day of a range that ends today.
    pub fn first(&self, now: i64) -> String {
        let back = self.days.saturating_sub(1).saturating_mul(DAY);
        when::day(when::exact(now.saturating_sub(back)))
    }

    async fn series(&self, desk: &Desk, visit: &Visit, metric: &str) -> Result<Series, Refusal> {
        let first = self.first(desk.server.clock.now());
        let which = [("metric", metric), ("product_id", self.product), ("from", first.as_str())];
        desk.client.get(visit, &format!("/reports/series{}", query(which))).await
    }

    /// A chart of some metrics with their names.
    pub async fn chart(
        &self,
        desk: &Desk,
        visit: &Visit,
        title: &str,
        bars: bool,
        metrics: &[(&str, &str)],
    ) -> Result<Chart, Refusal> {
        let (mut days, mut lines) = (Vec::new(), Vec::new());
        for (metric, label) in metrics {
            let series = self.series(desk, visit, metric).await?;
            days = seconds(&series.days);
            lines.push(Line { label: (*label).to_string(), values: series.values });
        }
        let weekly = self.days > DAILY_MAX;
        let about = match (weekly, bars) {
            (true, true) => "each week",
            (true, false) => "at the end of each week",
            (false, true) => "each day",
            (false, false) => "",
        };
        let (title, about) = (title.to_string(), about.to_string());
        let chart = Chart { title, about, bars, days, lines };
        Ok(if weekly { chart.by_week() } else { chart })
    }

    /// The chart of what ends in the days to come.
    pub async fn ending(&self, desk: &Desk, visit: &Visit) -> Result<Chart, Refusal> {
        let which = query([("days", "90"), ("product_id", self.product)]);
        let it: Expiring = desk.client.get(visit, &format!("/reports/expiring{which}")).await?;
        let total = super::super::numbers::counted(it.ending.total, "license", "licenses");
        Ok(Chart {
            title: "Licenses that end".to_string(),
            about: format!("each day of the next 90: {total}"),
            bars: true,
            days: seconds(&it.ending.days),
            lines: vec![Line::of("Licenses", it.ending.licenses)],
        })
    }
}
