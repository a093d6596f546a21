//! The list of licenses, found as one types.

use super::shapes::{Licenses, Named};
use super::words::{self, STATUSES};
use super::{SECTION, known, no};
use crate::desk::client::query;
use crate::desk::form::{Fields, Query};
use crate::desk::frame::Frame;
use crate::desk::pager::Pager;
use crate::desk::session::Visit;
use crate::desk::{State, html, numbers, when};
use askama::Template;
use axum::response::Response;

/// What the list may be asked for.
const FILTERS: [&str; 4] = ["search", "product_id", "status", "ending_within_days"];

/// Days within which an end is offered to be asked for.
const ENDING: [&str; 4] = ["7", "30", "90", "365"];

#[derive(Template)]
#[template(path = "licenses/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Licenses,
    products: Vec<Named>,
    asked: Fields,
    wrong: Option<String>,
    pager: Pager,
    /// The query of a file with the same licenses.
    csv: String,
}

impl Page {
    fn total(&self) -> String {
        let total = i64::try_from(self.it.total).unwrap_or(i64::MAX);
        match self.it.total_is_at_least {
            true => format!("{} licenses or more", numbers::grouped(total)),
            false => numbers::counted(total, "license", "licenses"),
        }
    }

    fn is_filtered(&self) -> bool {
        FILTERS.iter().any(|name| self.asked.is_on(name))
    }

    /// Days within which an end can be asked for: what was asked for is among them.
    fn ending(&self) -> Vec<(&str, bool)> {
        let asked = self.asked.maybe("ending_within_days");
        let other = asked.filter(|days| !ENDING.contains(days));
        let all = ENDING.into_iter().chain(other);
        all.map(|days| (days, asked == Some(days))).collect()
    }
}

/// The list.
pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let filters = FILTERS.map(|name| (name, asked.text(name)));
    let csv = query(filters);
    let paged = [("cursor", asked.text("cursor")), ("per_page", "25")];
    let paged = filters.into_iter().chain(paged);
    let path = format!("/licenses{}", query(paged));
    let none =
        || Licenses { licenses: Vec::new(), total: 0, total_is_at_least: false, next_cursor: None };
    let (it, wrong) = match desk.client.get(&visit, &path).await {
        Ok(it) => (it, None),
        Err(why) if why.is_typed() => (none(), Some(why.detail)),
        Err(why) => return no(&visit, "/licenses", &why),
    };
    let products = match known::products(&desk.client, &visit).await {
        Ok(products) => products,
        Err(why) => return no(&visit, "/licenses", &why),
    };
    let frame = Frame::of(&visit, "/licenses", SECTION, "Licenses");
    let pager = Pager::of("./licenses", &asked, it.next_cursor.as_deref());
    html::page(&Page { frame, it, products, asked, wrong, pager, csv })
}
