//! One product: what there is of it, and what its programs need.

use super::super::client::{Refusal, query};
use super::super::form::Query;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::policies::{Policies, Policy};
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{Overview, Product, SECTION, get_one, overview};
use askama::Template;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

/// As the API tells of it.
#[derive(Deserialize)]
struct PublicKey {
    kid: String,
    short: String,
    public_key: String,
    keys: Value,
}

impl PublicKey {
    /// What a program pins, as text.
    fn jwks(&self) -> String {
        serde_json::to_string_pretty(&self.keys).unwrap_or_default()
    }
}

/// What a key pair is called.
#[derive(Deserialize)]
struct Pair {
    name: String,
}

#[derive(Template)]
#[template(path = "products/one.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Product,
    there: Overview,
    policies: Vec<Policy>,
    /// Whether there are more policies than are shown.
    more: bool,
    /// The name of its key pair.
    pair: Option<String>,
    key: Option<PublicKey>,
}

impl Page {
    /// How its licenses stand: look, word of the API, words for people, how many.
    fn standing(&self) -> [(&'static str, &'static str, &'static str, i64); 4] {
        let it = &self.there.licenses;
        [
            ("good", "active", "Active", it.active),
            ("look", "suspended", "Suspended", it.suspended),
            ("quiet", "expired", "Ended", it.expired),
            ("bad", "revoked", "Revoked", it.revoked),
        ]
    }
}

pub async fn show(desk: State, visit: Visit, Id(id): Id, Query(asked): Query) -> Response {
    match page(&desk, &visit, &id).await {
        Ok(mut page) => {
            let done = [
                ("made", "The product is made."),
                ("changed", "The product was changed."),
                ("policy-made", "The policy is made."),
                ("policy-changed", "The policy was changed. Licenses stay as they are."),
                ("policy-deleted", "The policy was deleted. Licenses stay as they are."),
            ];
            page.frame = page.frame.with_notice(asked.text("done"), &done);
            html::page(&page)
        }
        Err(why) => refused(&visit, &format!("/products/{id}"), SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, id: &str) -> Result<Page, Refusal> {
    let it = get_one(desk, visit, id).await?;
    let there = overview(desk, visit, id).await?;
    let asked = query([("product_id", id), ("per_page", "100")]);
    let policies: Policies = desk.client.get(visit, &format!("/policies{asked}")).await?;
    let (mut pair, mut key) = (None, None);
    if let Some(of) = &it.key_pair_id {
        let found: Pair = desk.client.get(visit, &format!("/key-pairs/{of}")).await?;
        pair = Some(found.name);
        // Where every license key was stolen there is none.
        key = public_key(desk, visit, id).await.ok();
    }
    let frame = Frame::of(visit, &format!("/products/{id}"), SECTION, &it.name);
    let more = policies.next_cursor.is_some();
    Ok(Page { frame, it, there, policies: policies.policies, more, pair, key })
}

async fn public_key(desk: &Desk, visit: &Visit, id: &str) -> Result<PublicKey, Refusal> {
    desk.client.get(visit, &format!("/products/{id}/public-key")).await
}

/// What a program pins, as a file.
pub async fn keys(desk: State, visit: Visit, Id(id): Id) -> Response {
    let found = match get_one(&desk, &visit, &id).await {
        Ok(it) => public_key(&desk, &visit, &id).await.map(|key| (it, key)),
        Err(why) => Err(why),
    };
    match found {
        Ok((it, key)) => {
            // The letters of a code need no quoting.
            let name = format!("attachment; filename=\"{}-keys.json\"", it.code);
            let mut response = key.jwks().into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Ok(name) = HeaderValue::try_from(name) {
                headers.insert(CONTENT_DISPOSITION, name);
            }
            response
        }
        Err(why) => refused(&visit, &format!("/products/{id}/keys.json"), SECTION, &why),
    }
}
