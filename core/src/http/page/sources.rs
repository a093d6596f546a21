//! Where licenses come from, and what became of each.

use super::facts::place;
use super::outlook::{title_of, waits};
use super::text::found;
use super::when::utc;
use super::words::Tone;
use crate::verdict::{Reason, SourceVerdict, Verdict};

/// What one source holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) place: String,
    /// What its license is called.
    pub(super) license: Option<String>,
    pub(super) tone: Tone,
    /// What became of it, in a word or two.
    pub(super) state: &'static str,
    pub(super) about: String,
}

/// Every source, where there is more than one or one that was refused.
pub(super) fn rows(verdict: &Verdict) -> Vec<Row> {
    let sources = &verdict.sources;
    let refused = sources.iter().any(|source| source.id.is_none());
    match sources.len() > 1 || refused {
        true => sources.iter().map(row).collect(),
        false => Vec::new(),
    }
}

fn row(source: &SourceVerdict) -> Row {
    let until = match source.valid_until {
        Some(end) => format!("until {}", utc(end)),
        None => "without an end".to_string(),
    };
    let why = || found(&source.message);
    let (tone, state, about) = match (source.used, source.result) {
        (true, Reason::Ok) => (Tone::Good, "Decides", format!("In force {until}.")),
        (true, _) => (Tone::Bad, "Would decide", why()),
        (false, Reason::Ok) => (Tone::Good, "Good, and not needed", format!("In force {until}.")),
        (false, _) if waits(source) => {
            let from = source.valid_from.map(utc).unwrap_or_default();
            (Tone::Look, "Waits", format!("From {from} {until}."))
        }
        (false, _) if source.id.is_some() => (Tone::Bad, "Not in force", why()),
        (false, _) => (Tone::Bad, "Refused", why()),
    };
    let license = source.id.as_ref().map(|_| title_of(source));
    Row { place: place(source.source, &source.name), license, tone, state, about }
}
