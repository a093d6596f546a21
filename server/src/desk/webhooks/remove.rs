//! Deleting a webhook: first what that will do, then the deed.

use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html};
use super::one::Some100;
use super::{SECTION, Webhook};
use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "webhooks/remove.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Webhook,
    waiting: Some100,
    dead: Some100,
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    let path = format!("/webhooks/{id}/delete");
    let it: Webhook = match desk.client.get(&visit, &format!("/webhooks/{id}")).await {
        Ok(it) => it,
        Err(why) => return refused(&visit, &path, SECTION, &why),
    };
    let waiting = Some100::of(&desk, &visit, &id, "waiting").await;
    let dead = Some100::of(&desk, &visit, &id, "dead").await;
    let frame = Frame::of(&visit, &path, SECTION, "Delete webhook");
    html::page(&Page { frame, it, waiting, dead })
}

pub async fn remove(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to) = (&posted.visit, format!("/webhooks/{id}"));
    let body = json!({});
    let sent = desk.client.send::<Value>(visit, Method::DELETE, &to, &body, posted.once()).await;
    match sent {
        Ok(_) => html::on_to("../../webhooks?done=deleted"),
        Err(why) => refused(visit, &format!("{to}/delete"), SECTION, &why),
    }
}
