//! The first words of the page: what holds, and until when.

use super::advice;
use super::outlook::{Outlook, title_of};
use super::text::{brief, capital, found, sentence};
use super::when::{day, relative, time, utc};
use super::words::{Tone, feature_name};
use crate::errors::Code;
use crate::verdict::{Access, Alert, FeatureVerdict, Reason, Step, Topic, Verdict};

/// Characters of a feature's name in the headline.
const NAME_MAX: usize = 40;

/// The first words of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) tone: Tone,
    /// In a word or two.
    pub(super) state: &'static str,
    /// In a sentence without its full stop, with the day that matters.
    pub(super) title: String,
    /// The same more precisely. May be empty.
    pub(super) lead: String,
}

/// What holds.
pub(super) fn headline(it: &Outlook<'_>) -> Headline {
    let (tone, state, title, until) = match (it.verdict.reason, it.verdict.access) {
        (Reason::NotEnforced, _) => (
            Tone::Good,
            "Works",
            "No license is needed: nothing is enforced here".to_string(),
            None,
        ),
        (Reason::NotNeeded, _) => {
            (Tone::Good, "Works", "No license is needed before the first use".to_string(), None)
        }
        (Reason::UnlicensedGrace, _) => unlicensed(it),
        (Reason::No(Code::NotYetValid), Access::Deny) => {
            let begins = it.begins().map(|at| format!(" on {}", day(at))).unwrap_or_default();
            let title = format!("Nothing works until the license begins{begins}");
            (Tone::Bad, "Not begun", title, it.begins())
        }
        (Reason::No(_), Access::Deny) if it.other_address() => {
            let title = "The license is for another address (instance)".to_string();
            (Tone::Bad, "Stopped", title, None)
        }
        (Reason::No(code), Access::Deny) => (Tone::Bad, "Stopped", because(it, code), None),
        (Reason::No(code), Access::ReadOnly) => {
            (Tone::Read, "Read only", because(it, code), it.stops_at())
        }
        _ => in_force(it),
    };
    let lead = lead(it, &title, until);
    // Nothing is green where something is to be done.
    let (tone, state) = match (tone, state) {
        (Tone::Good | Tone::Look, "In force") if advice::is_called_for(it) => {
            (Tone::Look, "In force, look at this")
        }
        (Tone::Good, "Works") if advice::is_called_for(it) => (Tone::Look, "Works, look at this"),
        same => same,
    };
    Headline { tone, state, title, lead }
}

/// A tone, the state, a title, and the moment that the title names.
type Words = (Tone, &'static str, String, Option<i64>);

fn unlicensed(it: &Outlook<'_>) -> Words {
    match (it.takes_over(), it.stops_at()) {
        (Some((next, at)), _) => {
            let next = brief(&title_of(next), NAME_MAX);
            let title = format!("No license is needed until {next} begins on {}", day(at));
            (Tone::Good, "Works", title, Some(at))
        }
        (None, Some(end)) => {
            let title = format!("Everything works without a license only until {}", day(end));
            (Tone::Look, "Works for now", title, Some(end))
        }
        (None, None) => (Tone::Good, "Works", "Works without a license".to_string(), None),
    }
}

/// A license that holds: without an end in sight, with one, or past it.
fn in_force(it: &Outlook<'_>) -> Words {
    let vendor = it.vendor();
    let stops = it.stops_at();
    let works = |why: String| {
        let until = stops.map(|at| format!("until {}", day(at)));
        let until = until.unwrap_or_else(|| "for now".to_string());
        (Tone::Look, "Works for now", format!("{why}: everything works {until}"), stops)
    };
    match begun(it.verdict) {
        Some(Alert::Suspended) => works(format!("{} put the license on hold", capital(vendor))),
        Some(Alert::InGrace) => works("The license has ended".to_string()),
        Some(Alert::RenewDue) => works("The license was not renewed in time".to_string()),
        Some(Alert::SyncDue) => {
            works(format!("{}’s server was not reached in time", capital(vendor)))
        }
        Some(Alert::EndsSoon) => {
            let end = it.follow().1;
            let on = end.map(|at| format!(", on {}", day(at))).unwrap_or_default();
            (Tone::Look, "Ends soon", format!("The license ends soon{on}"), end)
        }
        _ => {
            let end = [it.follow().1, stops].into_iter().flatten().min();
            let until = end.map(|at| format!("until {}", day(at)));
            let until = until.unwrap_or_else(|| "and has no end".to_string());
            match but(it.verdict) {
                Some(but) => {
                    let title = format!("The license is in force {until}, but {but}");
                    (Tone::Look, "In force", title, None)
                }
                None => (Tone::Good, "In force", format!("The license is in force {until}"), end),
            }
        }
    }
}

/// What the title does not say: the moment it names, from now; what was found; since when.
fn lead(it: &Outlook<'_>, title: &str, until: Option<i64>) -> String {
    let (verdict, now) = (it.verdict, it.now());
    let mut said: Vec<String> = Vec::new();
    let plain = matches!(begun(verdict), None | Some(Alert::EndsSoon));
    if !(verdict.reason == Reason::Ok && plain) {
        said.push(found(&verdict.message));
    }
    if verdict.access == Access::Deny && verdict.reason != Reason::No(Code::NotYetValid) {
        said.push(match since(it) {
            Some(at) => {
                let ago = relative(at, now);
                format!("What needs a license has not worked since {}, {ago}.", utc(at))
            }
            None => "What needs a license does not work.".to_string(),
        });
    }
    if let Some(at) = until {
        said.push(match said.iter().any(|said| said.contains(&utc(at))) {
            true => format!("That is {}.", relative(at, now)),
            false => format!("That is {}, at {} UTC.", relative(at, now), time(at)),
        });
    }
    let (follow, _) = it.follow();
    if verdict.in_force && !follow.is_empty() {
        let names: Vec<String> = follow.iter().map(|it| brief(&title_of(it), NAME_MAX)).collect();
        said.push(format!(
            "When the license that decides now ends, {} follows.",
            names.join(", then ")
        ));
    }
    said.retain(|said| *said != sentence(title));
    said.join(" ")
}

/// Since when no more than now may be done, if it is known.
fn since(it: &Outlook<'_>) -> Option<i64> {
    let Verdict { timeline, access, .. } = it.verdict;
    let past = timeline.iter().rev().skip_while(|step| step.at > it.now());
    let since = past.take_while(|step| step.access == *access).last()?.at;
    let here = |step: &&Step| step.at == since;
    timeline.iter().filter(here).any(|step| step.event.changes()).then_some(since)
}

/// The worst of what has begun that ends in stopping.
pub(super) fn begun(verdict: &Verdict) -> Option<Alert> {
    let all = [Alert::Suspended, Alert::InGrace, Alert::RenewDue, Alert::SyncDue, Alert::EndsSoon];
    let warned = |alert: &Alert| verdict.warnings.iter().any(|it| it.code == Topic::Alert(*alert));
    all.into_iter().find(warned)
}

/// The features that have stopped by themselves.
fn but(verdict: &Verdict) -> Option<String> {
    let limited = |it: &&FeatureVerdict| it.reason == Reason::No(Code::LimitExceeded);
    let stopped: Vec<&FeatureVerdict> = verdict.features.iter().filter(limited).collect();
    let again = stopped.iter().map(|it| it.resets_at).min().flatten();
    let name = |it: &FeatureVerdict| brief(&feature_name(it), NAME_MAX);
    let again = again.map(|at| format!(" until {}", day(at))).unwrap_or_default();
    match stopped.as_slice() {
        [] => None,
        [one] => Some(format!("{} has stopped{again}", name(one))),
        [one, two] => Some(format!("{} and {} have stopped{again}", name(one), name(two))),
        some => Some(format!("{} features have stopped", some.len())),
    }
}

/// Why not everything works, as a title.
fn because(it: &Outlook<'_>, code: Code) -> String {
    let cause = cause(code, it.vendor());
    match it.once_showed() {
        Some(seen) => {
            format!("The clock of this machine once showed {}, and {cause}", utc(seen))
        }
        None => capital(&cause),
    }
}

/// A reason, as the end of a sentence.
fn cause(code: Code, vendor: &str) -> String {
    let text = match code {
        Code::TooNew => "the license needs a newer version of this product",
        Code::Revoked => return format!("{vendor} has withdrawn the license"),
        Code::WrongMachine => "the license is for another machine",
        Code::WrongInstallation => "the license is for another installation",
        Code::Suspended => return format!("{vendor} has put the license on hold"),
        Code::NotYetValid => "the license has not begun",
        Code::Expired => "the license has ended",
        Code::TokenExpired => "the license was not renewed in time",
        Code::SyncOverdue => return format!("{vendor}’s server was not reached for too long"),
        Code::NotLicensed => "there is no license",
        Code::StateCorrupt => "what was kept in this product’s folder is damaged",
        Code::StateUnavailable => "what is kept on this machine cannot be reached",
        Code::WrongProduct => "what is kept here belongs to another product",
        Code::UnknownKey => "the license was signed by a key that this product does not trust",
        _ => "the license that was found is refused",
    };
    text.to_string()
}
