//! What was used: the meters there are, and one of them over time.

use super::chart::{Chart, Line};
use super::choices::{self, Product};
use super::client::{Refusal, query};
use super::form::{Fields, Query};
use super::frame::Frame;
use super::overview::report::{Range, seconds};
use super::overview::{RANGES, range};
use super::refused::refused;
use super::session::Visit;
use super::{Desk, State, html, numbers, when};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

const SECTION: &str = "usage";
const PATH: &str = "/usage";

/// Days, if nobody says.
const USUAL: i64 = 365;

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route(PATH, get(usage))
}

#[derive(Deserialize)]
struct Report {
    as_of: Option<String>,
    from: String,
    meters: Vec<Meter>,
}

#[derive(Deserialize)]
struct Meter {
    feature: String,
    kind: String,
    used: i64,
    days: Option<Vec<String>>,
    values: Option<Vec<i64>>,
}

impl Meter {
    /// What is counted, in words.
    fn counted(&self) -> &str {
        match self.kind.as_str() {
            "hour" => "uses, by the hour",
            "day" => "uses, by the day",
            "month" => "uses, by the month",
            "year" => "uses, by the year",
            "ever" => "uses, without end",
            "level" => "the highest level of each month",
            "distinct" => "different ones in each month",
            other => other,
        }
    }

    /// What the number of all the time is.
    fn is_highest(&self) -> bool {
        matches!(self.kind.as_str(), "level" | "distinct")
    }

    /// What it was over time; `None` where it has no times.
    fn chart(&self) -> Option<Chart> {
        let (days, values) = (self.days.as_ref()?, self.values.as_ref()?);
        if self.kind == "ever" {
            return None;
        }
        let chart = Chart {
            title: self.feature.clone(),
            about: self.counted().to_string(),
            bars: !self.is_highest(),
            days: seconds(days),
            lines: vec![Line::of("Used", values.iter().copied())],
        };
        let daily = matches!(self.kind.as_str(), "hour" | "day");
        Some(if daily && days.len() > 92 { weekly(chart) } else { chart })
    }
}

/// With a number for each week, which it says.
fn weekly(chart: Chart) -> Chart {
    let about = format!("{}, each week together", chart.about);
    Chart { about, ..chart.by_week() }
}

#[derive(Template)]
#[template(path = "usage.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Report,
    charts: Vec<Chart>,
    products: Vec<Product>,
    product: String,
    feature: String,
    days: i64,
    wrong: Option<String>,
}

impl Page {
    fn ranges(&self) -> [(i64, &'static str, bool); 3] {
        RANGES.map(|(days, words)| (days, words, days == self.days))
    }

    fn is_drawn(&self, feature: &str) -> bool {
        self.feature == feature
    }

    /// A link to this page with another meter.
    fn with(&self, feature: &str) -> String {
        let days = self.days.to_string();
        let product = ("product_id", self.product.as_str());
        query([product, ("days", days.as_str()), ("feature", feature)])
    }

    /// What the file has in it.
    fn exported(&self) -> String {
        query([("product_id", self.product.as_str()), ("from", self.it.from.as_str())])
    }

    /// The meters to choose from, each feature once.
    fn features(&self) -> Vec<&str> {
        let named = self.it.meters.iter().map(|meter| meter.feature.as_str());
        let mut all: Vec<&str> = named.chain([self.feature.as_str()]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

async fn usage(desk: State, visit: Visit, Query(asked): Query) -> Response {
    match page(&desk, &visit, &asked).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, PATH, SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, asked: &Fields) -> Result<Page, Refusal> {
    let (product, days) = (asked.text("product_id").to_string(), range(asked, USUAL));
    let from = Range { product: &product, days }.first(desk.server.clock.now());
    let report = async |feature: &str| -> Result<Report, Refusal> {
        let which = [("product_id", product.as_str()), ("from", &from), ("feature", feature)];
        desk.client.get(visit, &format!("/reports/usage{}", query(which))).await
    };
    let it = report("").await?;
    let first = it.meters.first().map_or("", |meter| meter.feature.as_str());
    let feature = asked.maybe("feature").unwrap_or(first).to_string();
    let mut wrong = None;
    let mut charts = Vec::new();
    if !feature.is_empty() {
        match report(&feature).await {
            Ok(it) => charts = it.meters.iter().filter_map(Meter::chart).collect(),
            Err(why) if why.is_typed() => wrong = Some(why.detail),
            Err(why) => return Err(why),
        }
    }
    let products = choices::products(desk, visit).await?;
    let frame = Frame::of(visit, PATH, SECTION, "Usage");
    Ok(Page { frame, it, charts, products, product, feature, days, wrong })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_is_drawn_as_what_it_is() {
        let days: Vec<String> = (1..=28).map(|day| format!("2026-02-{day:02}")).collect();
        let meter = |kind: &str| Meter {
            feature: "exports".to_string(),
            kind: kind.to_string(),
            used: 28,
            values: Some(vec![1; days.len()]),
            days: Some(days.clone()),
        };
        assert!(meter("ever").chart().is_none());
        assert!(!meter("level").chart().unwrap().bars);
        let daily = meter("day").chart().unwrap();
        assert_eq!((daily.bars, daily.days.len()), (true, 28));
        let mut long = meter("day");
        long.days = Some(days.iter().cycle().take(140).cloned().collect());
        long.values = Some(vec![1; 140]);
        let weekly = long.chart().unwrap();
        assert_eq!(weekly.days.len(), 20);
        assert_eq!(weekly.lines.first().unwrap().values.first().unwrap(), &Some(7));
    }
}
