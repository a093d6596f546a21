//! What a license comes to by itself, and for installations that hear nothing more: the same
//! dates that they reckon with (docs/format.md, section 3.5).

use crate::claims::DAY;
use crate::store::status::Status;
use crate::terms::{Moment, Stage, Terms};
use licentia::limits::TIME_MAX;
use serde::Serialize;
use utoipa::ToSchema;

/// What may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing.
    Deny,
    /// What is there can be read.
    ReadOnly,
    /// Everything, and a warning is shown.
    Warn,
    /// Everything.
    Full,
}

/// What happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// It begins.
    Begins,
    /// Its end is announced.
    Notice,
    /// Support ends.
    SupportEnds,
    /// It ends.
    Ends,
    /// A time that was given after the end is over, too.
    GraceEnds,
}

/// Something that comes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Turn {
    /// The first second of it.
    pub at: Moment,
    /// What happens.
    pub what: Happening,
    /// What may be done from then on, by the dates of the license alone.
    pub mode: Mode,
}

/// Days without contact after which an installation does less; absent = it never does for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Silence {
    /// It warns.
    pub warn_days: Option<i64>,
    /// What is there can be read.
    pub read_only_days: Option<i64>,
    /// Nothing works.
    pub deny_days: Option<i64>,
}

/// What ends the use of a license where nothing is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The server was not reached in time (`terms.sync_days`).
    Contact,
    /// The token was not renewed in time (`terms.token_days`).
    Token,
    /// The license ends (`valid_until`).
    End,
    /// It heard that the license is suspended.
    Suspension,
}

/// How long an installation goes on that hears nothing more, at the latest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Limit {
    /// The first second in which not everything works; null = it always does.
    pub works_until: Option<Moment>,
    /// The first second in which nothing works; null = there is none.
    pub stops_at: Option<Moment>,
    /// What makes it so; null = nothing does.
    pub reason: Option<Cause>,
}

/// What a license says that decides it.
#[derive(Clone, Copy, Debug)]
pub struct Dates<'a> {
    /// The first second in force.
    pub from: i64,
    /// The first second after it.
    pub until: Option<i64>,
    /// All else.
    pub terms: &'a Terms,
}

/// A cause, and what follows.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    reason: Cause,
    works_until: Option<i64>,
    stops_at: Option<i64>,
}

impl Span {
    /// A cause without stages denies at once.
    fn new(start: i64, reason: Cause, stage: Option<Stage>) -> Span {
        let after = |days: u32| later(start, i64::from(days));
        let Some(stage) = stage else {
            return Span { start, reason, works_until: Some(start), stops_at: Some(start) };
        };
        let (read_only, deny) = (stage.read_only.map(after), stage.deny.map(after));
        Span { start, reason, works_until: read_only.or(deny), stops_at: deny }
    }

    fn mode(&self, at: i64) -> Mode {
        let past = |edge: Option<i64>| edge.is_some_and(|edge| at >= edge);
        match () {
            () if past(self.stops_at) => Mode::Deny,
            () if past(self.works_until) => Mode::ReadOnly,
            () if at >= self.start => Mode::Warn,
            () => Mode::Full,
        }
    }
}

fn later(at: i64, days: i64) -> i64 {
    at.saturating_add(days.saturating_mul(DAY)).min(TIME_MAX)
}

impl Dates<'_> {
    fn stage(&self, reason: Cause) -> Option<Stage> {
        let stages = self.terms.stages.as_ref()?;
        match reason {
            Cause::End => stages.ended,
            Cause::Contact | Cause::Token => stages.overdue,
            Cause::Suspension => stages.suspended,
        }
    }

    fn span(&self, start: Option<i64>, reason: Cause) -> Option<Span> {
        start.map(|start| Span::new(start, reason, self.stage(reason)))
    }

    /// Everything that comes by itself, also what is past, the first first.
    pub fn turns(&self) -> Vec<Turn> {
        let ended = self.span(self.until, Cause::End);
        let notice = self.terms.notice.and_then(|notice| notice.license);
        let notice = self.until.zip(notice.filter(|days| *days > 0));
        let notice = notice.map(|(until, days)| later(until, -i64::from(days)).max(self.from));
        let mode = |at: i64| match ended.map_or(Mode::Full, |ended| ended.mode(at)) {
            _ if at < self.from => Mode::Deny,
            Mode::Full if notice.is_some_and(|notice| at >= notice) => Mode::Warn,
            mode => mode,
        };
        let turn = |at: i64, what: Happening| Turn { at: Moment(at), what, mode: mode(at) };
        let mut turns = vec![turn(self.from, Happening::Begins)];
        turns.extend(notice.map(|at| turn(at, Happening::Notice)));
        turns.extend(self.terms.support_until.map(|at| turn(at.0, Happening::SupportEnds)));
        if let Some(ended) = ended {
            turns.push(turn(ended.start, Happening::Ends));
            let edges = [ended.works_until, ended.stops_at].into_iter().flatten();
            let mut edges: Vec<i64> = edges.filter(|at| *at > ended.start).collect();
            edges.dedup();
            turns.extend(edges.into_iter().map(|at| turn(at, Happening::GraceEnds)));
        }
        turns.sort_unstable_by_key(|turn| (turn.at, turn.what));
        turns
    }

    /// Days without contact, and what they cost.
    pub fn silence(&self) -> Silence {
        let days = [self.terms.sync_days, self.terms.token_days].into_iter().flatten().min();
        let Some(days) = days.map(i64::from) else { return Silence::default() };
        let Some(stage) = self.stage(Cause::Contact) else {
            return Silence { deny_days: Some(days), ..Silence::default() };
        };
        let after = |more: Option<u32>| more.map(|more| days + i64::from(more));
        let (read_only_days, deny_days) = (after(stage.read_only), after(stage.deny));
        let at_once = [read_only_days, deny_days].contains(&Some(days));
        Silence { warn_days: (!at_once).then_some(days), read_only_days, deny_days }
    }

    /// How long whoever has a token that was signed then goes on, and heard of the server then,
    /// if ever, and that it is suspended, if so.
    pub fn limit(&self, token: i64, contact: Option<i64>, suspended: Option<i64>) -> Limit {
        let after = |at: i64, days: Option<u32>| days.map(|days| later(at, i64::from(days)));
        let contact = contact.and_then(|at| after(at, self.terms.sync_days));
        let spans = [
            self.span(suspended, Cause::Suspension),
            self.span(self.until, Cause::End),
            self.span(after(token, self.terms.token_days), Cause::Token),
            self.span(contact, Cause::Contact),
        ];
        let spans = || spans.iter().flatten();
        let first = |edge: fn(&Span) -> Option<i64>| {
            spans().filter_map(|it| edge(it).map(|at| (at, it.reason))).min_by_key(|(at, _)| *at)
        };
        let (stops, works) = (first(|it| it.stops_at), first(|it| it.works_until));
        Limit {
            works_until: works.map(|(at, _)| Moment(at)),
            stops_at: stops.map(|(at, _)| Moment(at)),
            reason: stops.or(works).map(|(_, reason)| reason),
        }
    }
}

impl Limit {
    /// The one that leaves more.
    pub fn or_later(self, other: Limit) -> Limit {
        let end = |at: Option<Moment>| at.map_or(i64::MAX, |at| at.0);
        let key = |it: &Limit| (end(it.stops_at), end(it.works_until));
        let (reason, stops_at) = match key(&other) > key(&self) {
            true => (other.reason, other.stops_at),
            false => (self.reason, self.stops_at),
        };
        let works = [self.works_until, other.works_until];
        Limit {
            works_until: works.into_iter().max_by_key(|at| end(*at)).flatten(),
            stops_at,
            reason,
        }
    }
}

/// How installations of a license have been heard of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Heard {
    /// Those that ever had it.
    pub ever: i64,
    /// Those that have a machine of it now.
    pub active: i64,
    /// Of these, how many were heard of in the last 24 hours.
    pub day: i64,
    /// The same, of 7 days.
    pub week: i64,
    /// The same, of 30 days.
    pub month: i64,
    /// Of these, how many were not heard of since the license was changed: they go by what it said
    /// before.
    pub older: i64,
    /// When one of those that ever had it was heard of last.
    pub last_seen_at: Option<Moment>,
}

/// What comes, and what comes to whom.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Outlook {
    pub(crate) status: Status,
    /// What comes by itself, also what is past, the first first.
    pub(crate) turns: Vec<Turn>,
    /// What days without contact cost.
    pub(crate) silence: Silence,
    /// How installations were heard of.
    pub(crate) machines: Heard,
    /// How long one of them goes on, at the latest, that hears nothing more; null = there is none.
    pub(crate) out_of_reach: Option<Limit>,
    /// How long the newest license file is good for somebody who never asks the server.
    pub(crate) file: Limit,
    /// Whether there are older files, which say what the license said then.
    pub(crate) older_files: bool,
}
