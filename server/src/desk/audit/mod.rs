//! The audit log: who did what, when and from where.

mod chain;
mod entry;
mod list;

use super::Desk;
use super::events::{place, who};
use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Its entry of the menu.
const SECTION: &str = "audit";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/audit", get(list::list))
        .route("/audit/verification", get(chain::verify))
        .route("/audit/{seq}", get(entry::show))
}

/// As the API tells of it.
#[derive(Debug, Deserialize)]
pub struct Entry {
    pub seq: i64,
    pub created_at: String,
    pub actor: String,
    pub actor_name: Option<String>,
    pub action: String,
    pub subject: String,
    pub subject_name: Option<String>,
    pub remote: Option<String>,
    pub request_id: Option<String>,
    pub detail: Value,
    pub previous: String,
    pub hash: String,
}

impl Entry {
    /// Who did it, in words.
    pub fn who(&self) -> String {
        self.actor_name.clone().unwrap_or_else(|| who(&self.actor))
    }

    /// What it was done to, in words.
    pub fn about(&self) -> &str {
        self.subject_name.as_deref().unwrap_or(&self.subject)
    }

    /// Where that is shown, below the first page; empty where there is no such page.
    pub fn place(&self) -> String {
        place(&self.action, &self.subject)
    }

    /// How it looks: what cannot be undone stands out.
    pub fn look(&self) -> &'static str {
        let ends = |words: &[&str]| words.iter().any(|word| self.action.ends_with(word));
        match () {
            () if ends(&[".revoked", ".deleted", ".compromised"]) => "bad",
            () if ends(&[".suspended", ".deactivated", ".freed", ".rotated", ".retired"]) => "look",
            () => "quiet",
        }
    }
}

/// A page of entries.
#[derive(Debug, Default, Deserialize)]
pub struct Entries {
    pub entries: Vec<Entry>,
    pub next_cursor: Option<String>,
}
