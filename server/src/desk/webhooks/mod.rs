//! Webhooks: where events are sent, and what became of each.

mod delivery;
mod edit;
pub mod kinds;
mod list;
mod one;
mod remove;
mod secret;

use super::Desk;
use axum::Router;
use axum::routing::{get, post};
use serde::Deserialize;
use std::sync::Arc;

/// Its entry of the menu.
const SECTION: &str = "webhooks";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/webhooks", get(list::list))
        .route("/webhooks/new", get(edit::blank).post(edit::create))
        .route("/webhooks/{id}", get(one::show))
        .route("/webhooks/{id}/edit", get(edit::filled).post(edit::change))
        .route("/webhooks/{id}/enabled", post(one::enable))
        .route("/webhooks/{id}/test", post(one::test))
        .route("/webhooks/{id}/resend-dead", post(one::resend_dead))
        .route("/webhooks/{id}/rotate", get(secret::ask).post(secret::rotate))
        .route("/webhooks/{id}/delete", get(remove::ask).post(remove::remove))
        .route("/deliveries/{id}", get(delivery::show))
        .route("/deliveries/{id}/resend", post(delivery::resend))
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Webhook {
    pub id: String,
    pub url: String,
    pub description: Option<String>,
    pub events: Vec<String>,
    pub product_id: Option<String>,
    pub enabled: bool,
    pub disabled_reason: Option<String>,
    pub failing_since: Option<String>,
    pub public_key: String,
    pub previous_until: Option<String>,
    pub created_at: String,
    /// Shown once.
    pub secret: Option<String>,
}

impl Webhook {
    /// How it stands: the look and the words of it.
    pub fn state(&self) -> (&'static str, &'static str) {
        match (self.enabled, &self.failing_since) {
            (false, _) if self.disabled_reason.is_some() => ("bad", "disabled by its answer"),
            (false, _) => ("quiet", "disabled"),
            (true, Some(_)) => ("bad", "failing"),
            (true, None) => ("good", "enabled"),
        }
    }

    /// What it takes, in words.
    pub fn takes(&self) -> String {
        match self.events.as_slice() {
            [] => "every kind".to_string(),
            [one] => one.clone(),
            [one, ..] => format!("{one} and {} more", self.events.len().saturating_sub(1)),
        }
    }
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Delivery {
    pub id: String,
    pub webhook_id: String,
    pub event_id: String,
    pub kind: String,
    pub subject: String,
    pub state: String,
    pub tries: i64,
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
    pub created_at: String,
    pub next_at: Option<String>,
    pub finished_at: Option<String>,
}

impl Delivery {
    /// How it stands: the look and the words of it.
    pub fn look(&self) -> (&'static str, &str) {
        match self.state.as_str() {
            "delivered" => ("good", "delivered"),
            "dead" => ("bad", "dead"),
            "waiting" if self.tries > 0 => ("look", "tried again"),
            other => ("quiet", other),
        }
    }

    /// What the last try was answered.
    pub fn answer(&self) -> String {
        match (self.last_status, &self.last_error) {
            (Some(status), _) => status.to_string(),
            (None, Some(error)) => error.clone(),
            (None, None) => "–".to_string(),
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Default, Deserialize)]
pub struct Deliveries {
    pub deliveries: Vec<Delivery>,
    pub next_cursor: Option<String>,
}
