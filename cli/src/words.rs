//! The state of an installation in words: what holds, and what to do about it.

use crate::output::{BAD, GOOD, LOOK, show};
use crate::standing::{Access, Event, Feature, License, Source, Standing};
use crate::status_page::wrap;
use crate::when::{both, count, plain_times, utc};
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
    /// On one line or more.
    pub fn colored(&self) -> String {
        let Headline { style, state, rest } = self;
        let lines = wrap(&format!("{state}{rest}"), 0, 2);
        lines.replacen(state, &format!("{style}{state}{style:#}"), 1)
    }
}

/// What holds.
pub fn headline(it: &Standing) -> Headline {
    let (style, state, rest) = match (it.reason.as_str(), it.access) {
        ("not_enforced", _) => (GOOD, "Works", ": no license is asked for here".to_string()),
        ("not_needed", _) => {
            let then = waiting(it).map(|it| format!("; {it}")).unwrap_or_default();
            (GOOD, "Works", format!(": no license is needed yet{then}"))
        }
        ("unlicensed_grace", _) if it.takes_over().is_some() => {
            let then = waiting(it).unwrap_or_default();
            (GOOD, "Works", format!(": no license is needed until {then}"))
        }
        ("unlicensed_grace", _) => {
            let end = it.stops_at().map(|at| both(at, it.at)).unwrap_or_default();
            (LOOK, "Works, but", format!(" only until {end}: no license is in force"))
        }
        ("wrong_product" | "unknown_key", Access::Deny) => {
            (BAD, "This call does not fit", format!(": {}", cause(&it.reason)))
        }
        ("not_yet_valid", _) => {
            (BAD, "Not yet in force", until(it, "", "it begins on", begins(it)))
        }
        (reason, Access::Deny) => (BAD, "Stopped", stopped(it, reason)),
        (reason, Access::ReadOnly) => (BAD, "Read only", stopped(it, reason)),
        _ => in_force(it),
    };
    Headline { style, state, rest }
}

/// A license that holds: without an end in sight, with one, or past it.
fn in_force(it: &Standing) -> (Style, &'static str, String) {
    let (follow, end) = it.follow();
    match begun(it).map(|(_, why)| why) {
        Some(ENDS_SOON) => (LOOK, "Works, but", until(it, ENDS_SOON, "on", end)),
        Some(why) => (LOOK, "Works, but", until(it, why, "it stops on", it.stops_at())),
        None => {
            let until = [end, it.stops_at()].into_iter().flatten().min();
            let until = until.map(|at| format!(" until {}", both(at, it.at)));
            let until = until.unwrap_or_else(|| " without an end".to_string());
            let until = format!("{until}{}{}", by_whom(it, &follow), but(it));
            let warned = match it.warnings.len() {
                0 => String::new(),
                more => format!("; {}", count(more as u64, "warning")),
            };
            (GOOD, "In force", until + &warned)
        }
    }
}

/// Which licenses carry it, where one comes after another.
fn by_whom(it: &Standing, follow: &[&Source]) -> String {
    let names = it.license.iter().map(License::title).chain(follow.iter().map(|it| it.title()));
    match follow.is_empty() {
        true => String::new(),
        false => format!(" ({})", names.collect::<Vec<_>>().join(", then ")),
    }
}

/// The features that have stopped by themselves.
fn but(it: &Standing) -> String {
    let limited = |one: &&Feature| one.access < Access::Warn && one.reason == "limit_exceeded";
    let stopped = it.features.iter().filter(limited);
    let stopped: Vec<&Feature> = stopped.collect();
    let has = if stopped.len() == 1 { "has" } else { "have" };
    match stopped.as_slice() {
        [] => String::new(),
        some if some.len() > 3 => format!(", but {} features have stopped", some.len()),
        some => {
            let names: Vec<&str> = some.iter().map(|one| one.id.as_str()).collect();
            let again = some.iter().map(|one| one.resets_at).min().flatten();
            let again = again.map(|at| format!(" until {}", utc(at))).unwrap_or_default();
            format!(", but {} {has} stopped{again}", names.join(" and "))
        }
    }
}

/// The license that waits, and when it takes over.
fn waiting(it: &Standing) -> Option<String> {
    let (license, at) = it.takes_over()?;
    Some(format!("{} takes over on {}", license.title(), both(at, it.at)))
}

/// The days between the end of what holds and the license after it, if there are some.
pub fn gap(it: &Standing) -> Option<(i64, i64)> {
    let stops = if it.access < Access::Warn { Some(it.at) } else { it.stops_at() }?;
    let waits = it.sources.iter().filter(|one| one.result == "not_yet_valid");
    let later =
        it.others().chain(waits).filter(|one| one.valid_until.is_none_or(|until| until > stops));
    let next = later.filter_map(|one| one.valid_from).filter(|from| *from > stops).min()?;
    (it.access >= Access::Warn).then_some((stops, next))
}

/// Whether another part of the page says all that a warning does: the headline, or the sources.
pub fn is_said_elsewhere(it: &Standing, warning: &str) -> bool {
    let headline = begun(it).is_some_and(|(word, _)| word == warning);
    warning == "source_refused" || warning == "ends_soon" && headline
}

/// The worst of what has begun.
fn begun(it: &Standing) -> Option<(&'static str, &'static str)> {
    let warned = |word: &str| it.warnings.iter().any(|warning| warning.code == word);
    BEGUN.iter().copied().find(|(word, _)| warned(word))
}

const ENDS_SOON: &str = " the license ends soon";

/// What has begun that ends in stopping, the worst first: the word of a warning, and what the
/// headline says.
const BEGUN: &[(&str, &str)] = &[
    ("suspended", " the vendor has put the license on hold"),
    ("in_grace", " the license has ended"),
    ("renew_due", " the license was not renewed in time"),
    ("sync_due", " the vendor's server was not reached in time"),
    ("ends_soon", ENDS_SOON),
];

fn until(it: &Standing, why: &str, word: &str, at: Option<i64>) -> String {
    match at {
        Some(at) => format!("{why}: {word} {}", both(at, it.at)),
        None => why.to_string(),
    }
}

fn begins(it: &Standing) -> Option<i64> {
    let begins = |event: &&Event| event.event == "begins" && event.at > it.at;
    it.timeline.iter().find(begins).map(|event| event.at)
}

fn stopped(it: &Standing, reason: &str) -> String {
    if let Some(seen) = it.once_showed() {
        let seen = utc(seen);
        return format!(": the clock of this machine once showed {seen}, and {}", cause(reason));
    }
    let since = since(it).map(|at| format!(" since {}", both(at, it.at)));
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
        Code::StateCorrupt => {
            "what was kept in the folder is damaged: licenses, first use and times seen are lost"
        }
        Code::WrongProduct => "what is here belongs to another product than --product names",
        Code::UnknownKey => "none of the keys of --keys has signed the license that is here",
        Code::StateUnavailable => "what is kept on this machine cannot be reached",
        _ => "the license that was found is refused",
    }
}

/// What was found, where the headline does not say it: not where it gives the same time.
pub fn detail(it: &Standing) -> Option<String> {
    let found = Some(found(&it.message)).filter(|_| it.access < Access::Warn)?;
    let times = found.match_indices(" UTC").filter_map(|(at, _)| found.get(at - 16..at));
    let headline = headline(it);
    let times: Vec<bool> = times.map(|time| headline.rest.contains(time)).collect();
    let is_said =
        it.once_showed().is_some() || found == sentence(cause(&it.reason)) || times == [true];
    (!is_said).then_some(found)
}

/// What happens at a time: the word of an event, what the page says, and whether it changes what
/// may be done.
const EVENTS: &[(&str, &str, bool)] = &[
    ("first_use", "the product was first used", false),
    ("grace_ends_soon", "a warning begins: the days without a license end soon", false),
    ("grace_ends", "the days without a license end", true),
    ("issued", "the license was signed", false),
    ("begins", "the license begins", false),
    ("ends_soon", "a warning begins: the license ends soon", false),
    ("ends", "the license ends", true),
    ("read_only", "", true),
    ("stops", "", true),
    ("token_due", "a warning begins: the license is to be renewed", false),
    ("renew_due", "the latest time to renew the license", true),
    ("renew_read_only", "", true),
    ("renew_stops", "", true),
    ("last_contact", "the vendor's server last answered", false),
    ("next_contact", "the vendor's server is to be asked again", false),
    ("sync_due", "the latest time to ask the vendor's server", true),
    ("sync_read_only", "", true),
    ("sync_stops", "", true),
    ("suspended", "the vendor put the license on hold", true),
    ("suspended_read_only", "", true),
    ("suspended_stops", "", true),
    ("revoked", "the vendor withdrew the license", true),
    ("support_ends_soon", "a warning begins: support ends soon", false),
    ("support_ends", "support ends", false),
    ("other_begins", "another license that is here begins", false),
    ("other_ends", "another license that is here ends", false),
];

/// What happens when, in the order of time. When it was signed changes nothing here, nor does a
/// stage that was reached before, and nobody warns of what does not work.
pub fn events(it: &Standing) -> Vec<(i64, String)> {
    let before = std::iter::once(None).chain(it.timeline.iter().map(|step| Some(step.access)));
    let steps = it.timeline.iter().zip(before).filter(|(step, _)| step.event != "issued");
    let told = steps.map(|(step, before)| match named(it, step) {
        Some(what) => (step.at, with_access(step, before, &what, step.event.starts_with("other_"))),
        None => (step.at, event(step, before)),
    });
    told.filter(|(_, what)| !what.is_empty()).collect()
}

/// What happens to one license of several, by its name. Empty where another event says it.
fn named(it: &Standing, step: &Event) -> Option<String> {
    let own = it.license.as_ref()?;
    let begins = || it.others().find(|one| one.valid_from == Some(step.at));
    let name = |one: &Source| {
        let title = one.title();
        let same = title == own.title();
        if same {
            format!("its renewal {:.8}", one.token_id.as_deref().unwrap_or(""))
        } else {
            title
        }
    };
    let ends = own.valid_until == Some(step.at);
    match step.event.as_str() {
        "other_begins" if ends => begins().map(|_| String::new()),
        "other_begins" => begins().map(|one| format!("{} begins", name(one))),
        "other_ends" => {
            let one = it.others().find(|one| one.valid_until == Some(step.at))?;
            Some(format!("{} ends", name(one)))
        }
        "ends_soon" if !it.follow().0.is_empty() => Some(String::new()),
        "ends" => {
            let (follow, _) = it.follow();
            let next = follow.first()?;
            Some(format!("{} ends, and {} takes over", own.title(), name(next)))
        }
        _ => None,
    }
}

/// What happens, and what may be done from then on if that was another `before`.
fn event(it: &Event, before: Option<Access>) -> String {
    let known = EVENTS.iter().find(|(word, ..)| *word == it.event);
    let Some((_, what, changes)) = known else { return tame(&it.message) };
    if what.starts_with(WARNS) && it.access < Access::Warn {
        return String::new();
    }
    with_access(it, before, what, *changes)
}

/// The same for words of its own.
fn with_access(it: &Event, before: Option<Access>, what: &str, changes: bool) -> String {
    if what.is_empty() && (it.event.starts_with("other_") || it.event == "ends_soon") {
        return String::new();
    }
    let rises = before.is_some_and(|before| before < Access::Warn && it.access >= Access::Warn);
    if !rises && (!changes || before == Some(it.access)) {
        return what.to_string();
    }
    let then = match it.access {
        Access::Deny => "everything stops",
        Access::ReadOnly => "what is there can only be read",
        _ if rises => "everything works",
        Access::Warn => "everything works on, with a warning",
        Access::Allow => "everything works on",
    };
    if what.is_empty() { then.to_string() } else { format!("{what}: {then}") }
}

/// How an event begins that is a warning.
const WARNS: &str = "a warning begins";

/// Since when no more than now may be done, if it is known.
fn since(it: &Standing) -> Option<i64> {
    let past = it.timeline.iter().rev().skip_while(|event| event.at > it.at);
    let since = past.take_while(|event| event.access == it.access).last()?.at;
    let changes =
        |step: &Event| EVENTS.iter().any(|(word, _, changes)| *changes && *word == step.event);
    it.timeline.iter().any(|step| step.at == since && changes(step)).then_some(since)
}

/// What a sentence of the library says was found, without what to do: the page says that once.
pub fn found(message: &str) -> String {
    let found = message.rsplit_once(": ").map_or(message, |(found, _)| found);
    let found = &found.replace(" drifted", " do not match");
    format!("{}.", tame(found).trim_end_matches('.'))
}

/// A sentence of the library for people.
pub fn tame(message: &str) -> String {
    show(&plain_times(&without_numbers(message.trim())))
}

/// Without the numbers that the system has for its errors.
fn without_numbers(message: &str) -> String {
    let Some((before, rest)) = message.split_once(" (os error ") else {
        return message.to_string();
    };
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// Begins with a capital and ends with a full stop.
pub fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

/// The words in the first column of a table of docs/verdict.md.
#[cfg(test)]
pub fn documented(table: &str) -> Vec<&'static str> {
    let page = include_str!("../../docs/verdict.md");
    let (_, rest) = page.split_once(&format!("<!-- {table} -->\n")).unwrap();
    let rows = rest.lines().take_while(|line| *line != "<!-- end -->");
    rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`')).map(|(word, _)| word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_verdict_is_said_for_people() {
        let events = documented("timeline");
        let known: Vec<&str> = EVENTS.iter().map(|(word, ..)| *word).collect();
        assert_eq!(events, known);
        for reason in documented("reasons") {
            assert_ne!(cause(reason), cause("malformed"), "{reason}");
        }
        assert_eq!(EVENTS.iter().filter(|(_, what, _)| what.starts_with(WARNS)).count(), 4);
        assert!(BEGUN.iter().all(|(word, _)| documented("warnings").contains(word)));
    }
}
