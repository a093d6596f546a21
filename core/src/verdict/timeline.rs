//! Every date there is, past and future, with what may be done from then on.

use crate::verdict::causes::{Case, Span};
use crate::verdict::facts::{Failure, Issuer, IssuerStatus, next_contact};
use crate::verdict::judge::issuer;
use crate::verdict::moment::{Decision, Scene};
use crate::verdict::sentences::sentence;
use crate::verdict::status::Step;
use crate::verdict::words::Event;

/// Sorted by time, and of one time in the order of the words.
pub(crate) fn timeline(
    scene: &Scene<'_>,
    decision: &Decision,
    failure: Option<&Failure>,
) -> Vec<Step> {
    let mut dates = Dates(Vec::new());
    if let Some(anchor) = scene.facts.anchor {
        dates.add(Event::FirstUse, Some(anchor.at));
        dates.add(Event::GraceEndsSoon, scene.grace_notice());
        dates.add(Event::GraceEnds, scene.grace_end());
    }
    if let Some(case) = scene.winner(decision) {
        dates.of_license(scene, case);
    }
    let issuer = issuer(scene, decision);
    dates.add(Event::NextContact, next_contact(issuer, failure));
    if let Some(issuer) = issuer {
        dates.of_issuer(issuer);
    }
    for (place, case) in scene.cases.iter().enumerate() {
        if decision.winner != Some(place) {
            dates.add(Event::OtherBegins, Some(case.begins));
            dates.add(Event::OtherEnds, case.held.claims.license.valid_until);
        }
    }
    let Dates(mut dates) = dates;
    dates.sort_unstable();
    dates.dedup();
    let step = |(at, event): (i64, Event)| Step {
        at,
        event,
        access: scene.decide(at).access,
        message: sentence(event.meaning()),
    };
    dates.into_iter().map(step).collect()
}

/// What happens, and when.
struct Dates(Vec<(i64, Event)>);

impl Dates {
    fn add(&mut self, event: Event, at: Option<i64>) {
        self.0.extend(at.map(|at| (at, event)));
    }

    fn of_license(&mut self, scene: &Scene<'_>, case: &Case<'_>) {
        let license = &case.held.claims.license;
        let notice = case.notice(scene.facts);
        let before = |end: Option<i64>, by: i64| end.map(|end| end.saturating_sub(by));
        self.add(Event::Issued, Some(case.held.claims.iat));
        self.add(Event::Begins, Some(case.begins));
        self.add(Event::EndsSoon, before(license.valid_until, notice).filter(|_| notice > 0));
        self.add_span(case.ended, [Event::Ends, Event::ReadOnly, Event::Stops]);
        let due = case.token_notice().filter(|by| *by > 0);
        self.add(Event::TokenDue, due.and_then(|by| before(case.held.claims.exp, by)));
        let renewal = [Event::RenewDue, Event::RenewReadOnly, Event::RenewStops];
        self.add_span(case.token, renewal);
        self.add_span(case.sync, [Event::SyncDue, Event::SyncReadOnly, Event::SyncStops]);
        let hold = [Event::Suspended, Event::SuspendedReadOnly, Event::SuspendedStops];
        self.add_span(case.suspended, hold);
        let soon = before(license.support_until, notice).filter(|_| notice > 0);
        self.add(Event::SupportEndsSoon, soon);
        self.add(Event::SupportEnds, license.support_until);
    }

    fn add_span(&mut self, span: Option<Span>, [start, read_only, deny]: [Event; 3]) {
        let Some(span) = span else { return };
        self.add(start, Some(span.start));
        self.add(read_only, span.read_only);
        self.add(deny, span.deny);
    }

    fn of_issuer(&mut self, issuer: &Issuer) {
        self.add(Event::LastContact, Some(issuer.last_contact));
        let revoked = issuer.status == IssuerStatus::Revoked;
        self.add(Event::Revoked, revoked.then_some(issuer.since));
    }
}
