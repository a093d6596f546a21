//! `apply` and `remove`: what the vendor sent, into an installation, and out of it again.

use crate::input::{self, DOCUMENT_BYTES};
use crate::output::{Answer, Failure, Fields, LOOK, Outcome, show};
use crate::product::InstallationArgs;
use crate::standing::{License, Source, Standing};
use crate::when::utc;
use crate::words::headline;
use licentia::peek::peek;
use licentia::{Code, Installation, Kind, Result};

/// Apply what the vendor sent: a license, keys, withdrawn licenses, an answer, a clock reset
///
/// Everything is checked first. What is refused changes nothing.
#[derive(clap::Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// Let a license take the place of a newer one
    #[arg(long)]
    older: bool,
    /// What was sent, in any form
    #[arg(value_name = "FILE")]
    file: String,
}

/// Remove the license that was applied
///
/// What was used stays counted. It is good, too, where there is no license.
#[derive(clap::Args)]
pub struct RemoveArgs {
    #[command(flatten)]
    place: InstallationArgs,
}

/// Applies it.
pub fn apply(args: &ApplyArgs) -> Outcome {
    input::one_stdin(args.place.product.inputs().chain([args.file.as_str()]))?;
    let data = input::document(&args.file, DOCUMENT_BYTES)?;
    let kind = peek(&data).ok().and_then(|seen| seen.kind);
    let name = kind.map_or("document", Kind::name);
    let fields = Fields::default().with("applied", name);
    let applied = args.place.write(|installation| {
        change(installation, &format!("applied: a {name}"), fields, || match args.older {
            true => installation.apply_older(&data),
            false => installation.apply(&data),
        })
    });
    applied.map_err(|failure| name_option(failure, kind))
}

/// The option that forces an older license, by its name.
fn name_option(mut failure: Failure, kind: Option<Kind>) -> Failure {
    if failure.error.code() == Code::OlderThanInstalled && kind == Some(Kind::License) {
        failure.notes.push(format!("{LOOK}note:{LOOK:#} --older applies it all the same"));
    }
    failure
}

/// Does something that may bring a license, and tells what was done, what holds now, and what is
/// in the place of what.
pub fn change(
    installation: &Installation,
    done: &str,
    fields: Fields,
    work: impl FnOnce() -> Result<()>,
) -> Result<Answer> {
    let before = Standing::parse(&installation.status(None)?)?;
    work()?;
    let after = Standing::parse(&installation.status(None)?)?;
    Ok(Answer { notes: changes(&before, &after), ..answer(&after, done, fields) })
}

/// What a license took the place of, and which one waits.
fn changes(before: &Standing, after: &Standing) -> Vec<String> {
    let mut notes = Vec::new();
    let note = |text: String| format!("{LOOK}note:{LOOK:#} {}", show(&text));
    let old = before.license.as_ref().filter(|_| before.in_force);
    let new = after.license.as_ref();
    if let Some((old, new)) = old.zip(new).filter(|(old, new)| old.token_id != new.token_id) {
        let was = match old.valid_until {
            Some(end) => format!("was good until {}", utc(end)),
            None => "had no end".to_string(),
        };
        notes.push(note(format!(
            "{} is in place of {}, which {was}; to go back, apply that one with --older",
            new.title(),
            old.title()
        )));
        let end = |license: &License| license.valid_until.unwrap_or(i64::MAX);
        if end(new) < end(old) {
            notes.push(note("it ends sooner than the one before".to_string()));
        }
    }
    let was_there =
        |one: &&Source| before.sources.iter().any(|other| other.token_id == one.token_id);
    let new = after.sources.iter().filter(|one| one.id.is_some() && !was_there(one));
    for one in new.filter(|one| one.result == "not_yet_valid") {
        let from = one.valid_from.map(utc).unwrap_or_default();
        notes.push(note(format!("{} waits until {from}", one.title())));
    }
    notes
}

/// Removes it.
pub fn remove(args: &RemoveArgs) -> Outcome {
    args.place.write(|installation| {
        let removed = installation.remove()?;
        let said = if removed { "removed the license" } else { "there was no license to remove" };
        let now = Standing::parse(&installation.status(None)?)?;
        Ok(answer(&now, said, Fields::default().with("removed", removed)))
    })
}

/// What was done, and what holds now.
fn answer(standing: &Standing, done: &str, fields: Fields) -> Answer {
    let now = headline(standing);
    let (style, state) = (now.style, now.state);
    let text = format!("{done}\n{style}{state}{style:#}{}\n", show(&now.rest));
    let fields = fields
        .with("in_force", standing.in_force)
        .with("reason", standing.reason.as_str())
        .with("next_change_at", standing.next_change_at);
    Answer { fields, text, notes: Vec::new() }
}
