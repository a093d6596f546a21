//! All activations, or some.

use super::super::client::{Refusal, query};
use super::super::form::{Fields, Query};
use super::super::frame::Frame;
use super::super::pager::Pager;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{Activation, License, SECTION, meant};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
struct Activations {
    activations: Vec<Activation>,
    total: u64,
    next_cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "activations/list.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Activations,
    asked: Fields,
    /// The license that was asked for.
    license: Option<License>,
    wrong: Option<String>,
    pager: Pager,
    /// What the file is asked for with.
    csv: String,
}

impl Page {
    /// What is in the field of the license.
    fn typed(&self) -> &str {
        let known = self.license.as_ref().map(|it| it.serial.as_str());
        known.unwrap_or_else(|| typed(&self.asked))
    }

    fn is_filtered(&self) -> bool {
        ["license_id", "license", "machine", "active"].iter().any(|it| self.asked.is_on(it))
    }
}

/// Which license was asked for: a serial number of the form, or an id of a link.
fn typed(asked: &Fields) -> &str {
    asked.maybe("license").unwrap_or_else(|| asked.text("license_id"))
}

pub async fn list(desk: State, visit: Visit, Query(asked): Query) -> Response {
    match page(&desk, &visit, asked).await {
        Ok(page) => html::page(&page),
        Err(why) => refused(&visit, "/activations", SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, asked: Fields) -> Result<Page, Refusal> {
    let mut license = None;
    let mut wrong = None;
    if !typed(&asked).is_empty() {
        license = meant(&desk.client, visit, typed(&asked)).await?;
        if license.is_none() {
            let what = typed(&asked);
            wrong = Some(format!("There is no license {what}: look at its serial number"));
        }
    }
    let id = license.as_ref().map_or("", |it| it.id.as_str());
    let pairs = [
        ("license_id", id),
        ("machine", asked.text("machine")),
        ("active", asked.text("active")),
        ("cursor", asked.text("cursor")),
    ];
    let csv = query(pairs.into_iter().filter(|(name, _)| *name != "cursor"));
    let it = match wrong {
        Some(_) => Activations::default(),
        None => {
            let found = desk.client.get(visit, &format!("/activations{}", query(pairs))).await;
            match found {
                Err(why) if why.is_typed() => {
                    wrong = Some(why.detail);
                    Activations::default()
                }
                other => other?,
            }
        }
    };
    let frame = Frame::of(visit, "/activations", SECTION, "Activations");
    let pager = Pager::of("./activations", &asked, it.next_cursor.as_deref());
    Ok(Page { frame, it, asked, license, wrong, pager, csv })
}
