//! Making a key pair.

use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html};
use super::{Pair, SECTION};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;

const PATH: &str = "/keys/pairs/new";

#[derive(Template)]
#[template(path = "keys/new.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    name: String,
    /// Whether a private key was typed: it is not sent back.
    had_key: bool,
    wrong: Option<String>,
}

impl Page {
    fn is_about(&self, word: &str) -> bool {
        self.wrong.as_deref().is_some_and(|wrong| wrong.contains(word))
    }
}

pub async fn blank(visit: Visit) -> Response {
    form(&visit, "", false, None)
}

fn form(visit: &Visit, name: &str, had_key: bool, wrong: Option<String>) -> Response {
    let frame = Frame::of(visit, PATH, SECTION, "New key pair");
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html::shown(status, &Page { frame, name: name.to_string(), had_key, wrong })
}

pub async fn create(desk: State, posted: Posted) -> Response {
    let (visit, fields) = (&posted.visit, &posted.fields);
    let brought = fields.maybe("private_key");
    let mut body = json!({ "name": fields.text("name") });
    if let (Some(key), Some(all)) = (brought, body.as_object_mut()) {
        all.insert("private_key".to_string(), json!(key));
    }
    let sent = desk.client.send::<Pair>(visit, Method::POST, "/key-pairs", &body, posted.once());
    match sent.await {
        Ok(made) => html::on_to(&format!("./{}?done=made", made.id)),
        Err(why) if why.is_typed() => {
            form(visit, fields.text("name"), brought.is_some(), Some(why.detail))
        }
        Err(why) => refused(visit, PATH, SECTION, &why),
    }
}
