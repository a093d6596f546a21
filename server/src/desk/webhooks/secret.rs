//! The secret of a webhook: shown once, and rotated.

use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html, when};
use super::{SECTION, Webhook};
use askama::Template;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method};
use axum::response::Response;
use serde_json::json;

/// How long the old secret may go on, in seconds and in words.
const OVERLAPS: [(i64, &str); 5] = [
    (0, "not at all: it is known to somebody else"),
    (3_600, "for an hour"),
    (86_400, "for a day"),
    (259_200, "for three days"),
    (604_800, "for a week"),
];

/// What is taken where nobody says.
const USUAL: i64 = 86_400;

#[derive(Template)]
#[template(path = "webhooks/secret.html", config = "src/desk/askama.toml")]
struct Shown<'a> {
    frame: Frame,
    it: &'a Webhook,
    secret: &'a str,
    is_new: bool,
}

/// The page that shows the secret, in answer to the form that made it: there is no other way to
/// see it.
pub fn shown(visit: &Visit, path: &str, it: &Webhook, is_new: bool) -> Response {
    let title = if is_new { "The webhook is made" } else { "The webhook has a new secret" };
    let secret = it.secret.as_deref().unwrap_or_default();
    let frame = Frame::of(visit, path, SECTION, title);
    let mut response = html::page(&Shown { frame, it, secret, is_new });
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[derive(Template)]
#[template(path = "webhooks/rotate.html", config = "src/desk/askama.toml")]
struct Ask {
    frame: Frame,
    it: Webhook,
    wrong: Option<String>,
}

impl Ask {
    fn overlaps(&self) -> [(i64, &'static str, bool); 5] {
        OVERLAPS.map(|(seconds, words)| (seconds, words, seconds == USUAL))
    }
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    page(&desk, &visit, &id, None).await
}

async fn page(desk: &State, visit: &Visit, id: &str, wrong: Option<String>) -> Response {
    let path = format!("/webhooks/{id}/rotate");
    match desk.client.get::<Webhook>(visit, &format!("/webhooks/{id}")).await {
        Ok(it) => {
            let frame = Frame::of(visit, &path, SECTION, "Rotate the secret");
            html::page(&Ask { frame, it, wrong })
        }
        Err(why) => refused(visit, &path, SECTION, &why),
    }
}

pub async fn rotate(desk: State, Id(id): Id, posted: Posted) -> Response {
    let visit = &posted.visit;
    let overlap = match posted.fields.number("overlap_seconds", "How long") {
        Ok(overlap) => overlap.unwrap_or(USUAL),
        Err(error) => return page(&desk, visit, &id, Some(error.detail().to_string())).await,
    };
    let (to, body) =
        (format!("/webhooks/{id}/rotate-secret"), json!({ "overlap_seconds": overlap }));
    let sent = desk.client.send(visit, Method::POST, &to, &body, posted.once()).await;
    let here = format!("/webhooks/{id}/rotate");
    match sent {
        Ok(webhook) => shown(visit, &here, &webhook, false),
        Err(why) if why.is_typed() => page(&desk, visit, &id, Some(why.detail)).await,
        Err(why) => refused(visit, &here, SECTION, &why),
    }
}
