//! All webhooks.

use super::super::client::query;
use super::super::form::Query;
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, choices, html, when};
use super::{Deliveries, Delivery, SECTION, Webhook};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

const PATH: &str = "/webhooks";

#[derive(Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
    next_cursor: Option<String>,
}

/// A webhook, the name of its product, and what was sent to it last.
struct Row {
    webhook: Webhook,
    product: Option<String>,
    last: Option<Delivery>,
}

#[derive(Template)]
#[template(path = "webhooks/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    rows: Vec<Row>,
    pager: Pager,
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let path = format!("{PATH}{}", query([("cursor", asked.text("cursor"))]));
    let it: Webhooks = match desk.client.get(&visit, &path).await {
        Ok(it) => it,
        Err(why) => return refused(&visit, PATH, SECTION, &why),
    };
    let products = choices::products(&desk, &visit).await.unwrap_or_default();
    let name = |id: &String| products.iter().find(|it| it.id == *id).map(|it| it.name.clone());
    let mut rows = Vec::new();
    for webhook in it.webhooks {
        let path = format!("{PATH}/{}/deliveries?per_page=1", webhook.id);
        let last: Deliveries = desk.client.get(&visit, &path).await.unwrap_or_default();
        let product = webhook.product_id.as_ref().map(|id| name(id).unwrap_or_default());
        rows.push(Row { webhook, product, last: last.deliveries.into_iter().next() });
    }
    let frame = Frame::of(&visit, PATH, SECTION, "Webhooks")
        .with_notice(asked.text("done"), &[("deleted", "The webhook was deleted.")]);
    let pager = Pager::of("./webhooks", &asked, it.next_cursor.as_deref());
    html::page(&Page { frame, rows, pager })
}
