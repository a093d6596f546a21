//! All keys.

use super::super::client::{Refusal, query};
use super::super::form::{Fields, Query};
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{ApiKey, Pair, SECTION};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
struct ApiKeys {
    api_keys: Vec<ApiKey>,
    total: u64,
    next_cursor: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Pairs {
    key_pairs: Vec<Pair>,
    total: u64,
    next_cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "keys/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    /// `None` = whoever asks may not see them.
    keys: Option<ApiKeys>,
    pairs: Pairs,
    /// The one that whoever asks has signed in with.
    own: String,
    pager: Pager,
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    match page(&desk, &visit, &asked).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, "/keys", SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, asked: &Fields) -> Result<Page, Refusal> {
    let done = [
        ("revoked", "The API key is revoked: it is refused from now on."),
        ("pair-deleted", "The key pair was deleted."),
    ];
    let frame = Frame::of(visit, "/keys", SECTION, "Keys").with_notice(asked.text("done"), &done);
    let mut keys = None;
    if frame.may("admin") {
        let path = format!("/api-keys{}", query([("cursor", asked.text("cursor"))]));
        keys = Some(desk.client.get::<ApiKeys>(visit, &path).await?);
    }
    let pairs = desk.client.get(visit, "/key-pairs").await?;
    let next = keys.as_ref().and_then(|keys| keys.next_cursor.as_deref());
    let pager = Pager::of("./keys", asked, next);
    Ok(Page { frame, keys, pairs, own: visit.caller.key_id.to_string(), pager })
}

#[derive(Template)]
#[template(path = "keys/pairs.html", config = "src/desk/askama.toml")]
struct AllPairs {
    frame: Frame,
    pairs: Pairs,
    pager: Pager,
}

pub async fn pairs(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let path = format!("/key-pairs{}", query([("cursor", asked.text("cursor"))]));
    match desk.client.get::<Pairs>(&visit, &path).await {
        Ok(pairs) => {
            let frame = Frame::of(&visit, "/keys/pairs", SECTION, "Key pairs");
            let pager = Pager::of("./pairs", &asked, pairs.next_cursor.as_deref());
            html::page(&AllPairs { frame, pairs, pager })
        }
        Err(why) => refused(&visit, "/keys/pairs", SECTION, &why),
    }
}
