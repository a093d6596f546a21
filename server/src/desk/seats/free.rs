//! Taking a seat away: first what its holder notices, then the deed.

use super::super::client::Refusal;
use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, when};
use super::{SECTION, Seat};
use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "seats/free.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Seat,
    /// Whether nobody has it any more.
    is_over: bool,
}

async fn one(desk: &Desk, visit: &Visit, id: &str) -> Result<Seat, Refusal> {
    desk.client.get(visit, &format!("/seats/{id}")).await
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    let path = format!("/seats/{id}/free");
    match one(&desk, &visit, &id).await {
        Ok(it) => {
            let frame = Frame::of(&visit, &path, SECTION, "Free a seat");
            let is_over = it.expires_at <= when::exact(desk.server.clock.now());
            html::page(&Page { frame, it, is_over })
        }
        Err(why) => refused(&visit, &path, SECTION, &why),
    }
}

pub async fn free(desk: State, Id(id): Id, posted: Posted) -> Response {
    let visit = &posted.visit;
    match take(&desk, &posted, &id).await {
        Ok(_) => html::on_to("../../seats?done=freed"),
        Err(why) => refused(visit, &format!("/seats/{id}/free"), SECTION, &why),
    }
}

async fn take(desk: &Desk, posted: &Posted, id: &str) -> Result<Value, Refusal> {
    let visit = &posted.visit;
    let it = one(desk, visit, id).await?;
    let to = format!("/licenses/{}/seats/{id}", it.license_id);
    desk.client.send(visit, Method::DELETE, &to, &json!({}), posted.once()).await
}
