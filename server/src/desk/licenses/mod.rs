//! Licenses: found, made, looked at, changed, withdrawn.

mod change;
mod create;
pub(super) mod fields;
mod history;
mod known;
mod list;
mod one;
mod renew;
pub(super) mod shapes;
mod stop;
mod usage;
pub(super) mod words;

use super::Desk;
use super::client::Refusal;
use super::refused::refused;
use super::session::Visit;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

const SECTION: &str = "licenses";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/licenses", get(list::list))
        .route("/licenses/new", get(create::form).post(create::create))
        .route("/licenses/preview", post(create::preview))
        .route("/licenses/{id}", get(one::one))
        .route("/licenses/{id}/download", get(one::download))
        .route("/licenses/{id}/change", get(change::form).post(change::change))
        .route("/licenses/{id}/renew", get(renew::form).post(renew::renew))
        .route("/licenses/{id}/suspend", get(stop::suspending).post(stop::suspend))
        .route("/licenses/{id}/reinstate", get(stop::reinstating).post(stop::reinstate))
        .route("/licenses/{id}/revoke", get(stop::revoking).post(stop::revoke))
        .route("/licenses/{id}/reissue", get(stop::reissuing).post(stop::reissue))
        .route("/licenses/{id}/key", get(stop::replacing).post(stop::replace))
}

/// Where a license is in the API: whatever a path has in it is one id, or nothing.
fn path(id: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/licenses/{}", id.replace('+', "%20"))
}

/// The page in place of one that the API refuses.
fn no(visit: &Visit, at: &str, why: &Refusal) -> Response {
    refused(visit, at, SECTION, why)
}
