//! `apply` and `remove`: what the vendor sent, into an installation, and out of it again.

use crate::input::{self, DOCUMENT_BYTES};
use crate::output::{Answer, Fields, Outcome, show};
use crate::product::InstallationArgs;
use crate::standing::Standing;
use crate::words::headline;
use licentia::peek::peek;
use licentia::{Installation, Kind, Result};

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
    args.place.write(|installation| {
        if args.older {
            installation.apply_older(&data)?;
        } else {
            installation.apply(&data)?;
        }
        let kind = peek(&data).ok().and_then(|seen| seen.kind).map_or("document", Kind::name);
        let fields = Fields::default().with("applied", kind);
        answer(installation, &format!("applied: a {kind}"), fields)
    })
}

/// Removes it.
pub fn remove(args: &RemoveArgs) -> Outcome {
    args.place.write(|installation| {
        let removed = installation.remove()?;
        let said = if removed { "removed the license" } else { "there was no license to remove" };
        answer(installation, said, Fields::default().with("removed", removed))
    })
}

/// What was done, and what holds now.
fn answer(installation: &Installation, done: &str, fields: Fields) -> Result<Answer> {
    let standing = Standing::parse(&installation.status(None)?)?;
    let now = headline(&standing);
    let (style, state) = (now.style, now.state);
    let text = format!("{done}\n{style}{state}{style:#}{}\n", show(&now.rest));
    let fields = fields
        .with("in_force", standing.in_force)
        .with("reason", standing.reason)
        .with("next_change_at", standing.next_change_at);
    Ok(Answer { fields, text, notes: Vec::new() })
}
