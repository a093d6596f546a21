//! Every second around each edge, and what is said there.

use super::*;
use crate::usage::Entry;

/// Expects something of the second before an edge, the edge, and the second after it.
fn around(facts: &Facts, edge: i64, before: (Access, &str), after: (Access, &str)) {
    for (now, wanted) in [(edge - 1, before), (edge, after), (edge + 1, after)] {
        let verdict = judge(facts, &at(now));
        let found = (verdict.access, verdict.reason.slug());
        assert_eq!(found, wanted, "{} seconds from the edge", now - edge);
        assert_eq!(verdict.in_force, wanted.1 == "ok");
        assert_eq!(gate(facts, &at(now)), verdict.gate());
    }
    assert_eq!(judge(facts, &at(edge - 1)).next_change_at, Some(edge));
}

fn codes(facts: &Facts, now: i64) -> Vec<&'static str> {
    brief(facts, now).2
}

const GOOD: (Access, &str) = (Access::Allow, "ok");

#[test]
fn a_license_holds_from_its_first_second_until_its_last() {
    let mut claims = claims();
    claims.license.valid_from = NOW + DAY;
    around(&installed(claims.clone()), NOW + DAY, (Access::Deny, "not_yet_valid"), GOOD);
    around(&installed(claims.clone()), NOW + 30 * DAY, GOOD, (Access::Deny, "expired"));
    claims.nbf = Some(NOW + 2 * DAY);
    around(&installed(claims.clone()), NOW + 2 * DAY, (Access::Deny, "not_yet_valid"), GOOD);
    claims.license.valid_until = None;
    let perpetual = installed(claims);
    assert_eq!(judge(&perpetual, &at(i64::MAX)).reason, Reason::Ok);
    assert_eq!(judge(&perpetual, &at(NOW + 3 * DAY)).next_change_at, None);
}

#[test]
fn the_stages_of_an_end_come_on_their_days() {
    let mut claims = claims();
    let end = NOW + 30 * DAY;
    claims.license.stages = Some(Stages { ended: stage(Some(10), Some(40)), ..Stages::default() });
    let facts = installed(claims.clone());
    around(&facts, end, GOOD, (Access::Warn, "ok"));
    around(&facts, end + 10 * DAY, (Access::Warn, "ok"), (Access::ReadOnly, "expired"));
    let denied = (Access::Deny, "expired");
    around(&facts, end + 40 * DAY, (Access::ReadOnly, "expired"), denied);
    assert_eq!(judge(&facts, &at(end + 40 * DAY)).next_change_at, None);
    // Without a day that stops anything, nothing stops.
    claims.license.stages = Some(Stages { ended: stage(None, None), ..Stages::default() });
    let facts = installed(claims);
    around(&facts, end, GOOD, (Access::Warn, "ok"));
    assert_eq!(brief(&facts, i64::MAX), (Access::Warn, "ok", vec!["in_grace"]));
}

#[test]
fn a_token_is_renewed_or_overdue() {
    let mut claims = claims();
    let exp = NOW + 5 * DAY;
    claims.exp = Some(exp);
    around(&installed(claims.clone()), exp, GOOD, (Access::Deny, "token_expired"));
    claims.license.notice = Some(crate::Notice { license: Some(3), token: Some(2) });
    claims.license.stages = Some(Stages { overdue: stage(None, Some(3)), ..Stages::default() });
    let facts = installed(claims);
    around(&facts, exp, GOOD, (Access::Warn, "ok"));
    around(&facts, exp + 3 * DAY, (Access::Warn, "ok"), (Access::Deny, "token_expired"));
    assert_eq!(codes(&facts, exp - 2 * DAY - 1), [""; 0]);
    assert_eq!(codes(&facts, exp - 2 * DAY), ["token_due"]);
    assert_eq!(codes(&facts, exp - 1), ["token_due"]);
    assert_eq!(codes(&facts, exp), ["renew_due"]);
    assert_eq!(codes(&facts, exp + 3 * DAY), [""; 0]);
}

#[test]
fn an_issuer_that_was_not_reached_is_overdue_from_its_own_date() {
    let mut facts = installed(claims());
    let by = NOW + 2 * DAY;
    let mut said = issuer(IssuerStatus::Ok, NOW);
    said.next_sync_by = Some(by);
    facts.issuer = Some(said);
    around(&facts, by, GOOD, (Access::Deny, "sync_overdue"));
    let mut claims = claims();
    claims.license.stages = Some(Stages { overdue: stage(Some(1), Some(2)), ..Stages::default() });
    facts.candidates = installed(claims).candidates;
    around(&facts, by, GOOD, (Access::Warn, "ok"));
    assert_eq!(codes(&facts, by), ["sync_due"]);
    around(&facts, by + DAY, (Access::Warn, "ok"), (Access::ReadOnly, "sync_overdue"));
    let denied = (Access::Deny, "sync_overdue");
    around(&facts, by + 2 * DAY, (Access::ReadOnly, "sync_overdue"), denied);
}

#[test]
fn a_hold_counts_from_when_the_issuer_first_said_so() {
    let mut claims = claims();
    claims.license.stages =
        Some(Stages { suspended: stage(Some(1), Some(2)), ..Stages::default() });
    let mut facts = installed(claims);
    facts.issuer = Some(issuer(IssuerStatus::Suspended, NOW));
    assert_eq!(brief(&facts, NOW), (Access::Warn, "ok", vec!["suspended"]));
    around(&facts, NOW + DAY, (Access::Warn, "ok"), (Access::ReadOnly, "suspended"));
    let denied = (Access::Deny, "suspended");
    around(&facts, NOW + 2 * DAY, (Access::ReadOnly, "suspended"), denied);
}

#[test]
fn a_clock_before_the_signature_is_worth_nothing_and_locks_nobody_out() {
    let mut claims = claims();
    claims.license.valid_until = Some(NOW + DAY);
    claims.license.valid_from = NOW - 5;
    let facts = installed(claims.clone());
    for now in [0, NOW - DAY, NOW - 1] {
        let verdict = judge(&facts, &at(now));
        assert_eq!((verdict.reason, verdict.next_change_at), (Reason::Ok, Some(NOW + DAY)));
        assert_eq!(verdict.winner.and_then(|winner| winner.days_left), Some(1));
    }
    // One signed after its end has ended, whatever the clock says.
    claims.iat = NOW + DAY;
    assert_eq!(brief(&installed(claims), 0).1, "expired");
}

#[test]
fn the_end_is_announced_and_support_ends_by_itself() {
    let mut claims = claims();
    let end = NOW + 30 * DAY;
    claims.license.support_until = Some(NOW + 15 * DAY);
    let facts = installed(claims.clone());
    for (now, wanted) in [
        (NOW + 5 * DAY - 1, vec![]),
        (NOW + 5 * DAY, vec!["support_ends_soon"]),
        (NOW + 15 * DAY - 1, vec!["support_ends_soon"]),
        (NOW + 15 * DAY, vec!["support_ended"]),
        (end - 10 * DAY - 1, vec!["support_ended"]),
        (end - 10 * DAY, vec!["ends_soon", "support_ended"]),
        (end - 1, vec!["ends_soon", "support_ended"]),
        (end, vec![]),
    ] {
        assert_eq!(codes(&facts, now), wanted, "{}", now - NOW);
    }
    claims.license.notice = Some(crate::Notice { license: Some(0), token: None });
    let silent = installed(claims);
    assert_eq!(codes(&silent, end - 1), ["support_ended"]);
}

#[test]
fn days_left_count_the_day_that_has_begun() {
    let facts = installed(claims());
    let left = |now| judge(&facts, &at(now)).winner.and_then(|winner| winner.days_left);
    let end = NOW + 30 * DAY;
    let found = [NOW, NOW + 1, end - DAY, end - 1, end, end + DAY].map(left);
    assert_eq!(found, [30, 30, 1, 1, 0, 0].map(Some));
}

fn counter(max: u64, over: Option<u32>, then: Option<&str>) -> Feature {
    Feature {
        meter: Some("count".into()),
        per: Some("day".into()),
        max: Some(max),
        over,
        then: then.map(Into::into),
        ..Feature::new("exports")
    }
}

/// One feature, with what was used of it.
fn metered(feature: &Feature, entries: &[(Entry, i64)]) -> Facts {
    let mut claims = claims();
    claims.license.features.push(feature.clone());
    let mut facts = installed(claims);
    let entries: Vec<_> =
        entries.iter().map(|(entry, at)| (feature.clone(), *entry, *at)).collect();
    facts.usage = Arc::new(Totals::made(&entries));
    facts
}

fn limit(facts: &Facts, now: i64) -> (Access, &'static str) {
    let verdict = judge(facts, &at(now));
    let found = verdict.features.last().unwrap();
    (found.access, found.reason.slug())
}

#[test]
fn a_counter_stops_and_starts_again_at_midnight() {
    let stop = counter(5, None, None);
    let full = metered(&stop, &[(Entry::Add(5), NOW)]);
    for now in [NOW, NOW + DAY - 1] {
        assert_eq!(limit(&full, now), (Access::Deny, "limit_exceeded"));
        let verdict = judge(&full, &at(now));
        assert_eq!(verdict.next_change_at, Some(NOW + DAY));
        assert_eq!((verdict.access, verdict.in_force), (Access::Allow, true));
        assert_eq!(codes(&full, now), ["limit_reached"]);
        assert_eq!(verdict.access("exports"), Access::Deny);
    }
    assert_eq!(limit(&full, NOW + DAY), (Access::Allow, "ok"));
    assert_eq!(codes(&full, NOW + DAY), [""; 0]);
    // Below the limit, time changes nothing until the license itself does.
    let some = metered(&stop, &[(Entry::Add(4), NOW)]);
    assert_eq!(judge(&some, &at(NOW)).next_change_at, Some(NOW + 20 * DAY));
    // Over it but not stopped: a warning.
    let over = metered(&counter(5, Some(40), Some("count")), &[(Entry::Add(7), NOW)]);
    assert_eq!(limit(&over, NOW), (Access::Warn, "ok"));
    let past = metered(&counter(5, Some(40), Some("count")), &[(Entry::Add(8), NOW)]);
    assert_eq!(limit(&past, NOW), (Access::Deny, "limit_exceeded"));
    // A limit of nothing never lets go.
    let none = metered(&counter(0, None, None), &[]);
    assert_eq!(limit(&none, NOW), (Access::Deny, "limit_exceeded"));
    assert_eq!(judge(&none, &at(NOW)).next_change_at, Some(NOW + 20 * DAY));
}

#[test]
fn keys_leave_the_window_at_midnight_one_day_after_the_other() {
    let leases = Feature {
        meter: Some("distinct".into()),
        days: Some(7),
        max: Some(2),
        ..Feature::new("leases")
    };
    let key = |n: u8| Entry::Key([n; 16]);
    let days = [0, 0, 1, 2, 2, 4].into_iter().zip(0..);
    let entries: Vec<_> = days.map(|(day, n)| (key(n), NOW + day * DAY + 5)).collect();
    let facts = metered(&leases, &entries);
    let now = NOW + 4 * DAY;
    // Six are in the window, and two may be: those of days 0, 1 and 2 have to leave.
    assert_eq!(limit(&facts, now), (Access::Deny, "limit_exceeded"));
    assert_eq!(judge(&facts, &at(now)).next_change_at, Some(NOW + 9 * DAY));
    assert_eq!(limit(&facts, NOW + 9 * DAY - 1), (Access::Deny, "limit_exceeded"));
    assert_eq!(limit(&facts, NOW + 9 * DAY), (Access::Allow, "ok"));
}

#[test]
fn a_limit_lets_go_of_what_can_be_read_too() {
    let stages = Some(Stages { ended: stage(Some(0), None), ..Stages::default() });
    let mut facts = metered(&counter(5, None, None), &[(Entry::Add(5), NOW)]);
    if let Some(Ok(held)) = facts.candidates.first_mut().map(|it| it.license.as_mut()) {
        let license = &mut Arc::make_mut(held).claims.license;
        (license.valid_from, license.valid_until) = (NOW - DAY, Some(NOW));
        license.stages = stages;
    }
    assert_eq!(limit(&facts, NOW), (Access::Deny, "limit_exceeded"));
    assert_eq!(judge(&facts, &at(NOW)).next_change_at, Some(NOW + DAY));
    assert_eq!(limit(&facts, NOW + DAY), (Access::ReadOnly, "expired"));
}

#[test]
fn the_license_comes_before_the_limit() {
    let mut facts = metered(&counter(5, None, None), &[(Entry::Add(9), NOW)]);
    revoke(&mut facts, ID);
    assert_eq!(limit(&facts, NOW), (Access::Deny, "revoked"));
    assert_eq!(codes(&facts, NOW), [""; 0]);
    assert_eq!(judge(&facts, &at(NOW)).next_change_at, None);
}

#[test]
fn what_a_later_version_means_is_denied_alone() {
    let strange = Feature { meter: Some("tokens".into()), ..Feature::new("ai") };
    let facts = metered(&strange, &[]);
    assert_eq!(limit(&facts, NOW), (Access::Deny, "too_new"));
    assert_eq!(brief(&facts, NOW), (Access::Allow, "ok", vec!["feature_too_new"]));
    let verdict = judge(&facts, &at(NOW));
    let answers = ["reports", "api", "ai", "admin", ""].map(|id| verdict.access(id));
    let (yes, no) = (Access::Allow, Access::Deny);
    assert_eq!(answers, [yes, yes, no, no, no]);
    let gate = gate(&facts, &at(NOW));
    let same = ["reports", "api", "ai", "admin", ""].map(|id| gate.access(id.as_bytes()));
    assert_eq!(same, answers);
}
