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

const PATH: &str = "/audit";

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
        query(FILTERS.iter().map(|name| (*name, self.asked.text(name))))
    }
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let filters = FILTERS.iter().map(|name| (*name, asked.text(name)));
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
