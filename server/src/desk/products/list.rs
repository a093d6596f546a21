//! All products.

use super::super::client::query;
use super::super::form::Query;
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html, numbers, when};
use super::{Products, SECTION};
use askama::Template;
use axum::response::Response;

#[derive(Template)]
#[template(path = "products/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Products,
    pager: Pager,
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let path = format!("/products{}", query([("cursor", asked.text("cursor"))]));
    let it: Products = match desk.client.get(&visit, &path).await {
        Ok(it) => it,
        Err(why) => return refused(&visit, "/products", SECTION, &why),
    };
    let frame = Frame::of(&visit, "/products", SECTION, "Products")
        .with_notice(asked.text("done"), &[("deleted", "The product was deleted.")]);
    let pager = Pager::of("./products", &asked, it.next_cursor.as_deref());
    html::page(&Page { frame, it, pager })
}
