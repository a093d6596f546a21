//! One key pair: its keys, and what depends on them.

use super::super::client::Refusal;
use super::super::form::{Posted, Query};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, when};
use super::{Dependents, Pair, SECTION, get_pair};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;

#[derive(Template)]
#[template(path = "keys/pair.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Pair,
    of: Dependents,
    /// What is in the field of its name.
    name: String,
    wrong: Option<String>,
}

async fn page(desk: &Desk, visit: &Visit, id: &str) -> Result<Page, Refusal> {
    let it = get_pair(desk, visit, id).await?;
    let of = Dependents::of(desk, visit, id).await?;
    let frame = Frame::of(visit, &format!("/keys/pairs/{id}"), SECTION, &it.name);
    let name = it.name.clone();
    Ok(Page { frame, it, of, name, wrong: None })
}

pub async fn show(desk: State, visit: Visit, Id(id): Id, Query(asked): Query) -> Response {
    let done = [
        ("made", "The key pair is made. Give it to a product, which then has licenses signed."),
        ("renamed", "The key pair has another name."),
        ("rotated", "New keys sign from now on."),
        ("retired", "The key signs nothing new any more."),
        ("compromised", "It is noted for ever that the key is in other hands."),
    ];
    match page(&desk, &visit, &id).await {
        Ok(mut page) => {
            page.frame = page.frame.with_notice(asked.text("done"), &done);
            html::page(&page)
        }
        Err(why) => refused(&visit, &format!("/keys/pairs/{id}"), SECTION, &why),
    }
}

pub async fn rename(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, name) = (&posted.visit, posted.fields.text("name"));
    let (to, body) = (format!("/key-pairs/{id}"), json!({ "name": name }));
    let sent = desk.client.send::<Pair>(visit, Method::PUT, &to, &body, posted.once()).await;
    let why = match sent {
        Ok(_) => return html::on_to(&format!("./{id}?done=renamed")),
        Err(why) => why,
    };
    match page(&desk, visit, &id).await {
        Ok(mut page) if why.is_typed() => {
            (page.name, page.wrong) = (name.to_string(), Some(why.detail));
            html::shown(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        _ => refused(visit, &format!("/keys/pairs/{id}"), SECTION, &why),
    }
}
