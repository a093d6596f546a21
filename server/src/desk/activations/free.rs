//! Deactivating an installation: first what that does out of reach, then the deed.

use super::super::client::{Refusal, query};
use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{Detail, SECTION, get_one};
use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Seats {
    seats: Vec<Seat>,
}

#[derive(Deserialize)]
struct Seat {
    installation: Option<String>,
    borrowed: bool,
}

#[derive(Template)]
#[template(path = "activations/free.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Detail,
    /// Seats of its own that come free, and those that it has borrowed.
    floating: i64,
    borrowed: i64,
}

async fn page(desk: &Desk, visit: &Visit, id: &str) -> Result<Page, Refusal> {
    let it = get_one(desk, visit, id).await?;
    let asked = query([("per_page", "100")]);
    let path = format!("/licenses/{}/seats{asked}", it.activation.license_id);
    let seats: Seats = desk.client.get(visit, &path).await?;
    let own = |seat: &&Seat| seat.installation.as_ref() == Some(&it.activation.installation);
    let (borrowed, floating): (Vec<_>, Vec<_>) =
        seats.seats.iter().filter(own).partition(|seat| seat.borrowed);
    let count = |seats: Vec<&Seat>| i64::try_from(seats.len()).unwrap_or(i64::MAX);
    let (floating, borrowed) = (count(floating), count(borrowed));
    let frame = Frame::of(visit, &path_of(id), SECTION, "Deactivate");
    Ok(Page { frame, it, floating, borrowed })
}

fn path_of(id: &str) -> String {
    format!("/activations/{id}/deactivate")
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    match page(&desk, &visit, &id).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, &path_of(&id), SECTION, &why),
    }
}

pub async fn free(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to, body) = (&posted.visit, format!("/activations/{id}"), json!({}));
    let sent = desk.client.send::<Value>(visit, Method::DELETE, &to, &body, posted.once()).await;
    match sent {
        Ok(_) => html::on_to(&format!("../{id}?done=freed")),
        Err(why) => refused(visit, &path_of(&id), SECTION, &why),
    }
}
