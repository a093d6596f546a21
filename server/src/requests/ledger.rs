//! What an installation's ledger tells about it: whether we have all of it, whether it was set
//! back, and whether there are two of it. Pure.
//!
//! Every report says which of our acknowledgements it goes on from (`since`). Those that were
//! used follow one another, whatever is lost on the way: an answer is used once, and only by who
//! asked. So one that goes on from where another has left already is of a copy, or was set back.

use crate::error::{Error, Result};
use licentia::issue::{Ledger, Totals};
use serde::{Deserialize, Serialize};

/// Acknowledgements, places before and places left that are remembered.
const GIVEN_MAX: usize = 6;
const PAST_MAX: usize = 6;
const LEFT_MAX: usize = 4;

/// Characters of a head that are enough to know it by: 64 bits.
const SHORT: usize = 16;

/// The head of a ledger of which nothing is acknowledged.
const NOTHING: &str = "0";

/// A report of so many totals may be a part of what there was to report.
const WHOLE_MAX: usize = 240;

/// Totals in one report, at most, and how often a ledger is lost.
const TOTALS_MAX: usize = 256;
const LOST_MAX: u64 = 1_000_000;

/// What is counted, and over what time.
const KINDS: [&str; 7] = ["hour", "day", "month", "year", "ever", "level", "distinct"];

/// Seconds.
const DAY: i64 = 86_400;

/// Fails with `invalid_argument` for what no product writes: each total is a row that is kept.
pub fn check(report: &Totals) -> Result<()> {
    if report.usage.len() > TOTALS_MAX {
        let what = format!("A report has at most {TOTALS_MAX} totals of usage: sync more often");
        return Err(Error::invalid(what));
    }
    if let Some(used) = report.usage.iter().find(|used| !KINDS.contains(&&*used.kind)) {
        let what =
            format!("A total of usage is of no kind {:.32}: use one of the format", used.kind);
        return Err(Error::invalid(what));
    }
    if report.lost > LOST_MAX {
        let what = format!("A ledger is lost at most {LOST_MAX} times: install the product anew");
        return Err(Error::invalid(what));
    }
    Ok(())
}

/// What is known of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// The acknowledgement it was seen to go on from last: everything up to there is here.
    tip: Option<Ledger>,
    /// Acknowledgements it was given, and perhaps never got: its number, its head, and the head
    /// of what the report went on from.
    given: Vec<(u64, String, String)>,
    /// What it went on from before, the oldest first.
    past: Vec<String>,
    /// Where it was when it went on from somewhere else.
    left: Vec<String>,
    /// How often it was lost.
    lost: u64,
    /// When the last report was written, by its own clock.
    at: i64,
    /// When somebody was told of a finding last.
    told: Option<i64>,
    /// Whether they were told of a copy.
    copied: bool,
}

/// What a report tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing that was not expected.
    Usual,
    /// We know less than was acknowledged: our database was restored.
    Behind,
    /// It was set back, or there is a copy.
    Forked,
    /// Two go on side by side.
    Cloned,
}

impl Known {
    /// What the column holds.
    pub fn read(json: &str) -> Known {
        serde_json::from_str(json).unwrap_or_default()
    }

    /// What the column is to hold.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// How often it was lost.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Takes a report that was written at a time, by its writer's clock. Gives what to
    /// acknowledge, and what it tells.
    pub fn take(&mut self, report: &Totals, at: i64) -> (Option<Ledger>, Finding) {
        let Some(ledger) = &report.ledger else { return (None, Finding::Usual) };
        // One that was written before another that has come: it was long on its way.
        let (late, fresh) = (at < self.at, at > self.at);
        self.at = self.at.max(at);
        let mut finding = self.count_lost(report.lost, late);
        let since = report.since.as_ref().filter(|since| since.head != NOTHING);
        let from = since.map(|since| short(&since.head)).unwrap_or_default();
        let whole = report.usage.len() < WHOLE_MAX;
        match self.place(&from, since, late) {
            Place::Tip if !late && self.contradicts(ledger, &from, (whole, fresh)) => {
                finding = Finding::Forked;
            }
            Place::Tip => {}
            Place::Next => {
                if !late && self.is_behind_another(ledger, &from) {
                    finding = Finding::Forked;
                }
                self.go_on(since, true);
            }
            Place::Late => {}
            Place::Before => {
                let keep = self.past.iter().position(|head| *head == from).unwrap_or_default();
                self.leave();
                self.past.truncate(keep);
                self.given.retain(|(_, _, before)| *before != from);
                self.go_on(since, false);
                finding = Finding::Forked;
            }
            Place::Beside => {
                self.leave();
                self.left.retain(|head| *head != from);
                self.go_on(since, false);
                finding = Finding::Cloned;
            }
            Place::Beyond => {
                let nothing = || Ledger { seq: 0, head: NOTHING.to_string() };
                return (Some(self.tip.clone().unwrap_or_else(nothing)), Finding::Behind);
            }
        }
        self.give(ledger, from);
        (Some(ledger.clone()), finding)
    }

    /// A ledger that was lost begins anew, and knows nothing of what was before.
    fn count_lost(&mut self, lost: u64, late: bool) -> Finding {
        match lost.cmp(&self.lost) {
            std::cmp::Ordering::Equal => Finding::Usual,
            std::cmp::Ordering::Less if late => Finding::Usual,
            std::cmp::Ordering::Less => {
                self.lost = lost;
                Finding::Forked
            }
            std::cmp::Ordering::Greater => {
                *self = Known { lost, at: self.at, ..Known::default() };
                Finding::Usual
            }
        }
    }

    /// Whether somebody is to be told of a finding at a time: of two that go on side by side every
    /// report tells, and once a day is enough.
    pub fn tells(&mut self, finding: Finding, now: i64) -> bool {
        let worth = matches!(finding, Finding::Forked | Finding::Cloned);
        let fresh = self.told.is_some_and(|told| now.saturating_sub(told) < DAY);
        // The first word of a copy is news even after that of a fork.
        let is_news = worth && (!fresh || (finding == Finding::Cloned && !self.copied));
        if is_news {
            self.told = Some(now);
            self.copied |= finding == Finding::Cloned;
        }
        is_news
    }

    fn tip(&self) -> String {
        self.tip.as_ref().map(|tip| short(&tip.head)).unwrap_or_default()
    }

    fn place(&self, from: &str, since: Option<&Ledger>, late: bool) -> Place {
        if *from == self.tip() {
            return Place::Tip;
        }
        if self.left.iter().any(|head| head == from) {
            return if late { Place::Late } else { Place::Beside };
        }
        if let Some((_, _, before)) = self.given.iter().find(|(_, head, _)| head == from) {
            return if *before == self.tip() { Place::Next } else { Place::Beside };
        }
        let here = self.tip.as_ref().map_or(0, |tip| tip.seq);
        let known = self.past.iter().any(|head| head == from);
        match since {
            Some(since) if !known && since.seq > here => Place::Beyond,
            _ if late => Place::Late,
            _ => Place::Before,
        }
    }

    /// Whether another report went on from the same place, and got further than this one: it is
    /// not the same ledger, for that never has less later.
    fn contradicts(&self, ledger: &Ledger, from: &str, (whole, fresh): (bool, bool)) -> bool {
        let head = short(&ledger.head);
        let others = || self.given.iter().filter(|(_, _, before)| before == from);
        // The same report once more, of the same second.
        let again = !fresh && others().any(|(_, known, _)| *known == head);
        let other = |(seq, known, _): &(u64, String, String)| {
            *seq > ledger.seq || (*seq == ledger.seq && *known != head && whole)
        };
        !again && others().any(other)
    }

    /// Whether a report that went on from where this one did before got further than this one is.
    fn is_behind_another(&self, ledger: &Ledger, from: &str) -> bool {
        let tip = self.tip();
        let mut others =
            self.given.iter().filter(|(_, head, before)| *before == tip && head != from);
        others.any(|(seq, _, _)| *seq > ledger.seq)
    }

    fn go_on(&mut self, since: Option<&Ledger>, follows: bool) {
        if follows {
            self.past.push(self.tip());
        }
        self.tip = since.cloned();
        let tip = self.tip();
        self.given.retain(|(_, head, _)| *head != tip);
        trim(&mut self.past, PAST_MAX);
    }

    fn leave(&mut self) {
        self.left.push(self.tip());
        trim(&mut self.left, LEFT_MAX);
    }

    fn give(&mut self, ledger: &Ledger, from: String) {
        let given = (ledger.seq, short(&ledger.head), from);
        self.given.retain(|known| *known != given);
        self.given.push(given);
        trim(&mut self.given, GIVEN_MAX);
    }
}

/// Where a report goes on from.
enum Place {
    /// Where the last one did.
    Tip,
    /// What was acknowledged to the last one.
    Next,
    /// An earlier place, and it was long on its way.
    Late,
    /// An earlier place.
    Before,
    /// A place that another has not come through.
    Beside,
    /// A place we know nothing of.
    Beyond,
}

fn short(head: &str) -> String {
    head.chars().take(SHORT).collect()
}

fn trim<T>(list: &mut Vec<T>, most: usize) {
    let over = list.len().saturating_sub(most);
    list.drain(..over);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An installation: what it counted, what it takes to be acknowledged, and its clock.
    #[derive(Clone)]
    struct Copy {
        name: &'static str,
        seq: u64,
        since: Option<Ledger>,
        at: i64,
    }

    impl Copy {
        fn new(name: &'static str) -> Copy {
            Copy { name, seq: 1, since: None, at: 1_000 }
        }

        fn work(&mut self, count: u64) {
            self.seq += count;
            self.at += 60;
        }

        fn report(&self) -> (Totals, i64) {
            let head = format!("{:0>12}{}{:0>51}", self.seq, self.name, "");
            let ledger = Some(Ledger { seq: self.seq, head });
            let totals = Totals { ledger, since: self.since.clone(), ..Totals::default() };
            (totals, self.at)
        }

        /// Reports, and gets the answer.
        fn sync(&mut self, known: &mut Known) -> Finding {
            let (ack, finding) = self.lose(known);
            self.since = ack;
            self.at += 1;
            finding
        }

        /// Reports, and does not get the answer.
        fn lose(&self, known: &mut Known) -> (Option<Ledger>, Finding) {
            let (report, at) = self.report();
            let taken = known.take(&report, at);
            assert_eq!(Known::read(&known.to_json()), *known);
            assert!(known.to_json().len() < 1_200, "{}", known.to_json());
            taken
        }
    }

    #[test]
    fn an_honest_installation_is_never_suspected() {
        let (mut known, mut one) = (Known::default(), Copy::new("a"));
        for round in 0_u64..200 {
            one.work(round % 3);
            // Answers get lost, requests come twice, and some come late.
            let early = one.clone();
            for _ in 0..round % 4 {
                assert_eq!(one.lose(&mut known).1, Finding::Usual, "{round}");
                one.work(1);
            }
            assert_eq!(one.sync(&mut known), Finding::Usual, "{round}");
            if round % 5 == 0 && round > 0 {
                assert_eq!(early.lose(&mut known).1, Finding::Usual, "{round} late");
            }
        }
    }

    #[test]
    fn a_ledger_that_was_lost_begins_anew() {
        let (mut known, mut one) = (Known::default(), Copy::new("a"));
        one.work(5);
        one.sync(&mut known);
        one.sync(&mut known);
        let mut anew = Copy { at: one.at + 5, ..Copy::new("b") };
        let (mut report, at) = anew.report();
        report.lost = 1;
        let (ack, finding) = known.take(&report, at);
        assert_eq!((ack, finding), (report.ledger, Finding::Usual));
        assert_eq!(known.lost(), 1);
        // Without having been lost, that would be another ledger.
        anew.work(1);
        assert_eq!(anew.lose(&mut known).1, Finding::Forked);
    }

    #[test]
    fn a_restored_database_asks_for_the_rest_again() {
        let (mut known, mut one) = (Known::default(), Copy::new("a"));
        one.sync(&mut known);
        one.work(3);
        one.sync(&mut known);
        let backup = known.clone();
        let place = one.since.clone();
        for _ in 0..9 {
            one.work(2);
            one.sync(&mut known);
        }
        let mut known = backup;
        assert_eq!(one.sync(&mut known), Finding::Behind);
        // It goes on from where the backup was sure of it, and sends the rest.
        assert!(one.since.as_ref().unwrap().seq < place.unwrap().seq);
        assert_eq!(one.sync(&mut known), Finding::Usual);
        assert_eq!(one.since.as_ref().unwrap().seq, one.seq);
        assert_eq!(one.sync(&mut known), Finding::Usual);
        // The same where nothing is known of it at all.
        let mut known = Known::default();
        assert_eq!(one.sync(&mut known), Finding::Behind);
        assert_eq!(one.since, Some(Ledger { seq: 0, head: NOTHING.into() }));
        assert_eq!(one.sync(&mut known), Finding::Usual);
        assert_eq!(one.sync(&mut known), Finding::Usual);
    }

    #[test]
    fn a_machine_that_was_set_back_is_told_once() {
        let (mut known, mut one) = (Known::default(), Copy::new("a"));
        for _ in 0..3 {
            one.work(2);
            one.sync(&mut known);
        }
        let snapshot = one.clone();
        for _ in 0..3 {
            one.work(2);
            one.sync(&mut known);
        }
        let mut back = Copy { name: "b", at: one.at + 60, ..snapshot };
        back.work(1);
        assert_eq!(back.sync(&mut known), Finding::Forked);
        for _ in 0..9 {
            back.work(1);
            assert_eq!(back.sync(&mut known), Finding::Usual);
        }
    }

    #[test]
    fn copies_are_found_whichever_does_more() {
        for (mine, others) in [(1, 1), (1, 5), (5, 1), (0, 1), (1, 0)] {
            let (mut known, mut one) = (Known::default(), Copy::new("a"));
            for _ in 0..3 {
                one.work(2);
                one.sync(&mut known);
            }
            let mut two = Copy { name: "b", ..one.clone() };
            let mut findings = Vec::new();
            for _ in 0..3 {
                one.work(mine);
                findings.push(one.sync(&mut known));
                two.at = one.at + 1;
                two.work(others);
                findings.push(two.sync(&mut known));
                one.at = two.at + 1;
            }
            // The second report of the first is the latest at which it can be known.
            let early: Vec<_> = findings.iter().take(3).collect();
            let found = early.iter().any(|it| matches!(it, Finding::Forked | Finding::Cloned));
            assert!(found, "{mine} {others}: {findings:?}");
            assert!(findings.contains(&Finding::Cloned), "{mine} {others}: {findings:?}");
        }
    }

    #[test]
    fn a_copy_is_news_once_a_day() {
        let mut known = Known::default();
        assert!(!known.tells(Finding::Usual, 0));
        assert!(!known.tells(Finding::Behind, 0));
        assert!(known.tells(Finding::Forked, 0));
        assert!(!known.tells(Finding::Forked, DAY - 1));
        assert!(known.tells(Finding::Cloned, DAY - 1));
        assert!(!known.tells(Finding::Cloned, DAY));
        assert!(known.tells(Finding::Cloned, 2 * DAY));
    }
}
