//! Making a webhook, and changing one.

use super::super::choices::{self, Product};
use super::super::client::Refusal;
use super::super::form::{Fields, Posted};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html};
use super::kinds::{self, Group};
use super::{SECTION, Webhook, secret};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// What is in the fields.
#[derive(Default)]
struct Typed {
    url: String,
    description: String,
    /// Whether it takes every kind.
    all: bool,
    events: Vec<String>,
    product: String,
}

impl Typed {
    fn of(fields: &Fields) -> Typed {
        Typed {
            url: fields.text("url").to_string(),
            description: fields.text("description").to_string(),
            all: fields.text("which") != "some",
            events: fields.all("events").map(str::to_string).collect(),
            product: fields.text("product_id").to_string(),
        }
    }

    /// As the API takes it; or the sentence that says why not.
    fn body(&self) -> Result<Value, String> {
        if !self.all && self.events.is_empty() {
            return Err("Choose at least one kind of event, or every kind".to_string());
        }
        let some = |text: &str| Some(text.to_string()).filter(|text| !text.is_empty());
        let events = if self.all { &[] } else { self.events.as_slice() };
        Ok(json!({
            "url": self.url,
            "description": some(&self.description),
            "events": events,
            "product_id": some(&self.product),
        }))
    }
}

#[derive(Template)]
#[template(path = "webhooks/edit.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    /// The one that is changed.
    id: Option<String>,
    typed: Typed,
    groups: Vec<Group>,
    products: Vec<Product>,
    wrong: Option<String>,
}

impl Page {
    /// Whether the sentence is about a field.
    fn is_about(&self, word: &str) -> bool {
        let wrong = self.wrong.as_deref().unwrap_or_default();
        wrong.to_lowercase().contains(word)
    }

    fn is_checked(&self, kind: &str) -> bool {
        self.typed.events.iter().any(|it| it == kind)
    }
}

pub async fn blank(desk: State, visit: Visit) -> Response {
    let typed = Typed { all: true, ..Typed::default() };
    form(&desk, &visit, None, typed, None).await
}

pub async fn create(desk: State, posted: Posted) -> Response {
    let typed = Typed::of(&posted.fields);
    let visit = &posted.visit;
    let body = match typed.body() {
        Ok(body) => body,
        Err(wrong) => return form(&desk, visit, None, typed, Some(wrong)).await,
    };
    let sent = desk.client.send(visit, Method::POST, "/webhooks", &body, posted.once()).await;
    match sent {
        Ok(webhook) => secret::shown(visit, "/webhooks/new", &webhook, true),
        Err(why) if why.is_typed() => form(&desk, visit, None, typed, Some(why.detail)).await,
        Err(why) => refused(visit, "/webhooks/new", SECTION, &why),
    }
}

pub async fn filled(desk: State, visit: Visit, Id(id): Id) -> Response {
    let found: Result<Webhook, Refusal> = desk.client.get(&visit, &format!("/webhooks/{id}")).await;
    match found {
        Ok(it) => {
            let typed = Typed {
                url: it.url,
                description: it.description.unwrap_or_default(),
                all: it.events.is_empty(),
                events: it.events,
                product: it.product_id.unwrap_or_default(),
            };
            form(&desk, &visit, Some(id), typed, None).await
        }
        Err(why) => refused(&visit, &path(Some(&id)), SECTION, &why),
    }
}

pub async fn change(desk: State, Id(id): Id, posted: Posted) -> Response {
    let typed = Typed::of(&posted.fields);
    let visit = &posted.visit;
    let body = match typed.body() {
        Ok(body) => body,
        Err(wrong) => return form(&desk, visit, Some(id), typed, Some(wrong)).await,
    };
    let to = format!("/webhooks/{id}");
    let sent = desk.client.send::<Value>(visit, Method::PUT, &to, &body, posted.once()).await;
    match sent {
        Ok(_) => html::on_to(&format!("../{id}?done=changed")),
        Err(why) if why.is_typed() => form(&desk, visit, Some(id), typed, Some(why.detail)).await,
        Err(why) => refused(visit, &path(Some(&id)), SECTION, &why),
    }
}

fn path(id: Option<&str>) -> String {
    match id {
        Some(id) => format!("/webhooks/{id}/edit"),
        None => "/webhooks/new".to_string(),
    }
}

async fn form(
    desk: &Desk,
    visit: &Visit,
    id: Option<String>,
    typed: Typed,
    wrong: Option<String>,
) -> Response {
    let path = path(id.as_deref());
    let groups = kinds::groups(desk, visit).await;
    let products = choices::products(desk, visit).await;
    let (groups, products) = match (groups, products) {
        (Ok(groups), Ok(products)) => (groups, products),
        (Err(why), _) | (_, Err(why)) => return refused(visit, &path, SECTION, &why),
    };
    let title = if id.is_some() { "Change webhook" } else { "New webhook" };
    let frame = Frame::of(visit, &path, SECTION, title);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    html::shown(status, &Page { frame, id, typed, groups, products, wrong })
}
