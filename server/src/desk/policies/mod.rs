//! Policies: templates that licenses are made from.

mod edit;
mod list;
mod remove;

use super::Desk;
use super::licenses::shapes::{Entitlement, Terms};
use super::licenses::words;
use super::numbers;
use super::products::SECTION;
use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/policies", get(list::list))
        .route("/policies/new", get(edit::blank).post(edit::create))
        .route("/policies/{id}", get(edit::filled).post(edit::change))
        .route("/policies/{id}/delete", get(remove::ask).post(remove::remove))
}

/// As the API tells of them.
#[derive(Debug, Deserialize)]
pub struct Policies {
    pub policies: Vec<Policy>,
    pub total: u64,
    pub next_cursor: Option<String>,
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    pub id: String,
    pub name: String,
    pub product_id: Option<String>,
    pub license_type: Option<String>,
    pub valid_days: Option<i64>,
    #[serde(default)]
    pub features: Vec<String>,
    #[serde(default)]
    pub entitlements: Vec<Entitlement>,
    pub max_seats: Option<i64>,
    pub max_machines: Option<i64>,
    #[serde(default)]
    pub terms: Terms,
    pub updated_at: String,
}

impl Policy {
    /// Its type, in words.
    pub fn kind(&self) -> String {
        words::kind(self.license_type.as_deref().unwrap_or("subscription"))
    }

    /// How long, in words.
    pub fn days(&self) -> String {
        match self.valid_days {
            None => "as the product".to_string(),
            Some(0) => "without end".to_string(),
            Some(days) => numbers::counted(days, "day", "days"),
        }
    }

    /// How many seats.
    pub fn seats(&self) -> String {
        numbers::grouped(self.max_seats.unwrap_or(1))
    }

    /// How many machines: as many as seats, where nobody says.
    pub fn machines(&self) -> String {
        numbers::grouped(self.max_machines.or(self.max_seats).unwrap_or(1))
    }
}
