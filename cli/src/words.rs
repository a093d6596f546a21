//! The state of an installation in words: what holds, and what to do about it.

use crate::output::{BAD, GOOD, LOOK};
use crate::standing::{Access, Standing};
use crate::when::both;
use anstyle::Style;
use licentia::Code;

/// The first line of the page.
pub struct Headline {
    pub style: Style,
    /// The words that the style is for.
    pub state: &'static str,
    pub rest: String,
}

impl Headline {
    /// Without color, for a sentence.
    pub fn plain(&self) -> String {
        format!("{}{}", self.state, self.rest)
    }
}

/// What holds.
pub fn headline(it: &Standing) -> Headline {
    let (style, state, rest) = match (it.reason.as_str(), it.access) {
        ("not_enforced", _) => {
            (GOOD, "Works", ": the vendor runs this product, and asks for no license".to_string())
        }
        ("not_needed", _) => (GOOD, "Works", ": no license is needed yet".to_string()),
        ("unlicensed_grace", _) => {
            (LOOK, "Works, but only for now", limited(it, ": without a license"))
        }
        ("ok", _) if it.in_force => in_force(it),
        (reason, Access::Deny) => (BAD, "Stopped", stopped(it, reason)),
        (reason, Access::ReadOnly) => (BAD, "Read only", stopped(it, reason)),
        (reason, _) => (LOOK, "Works, but", limited(it, &format!(" {}", cause(reason)))),
    };
    Headline { style, state, rest }
}

/// A license that holds, whose end is near or not.
fn in_force(it: &Standing) -> (Style, &'static str, String) {
    let ends = it.license.as_ref().and_then(|license| license.valid_until);
    let ends = ends.filter(|end| *end > it.at);
    let until = [ends, it.stops_at()].into_iter().flatten().min();
    let until = until.map(|at| both(at, it.at));
    match (until, it.warnings.is_empty()) {
        (Some(until), true) => (GOOD, "In force", format!(" until {until}")),
        (None, true) => (GOOD, "In force", ", and has no end".to_string()),
        (Some(until), false) => {
            (LOOK, "Works, but see the warnings", format!(": in force until {until}"))
        }
        (None, false) => {
            (LOOK, "Works, but see the warnings", ": in force, and has no end".to_string())
        }
    }
}

fn limited(it: &Standing, why: &str) -> String {
    match it.stops_at() {
        Some(at) => format!("{why}: until {}", both(at, it.at)),
        None => why.to_string(),
    }
}

fn stopped(it: &Standing, reason: &str) -> String {
    let since = it.since().map(|at| format!(" since {}", both(at, it.at)));
    format!("{}: {}", since.unwrap_or_default(), cause(reason))
}

/// A reason, as the end of a sentence.
fn cause(reason: &str) -> &'static str {
    let Some(code) = Code::from_slug(reason) else { return "something changed" };
    match code {
        Code::TooNew => "the license needs a newer version of this product",
        Code::Revoked => "the vendor has withdrawn the license",
        Code::WrongMachine => "the license is for another machine",
        Code::WrongInstallation => "the license is for another installation",
        Code::Suspended => "the vendor has put the license on hold",
        Code::NotYetValid => "the license has not begun",
        Code::Expired => "the license has ended",
        Code::TokenExpired => "the license was not renewed in time",
        Code::SyncOverdue => "the vendor's server was not reached for too long",
        Code::NotLicensed => "there is no license",
        Code::StateCorrupt => "what was kept on this machine is damaged",
        Code::StateUnavailable => "what is kept on this machine cannot be reached",
        _ => "the license that was found is refused",
    }
}

/// What to do, the most urgent first. Empty = nothing.
pub fn advice(it: &Standing) -> Vec<&'static str> {
    let reasons = std::iter::once(it.reason.as_str());
    let warnings = it.warnings.iter().map(|warning| warning.code.as_str());
    let mut all: Vec<&str> = Vec::new();
    for what in reasons.chain(warnings).filter_map(remedy) {
        if !all.contains(&what) {
            all.push(what);
        }
    }
    all
}

const ASK: &str = "Send the vendor what `licentia request` prints, and apply the license that \
                   comes back with `licentia apply FILE`.";
const RENEW: &str = "Ask the vendor for a renewal, and apply it with `licentia apply FILE`.";
const REACH: &str = "Let the product reach the vendor's server; or send the vendor what \
                     `licentia request sync` prints, and apply the answer with `licentia apply \
                     FILE`.";
const BIND: &str = "If this is the right machine and it was changed, send the vendor what \
                    `licentia request` prints, and apply the license that comes back with \
                    `licentia apply FILE`.";
const CLOCK: &str = "Set the clock of this machine right.";

/// What to do about a reason or a warning.
fn remedy(word: &str) -> Option<&'static str> {
    Some(match word {
        "ok" | "not_needed" | "not_enforced" | "state_recovered" => return None,
        "expired" | "ends_soon" | "in_grace" | "issuer_expired" => RENEW,
        "not_licensed" | "unlicensed_grace" | "grace_ends_soon" => ASK,
        "token_expired" | "token_due" | "renew_due" | "sync_overdue" | "sync_due" => REACH,
        "wrong_machine" | "machine_drifted" => BIND,
        "clock_rollback" | "clock_suspect" => CLOCK,
        "suspended" => {
            "Ask the vendor to take the license off hold, and apply the answer with `licentia \
             apply FILE`."
        }
        "issuer_not_found" => "Ask the vendor why its server does not know the license.",
        "support_ends_soon" | "support_ended" => "Ask the vendor for more support.",
        "limit_reached" | "limit_exceeded" => {
            "Use less, wait until it starts again, or ask the vendor for a higher limit."
        }
        "feature_too_new" | "too_new" => "Update the product.",
        "source_refused" => "Put right or take away what was refused: see below.",
        "shared_folder" => "Give every machine a folder of its own.",
        "not_in_force" => "See below why the license that is here is not in force.",
        "not_yet_valid" => "Wait until it begins. If it should have, look at this machine's clock.",
        other => return Code::from_slug(other).map(Code::remedy),
    })
}
