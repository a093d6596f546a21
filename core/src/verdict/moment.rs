//! What holds at one moment, without the sentences, and when that changes next.

use crate::errors::{Code, Error};
use crate::stages::DAY;
use crate::verdict::causes::{Case, Span, Standing};
use crate::verdict::facts::{Access, Candidate, Deployment, Facts, Issuer, IssuerStatus, Now};
use crate::verdict::features;
use crate::verdict::winner::choose;
use crate::verdict::words::{Alert, Reason};

/// Everything that is known, ready to be asked about any moment.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// What is known.
    pub(crate) facts: &'a Facts,
    /// The verified licenses, in the order of their sources.
    pub(crate) cases: Vec<Case<'a>>,
}

/// Who decides at a moment, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The place of the license that decides among the verified ones.
    pub(crate) winner: Option<usize>,
    /// What that license comes to by itself.
    pub(crate) standing: Option<Standing>,
    /// What may be done.
    pub(crate) access: Access,
    /// Why.
    pub(crate) reason: Reason,
}

impl Decision {
    /// Whether a license is in force.
    pub(crate) fn in_force(&self) -> bool {
        self.standing.is_some_and(|standing| standing.in_force())
    }

    /// What of it is shown.
    fn shown(&self) -> (Option<usize>, Access, Reason, bool) {
        (self.winner, self.access, self.reason, self.in_force())
    }

    /// What may be done with what no license lists.
    pub(crate) fn otherwise(&self) -> Access {
        if self.reason.is_free() { self.access } else { Access::Deny }
    }
}

/// The warnings of a moment that come and go with time: one bit for each word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Alerts(u32);

impl Alerts {
    fn set(&mut self, alert: Alert, when: bool) {
        self.0 |= u32::from(when) << alert as u32;
    }

    /// Whether this one is due.
    pub(crate) fn has(self, alert: Alert) -> bool {
        self.0 >> alert as u32 & 1 == 1
    }
}

impl<'a> Scene<'a> {
    pub(crate) fn new(facts: &'a Facts) -> Scene<'a> {
        let cases = facts.candidates.iter().filter_map(|it| Case::new(it, facts)).collect();
        Scene { facts, cases }
    }

    /// The sources that were refused, and why.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'a Candidate, &'a Error)> {
        let refused = |it: &'a Candidate| Some((it, it.license.as_ref().err()?));
        self.facts.candidates.iter().filter_map(refused)
    }

    /// The license that decides.
    pub(crate) fn winner(&self, decision: &Decision) -> Option<&Case<'a>> {
        self.cases.get(decision.winner?)
    }

    /// Who decides at a time. Where no license is in force, it is never worse than without one.
    pub(crate) fn decide(&self, at: i64) -> Decision {
        let winner = choose(&self.cases, at);
        let case = winner.and_then(|place| self.cases.get(place));
        let standing = case.map(|case| case.standing(at));
        let say = |access, reason| Decision { winner, standing, access, reason };
        if self.facts.terms.deployment == Deployment::Saas {
            return say(Access::Allow, Reason::NotEnforced);
        }
        let license = standing.map(|it| (it.access, it.code.map_or(Reason::Ok, Reason::No)));
        match (license, self.unlicensed(at)) {
            (Some((access, Reason::Ok)), _) => say(access, Reason::Ok),
            (_, Some(reason)) => say(Access::Allow, reason),
            (Some((access, reason)), None) => say(access, reason),
            (None, None) => say(Access::Deny, Reason::No(self.nothing())),
        }
    }

    /// Why everything works without a license at a time, if it does.
    pub(crate) fn unlicensed(&self, at: i64) -> Option<Reason> {
        self.facts.terms.grace_days?;
        match (self.grace_end(), &self.facts.state.error) {
            (Some(end), _) => (at < end).then_some(Reason::UnlicensedGrace),
            // A folder that cannot be read may hold a first use: it is not taken for a new one.
            (None, Some(_)) => None,
            (None, None) => Some(Reason::NotNeeded),
        }
    }

    /// The first second after the time without a license; `None` = there is no such second.
    pub(crate) fn grace_end(&self) -> Option<i64> {
        let (anchor, days) = (self.facts.anchor?, self.facts.terms.grace_days?);
        Some(anchor.at.saturating_add(i64::from(days) * DAY))
    }

    /// When the warning before that end is due.
    pub(crate) fn grace_notice(&self) -> Option<i64> {
        let notice = i64::from(self.facts.terms.warning_days) * DAY;
        Some(self.grace_end()?.saturating_sub(notice).max(self.facts.anchor?.at))
    }

    /// Why there is no license at all.
    fn nothing(&self) -> Code {
        let refused = self.refusals().next().map(|(_, error)| error);
        let error = refused.or(self.facts.state.error.as_ref());
        error.map_or(Code::NotLicensed, |error| error.code())
    }

    /// The warnings of a time that are about the license as a whole.
    pub(crate) fn alerts(&self, decision: &Decision, at: i64) -> Alerts {
        let mut alerts = Alerts::default();
        match decision.reason {
            Reason::NotEnforced => return alerts,
            Reason::UnlicensedGrace => {
                let due = self.grace_notice().is_some_and(|notice| at >= notice);
                alerts.set(Alert::GraceEndsSoon, due && self.takes_over(at).is_none());
            }
            _ => {}
        }
        let Some(case) = self.winner(decision) else { return alerts };
        if !decision.in_force() {
            let idle = decision.reason.is_free() && self.takes_over(at).is_none();
            alerts.set(Alert::NotInForce, idle);
            return alerts;
        }
        self.alert_of_ends(case, at, &mut alerts);
        self.alert_of_issuer(case, at, &mut alerts);
        alerts
    }

    fn alert_of_ends(&self, case: &Case<'_>, at: i64, alerts: &mut Alerts) {
        let (time, notice) = (case.time(at), case.notice(self.facts));
        let license = &case.held.claims.license;
        let within = |end: Option<i64>, notice: i64| {
            end.is_some_and(|end| (end.saturating_sub(notice)..end).contains(&time))
        };
        let soon = within(license.valid_until, notice);
        alerts.set(Alert::EndsSoon, soon && !self.goes_on(license.valid_until));
        let grace = |span: Option<Span>| span.is_some_and(|span| span.access(time) == Access::Warn);
        alerts.set(Alert::InGrace, grace(case.ended));
        alerts.set(Alert::RenewDue, grace(case.token));
        alerts.set(Alert::SyncDue, grace(case.sync));
        alerts.set(Alert::Suspended, grace(case.suspended));
        let due = case.token_notice().is_some_and(|by| within(case.held.claims.exp, by));
        alerts.set(Alert::TokenDue, due);
        alerts.set(Alert::SupportEndsSoon, within(license.support_until, notice));
        let ended = license.support_until.is_some_and(|end| time >= end);
        alerts.set(Alert::SupportEnded, ended);
    }

    fn alert_of_issuer(&self, case: &Case<'_>, at: i64, alerts: &mut Alerts) {
        let said = |status| {
            let said = |it: &&Issuer| it.status == status;
            case.issuer.filter(said).is_some_and(|issuer| case.time(at) >= issuer.since)
        };
        alerts.set(Alert::IssuerExpired, said(IssuerStatus::Expired));
        alerts.set(Alert::IssuerNotFound, said(IssuerStatus::NotFound));
    }

    /// When a license that is here takes over while nothing is needed yet: before the days without
    /// a license end.
    pub(crate) fn takes_over(&self, at: i64) -> Option<i64> {
        let last = self.grace_end().unwrap_or(i64::MAX);
        let begins = self.cases.iter().map(|case| case.begins).filter(|it| *it > at && *it <= last);
        let mut begins: Vec<i64> = begins.collect();
        begins.sort_unstable();
        begins.into_iter().find(|begin| {
            let then = self.decide(*begin);
            then.reason == Reason::Ok && then.access == Access::Allow
        })
    }

    /// Whether another license, all well, takes over at the second in which one ends.
    fn goes_on(&self, end: Option<i64>) -> bool {
        end.is_some_and(|end| {
            let then = self.decide(end);
            then.in_force() && then.access == Access::Allow
        })
    }

    /// The first later second at which an access, a reason, a warning, or the license that
    /// decides is another, by the passing of time alone.
    pub(crate) fn next_change(&self, now: &Now, decision: &Decision) -> Option<i64> {
        let mut edges: Vec<i64> =
            self.cases.iter().flat_map(|case| case.edges(self.facts)).collect();
        edges.extend(self.grace_end());
        edges.extend(self.grace_notice());
        edges.retain(|edge| *edge > now.at);
        edges.sort_unstable();
        edges.dedup();
        let alerts = self.alerts(decision, now.at);
        let whole = edges.into_iter().find(|at| {
            let then = self.decide(*at);
            then.shown() != decision.shown() || self.alerts(&then, *at) != alerts
        });
        let usage = features::next_change(self, decision, now.at, whole);
        whole.into_iter().chain(usage).min()
    }
}
