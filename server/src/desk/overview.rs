//! The first page.

use super::frame::Frame;
use super::session::Visit;
use super::{Desk, html};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use std::sync::Arc;

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/", get(overview))
}

#[derive(Template)]
#[template(path = "overview.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
}

async fn overview(visit: Visit) -> Response {
    html::page(&Page { frame: Frame::of(&visit, "/", "", "Overview") })
}
