//! One delivery: what is sent, and what became of each try.

use super::super::client::Refusal;
use super::super::form::{Posted, Query};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, events, html, when};
use super::{Delivery, SECTION, Webhook};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a page says after something was done.
const DONE: [(&str, &str); 2] = [
    ("test", "A test is on its way: open this page again to see whether it arrived."),
    ("resent", "It is sent again: open this page again to see whether it arrived."),
];

#[derive(Deserialize)]
struct Whole {
    #[serde(flatten)]
    delivery: Delivery,
    body: String,
    attempts: Vec<Attempt>,
}

/// A try.
#[derive(Deserialize)]
struct Attempt {
    at: String,
    status: Option<u16>,
    error: Option<String>,
    milliseconds: u64,
    excerpt: String,
}

#[derive(Template)]
#[template(path = "webhooks/delivery.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Whole,
    webhook: Webhook,
    wrong: Option<String>,
}

impl Page {
    /// What is sent, to be read: with line breaks, which it has not.
    fn readable(&self) -> String {
        let value: Result<Value, _> = serde_json::from_str(&self.it.body);
        let text = value.and_then(|value| serde_json::to_string_pretty(&value));
        text.unwrap_or_else(|_| self.it.body.clone())
    }
}

pub async fn show(
    desk: State,
    visit: Visit,
    Id(id): Id,
    Query(asked): Query,
) -> Response {
    let path = format!("/deliveries/{id}");
    match page(&desk, &visit, &id, &path, None).await {
        Ok(mut page) => {
            page.frame = page.frame.with_notice(asked.text("done"), &DONE);
            html::page(&page)
        }
        Err(why) => refused(&visit, &path, SECTION, &why),
    }
}

async fn page(
    desk: &Desk,
    visit: &Visit,
    id: &str,
    here: &str,
    wrong: Option<String>,
) -> Result<Page, Refusal> {
    let it: Whole = desk.client.get(visit, &format!("/deliveries/{id}")).await?;
    let webhook = desk.client.get(visit, &format!("/webhooks/{}", it.delivery.webhook_id)).await?;
    Ok(Page { frame: Frame::of(visit, here, SECTION, "Delivery"), it, webhook, wrong })
}

pub async fn resend(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to) = (&posted.visit, format!("/deliveries/{id}/resend"));
    let body = json!({});
    let sent = desk.client.send::<Value>(visit, Method::POST, &to, &body, posted.once()).await;
    match sent {
        Ok(_) => html::on_to(&format!("../{id}?done=resent")),
        Err(why) if why.is_typed() => match page(&desk, visit, &id, &to, Some(why.detail)).await {
            Ok(page) => html::shown(StatusCode::UNPROCESSABLE_ENTITY, &page),
            Err(why) => refused(visit, &to, SECTION, &why),
        },
        Err(why) => refused(visit, &to, SECTION, &why),
    }
}
