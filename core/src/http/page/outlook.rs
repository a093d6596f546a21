//! What comes, read from a verdict: when less may be done, and which license goes on after it.

use crate::errors::Code;
use crate::installation::Known;
use crate::verdict::{self, Access, Event, Now, Reason, SourceVerdict, Step, Verdict};

/// A verdict, and what it was made from.
#[derive(Clone, Copy)]
pub(super) struct Outlook<'a> {
    pub(super) known: &'a Known,
    pub(super) verdict: &'a Verdict,
    /// The address of this site, as it was set.
    pub(super) instance: Option<&'a str>,
}

impl<'a> Outlook<'a> {
    /// The moment.
    pub(super) fn now(&self) -> i64 {
        self.verdict.now.at
    }

    /// The vendor's name, or the word for it.
    pub(super) fn vendor(&self) -> &'a str {
        let name = self.known.view.facts.terms.vendor.as_deref();
        name.filter(|name| !name.is_empty()).unwrap_or("the vendor")
    }

    /// What may be done at another moment, if nothing else changes.
    fn access_at(&self, at: i64) -> Access {
        verdict::rule(&self.known.view.facts, &Now { at, ..self.verdict.now }).access
    }

    /// Whether the license that decides is for another address, and that alone is in the way of
    /// its place: where the installation differs too, that is said.
    pub(super) fn other_address(&self) -> bool {
        let binding = self.verdict.winner.as_ref().map(|it| &it.held.claims.license.binding);
        let Some(Some(binding)) = binding else { return false };
        let set = self.known.view.product.settings().installation.as_deref();
        let own = set.or(self.verdict.state.installation.as_deref());
        let bare = |id: &str| id.trim_end_matches('/').to_string();
        let here = |id: &String| own.is_some_and(|own| bare(own) == bare(id));
        self.verdict.reason == Reason::No(Code::WrongInstallation)
            && binding.instance.is_some()
            && binding.installation.as_ref().is_none_or(here)
    }

    /// A time that the clock of this machine once showed, where that alone is in the way.
    pub(super) fn once_showed(&self) -> Option<i64> {
        let Now { clock, floor, .. } = self.verdict.now;
        let floor = floor.filter(|floor| !floor.signed && clock < floor.at)?.at;
        let stopped = self.verdict.access < Access::Warn;
        (stopped && self.access_at(floor) < self.access_at(clock)).then_some(floor)
    }

    /// The other licenses that are here and may be used, now or later.
    pub(super) fn others(&self) -> impl Iterator<Item = &'a SourceVerdict> {
        let good = |it: &&SourceVerdict| !it.used && (it.result == Reason::Ok || waits(it));
        self.verdict.sources.iter().filter(good)
    }

    /// The license that waits and takes over while none is needed, and when.
    pub(super) fn takes_over(&self) -> Option<(&'a SourceVerdict, i64)> {
        let last = self.verdict.grace_until.unwrap_or(i64::MAX);
        let waiting = self.verdict.sources.iter().filter(|it| waits(it));
        let begins = waiting.filter_map(|it| Some((it, it.valid_from?)));
        let takes_over = |at: i64| at <= last && self.access_at(at) == Access::Allow;
        begins.filter(|(_, at)| takes_over(*at)).min_by_key(|(_, at)| *at)
    }

    /// The licenses that go on from the end of the one that decides, one after the other without
    /// a day between, and the end of the last; `None` = it has none.
    pub(super) fn follow(&self) -> (Vec<&'a SourceVerdict>, Option<i64>) {
        let mut chain: Vec<&SourceVerdict> = Vec::new();
        let winner = self.verdict.winner.as_ref();
        let mut end = winner.and_then(|winner| winner.held.claims.license.valid_until);
        while let Some(at) = end {
            let goes_on = |it: &&SourceVerdict| {
                it.valid_from.is_some_and(|from| from <= at)
                    && it.valid_until.is_none_or(|until| until > at)
            };
            let Some(next) = self.others().find(goes_on) else { break };
            chain.push(next);
            end = next.valid_until;
        }
        (chain, end)
    }

    /// When less than now may be done for the first time, and that is less than a warning.
    pub(super) fn stops_at(&self) -> Option<i64> {
        let Verdict { access, timeline, .. } = self.verdict;
        let worse = |step: &&Step| {
            step.at > self.now() && step.access < *access && step.access < Access::Warn
        };
        timeline.iter().find(worse).map(|step| step.at)
    }

    /// The days between the end of what holds and the license after it, if there are some.
    pub(super) fn gap(&self) -> Option<(i64, i64)> {
        let stops = self.stops_at().filter(|_| self.verdict.access >= Access::Warn)?;
        let waiting = self.verdict.sources.iter().filter(|it| waits(it));
        let all = self.others().chain(waiting);
        let later = all.filter(|it| it.valid_until.is_none_or(|until| until > stops));
        let next = later.filter_map(|it| it.valid_from).filter(|from| *from > stops).min()?;
        Some((stops, next))
    }

    /// Whether it is known what could be done at a moment that is over: not before the license
    /// began, but for days that another one or none covered; and not at all where nobody knows
    /// since when the license may not be used here.
    pub(super) fn is_known(&self, at: i64) -> bool {
        let Some(winner) = &self.verdict.winner else { return true };
        let dated = self.verdict.timeline.iter().any(|step| step.event == Event::Revoked);
        if self.is_unusable() && !dated {
            return false;
        }
        let free = self.verdict.anchor.zip(self.verdict.grace_until);
        let other = |it: &SourceVerdict| {
            it.valid_from.is_some_and(|from| from <= at)
                && it.valid_until.is_none_or(|until| at < until)
        };
        at >= winner.held.claims.license.valid_from
            || free.is_some_and(|(first, end)| (first.at..end).contains(&at))
            || self.others().any(other)
    }

    /// Whether the license that decides may not be used here at all, whatever its dates say.
    pub(super) fn is_unusable(&self) -> bool {
        let no = [Code::Revoked, Code::WrongMachine, Code::WrongInstallation, Code::TooNew];
        matches!(self.verdict.reason, Reason::No(code) if no.contains(&code))
    }

    /// When the license that decides begins, if that is ahead.
    pub(super) fn begins(&self) -> Option<i64> {
        let begins = |step: &&Step| step.event == Event::Begins && step.at > self.now();
        self.verdict.timeline.iter().find(begins).map(|step| step.at)
    }
}

/// Whether a license has not begun.
pub(super) fn waits(source: &SourceVerdict) -> bool {
    source.id.is_some() && source.result == Reason::No(Code::NotYetValid)
}

/// What a license is called: its serial, or the beginning of its id.
pub(super) fn title(serial: Option<&str>, id: &str) -> String {
    serial.map_or_else(|| format!("{id:.8}"), super::text::shown)
}

/// The same of a license in a source.
pub(super) fn title_of(source: &SourceVerdict) -> String {
    title(source.serial.as_deref(), source.id.as_deref().unwrap_or_default())
}
