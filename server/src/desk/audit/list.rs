//! The entries, the newest first.

use super::super::client::query;
use super::super::form::{Fields, Query};
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html, numbers, when};
use super::{Entries, SECTION};
use askama::Template;
use axum::response::Response;
use licentia::parse_time;

const PATH: &str = "/audit";

/// Seconds of a day.
const DAY: i64 = 86_400;

/// What a list is asked with.
const FILTERS: [&str; 6] = ["search", "action", "actor", "subject", "from", "to"];

#[derive(Template)]
#[template(path = "audit/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Entries,
    /// The number and the hash of the newest.
    head: Option<(i64, String)>,
    asked: Fields,
    wrong: Option<String>,
    pager: Pager,
}

impl Page {
    fn typed(&self, name: &str) -> &str {
        self.asked.text(name)
    }

    fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| self.asked.is_on(name))
    }

    /// The same filters, for the file.
    fn exported(&self) -> String {
        let filters = filters(&self.asked);
        query(filters.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// The filters as the API takes them: what is typed as the last day is on the list, too.
fn filters(asked: &Fields) -> Vec<(&'static str, String)> {
    let filter = |name: &&'static str| {
        let text = asked.text(name);
        let day = parse_time(text).filter(|_| *name == "to" && text.len() == "2025-01-15".len());
        let text = day.map_or_else(|| text.to_string(), |day| when::exact(day.saturating_add(DAY)));
        (*name, text)
    };
    FILTERS.iter().map(filter).collect()
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let filters = filters(&asked);
    let filters = filters.iter().map(|(name, value)| (*name, value.as_str()));
    let path = format!("{PATH}{}", query(filters.chain([("cursor", asked.text("cursor"))])));
    let (it, wrong) = match desk.client.get::<Entries>(&visit, &path).await {
        Ok(it) => (it, None),
        Err(why) if why.is_typed() => (Entries::default(), Some(why.detail)),
        Err(why) => return refused(&visit, PATH, SECTION, &why),
    };
    let newest: Result<Entries, _> = desk.client.get(&visit, "/audit?per_page=1").await;
    let newest = newest.unwrap_or_default().entries.into_iter().next();
    let frame = Frame::of(&visit, PATH, SECTION, "Audit log");
    let pager = Pager::of("./audit", &asked, it.next_cursor.as_deref());
    let head = newest.map(|entry| (entry.seq, entry.hash));
    html::page(&Page { frame, it, head, asked, wrong, pager })
}
