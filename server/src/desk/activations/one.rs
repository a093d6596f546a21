//! One activation: the installation, its machine, what it has and what it has used.

use super::super::client::{Refusal, query};
use super::super::form::Query;
use super::super::frame::Frame;
use super::super::id::Id;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{Desk, State, html, numbers, when};
use super::{Detail, Part, Report, SECTION, get_one};
use askama::Template;
use axum::response::Response;
use serde::Deserialize;

/// Rows of usage that are shown.
const USAGE: &str = "50";

#[derive(Deserialize)]
struct Usage {
    usage: Vec<Used>,
    total: u64,
}

#[derive(Deserialize)]
struct Used {
    feature: String,
    kind: String,
    from: Option<String>,
    used: i64,
}

impl Used {
    /// When, in words.
    fn period(&self) -> String {
        let Some(from) = &self.from else { return "earlier".to_string() };
        let part = |characters: usize| from.chars().take(characters).collect::<String>();
        match self.kind.as_str() {
            "ever" => "in all".to_string(),
            "year" => part(4),
            "month" | "level" | "distinct" => part(7),
            "hour" => when::minute(from),
            _ => part(10),
        }
    }

    /// What the number is.
    fn kind(&self) -> &'static str {
        match self.kind.as_str() {
            "level" => "most at a time",
            "distinct" => "most different ones",
            _ => "counted",
        }
    }
}

#[derive(Template)]
#[template(path = "activations/one.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Detail,
    usage: Usage,
}

/// What a part of a machine is called.
fn named(kind: &str) -> String {
    let known = [
        ("machine_id", "Id of the system"),
        ("product", "UUID of the machine"),
        ("product_serial", "Serial number"),
        ("board", "Main board"),
        ("chassis", "Chassis"),
        ("asset_tag", "Asset tag"),
        ("cloud", "Id in the cloud"),
        ("nic", "Network card"),
        ("disk", "Disk"),
        ("root_fs", "Root file system"),
        ("cpu", "Processor (model)"),
        ("model", "Model"),
        ("identity", "What the host says"),
    ];
    let found = known.iter().find(|(word, _)| *word == kind);
    found.map_or(kind, |(_, name)| name).to_string()
}

impl Part {
    fn name(&self) -> String {
        named(&self.kind)
    }

    /// Look and words.
    fn look(&self) -> (&'static str, &str) {
        match (self.state.as_str(), self.binds) {
            ("found", true) => ("good", "found"),
            ("found", false) => ("quiet", "found"),
            ("unreadable", _) => ("look", "may not be read"),
            ("junk", _) => ("quiet", "tells nothing"),
            ("virtual", _) => ("quiet", "made by software"),
            ("movable", _) => ("quiet", "can be moved"),
            ("excluded", _) => ("quiet", "not asked for"),
            ("missing", _) => ("quiet", "none"),
            (other, _) => ("quiet", other),
        }
    }
}

impl Report {
    /// Where it runs, in words.
    fn place(&self) -> String {
        let named = |what: &str, name: &Option<String>| match name.as_deref() {
            Some("unknown") => Some(format!("in a {what} of an unknown kind")),
            Some(name) => Some(format!("in a {what} ({name})")),
            None => None,
        };
        let cloud = self.cloud.as_ref().map(|name| format!("in the cloud ({name})"));
        let wsl = self.wsl.then(|| "in the Windows Subsystem for Linux".to_string());
        let all = [named("container", &self.container), wsl, named("virtual machine", &self.vm)];
        let all: Vec<String> = all.into_iter().chain([cloud]).flatten().collect();
        match all.is_empty() {
            true => "on a machine of its own, as far as it can tell".to_string(),
            false => all.join(", "),
        }
    }
}

impl Page {
    /// What its license is bound to, in words.
    fn bound(&self) -> String {
        let token = &self.it.token;
        let machine = token.machine_needs.zip(token.machine_parts).map(|(needs, parts)| {
            format!("this machine: {needs} of {parts} kinds of parts have to match")
        });
        let own = token.installation.then(|| "this installation".to_string());
        let all: Vec<String> = [own, machine].into_iter().flatten().collect();
        match all.is_empty() {
            true => "nothing: it runs anywhere".to_string(),
            false => all.join(", and "),
        }
    }
}

pub async fn show(desk: State, visit: Visit, Id(id): Id, Query(asked): Query) -> Response {
    match page(&desk, &visit, &id).await {
        Ok(mut page) => {
            let freed = "The machine is free for another.";
            page.frame = page.frame.with_notice(asked.text("done"), &[("freed", freed)]);
            html::page(&page)
        }
        Err(why) => refused(&visit, &format!("/activations/{id}"), SECTION, &why),
    }
}

async fn page(desk: &Desk, visit: &Visit, id: &str) -> Result<Page, Refusal> {
    let it = get_one(desk, visit, id).await?;
    let asked = query([("per_page", USAGE)]);
    let usage = desk.client.get(visit, &format!("/activations/{id}/usage{asked}")).await?;
    let title = match &it.activation.machine {
        Some(machine) => format!("Machine {machine}"),
        None => "Installation".to_string(),
    };
    let frame = Frame::of(visit, &format!("/activations/{id}"), SECTION, &title);
    Ok(Page { frame, it, usage })
}
