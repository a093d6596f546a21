//! What changed, and what was sent of it.

use super::client::query;
use super::form::Query;
use super::frame::Frame;
use super::pager::Pager;
use super::refused::refused;
use super::session::Visit;
use super::webhooks::kinds::{self, Group};
use super::{Desk, State, html, when};
use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

const SECTION: &str = "audit";
const PATH: &str = "/events";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route(PATH, get(list))
}

/// As the API tells of them.
#[derive(Debug, Default, Deserialize)]
pub struct Events {
    pub events: Vec<Event>,
    pub next_cursor: Option<String>,
}

/// As the API tells of it.
#[derive(Debug, Deserialize)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub created_at: String,
    pub actor: String,
    pub request_id: Option<String>,
    pub data: Value,
}

impl Event {
    /// Where what it is about is shown, below the first page; empty where there is no such page.
    pub fn place(&self) -> String {
        place(&self.kind, &self.subject)
    }

    /// What it is about, by the name it had: that of the data, or its id.
    pub fn about(&self) -> String {
        let word = |name: &str| self.data.get(name).and_then(Value::as_str);
        let known = word("serial").or_else(|| word("name")).or_else(|| word("url"));
        known.unwrap_or(&self.subject).to_string()
    }

    /// Who did it, in words.
    pub fn who(&self) -> String {
        who(&self.actor)
    }

    /// All that it says, to be read.
    pub fn payload(&self) -> String {
        serde_json::to_string_pretty(&self.data).unwrap_or_default()
    }
}

/// Where the thing with an id that events of a kind are about is shown, below the first page.
pub fn place(kind: &str, subject: &str) -> String {
    match kind.split('.').next() {
        Some(_) if kind.ends_with(".deleted") => String::new(),
        Some("license") => format!("licenses/{subject}"),
        Some("product") => format!("products/{subject}"),
        Some("webhook") => format!("webhooks/{subject}"),
        Some("activation") => format!("activations/{subject}"),
        Some("policy") => format!("policies/{subject}"),
        Some("api_key" | "desk") => "keys".to_string(),
        Some("key_pair") => format!("keys/pairs/{subject}"),
        _ => String::new(),
    }
}

/// Who an actor is: the end of a key's id, for there are names in the audit log.
pub fn who(actor: &str) -> String {
    match actor.split_once(':') {
        Some((kind, id)) => format!("{kind} {}", end(id)),
        None if actor.len() == 36 => format!("API key {}", end(actor)),
        None => actor.to_string(),
    }
}

/// The last letters of an id: the first are the time.
fn end(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(8);
    format!("…{}", id.chars().skip(skip).collect::<String>())
}

#[derive(Template)]
#[template(path = "events.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Events,
    wrong: Option<String>,
    pager: Pager,
    kind: String,
    subject: String,
    groups: Vec<Group>,
}

impl Page {
    /// Whether what was asked for is none of the kinds to choose from.
    fn is_other(&self) -> bool {
        let mut kinds = self.groups.iter().flat_map(|group| &group.kinds);
        !self.kind.is_empty() && kinds.all(|it| it.kind != self.kind)
    }

    /// The same filters, for the file.
    fn exported(&self) -> String {
        query([("kind", self.kind.as_str()), ("subject", self.subject.as_str())])
    }
}

async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let of = |name: &'static str| (name, asked.text(name));
    let path = format!("{PATH}{}", query([of("kind"), of("subject"), of("cursor")]));
    let (it, wrong) = match desk.client.get::<Events>(&visit, &path).await {
        Ok(it) => (it, None),
        Err(why) if why.is_typed() => (Events::default(), Some(why.detail)),
        Err(why) => return refused(&visit, PATH, SECTION, &why),
    };
    let frame = Frame::of(&visit, PATH, SECTION, "Events");
    let pager = Pager::of("./events", &asked, it.next_cursor.as_deref());
    let (kind, subject) = (asked.text("kind").to_string(), asked.text("subject").to_string());
    let groups = match kinds::groups(&desk, &visit).await {
        Ok(groups) => groups,
        Err(why) => return refused(&visit, PATH, SECTION, &why),
    };
    html::page(&Page { frame, it, wrong, pager, kind, subject, groups })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_told_in_words() {
        let key = "019a1b2c-0000-7000-8000-0123456789ab";
        assert_eq!(who(key), "API key …456789ab");
        assert_eq!(who(&format!("installation:{key}")), "installation …456789ab");
        assert_eq!(who("server"), "server");
        assert_eq!(place("license.revoked", "x"), "licenses/x");
        assert_eq!(place("product.deleted", "x"), "");
        assert_eq!(place("api_key.revoked", "x"), "keys");
        assert_eq!(place("server.older_than_clients", "x"), "");
    }
}
