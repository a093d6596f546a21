//! What happens when, in words.

use super::outlook::{Outlook, title, title_of};
use super::text::{capital, said};
use super::when::count;
use super::words::{Tone, feature_name};
use crate::verdict::{Access, Event, FeatureVerdict, Step};
use std::collections::BTreeMap;

/// One date, and all that happens on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) at: i64,
    /// What happens, as sentences without their full stop.
    pub(super) what: Vec<String>,
    /// What may be done from then on.
    pub(super) access: Access,
}

impl Date {
    pub(super) fn tone(&self) -> Tone {
        Tone::of(self.access)
    }
}

/// Every date on which something happens, in order. When the license was signed changes nothing
/// here, nor does a stage that was reached before, and nobody warns of what does not work.
pub(super) fn dates(it: &Outlook<'_>) -> Vec<Date> {
    let steps = &it.verdict.timeline;
    let before = std::iter::once(None).chain(steps.iter().map(|step| Some(step.access)));
    let matter = days_without_matter(it);
    let mut dates: Vec<Date> = Vec::new();
    for (step, before) in steps.iter().zip(before) {
        let without = matches!(step.event, Event::GraceEndsSoon | Event::GraceEnds);
        if without && !matter && step.at > it.now() {
            continue;
        }
        let Some(what) = told(it, step, before).filter(|what| !what.is_empty()) else { continue };
        match dates.last_mut().filter(|date| date.at == step.at) {
            Some(date) => date.what.extend((!date.what.contains(&what)).then_some(what)),
            None => dates.push(Date { at: step.at, what: vec![what], access: step.access }),
        }
    }
    dates
}

/// Whether the end of the days without a license takes something away: while a license goes on
/// beyond it, it does not.
fn days_without_matter(it: &Outlook<'_>) -> bool {
    let steps = &it.verdict.timeline;
    let Some(end) = steps.iter().find(|step| step.event == Event::GraceEnds) else { return false };
    let before = steps.iter().rev().find(|step| step.at < end.at);
    !it.verdict.in_force || before.is_none_or(|before| before.access != end.access)
}

/// Dates that are named after the next one.
const THEN: usize = 2;

/// The next date on which what may be done or warned of changes, and those after it on which what
/// may be done does, until it is more again.
pub(super) fn next(it: &Outlook<'_>) -> Vec<Date> {
    let (verdict, now) = (it.verdict, it.now());
    let dates = dates(it);
    // What is no more in the way, where something else is, changes nothing.
    let next = verdict.next_change_at.filter(|_| verdict.access >= Access::Warn);
    let mut then: Vec<i64> = Vec::new();
    let mut access = verdict.access;
    for step in verdict.timeline.iter().filter(|step| step.at > now) {
        if step.access == access || then.last() == Some(&step.at) {
            continue;
        }
        then.push(step.at);
        if step.access > access {
            break;
        }
        access = step.access;
    }
    then.retain(|at| Some(*at) != next);
    then.truncate(THEN);
    let of = |at: i64| {
        let date = dates.iter().find(|date| date.at == at).cloned();
        date.or_else(|| resets(it, at))
    };
    next.into_iter().chain(then).filter_map(of).collect()
}

/// What is counted anew at a time.
fn resets(it: &Outlook<'_>, at: i64) -> Option<Date> {
    let again = it.verdict.features.iter().filter(|feature| feature.resets_at == Some(at));
    let again: Vec<&FeatureVerdict> = again.collect();
    let what = match again.as_slice() {
        [] => return None,
        [one] if one.feature.meter.as_deref() == Some("count") => {
            format!("{} starts again from zero", feature_name(one))
        }
        [one] => format!("{} has fewer in its days", feature_name(one)),
        [one, two] => format!("{} and {} start again", feature_name(one), feature_name(two)),
        all => format!("{} start again", count(all.len() as u64, "feature")),
    };
    Some(Date { at, what: vec![what], access: it.verdict.access })
}

/// What happens; `None` where another step says it.
fn told(it: &Outlook<'_>, step: &Step, before: Option<Access>) -> Option<String> {
    let is_notice = matches!(
        step.event,
        Event::EndsSoon | Event::GraceEndsSoon | Event::TokenDue | Event::SupportEndsSoon
    );
    if is_notice && step.access < Access::Warn {
        return None;
    }
    let what = match named(it, step) {
        Some(what) => what?,
        None => plain(step.event).replace("{vendor}", it.vendor()),
    };
    let what = capital(&said(&what));
    Some(with_access(step, before, &what))
}

/// What happens to one license of several, by its name: `Some(None)` where another step says it.
fn named(it: &Outlook<'_>, step: &Step) -> Option<Option<String>> {
    let winner = it.verdict.winner.as_ref()?;
    let claims = &winner.held.claims;
    let own = title(claims.license.serial.as_deref(), &claims.license.id);
    let name = |other: &crate::verdict::SourceVerdict| {
        let name = title_of(other);
        let token = other.token_id.as_deref().unwrap_or_default();
        if name == own { format!("its renewal {token:.8}") } else { name }
    };
    let ends = claims.license.valid_until == Some(step.at);
    match step.event {
        Event::Issued => Some(None),
        Event::OtherBegins if ends => Some(None),
        Event::OtherBegins => {
            let other = it.others().find(|one| one.valid_from == Some(step.at));
            Some(other.map(|one| format!("{} begins", name(one))))
        }
        Event::OtherEnds => {
            let other = it.others().find(|one| one.valid_until == Some(step.at));
            Some(other.map(|one| format!("{} ends", name(one))))
        }
        Event::EndsSoon if !it.follow().0.is_empty() => Some(None),
        Event::Ends => {
            let (follow, _) = it.follow();
            let next = follow.first()?;
            Some(Some(format!("{own} ends, and {} takes over", name(next))))
        }
        _ => None,
    }
}

/// What happens, in words. Empty: it only changes what may be done.
fn plain(event: Event) -> &'static str {
    match event {
        Event::FirstUse => "this product was first used",
        Event::GraceEndsSoon => "warnings begin: the days without a license end soon",
        Event::GraceEnds => "the days without a license end",
        Event::Issued => "the license was signed",
        Event::Begins => "the license begins",
        Event::EndsSoon => "warnings begin: the license ends soon",
        Event::Ends => "the license ends",
        Event::TokenDue => "warnings begin: the license is to be renewed",
        Event::RenewDue => "latest time to renew the license",
        Event::LastContact => "{vendor}’s server last answered",
        Event::NextContact => "{vendor}’s server is to be asked again",
        Event::SyncDue => "latest time to ask {vendor}’s server",
        Event::Suspended => "{vendor} put the license on hold",
        Event::Revoked => "{vendor} withdrew the license",
        Event::SupportEndsSoon => "warnings begin: support ends soon",
        Event::SupportEnds => "support ends",
        Event::OtherBegins => "another license that is here begins",
        Event::OtherEnds => "another license that is here ends",
        Event::ReadOnly
        | Event::Stops
        | Event::RenewReadOnly
        | Event::RenewStops
        | Event::SyncReadOnly
        | Event::SyncStops
        | Event::SuspendedReadOnly
        | Event::SuspendedStops => "",
    }
}

impl Event {
    /// Whether it is what changes what may be done, where that changes.
    pub(super) fn changes(self) -> bool {
        !matches!(
            self,
            Event::FirstUse
                | Event::GraceEndsSoon
                | Event::Issued
                | Event::Begins
                | Event::EndsSoon
                | Event::TokenDue
                | Event::LastContact
                | Event::NextContact
                | Event::SupportEndsSoon
                | Event::SupportEnds
        )
    }
}

/// The same, with what may be done from then on if that was another `before`.
fn with_access(step: &Step, before: Option<Access>, what: &str) -> String {
    let changes = step.event.changes();
    let rises = before.is_some_and(|before| before < Access::Warn && step.access >= Access::Warn);
    if !rises && (!changes || before == Some(step.access)) {
        return what.to_string();
    }
    let then = match step.access {
        Access::Deny => "everything stops",
        Access::ReadOnly => "what is there can only be read",
        _ if rises => "everything works",
        Access::Warn => "everything works on, with a warning",
        Access::Allow => "everything works on",
    };
    if what.is_empty() { capital(then) } else { format!("{what}: {then}") }
}

/// Which dates are shown at once: of many, those around now.
pub(super) struct Shown {
    pub(super) earlier: Vec<Date>,
    pub(super) past: Vec<Date>,
    pub(super) ahead: Vec<Date>,
    pub(super) later: Vec<Date>,
}

/// Dates that are shown before and after now.
const BEFORE: usize = 3;
const AFTER: usize = 8;

impl Shown {
    pub(super) fn new(dates: Vec<Date>, now: i64) -> Shown {
        let (mut earlier, mut ahead): (Vec<Date>, Vec<Date>) =
            dates.into_iter().partition(|date| date.at <= now);
        let past = earlier.split_off(earlier.len().saturating_sub(BEFORE));
        let later = ahead.split_off(ahead.len().min(AFTER));
        Shown { earlier, past, ahead, later }
    }
}

/// How it is colored from each moment on. What was before the first date nobody asks, and what is
/// not known is not colored: what worked before the license, or before it was found that the
/// license may not be used here.
pub(super) fn tones(it: &Outlook<'_>, dates: &[Date]) -> BTreeMap<i64, Tone> {
    let now = it.now();
    let known = |date: &Date| date.at > now || it.is_known(date.at);
    let tone = |date: &Date| if known(date) { date.tone() } else { Tone::Unknown };
    let mut all: BTreeMap<i64, Tone> = dates.iter().map(|date| (date.at, tone(date))).collect();
    let last = all.range(..=now).next_back().map(|(_, tone)| *tone);
    if !all.is_empty() && last.is_none_or(|tone| tone == Tone::Unknown) {
        all.insert(now, Tone::of(it.verdict.access));
    }
    all
}
