//! Which machine is meant, and what was found on it.

use crate::args::kind;
use crate::input;
use crate::output::{Fields, GOOD, LOOK, show};
use crate::secrecy::{PRIVATE, told, told_path};
use licentia::limits::IDENTITY_MAX;
use licentia::machine::{Binding, Component, Environment, Kind, REPORT_MAX, Report, State};
use licentia::{Code, Error, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How to recognize the machine, where it is not by the hardware under `/`.
#[derive(clap::Args, Default)]
pub struct MachineArgs {
    /// Identify the machine by the text in this file, as a cluster's or a cloud instance's id
    #[arg(long, value_name = "FILE", conflicts_with_all = ["machine_root", "exclude"])]
    pub machine: Option<String>,
    /// Read the hardware under another root, such as the host's, mounted into a container
    #[arg(long, value_name = "DIR")]
    pub machine_root: Option<PathBuf>,
    /// Kinds of parts that are not to be read, separated by commas
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    pub exclude: Vec<Kind>,
}

impl MachineArgs {
    /// Whether anything was said.
    pub fn are_given(&self) -> bool {
        self.machine.is_some() || self.machine_root.is_some() || !self.exclude.is_empty()
    }

    /// The machine, as this product sees it.
    pub fn report(&self, product: &str) -> Result<Report> {
        if let Some(identity) = self.identity(product)? {
            return Report::from_identity(product, &identity);
        }
        let root = self.root()?.unwrap_or(Path::new("/"));
        Ok(Report::read(product, root, &self.exclude))
    }

    /// The text that the machine is identified by. Nobody means a machine report or a private
    /// key to be one, nor an empty file.
    pub fn identity(&self, product: &str) -> Result<Option<String>> {
        let Some(path) = &self.machine else { return Ok(None) };
        // A report is longer than an identity, and is to be recognized.
        let text = input::read_text(path, REPORT_MAX, Code::InvalidArgument)?;
        let other = if text.contains(PRIVATE) {
            Some("a private key")
        } else {
            Report::from_json(&text).is_ok().then_some("a machine report")
        };
        if let Some(other) = other {
            let what = format!("{} is {other}, not a machine's identity", told(path));
            return Err(Error::new(Code::InvalidArgument, what));
        }
        let blank = |c: char| c.is_ascii_whitespace() || c == '\u{feff}';
        let identity = text.trim_matches(blank).to_string();
        if identity.len() > IDENTITY_MAX {
            let what = format!("{} has more than {IDENTITY_MAX} bytes of identity", told(path));
            return Err(Error::new(Code::InvalidArgument, what));
        }
        Report::from_identity(product, &identity)?;
        Ok(Some(identity))
    }

    /// The other root. One that is not there is a slip, not a machine without parts.
    pub fn root(&self) -> Result<Option<&Path>> {
        let Some(root) = self.machine_root.as_deref() else { return Ok(None) };
        std::fs::read_dir(root).map_err(|error| {
            let what = format!("the folder {}: {error}", told_path(root));
            Error::new(Code::Io, what)
        })?;
        Ok(Some(root))
    }
}

/// Reads the report that `fingerprint` wrote to the file `path`.
pub fn parse_report(path: &str, text: &str) -> Result<Report> {
    let text = text.trim_start_matches('\u{feff}');
    Report::from_json(text).map_err(|error| match no_report(text) {
        Some(what) => Error::new(Code::Malformed, format!("{} {what}", told(path))),
        None => Error::new(error.code(), format!("the machine report: {}", error.detail())),
    })
}

/// What a file is, if it was never meant to be a report: those have a version.
fn no_report(text: &str) -> Option<&'static str> {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    if !json["v"].is_null() {
        return None;
    }
    Some(match json["code"].as_str() {
        Some(code) if code != "ok" => "holds an error, not a machine report",
        _ => "is not a machine report: use what `licentia fingerprint --json` wrote",
    })
}

/// The members of a report, in its own order.
pub fn fields(report: &Report) -> Fields {
    let json: Value = serde_json::from_str(&report.to_json()).unwrap_or_default();
    ["v", "product", "id", "environment", "components"]
        .into_iter()
        .fold(Fields::default(), |fields, name| fields.with(name, json[name].clone()))
}

/// A report for people.
pub fn table(report: &Report) -> String {
    let id = report.id().unwrap_or("nothing that binds was found");
    let place = place(report.environment());
    let head = crate::output::rows(&[
        ("Machine", id.to_string()),
        ("Product", show(report.product())),
        ("Runs in", show(&place)),
    ]);
    let titles = format!("  {:<15} {:<11} {:<6} {:<23} why", "part", "state", "binds", "hash");
    let mut text = format!("{head}\n{titles}\n");
    for part in report.components() {
        let Component { kind, state, hash, binds, note } = part;
        let hash = hash.as_deref().unwrap_or("-");
        let binds = if *binds { "yes" } else { "no" };
        let line = format!(
            "  {:<15} {:<11} {binds:<6} {hash:<23} {}",
            kind.word(),
            state.word(),
            show(note)
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn place(environment: &Environment) -> String {
    let mut places = Vec::new();
    let Environment { container, vm, cloud, wsl } = environment;
    for (what, name) in [("container", container), ("virtual machine", vm), ("cloud", cloud)] {
        places.extend(name.as_ref().map(|name| format!("a {what} ({name})")));
    }
    if *wsl {
        places.push("the Windows Subsystem for Linux".to_string());
    }
    if places.is_empty() {
        "no container or virtual machine that is known".to_string()
    } else {
        places.join(", ")
    }
}

/// What of a machine a license is bound to and what not, for whoever issues it.
pub struct Bound {
    need: u32,
    machine: String,
    binds: Vec<String>,
    leaves: Vec<(String, String)>,
}

impl Bound {
    /// Compares a binding with the report it was made from.
    pub fn new(binding: &Binding, report: &Report) -> Bound {
        let binds: Vec<String> = binding.parts().keys().cloned().collect();
        let machine = report.id().unwrap_or("without an id").to_string();
        let leaves = others(report, &binds);
        Bound { need: binding.need(), machine, binds, leaves }
    }

    /// Lines for standard error.
    pub fn notes(&self) -> Vec<String> {
        let Bound { need, machine, binds, leaves } = self;
        let all = binds.len();
        let mut notes =
            vec![format!("bound to the machine {machine}: {need} of {all} parts have to match")];
        notes.extend(binds.iter().map(|kind| format!("  {GOOD}binds{GOOD:#}     {kind}")));
        notes.extend(leaves.iter().map(line));
        notes
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let Bound { need, binds, leaves, .. } = self;
        json!({ "need": need, "binds": binds, "leaves": reasons(leaves) })
    }
}

/// Why a machine gave too little to bind to.
pub fn why_weak(report: &Report) -> (Vec<String>, Fields) {
    let usable = report.components().iter().filter(|part| part.binds);
    let mut binds: Vec<String> = usable.map(|part| part.kind.word().to_string()).collect();
    binds.dedup();
    let leaves = others(report, &binds);
    let mut notes: Vec<String> = binds.iter().map(|kind| format!("  could bind {kind}")).collect();
    notes.extend(leaves.iter().map(line));
    if report.environment().container.is_some() {
        notes.push("in a container, give the machine an identity with --machine FILE".to_string());
    }
    let fields = Fields::default().with("could_bind", binds).with("leaves", reasons(&leaves));
    (notes, fields)
}

fn reasons(leaves: &[(String, String)]) -> Vec<Value> {
    leaves.iter().map(|(kind, why)| json!({ "kind": kind, "why": why })).collect()
}

fn line((kind, why): &(String, String)) -> String {
    format!("  {LOOK}does not{LOOK:#}  {kind}: {}", show(why))
}

/// The other kinds, each once, and why they are not among these.
fn others(report: &Report, binds: &[String]) -> Vec<(String, String)> {
    let mut others: Vec<(String, String)> = Vec::new();
    for part in report.components() {
        let kind = part.kind.word().to_string();
        let known = others.iter().any(|(other, _)| *other == kind);
        if !binds.contains(&kind) && !known {
            others.push((kind, reason(part)));
        }
    }
    others
}

fn reason(part: &Component) -> String {
    match (part.hash.is_some(), part.note.as_str()) {
        (true, "") => "it was not asked for".to_string(),
        (true, note) => note.to_string(),
        (false, "") => part.state.word().to_string(),
        (false, note) if part.state == State::Missing => note.to_string(),
        (false, note) => format!("{}: {note}", part.state.word()),
    }
}
