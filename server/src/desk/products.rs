//! Products.

use super::client::query;
use super::form::Query;
use super::frame::Frame;
use super::pager::Pager;
use super::refused::refused;
use super::session::Visit;
use super::{Desk, State, html, when};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

const SECTION: &str = "products";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/products", get(list))
}

/// As the API tells of them.
#[derive(Debug, Deserialize)]
pub struct Products {
    pub products: Vec<Product>,
    pub total: u64,
    pub next_cursor: Option<String>,
}

/// As the API tells of it.
#[derive(Debug, Deserialize)]
pub struct Product {
    pub id: String,
    pub name: String,
    pub code: String,
    pub default_features: Vec<String>,
    pub default_valid_days: i64,
    pub key_pair_id: Option<String>,
    pub created_at: String,
}

#[derive(Template)]
#[template(path = "products.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Products,
    pager: Pager,
}

async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
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
