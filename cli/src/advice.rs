//! What to do about what holds, with the commands to do it with.

use crate::output::show;
use crate::product::InstallationArgs;
use crate::standing::Standing;
use crate::words::sentence;
use licentia::Code;

/// One thing to do.
#[derive(Debug, PartialEq)]
pub struct Advice {
    /// What, in sentences. With commands, it ends with a colon.
    pub text: String,
    /// What to type, one after the other: a command and what follows the options.
    pub commands: &'static [&'static str],
}

/// What to do, the most urgent first. Empty = nothing.
pub fn advice(it: &Standing, place: &InstallationArgs) -> Vec<Advice> {
    let plain = |text: String| Advice { text, commands: &[] };
    if let Some(make) = place.how_to_make() {
        // Whatever else there is to do needs a folder.
        return vec![plain(format!("There is no such folder: {make}."))];
    }
    let reason = if it.once_showed().is_some() { "clock_rollback" } else { it.reason.as_str() };
    let waits = it.reason == "unlicensed_grace" && it.takes_over().is_some();
    let reasons = std::iter::once(reason).filter(|_| !waits);
    let warnings = it.warnings.iter().map(|warning| warning.code.as_str());
    let mut all: Vec<Advice> = Vec::new();
    for word in reasons.chain(warnings) {
        let denied = word == Code::StateUnavailable.slug() && it.state.is_denied();
        let one = match denied {
            true => Some(plain("Run this as the user that the product runs as.".to_string())),
            false => remedy(word),
        };
        all.extend(one.filter(|one| !all.contains(one)));
    }
    all
}

impl Advice {
    /// Its commands for an installation, to be pasted.
    pub fn commands(&self, place: &InstallationArgs) -> Vec<Vec<String>> {
        let line = |line: &&str| {
            let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.split_whitespace().map(String::from);
            let words = ["licentia".to_string(), command.to_string()];
            let words = words.into_iter().chain(place.words()).chain(rest);
            words.map(|word| show(&word)).collect()
        };
        self.commands.iter().map(line).collect()
    }
}

const APPLY: &[&str] = &["apply FILE"];
const REQUEST: &[&str] = &["request", "apply FILE"];

/// What to do about a reason or a warning.
fn remedy(word: &str) -> Option<Advice> {
    let (text, commands): (&str, &'static [&'static str]) = match word {
        "ok" | "not_needed" | "not_enforced" => return None,
        "expired" | "ends_soon" | "in_grace" | "issuer_expired" => {
            ("Ask the vendor for a renewal, and apply it:", APPLY)
        }
        "not_licensed" | "unlicensed_grace" | "grace_ends_soon" => (
            "Send the vendor what the first command prints, and apply the license that comes back:",
            REQUEST,
        ),
        "token_expired" | "token_due" | "renew_due" => {
            ("Apply a newer license file from the vendor:", APPLY)
        }
        "sync_overdue" | "sync_due" => (
            "Let the product reach the vendor's server; or send the vendor what the first command \
             prints, and apply the answer:",
            &["request sync", "apply FILE"],
        ),
        "wrong_machine" | "machine_drifted" => (
            "If this machine has an identity of its own, give it with --machine. Else send the \
             vendor what the first command prints, and apply the license that comes back:",
            REQUEST,
        ),
        "clock_rollback" | "clock_suspect" => (
            "Set the clock of this machine right. If it is right, it was once ahead, and the \
             vendor answers what the first of these prints with a reset:",
            &["request clock", "apply FILE"],
        ),
        "suspended" => {
            ("Ask the vendor to take the license off hold, and apply the answer:", APPLY)
        }
        "issuer_not_found" => ("Ask the vendor why its server does not know the license.", &[]),
        "support_ends_soon" | "support_ended" => ("Ask the vendor for more support.", &[]),
        "limit_reached" | "limit_exceeded" => {
            ("Use less, wait until it starts again, or ask the vendor for a higher limit.", &[])
        }
        "feature_too_new" | "too_new" => ("Update the product.", &[]),
        "source_refused" => {
            ("Put right or take away what was refused: see below, under sources.", &[])
        }
        "state_recovered" => ("Check the disk that the folder is on.", &[]),
        "state_corrupt" => (
            "Put back a backup of the whole folder; or apply a license, and go on from there; or \
             empty the folder to begin again:",
            APPLY,
        ),
        "shared_folder" => ("Give every machine a folder of its own.", &[]),
        "not_in_force" => ("See below why the license that is here is not in force.", &[]),
        "not_yet_valid" => {
            ("Wait until it begins. If it should have, look at this machine's clock.", &[])
        }
        "wrong_product" | "unknown_key" => {
            ("Look at --product, --keys and --dir: they have to be those of the product.", &[])
        }
        other => {
            let text = Code::from_slug(other).map(|code| sentence(code.remedy()))?;
            return Some(Advice { text, commands: &[] });
        }
    };
    Some(Advice { text: text.to_string(), commands })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::documented;

    #[test]
    fn there_is_something_to_do_about_every_word_of_a_verdict() {
        let quiet = ["ok", "not_needed", "not_enforced"];
        let mut words = documented("warnings");
        words.extend(documented("reasons").into_iter().chain(documented("others")));
        assert!(words.len() > 25 && words.contains(&"sync_overdue"));
        for word in words {
            let Some(what) = remedy(word) else {
                assert!(quiet.contains(&word), "{word}");
                continue;
            };
            assert!(!quiet.contains(&word), "{word}");
            let end = if what.commands.is_empty() { '.' } else { ':' };
            assert!(what.text.ends_with(end), "{word}");
        }
    }
}
