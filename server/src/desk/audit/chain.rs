//! Whether the log is as it was written.

use super::super::client::query;
use super::super::form::Query;
use super::super::frame::Frame;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html, numbers};
use super::SECTION;
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

const PATH: &str = "/audit/verification";

/// Requests of one page: the API checks so many entries with each that it stays quick.
const STEPS: usize = 5;

#[derive(Deserialize)]
struct Verification {
    checked: i64,
    intact: bool,
    first_broken_seq: Option<i64>,
    broken_why: Option<String>,
    head: Option<Head>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    seq: i64,
    hash: String,
}

#[derive(Template)]
#[template(path = "audit/chain.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    /// How many were checked, on the pages before, too.
    checked: i64,
    it: Verification,
    /// Where the rest is checked.
    on: Option<String>,
}

pub async fn verify(desk: State, visit: Visit, Query(asked): Query) -> Response {
    let mut cursor = asked.text("cursor").to_string();
    let before = asked.text("checked").parse().unwrap_or(0_i64).max(0);
    let mut checked = if cursor.is_empty() { 0 } else { before };
    let mut last = None;
    for _ in 0..STEPS {
        let path = format!("{PATH}{}", query([("cursor", cursor.as_str())]));
        let it: Verification = match desk.client.get(&visit, &path).await {
            Ok(it) => it,
            Err(why) => return refused(&visit, PATH, SECTION, &why),
        };
        checked = checked.saturating_add(it.checked);
        cursor = it.next_cursor.clone().filter(|_| it.intact).unwrap_or_default();
        last = Some(it);
        if cursor.is_empty() {
            break;
        }
    }
    let Some(it) = last else { return html::on_to("../audit") };
    let count = checked.to_string();
    let on = query([("cursor", cursor.as_str()), ("checked", count.as_str())]);
    let on = Some(on).filter(|_| !cursor.is_empty());
    let frame = Frame::of(&visit, PATH, SECTION, "The chain of the audit log");
    html::page(&Page { frame, checked, it, on })
}
