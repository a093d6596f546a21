//! A page that says why there is none.

use super::client::Refusal;
use super::frame::Frame;
use super::html;
use super::session::Visit;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "refused.html", config = "src/desk/askama.toml")]
struct Refused<'a> {
    frame: Frame,
    it: &'a Refusal,
}

/// The page in place of one at a path.
pub fn refused(visit: &Visit, path: &str, section: &'static str, it: &Refusal) -> Response {
    let title = if it.is_not_found() { "Not found" } else { "That did not work" };
    let status = StatusCode::from_u16(it.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    html::shown(status, &Refused { frame: Frame::of(visit, path, section, title), it })
}
