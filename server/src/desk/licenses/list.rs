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
        ["search", "product_id", "status"].iter().any(|name| self.asked.is_on(name))
    }
}

/// The list.
pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let of = |name: &'static str| (name, asked.text(name));
    let filters = [of("search"), of("product_id"), of("status")];
    let csv = query(filters);
    let paged = filters.into_iter().chain([of("cursor"), ("per_page", "25")]);
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
