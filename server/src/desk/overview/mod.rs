//! The first page: how it stands, what to look at, and how it went.

mod attention;
pub mod report;

use super::audit::{Entries, Entry};
use super::chart::Chart;
use super::choices::{self, Product};
use super::client::{Refusal, query};
use super::form::{Fields, Query};
use super::frame::Frame;
use super::refused::refused;
use super::session::Visit;
use super::{Desk, State, html, numbers, when};
use askama::Template;
use attention::Item;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use report::{Overview, Range};
use std::sync::Arc;

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/", get(overview))
}

/// How long a time charts show, in days and in words.
pub const RANGES: [(i64, &str); 3] = [(30, "30 days"), (90, "90 days"), (365, "12 months")];

/// What is shown if nobody says.
const USUAL: i64 = 90;

/// The range that was asked for.
pub fn range(asked: &Fields, usual: i64) -> i64 {
    let days = asked.text("days").parse();
    let known = days.ok().filter(|days| RANGES.iter().any(|(it, _)| it == days));
    known.unwrap_or(usual)
}

#[derive(Template)]
#[template(path = "overview/page.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Overview,
    items: Vec<Item>,
    charts: Vec<Chart>,
    latest: Vec<Entry>,
    products: Vec<Product>,
    product: String,
    days: i64,
    dead: usize,
    late: usize,
    has_key_pair: bool,
}

impl Page {
    fn ranges(&self) -> [(i64, &'static str, bool); 3] {
        RANGES.map(|(days, words)| (days, words, days == self.days))
    }

    /// The filters of a link to a list, with one more.
    fn of(&self, name: &str, value: &str) -> String {
        query([("product_id", self.product.as_str()), (name, value)])
    }

    /// How much of the seats is in use, in hundredths.
    fn seat_share(&self) -> Option<i64> {
        let seats = &self.it.seats;
        seats.in_use.saturating_mul(100).checked_div(seats.granted)
    }

    /// Whether nothing was sold yet, so that there are only first steps to show.
    fn is_new(&self) -> bool {
        self.it.licenses.total == 0 && self.product.is_empty()
    }
}

async fn overview(desk: State, visit: Visit, Query(asked): Query) -> Response {
    match page(&desk, &visit, &asked).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, "/", "", &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, asked: &Fields) -> Result<Page, Refusal> {
    let (product, days) = (asked.text("product_id").to_string(), range(asked, USUAL));
    let which = query([("product_id", product.as_str())]);
    let it: Overview = desk.client.get(visit, &format!("/reports/overview{which}")).await?;
    let products = choices::products(desk, visit).await?;
    let seen = attention::seen(desk, visit).await;
    // What people have done: events are mostly what programs report.
    let latest: Entries = desk.client.get(visit, "/audit?per_page=8").await?;
    let is_new = it.licenses.total == 0 && product.is_empty();
    let range = Range { product: &product, days };
    let charts = if is_new { Vec::new() } else { charts(desk, visit, &range).await? };
    Ok(Page {
        frame: Frame::of(visit, "/", "", "Overview"),
        items: attention::items(&it, &seen, &products, &product),
        it,
        charts,
        latest: latest.entries,
        products,
        product,
        days,
        dead: seen.dead.deliveries.len(),
        late: seen.late,
        has_key_pair: seen.has_key_pair,
    })
}

async fn charts(desk: &Desk, visit: &Visit, range: &Range<'_>) -> Result<Vec<Chart>, Refusal> {
    let chart = |title, bars, metrics| range.chart(desk, visit, title, bars, metrics);
    let seats = [("seats_peak", "In use at most"), ("seats_granted", "Granted")];
    let (active, ending, syncs, seats, activations, created) = tokio::join!(
        chart("Active licenses", false, &[("licenses_active", "Active")]),
        range.ending(desk, visit),
        chart("Syncs", true, &[("syncs", "Syncs")]),
        chart("Seats", false, &seats),
        chart("Live activations", false, &[("activations", "Activations")]),
        chart("New licenses", true, &[("licenses_created", "New")]),
    );
    Ok(vec![active?, ending?, activations?, seats?, syncs?, created?])
}
