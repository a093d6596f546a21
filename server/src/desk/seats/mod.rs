//! Seats: who has which now, and until when.

mod free;
mod list;

use super::Desk;
use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

const SECTION: &str = "seats";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/seats", get(list::list))
        .route("/seats/{id}/free", get(free::ask).post(free::free))
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Seat {
    pub id: String,
    pub license_id: String,
    pub serial: String,
    pub customer: Option<String>,
    pub seat: i64,
    pub holder: String,
    pub borrowed: bool,
    pub acquired_at: String,
    pub expires_at: String,
}
