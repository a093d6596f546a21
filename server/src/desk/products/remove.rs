//! Deleting a product: first what that will do, then the deed.

use super::super::client::{Refusal, query};
use super::super::form::Posted;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::policies::Policies;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers};
use super::{Product, SECTION, get_one, overview};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "products/remove.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Product,
    licenses: i64,
    policies: i64,
    wrong: Option<String>,
}

async fn page(desk: &Desk, visit: &Visit, id: &str) -> Result<Page, Refusal> {
    let it = get_one(desk, visit, id).await?;
    let licenses = overview(desk, visit, id).await?.licenses.total;
    let asked = query([("product_id", id), ("per_page", "1")]);
    let policies: Policies = desk.client.get(visit, &format!("/policies{asked}")).await?;
    let policies = i64::try_from(policies.total).unwrap_or(i64::MAX);
    let frame = Frame::of(visit, &format!("/products/{id}/delete"), SECTION, "Delete product");
    Ok(Page { frame, it, licenses, policies, wrong: None })
}

pub async fn ask(desk: State, visit: Visit, Id(id): Id) -> Response {
    match page(&desk, &visit, &id).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, &format!("/products/{id}/delete"), SECTION, &why),
    }
}

pub async fn remove(desk: State, Id(id): Id, posted: Posted) -> Response {
    let (visit, to) = (&posted.visit, format!("/products/{id}"));
    let body = json!({});
    let sent = desk.client.send::<Value>(visit, Method::DELETE, &to, &body, posted.once()).await;
    let why = match sent {
        Ok(_) => return html::on_to("../../products?done=deleted"),
        Err(why) => why,
    };
    match page(&desk, visit, &id).await {
        Ok(mut page) if why.is_typed() => {
            page.wrong = Some(why.detail);
            html::shown(StatusCode::CONFLICT, &page)
        }
        _ => refused(visit, &format!("{to}/delete"), SECTION, &why),
    }
}
