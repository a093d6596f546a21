//! What to do about what holds.

use super::outlook::Outlook;
use super::text::sentence;
use crate::errors::Code;
use crate::verdict::{Alert, Reason, Topic};

/// What to do, the most urgent first, each once. Empty = nothing.
pub(super) fn todo(it: &Outlook<'_>) -> Vec<String> {
    let verdict = it.verdict;
    let waits = verdict.reason == Reason::UnlicensedGrace && it.takes_over().is_some();
    let reason = match (verdict.reason, it.once_showed()) {
        (_, Some(_)) => advice(Code::ClockRollback),
        (Reason::UnlicensedGrace, _) if !waits => advice(Code::NotLicensed),
        (Reason::No(_), _) if it.other_address() => INSTANCE,
        (Reason::No(code), _) => advice(code),
        _ => Advice::Nothing,
    };
    let warnings = verdict.warnings.iter().map(|warning| on(warning.code));
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

/// Whether a warning asks for something to be done.
pub(super) fn is_called_for(it: &Outlook<'_>) -> bool {
    it.verdict.warnings.iter().any(|warning| !matches!(on(warning.code), Advice::Nothing))
}

/// Whether it begins with a text that is to be sent.
pub(super) fn sends(todo: &str) -> bool {
    todo.starts_with("Send ")
}

/// What to do about what was found.
fn on(code: Topic) -> Advice {
    match code {
        Topic::Alert(alert) => advice_on(alert),
        Topic::State(code) => advice(code),
    }
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
    "Send {vendor} the request code on this page, and apply the newer license that comes back.",
);
const SYNC: Advice =
    Advice::Say("Send {vendor} the sync request on this page, and apply the answer.");
const CLOCK: Advice = Advice::Say(
    "Set the clock of this machine right. If it is right, send {vendor} the clock request on this \
     page, and apply the answer.",
);
const ELSEWHERE: Advice = Advice::Say(
    "If this machine has an identity of its own, set it in the product. Otherwise send {vendor} \
     the request code on this page, and apply the license that comes back.",
);
const INSTANCE: Advice = Advice::Say(
    "If the setting instance is wrong here (see Installation), correct it. Otherwise send {vendor} \
     the request code and the address of this site, and apply the license that comes back.",
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
        Alert::SourceRefused => Advice::Say(
            "See under Sources which license was refused, and put it right or take it away.",
        ),
        Alert::ClockSuspect => CLOCK,
        Alert::StateRecovered => Advice::Say("Check the disk that this product’s folder is on."),
        Alert::SharedFolder => Advice::Say("Give every machine a folder of its own."),
    }
}
