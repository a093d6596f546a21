//! Licenses in words.

use super::shapes::{Entitlement, Heard, License, Limit, Outlook, Silence, Stage, Turn};
use crate::desk::numbers::{counted, grouped};
use crate::desk::when;

/// The words of the API for a status, and what people call it.
pub const STATUSES: [(&str, &str); 4] = [
    ("active", "active"),
    ("suspended", "suspended"),
    ("expired", "ended"),
    ("revoked", "revoked"),
];

/// The same, of the types.
pub const KINDS: [(&str, &str); 5] = [
    ("subscription", "Subscription"),
    ("perpetual", "Perpetual"),
    ("trial", "Trial"),
    ("floating", "Floating"),
    ("node_locked", "Node-locked"),
];

fn named(known: &[(&str, &'static str)], word: &str) -> String {
    let found = known.iter().find(|(it, _)| *it == word);
    found.map_or_else(|| word.to_string(), |(_, name)| (*name).to_string())
}

/// Whether two texts are the same: of a menu, the choice.
pub fn same(one: &str, other: &str) -> bool {
    one == other
}

/// What people call a status.
pub fn status(word: &str) -> String {
    named(&STATUSES, word)
}

/// What people call a type.
pub fn kind(word: &str) -> String {
    named(&KINDS, word)
}

/// How a status looks.
pub fn tone(word: &str) -> &'static str {
    match word {
        "active" => "good",
        "suspended" => "look",
        "revoked" => "bad",
        _ => "quiet",
    }
}

/// How what may be done looks.
pub fn tone_of(mode: &str) -> &'static str {
    match mode {
        "full" => "good",
        "warn" | "read_only" => "look",
        _ => "bad",
    }
}

/// What may be done, in two words.
pub fn mode(word: &str) -> &'static str {
    match word {
        "full" => "works",
        "warn" => "works, warns",
        "read_only" => "read only",
        _ => "stopped",
    }
}

/// What comes by itself, as a sentence without its end.
pub fn turn(it: &Turn) -> &'static str {
    match (it.what.as_str(), it.mode.as_str()) {
        ("begins", _) => "It begins",
        ("notice", _) => "Programs begin to announce its end",
        ("support_ends", _) => "Support ends",
        ("ends", "deny") => "It ends, and stops at once",
        ("ends", "read_only") => "It ends: what is there can only be read",
        ("ends", _) => "It ends: everything goes on, with a warning",
        (_, "read_only") => "What is there can only be read from here on",
        _ => "Nothing works any more",
    }
}

/// Where it stands, and what comes next, in one sentence. `now` is a time of RFC 3339.
pub fn standing(it: &License, turns: &[Turn], now: &str) -> String {
    let since = |at: &Option<String>| at.as_deref().map(when::minute).unwrap_or_default();
    let mut passed = turns.iter().filter(|turn| turn.at.as_str() <= now);
    let last = passed.rfind(|turn| turn.what != "support_ends");
    match it.status.as_str() {
        "revoked" => format!("Revoked on {}, for ever.", since(&it.revoked_at)),
        "suspended" => {
            format!("Suspended since {}, until it is reinstated.", since(&it.suspended_at))
        }
        "expired" => match last.map_or("deny", |turn| turn.mode.as_str()) {
            "deny" => format!("It ended on {}, and works no more.", since(&it.valid_until)),
            "read_only" => {
                format!("It ended on {}: what is there can only be read.", since(&it.valid_until))
            }
            _ => format!("It ended on {}, and goes on with a warning.", since(&it.valid_until)),
        },
        _ => match (last, &it.valid_until) {
            (None, _) => "It has not begun.".to_string(),
            (_, None) => "It is good, without end.".to_string(),
            (_, Some(until)) => format!("It is good until {}.", when::minute(until)),
        },
    }
}

/// What is granted, and how much of it.
pub fn entitlement(it: &Entitlement) -> String {
    let most = it.max.map_or_else(
        || "without limit".to_string(),
        |max| format!("up to {}", grouped(i64::try_from(max).unwrap_or(i64::MAX))),
    );
    let measured = match (it.meter.as_deref(), it.per.as_deref()) {
        (None, _) => return "on".to_string(),
        (Some("count"), Some("ever")) => format!("{most}, counted once for all"),
        (Some("count"), per) => format!("{most} each {}", per.unwrap_or("period")),
        (Some("level"), _) => format!("{most} at the same time"),
        (Some("distinct"), _) => {
            let days = i64::from(it.days.unwrap_or_default());
            format!("{most} different ones in {}", counted(days, "day", "days"))
        }
        (Some(_), _) => most,
    };
    match (it.max, it.over.unwrap_or_default(), it.then.as_deref()) {
        (None, ..) => measured,
        (Some(_), 0, Some("count")) => format!("{measured}; past that it counts on"),
        (Some(_), 0, _) => format!("{measured}; past that it stops"),
        (Some(_), over, Some("count")) => format!("{measured}; past {over} % more it counts on"),
        (Some(_), over, _) => format!("{measured}; past {over} % more it stops"),
    }
}

/// What days without contact cost.
pub fn silence(it: &Silence) -> String {
    let days = |days: i64| match days {
        0 => "At once".to_string(),
        days => format!("After {}", counted(days, "day", "days")),
    };
    let steps = [
        (it.warn_days, "it warns"),
        (it.read_only_days, "what is there can only be read"),
        (it.deny_days, "it stops"),
    ];
    let steps: Vec<String> = steps
        .into_iter()
        .filter_map(|(after, what)| after.map(|after| format!("{} {what}", days(after))))
        .collect();
    match steps.as_slice() {
        [] => "A program need not reach the server.".to_string(),
        _ => format!("{} where the server is not reached.", steps.join(", ").replace(", A", ", a")),
    }
}

/// What follows a suspension, once a program has heard of it.
fn suspended(stage: Option<Stage>) -> String {
    let days = |days: u32| match days {
        0 => "from that moment".to_string(),
        days => format!("{} later", counted(i64::from(days), "day", "days")),
    };
    match stage.map(|stage| (stage.read_only, stage.deny)) {
        None => "It stops at once.".to_string(),
        Some((None, None)) => "It goes on, with a warning.".to_string(),
        Some((Some(0), None)) => "From that moment what is there can only be read.".to_string(),
        Some((Some(read), None)) => {
            format!("It warns; {} what is there can only be read.", days(read))
        }
        Some((None, Some(0))) => "It stops at once.".to_string(),
        Some((None, Some(deny))) => format!("It warns, and stops {}.", days(deny)),
        Some((Some(0), Some(deny))) => {
            format!("From that moment what is there can only be read; {} it stops.", days(deny))
        }
        Some((Some(read), Some(deny))) => format!(
            "It warns; {} what is there can only be read, and {} it stops.",
            days(read),
            days(deny)
        ),
    }
}

/// What is about to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Withdrawn for ever.
    Revoking,
    /// Put on hold.
    Suspending,
}

/// What a revocation or a suspension does, and what it does not do offline: a sentence a line.
pub fn offline(doing: Doing, it: &License, outlook: &Outlook, now: &str) -> Vec<String> {
    let mut lines = vec![heard(&outlook.machines)];
    lines.push(match doing {
        Doing::Revoking => "A program that asks the server, as to sync, stops with its next \
                            contact: a revocation has no grace period."
            .to_string(),
        Doing::Suspending => format!(
            "A program that asks the server, as to sync, hears of it with its next contact. {}",
            suspended(it.terms.stages.suspended)
        ),
    });
    if let Some(limit) = &outlook.out_of_reach {
        lines.push(reach("One that does not ask any more", limit, it, now));
    }
    if outlook.machines.older > 0 {
        lines.push(format!(
            "{} not asked since the license was last changed, and {} by what it said before.",
            counted(outlook.machines.older, "machine has", "machines have"),
            if outlook.machines.older == 1 { "goes" } else { "go" }
        ));
    }
    let mut file = reach("Somebody who has only the file and never asks", &outlook.file, it, now);
    if outlook.older_files {
        file += " An older file says what the license said when it was signed.";
    }
    lines.push(file);
    if it.is_floating() {
        lines.push("No seat is given or renewed from now on.".to_string());
    }
    if doing == Doing::Revoking {
        lines.push(
            "The revocation list of the product names it within seconds. A program that fetches \
             the list, or is given it by hand, stops as soon as it has it, also where it cannot \
             reach the server."
                .to_string(),
        );
    }
    lines
}

fn heard(it: &Heard) -> String {
    if it.active == 0 {
        return match it.ever {
            0 => "No machine has ever activated it.".to_string(),
            _ => "No machine has it activated now.".to_string(),
        };
    }
    let last = it.last_seen_at.as_deref().map(when::minute).unwrap_or_default();
    format!(
        "{} it activated. Of these {} heard of in the last 24 hours, {} in 7 days, {} in 30 days; \
         the last contact was on {last}.",
        counted(it.active, "machine has", "machines have"),
        counted(it.day, "was", "were"),
        grouped(it.week),
        grouped(it.month)
    )
}

/// How long somebody goes on who hears nothing more.
fn reach(who: &str, limit: &Limit, it: &License, now: &str) -> String {
    let Limit { works_until, stops_at, reason } = limit;
    let why = because(reason.as_deref(), it);
    let reading = works_until.as_ref().filter(|at| stops_at.as_ref() != Some(at));
    let reading = reading.map(|at| match at.as_str() <= now {
        true => format!("can only read since {}", when::minute(at)),
        false => format!("can only read from {}", when::minute(at)),
    });
    match (stops_at, reading) {
        (Some(at), _) if at.as_str() <= now => {
            format!("{who} has stopped by {}: {why}.", when::minute(at))
        }
        (Some(at), None) => format!("{who} stops on {} at the latest: {why}.", when::minute(at)),
        (Some(at), Some(reading)) => {
            format!("{who} {reading}, and stops on {} at the latest: {why}.", when::minute(at))
        }
        (None, Some(reading)) => format!("{who} {reading}, and goes on reading for ever: {why}."),
        (None, None) => format!("{who} goes on for ever: {why}."),
    }
}

fn because(reason: Option<&str>, it: &License) -> String {
    let days = |days: Option<u32>| counted(i64::from(days.unwrap_or_default()), "day", "days");
    let stages = &it.terms.stages;
    let grace = |stage: Option<Stage>| match stage.and_then(|stage| stage.read_only.or(stage.deny))
    {
        None | Some(0) => String::new(),
        more => format!(", and {} of grace come after that", days(more)),
    };
    match reason {
        Some("contact") => {
            let (every, grace) = (days(it.terms.sync_days), grace(stages.overdue));
            format!("it has to reach the server every {every}{grace}")
        }
        Some("token") => {
            let (good, grace) = (days(it.terms.token_days), grace(stages.overdue));
            format!("what it has is signed for {good}{grace}")
        }
        Some("end") => {
            let until = it.valid_until.as_deref().map(when::minute).unwrap_or_default();
            format!("the license ends on {until}{}", grace(stages.ended))
        }
        Some("suspension") => "it has heard that the license is suspended".to_string(),
        _ if it.valid_until.is_some() => {
            "nothing in the license stops it, not even its end".to_string()
        }
        _ => "the license has no end, and nothing in it makes a program come back".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_one_short_line() {
        let it = |json: &str| entitlement(&serde_json::from_str(json).unwrap());
        assert_eq!(it(r#"{"id": "pro"}"#), "on");
        let monthly = r#"{"id": "x", "meter": "count", "per": "month", "max": 9000, "over": 10}"#;
        assert_eq!(it(monthly), "up to 9,000 each month; past 10 % more it stops");
        let days = r#"{"id": "x", "meter": "distinct", "days": 30, "max": 5, "then": "count"}"#;
        assert_eq!(it(days), "up to 5 different ones in 30 days; past that it counts on");
        assert_eq!(it(r#"{"id": "x", "meter": "level"}"#), "without limit at the same time");
    }

    #[test]
    fn silence_is_told_in_steps() {
        let it = |warn_days, read_only_days, deny_days| {
            silence(&Silence { warn_days, read_only_days, deny_days })
        };
        assert_eq!(it(None, None, None), "A program need not reach the server.");
        assert_eq!(
            it(Some(14), Some(20), Some(44)),
            "After 14 days it warns, after 20 days what is there can only be read, after 44 days \
             it stops where the server is not reached."
        );
        assert_eq!(
            it(None, None, Some(1)),
            "After 1 day it stops where the server is not reached."
        );
    }

    #[test]
    fn a_suspension_is_told_by_its_stages() {
        let stage = |read_only, deny| suspended(Some(Stage { warn: None, read_only, deny }));
        assert_eq!(suspended(None), "It stops at once.");
        assert_eq!(stage(None, None), "It goes on, with a warning.");
        assert_eq!(
            stage(Some(3), Some(10)),
            "It warns; 3 days later what is there can only be read, and 10 days later it stops."
        );
    }
}
