//! The state of an installation in words: what holds, and what to do about it.

use super::outlook::{Outlook, title_of};
use super::text::{sentence, shown};
use super::when::{day, day_and_relative, utc};
use crate::errors::Code;
use crate::verdict::{Access, Alert, FeatureVerdict, Reason, Topic, Verdict};

/// How a part of the page is colored. Never the only thing that tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Look,
    Read,
    Bad,
}

impl Tone {
    /// The class in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Look => "look",
            Tone::Read => "read",
            Tone::Bad => "bad",
        }
    }

    pub(super) fn of(access: Access) -> Tone {
        match access {
            Access::Allow => Tone::Good,
            Access::Warn => Tone::Look,
            Access::ReadOnly => Tone::Read,
            Access::Deny => Tone::Bad,
        }
    }
}

/// The first words of the page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) tone: Tone,
    /// In a word or two.
    pub(super) state: &'static str,
    /// In a sentence without its full stop.
    pub(super) title: String,
}

/// What holds.
pub(super) fn headline(it: &Outlook<'_>) -> Headline {
    let now = it.now();
    let vendor = it.vendor();
    let (tone, state, title) = match (it.verdict.reason, it.verdict.access) {
        (Reason::NotEnforced, _) => {
            (Tone::Good, "Works", "No license is needed: nothing is enforced here".to_string())
        }
        (Reason::NotNeeded, _) => {
            (Tone::Good, "Works", "No license is needed before the first use".to_string())
        }
        (Reason::UnlicensedGrace, _) => match (it.takes_over(), it.stops_at()) {
            (Some((next, at)), _) => {
                let (next, at) = (title_of(next), day_and_relative(at, now));
                (Tone::Good, "Works", format!("No license is needed until {next} begins on {at}"))
            }
            (None, Some(end)) => {
                let end = day_and_relative(end, now);
                (Tone::Look, "Works for now", format!("Works without a license only until {end}"))
            }
            (None, None) => (Tone::Good, "Works", "Works without a license".to_string()),
        },
        (Reason::No(Code::NotYetValid), Access::Deny) => {
            let begins =
                it.begins().map(|at| format!(": it begins on {}", day_and_relative(at, now)));
            let title = format!("The license is not in force yet{}", begins.unwrap_or_default());
            (Tone::Bad, "Not begun", title)
        }
        (Reason::No(code), Access::Deny) => (Tone::Bad, "Stopped", because(it, code, vendor)),
        (Reason::No(code), Access::ReadOnly) => {
            (Tone::Read, "Read only", because(it, code, vendor))
        }
        _ => in_force(it),
    };
    Headline { tone, state, title }
}

/// A license that holds: without an end in sight, with one, or past it.
fn in_force(it: &Outlook<'_>) -> (Tone, &'static str, String) {
    let (now, vendor) = (it.now(), it.vendor());
    let until = |why: String| {
        let stops = it.stops_at().map(|at| day_and_relative(at, now));
        let works = stops.map(|at| format!(": everything works until {at}"));
        let works = works.unwrap_or_else(|| ": everything goes on working".to_string());
        (Tone::Look, "Works for now", format!("{why}{works}"))
    };
    match begun(it.verdict) {
        Some(Alert::Suspended) => until(format!("{} put the license on hold", capital(vendor))),
        Some(Alert::InGrace) => until("The license has ended".to_string()),
        Some(Alert::RenewDue) => until("The license was not renewed in time".to_string()),
        Some(Alert::SyncDue) => {
            until(format!("{}’s server was not reached in time", capital(vendor)))
        }
        Some(Alert::EndsSoon) => {
            let end = it.follow().1.map(|at| format!(": on {}", day_and_relative(at, now)));
            let title = format!("The license ends soon{}", end.unwrap_or_default());
            (Tone::Look, "Ends soon", title)
        }
        _ => {
            let end = [it.follow().1, it.stops_at()].into_iter().flatten().min();
            let end = end.map(|at| format!("until {}", day_and_relative(at, now)));
            let end = end.unwrap_or_else(|| "and has no end".to_string());
            match but(it.verdict) {
                Some(but) => {
                    (Tone::Look, "In force", format!("The license is in force {end}, but {but}"))
                }
                None => (Tone::Good, "In force", format!("The license is in force {end}")),
            }
        }
    }
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
    let again = again.map(|at| format!(" until {}", day(at))).unwrap_or_default();
    match stopped.as_slice() {
        [] => None,
        [one] => Some(format!("{} has stopped{again}", feature_name(one))),
        [one, two] => {
            Some(format!("{} and {} have stopped{again}", feature_name(one), feature_name(two)))
        }
        some => Some(format!("{} features have stopped", some.len())),
    }
}

/// What a feature is called.
pub(super) fn feature_name(it: &FeatureVerdict) -> String {
    let name = it.feature.name.as_deref().filter(|name| !name.trim().is_empty());
    shown(name.unwrap_or(&it.feature.id))
}

/// Why not everything works, as a title.
fn because(it: &Outlook<'_>, code: Code, vendor: &str) -> String {
    match it.once_showed() {
        Some(seen) => {
            format!(
                "The clock of this machine once showed {}, and {}",
                utc(seen),
                cause(code, vendor)
            )
        }
        None => capital(&cause(code, vendor)),
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

fn capital(text: &str) -> String {
    sentence(text).trim_end_matches('.').to_string()
}

/// What to do, the most urgent first, each once. Empty = nothing.
pub(super) fn todo(it: &Outlook<'_>) -> Vec<String> {
    let verdict = it.verdict;
    let waits = verdict.reason == Reason::UnlicensedGrace && it.takes_over().is_some();
    let reason = match (verdict.reason, it.once_showed()) {
        (_, Some(_)) => advice(Code::ClockRollback),
        (Reason::UnlicensedGrace, _) if !waits => advice(Code::NotLicensed),
        (Reason::No(code), _) => advice(code),
        _ => Advice::Nothing,
    };
    let warnings = verdict.warnings.iter().map(|warning| match warning.code {
        Topic::Alert(alert) => advice_on(alert),
        Topic::State(code) => advice(code),
    });
    let mut all: Vec<String> = Vec::new();
    for one in std::iter::once(reason).chain(warnings) {
        let text = match one {
            Advice::Nothing => continue,
            Advice::Say(text) => text.replace("{vendor}", it.vendor()),
            Advice::Remedy(code) => sentence(&code.remedy().replace("the vendor", it.vendor())),
        };
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// What to do about one thing.
#[derive(Clone, Copy)]
enum Advice {
    Nothing,
    /// In words of the page.
    Say(&'static str),
    /// In those of the error.
    Remedy(Code),
}

const RENEW: Advice = Advice::Say("Ask {vendor} for a renewal, and apply it on this page.");
const ASK: Advice = Advice::Say(
    "Send {vendor} the request code on this page, and apply the license that comes back.",
);
const TOKEN: Advice = Advice::Say(
    "Connect this product to {vendor}’s server, or apply a newer license from {vendor} on this \
     page.",
);
const SYNC: Advice = Advice::Say(
    "Connect this product to {vendor}’s server, or send {vendor} the sync request on this page \
     and apply the answer.",
);
const CLOCK: Advice = Advice::Say(
    "Set the clock of this machine right. If it is right, send {vendor} the clock request on this \
     page, and apply the answer.",
);
const ELSEWHERE: Advice = Advice::Say(
    "If this machine has an identity of its own, set it in the product. Otherwise send {vendor} \
     the request code on this page, and apply the license that comes back.",
);
const LIMIT: Advice =
    Advice::Say("Use less, wait until the limit starts again, or ask {vendor} for a higher one.");

/// What to do about an error that decides.
fn advice(code: Code) -> Advice {
    match code {
        Code::Expired => RENEW,
        Code::NotLicensed => ASK,
        Code::TokenExpired => TOKEN,
        Code::SyncOverdue => SYNC,
        Code::WrongMachine => ELSEWHERE,
        Code::WrongInstallation => Advice::Say(
            "Use the license where it was issued for, or send {vendor} the request code on this \
             page and apply the license that comes back.",
        ),
        Code::ClockRollback => CLOCK,
        Code::Suspended => {
            Advice::Say("Ask {vendor} to take the license off hold, and apply the answer.")
        }
        Code::LimitExceeded => LIMIT,
        other => Advice::Remedy(other),
    }
}

/// What to do about a warning.
fn advice_on(alert: Alert) -> Advice {
    match alert {
        Alert::EndsSoon | Alert::InGrace | Alert::IssuerExpired => RENEW,
        Alert::TokenDue | Alert::RenewDue => TOKEN,
        Alert::SyncDue => SYNC,
        Alert::Suspended => advice(Code::Suspended),
        Alert::IssuerNotFound => {
            Advice::Say("Ask {vendor} why its server does not know the license.")
        }
        Alert::SupportEndsSoon | Alert::SupportEnded => {
            Advice::Say("Ask {vendor} to extend support.")
        }
        Alert::MachineDrifted => Advice::Say(
            "Before more of this machine changes, send {vendor} the request code on this page, \
             and apply the license that comes back.",
        ),
        Alert::LimitReached => LIMIT,
        Alert::FeatureTooNew => Advice::Say("Update the product."),
        Alert::NotInForce => Advice::Nothing,
        Alert::GraceEndsSoon => ASK,
        Alert::SourceRefused => {
            Advice::Say("Put right or remove the license that was refused, under Sources.")
        }
        Alert::ClockSuspect => CLOCK,
        Alert::StateRecovered => Advice::Say("Check the disk that this product’s folder is on."),
        Alert::SharedFolder => Advice::Say("Give every machine a folder of its own."),
    }
}
