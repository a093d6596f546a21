//! What was used of a license, drawn.

use crate::desk::chart::{Chart, Line};
use crate::desk::client::{Client, query};
use crate::desk::session::Visit;
use licentia::parse_time;
use serde::Deserialize;

/// Meters that are drawn: the others are on the page of usage.
const MOST: usize = 4;

#[derive(Deserialize)]
struct Usage {
    meters: Vec<Meter>,
}

#[derive(Deserialize)]
struct Meter {
    feature: String,
    kind: String,
    #[serde(default)]
    days: Vec<String>,
    #[serde(default)]
    values: Vec<Option<i64>>,
}

/// A drawing for each meter.
pub async fn of(client: &Client, visit: &Visit, id: &str) -> Vec<Chart> {
    let path = format!("/reports/usage{}", query([("license_id", id)]));
    let Ok(all) = client.get::<Usage>(visit, &path).await else { return Vec::new() };
    let mut charts = Vec::new();
    for meter in all.meters.iter().take(MOST) {
        let asked = query([("license_id", id), ("feature", meter.feature.as_str())]);
        let path = format!("/reports/usage{asked}");
        let Ok(one) = client.get::<Usage>(visit, &path).await else { continue };
        let same = |it: &Meter| it.feature == meter.feature && it.kind == meter.kind;
        charts.extend(one.meters.into_iter().find(same).and_then(chart));
    }
    charts
}

/// `None` = it has no days: it is counted once for all.
fn chart(it: Meter) -> Option<Chart> {
    let second = |day: &String| parse_time(&format!("{day}T00:00:00Z"));
    let days: Vec<i64> = it.days.iter().filter_map(second).collect();
    if days.is_empty() || days.len() != it.values.len() {
        return None;
    }
    let about = match it.kind.as_str() {
        "hour" | "day" => "each day",
        "month" => "each month",
        "year" => "each year",
        _ => "at most, each month",
    };
    let line = Line { label: it.feature.clone(), values: it.values };
    let bars = !matches!(it.kind.as_str(), "level" | "distinct");
    Some(Chart { title: it.feature, about: about.to_string(), bars, days, lines: vec![line] })
}
