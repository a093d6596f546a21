//! One webhook: how it stands, and what was sent to it.

use super::super::client::{Refusal, query};
use super::super::form::{Fields, Posted, Query};
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, choices, html, when};
use super::kinds::{self, Group};
use super::{Deliveries, SECTION, Webhook};
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a page says after something was done.
const DONE: [(&str, &str); 6] = [
    ("changed", "The webhook was changed."),
    ("enabled", "The webhook is enabled: what waits for it is sent."),
    ("disabled", "The webhook is disabled: nothing is sent, and no new events are kept for it."),
    ("resent", "All dead deliveries are sent again."),
    ("some", "1,000 dead deliveries are sent again. There are more: press again."),
    ("none", "There was no dead delivery."),
];

/// The states of deliveries, and what they mean.
pub const STATES: [(&str, &str); 3] = [
    ("waiting", "Waiting, or tried again"),
    ("delivered", "Delivered"),
    ("dead", "Dead: tried for the last time"),
];

/// How many rows there are, counted as far as one page goes.
pub struct Some100 {
    count: usize,
    is_all: bool,
}

impl Some100 {
    /// Of the deliveries of a webhook in a state.
    pub async fn of(desk: &Desk, visit: &Visit, id: &str, state: &str) -> Some100 {
        let path = format!("/webhooks/{id}/deliveries?per_page=100&state={state}");
        let found: Deliveries = desk.client.get(visit, &path).await.unwrap_or_default();
        Some100 { count: found.deliveries.len(), is_all: found.next_cursor.is_none() }
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.count > 0
    }

    /// In words, such as `3 deliveries`.
    pub fn words(&self) -> String {
        match (self.count, self.is_all) {
            (1, true) => "1 delivery".to_string(),
            (count, true) => format!("{count} deliveries"),
            (count, false) => format!("{count} deliveries or more"),
        }
    }
}

#[derive(Template)]
#[template(path = "webhooks/one.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Webhook,
    product: Option<String>,
    deliveries: Deliveries,
    pager: Pager,
    groups: Vec<Group>,
    waiting: Some100,
    dead: Some100,
    state: String,
    kind: String,
    wrong: Option<String>,
}

impl Page {
    fn states(&self) -> [(&'static str, &'static str); 3] {
        STATES
    }

    fn is_state(&self, word: &str) -> bool {
        self.state == word
    }

    fn is_filtered(&self) -> bool {
        !self.state.is_empty() || !self.kind.is_empty()
    }
}

pub async fn show(desk: State, visit: Visit, Id(id): Id, Query(asked): Query) -> Response {
    match page(&desk, &visit, &id, &asked, None).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, &format!("/webhooks/{id}"), SECTION, &why),
    }
}

async fn page(
    desk: &Desk,
    visit: &Visit,
    id: &str,
    asked: &Fields,
    wrong: Option<String>,
) -> Result<Page, Refusal> {
    let path = format!("/webhooks/{id}");
    let it: Webhook = desk.client.get(visit, &path).await?;
    let of = |name: &'static str| (name, asked.text(name));
    let which = query([of("state"), of("kind"), of("cursor")]);
    let found = desk.client.get::<Deliveries>(visit, &format!("{path}/deliveries{which}")).await;
    let (deliveries, wrong) = match found {
        Ok(deliveries) => (deliveries, wrong),
        Err(why) if why.is_typed() => (Deliveries::default(), Some(why.detail)),
        Err(why) => return Err(why),
    };
    let products = match it.product_id {
        Some(_) => choices::products(desk, visit).await?,
        None => Vec::new(),
    };
    let product = products.into_iter().find(|product| Some(&product.id) == it.product_id.as_ref());
    let pager = Pager::of(&format!("./{id}"), asked, deliveries.next_cursor.as_deref());
    Ok(Page {
        frame: Frame::of(visit, &path, SECTION, "Webhook").with_notice(asked.text("done"), &DONE),
        product: product.map(|product| product.name),
        deliveries,
        pager,
        groups: kinds::groups(desk, visit).await?,
        waiting: Some100::of(desk, visit, id, "waiting").await,
        dead: Some100::of(desk, visit, id, "dead").await,
        state: asked.text("state").to_string(),
        kind: asked.text("kind").to_string(),
        it,
        wrong,
    })
}

/// What a button of the page asked for and the API refused: the page again, with its sentence.
async fn again(desk: &Desk, visit: &Visit, id: &str, here: &str, why: Refusal) -> Response {
    if !why.is_typed() {
        return refused(visit, here, SECTION, &why);
    }
    match page(desk, visit, id, &Fields::default(), Some(why.detail)).await {
        Ok(mut page) => {
            page.frame = Frame::of(visit, here, SECTION, "Webhook");
            html::shown(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(why) => refused(visit, here, SECTION, &why),
    }
}

pub async fn enable(desk: State, Id(id): Id, posted: Posted) -> Response {
    let visit = &posted.visit;
    let enabled = posted.fields.text("enabled") == "yes";
    let (to, body) = (format!("/webhooks/{id}"), json!({ "enabled": enabled }));
    let sent = desk.client.send::<Value>(visit, Method::PUT, &to, &body, posted.once()).await;
    let done = if enabled { "enabled" } else { "disabled" };
    match sent {
        Ok(_) => html::on_to(&format!("../{id}?done={done}")),
        Err(why) => again(&desk, visit, &id, &format!("/webhooks/{id}/enabled"), why).await,
    }
}

pub async fn test(desk: State, Id(id): Id, posted: Posted) -> Response {
    #[derive(Deserialize)]
    struct Sent {
        id: String,
    }
    let (visit, to) = (&posted.visit, format!("/webhooks/{id}/test"));
    let sent = desk.client.send::<Sent>(visit, Method::POST, &to, &json!({}), posted.once()).await;
    match sent {
        Ok(sent) => html::on_to(&format!("../../deliveries/{}?done=test", sent.id)),
        Err(why) => again(&desk, visit, &id, &to, why).await,
    }
}

pub async fn resend_dead(desk: State, Id(id): Id, posted: Posted) -> Response {
    #[derive(Deserialize)]
    struct Resent {
        resent: u64,
        more: bool,
    }
    let (visit, to) = (&posted.visit, format!("/webhooks/{id}/resend-dead"));
    let body = json!({});
    let sent = desk.client.send::<Resent>(visit, Method::POST, &to, &body, posted.once()).await;
    match sent {
        Ok(sent) => {
            let done = match (sent.resent, sent.more) {
                (0, _) => "none",
                (_, true) => "some",
                (_, false) => "resent",
            };
            html::on_to(&format!("../{id}?done={done}"))
        }
        Err(why) => again(&desk, visit, &id, &to, why).await,
    }
}
