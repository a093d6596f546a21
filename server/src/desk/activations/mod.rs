//! Activations: the installations that licenses are used on.

mod free;
mod list;
mod one;

use super::Desk;
use super::client::{Client, Refusal, query};
use super::session::Visit;
use axum::Router;
use axum::routing::get;
use serde::Deserialize;
use std::sync::Arc;

const SECTION: &str = "activations";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/activations", get(list::list))
        .route("/activations/{id}", get(one::show))
        .route("/activations/{id}/deactivate", get(free::ask).post(free::free))
}

/// As the API tells of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Activation {
    pub id: String,
    pub license_id: String,
    pub serial: String,
    pub customer: Option<String>,
    pub installation: String,
    pub machine: Option<String>,
    pub public_key: String,
    pub sdk: Option<String>,
    pub remote: Option<String>,
    pub active: bool,
    pub created_at: String,
    pub last_seen_at: String,
    pub deactivated_at: Option<String>,
    pub deactivated_by: Option<String>,
}

impl Activation {
    /// What it is called in a list: the short id of its machine, or the beginning of its own.
    pub fn short(&self) -> String {
        let own = || self.installation.chars().take(8).chain(['…']).collect();
        self.machine.clone().unwrap_or_else(own)
    }

    /// How it stands: look and words.
    pub fn state(&self) -> (&'static str, &'static str) {
        match (self.active, self.deactivated_by.as_deref()) {
            (true, _) => ("good", "live"),
            (_, Some("client")) => ("quiet", "given back"),
            (_, Some("vendor")) => ("quiet", "freed by you"),
            (_, Some("replaced")) => ("quiet", "replaced"),
            _ => ("quiet", "freed"),
        }
    }
}

/// What is known of one.
#[derive(Clone, Debug, Deserialize)]
pub struct Detail {
    #[serde(flatten)]
    pub activation: Activation,
    pub report: Option<Report>,
    pub token: Token,
}

/// What it told of its machine.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    pub container: Option<String>,
    pub vm: Option<String>,
    pub cloud: Option<String>,
    pub wsl: bool,
    pub parts: Vec<Part>,
}

/// A part of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Part {
    pub kind: String,
    pub state: String,
    pub binds: bool,
    pub note: String,
}

/// The license that it was given last.
#[derive(Clone, Debug, Deserialize)]
pub struct Token {
    pub signed_at: String,
    pub renew_by: Option<String>,
    pub good_until: Option<String>,
    pub installation: bool,
    pub machine_needs: Option<i64>,
    pub machine_parts: Option<i64>,
}

/// One of them.
pub async fn get_one(desk: &Desk, visit: &Visit, id: &str) -> Result<Detail, Refusal> {
    desk.client.get(visit, &format!("/activations/{id}")).await
}

#[derive(Deserialize)]
struct Licenses {
    licenses: Vec<License>,
}

/// A license that is looked for.
#[derive(Clone, Debug, Deserialize)]
pub struct License {
    pub id: String,
    pub serial: String,
}

/// The license that somebody means who has typed an id or a serial number; `None` = there is none.
pub async fn meant(
    client: &Client,
    visit: &Visit,
    typed: &str,
) -> Result<Option<License>, Refusal> {
    if let Ok(id) = sea_orm::prelude::Uuid::try_parse(typed) {
        let found = client.get(visit, &format!("/licenses/{}", id.hyphenated())).await;
        return match found {
            Err(why) if why.is_not_found() => Ok(None),
            other => other.map(Some),
        };
    }
    let serial = typed.to_ascii_uppercase();
    let asked = query([("serial", serial.as_str()), ("per_page", "1")]);
    let found: Licenses = client.get(visit, &format!("/licenses{asked}")).await?;
    Ok(found.licenses.into_iter().next())
}
