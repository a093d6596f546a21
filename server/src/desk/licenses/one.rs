//! Everything about one license.

use super::history;
use super::shapes::{License, Outlook};
use super::words;
use super::{SECTION, no, path, usage};
use crate::desk::chart::Chart;
use crate::desk::client::Refusal;
use crate::desk::form::Query;
use crate::desk::frame::Frame;
use crate::desk::session::Visit;
use crate::desk::{Desk, State, html, numbers, when};
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Deserialize;

/// What has just been done.
const DONE: [(&str, &str); 6] = [
    ("changed", "The license was changed, and is signed anew."),
    ("renewed", "The license was renewed, and is signed anew."),
    ("reissue", "The license was signed anew."),
    ("suspend", "The license is suspended."),
    ("reinstate", "The license is good again."),
    ("revoke", "The license was revoked."),
];

#[derive(Debug, Default, Deserialize)]
struct Activations {
    activations: Vec<Activation>,
    total: i64,
}

#[derive(Debug, Deserialize)]
struct Activation {
    id: String,
    installation: String,
    machine: Option<String>,
    sdk: Option<String>,
    remote: Option<String>,
    active: bool,
    last_seen_at: String,
    deactivated_by: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Seats {
    seats: Vec<Seat>,
    total: i64,
}

#[derive(Debug, Deserialize)]
struct Seat {
    seat: i64,
    holder: String,
    borrowed: bool,
    expires_at: String,
}

#[derive(Template)]
#[template(path = "licenses/one.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: License,
    outlook: Outlook,
    activations: Activations,
    seats: Seats,
    charts: Vec<Chart>,
    history: Vec<history::Row>,
    now: String,
}

impl Page {
    /// Where it stands, and what comes next.
    fn standing(&self) -> String {
        words::standing(&self.it, &self.outlook.turns, &self.now)
    }

    /// What comes next, and how far away it is.
    fn next(&self) -> Option<(String, String, &'static str)> {
        if self.it.is_revoked() {
            return None;
        }
        let next = self.outlook.turns.iter().find(|turn| turn.at > self.now)?;
        let seconds = |text: &str| licentia::parse_time(text).unwrap_or_default();
        let distance = when::distance(seconds(&next.at) - seconds(&self.now));
        Some((next.at.clone(), distance, words::turn(next)))
    }

    /// Terms that are no dates: a name, and what they say.
    fn terms(&self) -> Vec<(&'static str, String)> {
        let terms = &self.it.terms;
        let days =
            |days: Option<u32>| days.map(|it| numbers::counted(i64::from(it), "day", "days"));
        let seconds = |it: u32| numbers::counted(i64::from(it), "second", "seconds");
        let rows = [
            ("Tier", terms.tier.clone()),
            ("Description", terms.description.clone()),
            ("Support until", terms.support_until.as_deref().map(when::minute)),
            ("End announced", days(terms.notice.license).map(|it| format!("{it} before"))),
            ("New file every", days(terms.refresh_days)),
            ("File good for", days(terms.token_days)),
            ("Contact every", days(terms.sync_days)),
            ("Seats borrowed for", days(terms.borrow_days)),
            ("Seats come back after", terms.seat_seconds.map(seconds)),
            (
                "Moves",
                terms.max_transfers.map(|it| numbers::counted(i64::from(it), "time", "times")),
            ),
            ("Binds to", terms.bind.as_ref().map(|rule| rule.to.clone())),
        ];
        let mut rows: Vec<_> =
            rows.into_iter().filter_map(|(name, it)| it.map(|it| (name, it))).collect();
        if self.it.hardware_binding.is_some() {
            rows.push(("Bound", "by its record".to_string()));
        }
        rows
    }

    /// What was noted: names, and what stands there.
    fn notes(&self) -> Vec<(&str, String)> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.it.terms.metadata.iter().map(|(name, value)| (name.as_str(), text(value))).collect()
    }
}

async fn read(desk: &Desk, visit: &Visit, id: &str) -> Result<Page, Refusal> {
    let (client, at) = (&desk.client, path(id));
    let it: License = client.get(visit, &at).await?;
    let outlook = format!("{at}/outlook");
    let activations = format!("{at}/activations?per_page=10");
    let seats = format!("{at}/seats?per_page=10");
    let (outlook, activations, seats, charts, history) = tokio::join!(
        client.get::<Outlook>(visit, &outlook),
        client.get::<Activations>(visit, &activations),
        client.get::<Seats>(visit, &seats),
        usage::of(client, visit, &it.id),
        history::of(client, visit, &it.id)
    );
    let (outlook, activations, seats) = (outlook?, activations?, seats?);
    let frame = Frame::of(visit, "/licenses/id", SECTION, it.customer());
    let now = when::exact(desk.server.clock.now());
    Ok(Page { frame, it, outlook, activations, seats, charts, history, now })
}

/// The page.
pub async fn one(
    desk: State,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query,
) -> Response {
    match read(&desk, &visit, &id).await {
        Ok(mut page) => {
            page.frame = page.frame.with_notice(asked.text("done"), &DONE);
            html::page(&page)
        }
        Err(why) => no(&visit, "/licenses/id", &why),
    }
}

/// Its file.
pub async fn download(desk: State, visit: Visit, Path(id): Path<String>) -> Response {
    desk.client.pass(&visit, &format!("{}/download", path(&id))).await
}
