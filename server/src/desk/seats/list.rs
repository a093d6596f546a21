//! The seats that somebody has.

use super::super::activations::{License, meant};
use super::super::client::{Refusal, query};
use super::super::form::{Fields, Query};
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{SECTION, Seat};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
struct Seats {
    seats: Vec<Seat>,
    total: u64,
    next_cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "seats/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Seats,
    asked: Fields,
    /// The license that was asked for.
    license: Option<License>,
    wrong: Option<String>,
    pager: Pager,
    /// What the file is asked for with.
    csv: String,
}

impl Page {
    fn typed(&self) -> &str {
        let known = self.license.as_ref().map(|it| it.serial.as_str());
        known.unwrap_or_else(|| typed(&self.asked))
    }

    fn is_filtered(&self) -> bool {
        ["license_id", "license", "holder"].iter().any(|it| self.asked.is_on(it))
    }
}

fn typed(asked: &Fields) -> &str {
    asked.maybe("license").unwrap_or_else(|| asked.text("license_id"))
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    match page(&desk, &visit, asked).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, "/seats", SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, asked: Fields) -> Result<Page, Refusal> {
    let (mut license, mut wrong) = (None, None);
    if !typed(&asked).is_empty() {
        license = meant(&desk.client, visit, typed(&asked)).await?;
        if license.is_none() {
            let what = typed(&asked);
            wrong = Some(format!("There is no license {what}: look at its serial number"));
        }
    }
    let id = license.as_ref().map_or("", |it| it.id.as_str());
    let pairs =
        [("license_id", id), ("holder", asked.text("holder")), ("cursor", asked.text("cursor"))];
    let csv = query(pairs.into_iter().filter(|(name, _)| *name != "cursor"));
    let mut it = Seats::default();
    if wrong.is_none() {
        match desk.client.get(visit, &format!("/seats{}", query(pairs))).await {
            Ok(found) => it = found,
            Err(why) if why.is_typed() => wrong = Some(why.detail),
            Err(why) => return Err(why),
        }
    }
    let frame = Frame::of(visit, "/seats", SECTION, "Seats")
        .with_notice(asked.text("done"), &[("freed", "The seat is free for another.")]);
    let pager = Pager::of("./seats", &asked, it.next_cursor.as_deref());
    Ok(Page { frame, it, asked, license, wrong, pager, csv })
}
