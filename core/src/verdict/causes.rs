//! What can be wrong with one license, when it begins, and what it takes away.

use crate::errors::{Code, Error};
use crate::stages::{DAY, Stage};
use crate::verdict::facts::{Access, Candidate, Facts, Held, Issuer, IssuerStatus};
use std::sync::Arc;

/// How many causes there are.
const CAUSES: usize = 9;

/// The published order, which is that of [`Case::causes`]: of the causes that leave the least, the
/// first is the reason.
#[cfg(test)]
pub(crate) const PRECEDENCE: [(Code, &str); CAUSES] = [
    (Code::TooNew, "the binding needs a newer version of the product"),
    (Code::Revoked, "the list of withdrawn licenses names it, or the issuer said so"),
    (Code::WrongMachine, "too few parts of the machine match, or it could not be read"),
    (Code::WrongInstallation, "it is bound to another installation or instance"),
    (Code::Suspended, "the issuer put it on hold: stages of `suspended`"),
    (Code::NotYetValid, "it begins later: `valid_from`, `nbf`"),
    (Code::Expired, "it has ended: stages of `ended`"),
    (Code::TokenExpired, "its token was not renewed by `exp`: stages of `overdue`"),
    (Code::SyncOverdue, "the issuer was not reached by `next_sync_by`: stages of `overdue`"),
];

/// One license among the candidates, with all that can be wrong with it.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    /// Where it comes from.
    pub(crate) candidate: &'a Candidate,
    /// The license.
    pub(crate) held: &'a Arc<Held>,
    /// What the issuer last said of this license.
    pub(crate) issuer: Option<&'a Issuer>,
    /// The first second at which it is revoked.
    pub(crate) revoked: Option<i64>,
    /// The first second in force.
    pub(crate) begins: i64,
    /// It is on hold.
    pub(crate) suspended: Option<Span>,
    /// It has ended.
    pub(crate) ended: Option<Span>,
    /// Its token should have been renewed.
    pub(crate) token: Option<Span>,
    /// The issuer should have been reached.
    pub(crate) sync: Option<Span>,
}

/// A cause that begins, and the stages that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The second at which it begins.
    pub(crate) start: i64,
    /// The first second in which what is there can only be read.
    pub(crate) read_only: Option<i64>,
    /// The first second in which nothing works.
    pub(crate) deny: Option<i64>,
}

impl Span {
    /// A cause without stages denies at once.
    fn new(start: i64, stage: Option<Stage>) -> Span {
        let after = |days: u32| start.saturating_add(i64::from(days) * DAY);
        let Some(stage) = stage else { return Span { start, read_only: None, deny: Some(start) } };
        Span { start, read_only: stage.read_only.map(after), deny: stage.deny.map(after) }
    }

    /// What it leaves at a time. Before the first stage, and in `warn`, everything works and a
    /// warning is due.
    pub(crate) fn access(&self, at: i64) -> Access {
        let past = |edge: Option<i64>| edge.is_some_and(|edge| at >= edge);
        match () {
            () if past(self.deny) => Access::Deny,
            () if past(self.read_only) => Access::ReadOnly,
            () if at >= self.start => Access::Warn,
            () => Access::Allow,
        }
    }

    /// The first second in which not everything works; `None` = there is none.
    pub(crate) fn grace_end(&self) -> Option<i64> {
        self.read_only.or(self.deny)
    }

    /// Every second at which it changes something.
    fn edges(&self) -> impl Iterator<Item = i64> {
        [Some(self.start), self.read_only, self.deny].into_iter().flatten()
    }
}

/// One thing that is wrong, and what it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    /// What it is.
    pub(crate) code: Code,
    /// What it leaves; [`Access::Allow`] where nothing is wrong.
    pub(crate) access: Access,
}

/// What a license comes to by itself at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// What may be done.
    pub(crate) access: Access,
    /// What is in the way, where it is not in force.
    pub(crate) code: Option<Code>,
}

impl Standing {
    /// Whether the license is in force: everything works, perhaps with a warning.
    pub(crate) fn in_force(&self) -> bool {
        self.access >= Access::Warn
    }
}

impl<'a> Case<'a> {
    /// The verified license of a candidate, if it holds one.
    pub(crate) fn new(candidate: &'a Candidate, facts: &'a Facts) -> Option<Case<'a>> {
        let held = candidate.license.as_ref().ok()?;
        let license = &held.claims.license;
        let stages = license.stages.clone().unwrap_or_default();
        let issuer = facts.issuer.as_ref().filter(|issuer| issuer.license_id == license.id);
        let since = |status| issuer.filter(|it| it.status == status).map(|it| it.since);
        let span = |start: Option<i64>, stage| start.map(|start| Span::new(start, stage));
        Some(Case {
            candidate,
            held,
            issuer,
            revoked: if is_listed(&license.id, facts) {
                Some(i64::MIN)
            } else {
                since(IssuerStatus::Revoked)
            },
            begins: license.valid_from.max(held.claims.nbf.unwrap_or(i64::MIN)),
            suspended: span(since(IssuerStatus::Suspended), stages.suspended),
            ended: span(license.valid_until, stages.ended),
            token: span(held.claims.exp, stages.overdue),
            sync: span(issuer.and_then(|issuer| issuer.next_sync_by), stages.overdue),
        })
    }

    /// The time for this license: it cannot be before it was signed.
    pub(crate) fn time(&self, at: i64) -> i64 {
        at.max(self.held.claims.iat)
    }

    /// Why it may not be used here, if so.
    pub(crate) fn misplaced(&self) -> Option<&'a Error> {
        self.held.binding.as_ref().err()
    }

    /// Everything that is wrong with it at a time, in the published order.
    pub(crate) fn causes(&self, at: i64) -> [Cause; CAUSES] {
        let at = self.time(at);
        let denied = |code, when: bool| Cause {
            code,
            access: if when { Access::Deny } else { Access::Allow },
        };
        let staged = |code, span: Option<Span>| Cause {
            code,
            access: span.map_or(Access::Allow, |span| span.access(at)),
        };
        let binding = self.misplaced().map(Error::code);
        let placed = [Code::TooNew, Code::WrongInstallation];
        // Whatever else keeps the machine from being compared stands in its place.
        let machine = binding.filter(|code| !placed.contains(code));
        [
            denied(Code::TooNew, binding == Some(Code::TooNew)),
            denied(Code::Revoked, self.revoked.is_some_and(|since| at >= since)),
            denied(machine.unwrap_or(Code::WrongMachine), machine.is_some()),
            denied(Code::WrongInstallation, binding == Some(Code::WrongInstallation)),
            staged(Code::Suspended, self.suspended),
            denied(Code::NotYetValid, at < self.begins),
            staged(Code::Expired, self.ended),
            staged(Code::TokenExpired, self.token),
            staged(Code::SyncOverdue, self.sync),
        ]
    }

    /// What it comes to: the worst cause decides, and of equals the first.
    pub(crate) fn standing(&self, at: i64) -> Standing {
        let causes = self.causes(at);
        // `min_by_key` gives the first of equals.
        let worst = causes.iter().min_by_key(|cause| cause.access);
        let access = worst.map_or(Access::Allow, |cause| cause.access);
        let code = worst.filter(|_| access < Access::Warn).map(|cause| cause.code);
        Standing { access, code }
    }

    /// How many seconds before its end a warning is due.
    pub(crate) fn notice(&self, facts: &Facts) -> i64 {
        let said = self.held.claims.license.notice.as_ref().and_then(|notice| notice.license);
        i64::from(said.unwrap_or(facts.terms.warning_days)) * DAY
    }

    /// How many seconds before its token's end a warning is due; `None` = never.
    pub(crate) fn token_notice(&self) -> Option<i64> {
        let notice = self.held.claims.license.notice.as_ref()?;
        notice.token.map(|days| i64::from(days) * DAY)
    }

    /// Every second at which something about it may change, in no order.
    pub(crate) fn edges(&self, facts: &Facts) -> Vec<i64> {
        let license = &self.held.claims.license;
        let before = |end: Option<i64>, by: i64| end.map(|end| end.saturating_sub(by));
        let notice = self.notice(facts);
        let mut edges = vec![self.begins];
        for span in [self.suspended, self.ended, self.token, self.sync].into_iter().flatten() {
            edges.extend(span.edges());
        }
        edges.extend(self.revoked);
        edges.extend(before(license.valid_until, notice));
        edges.extend(license.support_until);
        edges.extend(before(license.support_until, notice));
        edges.extend(self.token_notice().and_then(|by| before(self.held.claims.exp, by)));
        edges.extend(self.issuer.map(|issuer| issuer.since));
        edges
    }
}

/// Whether the list of withdrawn licenses names it.
fn is_listed(id: &str, facts: &Facts) -> bool {
    uuid::Uuid::try_parse(id).is_ok_and(|id| facts.revoked.contains(id.as_bytes()))
}
