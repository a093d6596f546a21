//! The published order of the reasons, row by row, and what comes before any license.

use super::*;

/// Makes one cause of the table hold, with nothing left of the license.
fn spoil(code: Code, facts: &mut Facts) {
    let Some(Ok(held)) = facts.candidates.first_mut().map(|it| it.license.as_mut()) else { return };
    let held = Arc::make_mut(held);
    let license = &mut held.claims.license;
    let said = facts.issuer.get_or_insert_with(|| issuer(IssuerStatus::Ok, NOW));
    match code {
        Code::TooNew | Code::WrongMachine | Code::WrongInstallation => {
            held.binding = Err(Error::new(code, "it is bound elsewhere"));
        }
        Code::Revoked => revoke(facts, ID),
        Code::Suspended => said.status = IssuerStatus::Suspended,
        // No license ends before it begins: `nbf` is what makes both hold.
        Code::NotYetValid => held.claims.nbf = Some(NOW + 100 * DAY),
        Code::Expired => {
            license.valid_from = NOW - 2 * DAY;
            license.valid_until = Some(NOW - DAY);
        }
        Code::TokenExpired => held.claims.exp = Some(NOW - DAY),
        Code::SyncOverdue => said.next_sync_by = Some(NOW - DAY),
        _ => unreachable!("{code} is not in the table"),
    }
}

fn is_binding(code: Code) -> bool {
    matches!(code, Code::TooNew | Code::WrongMachine | Code::WrongInstallation)
}

#[test]
fn each_row_is_a_reason_and_comes_before_all_below_it() {
    let table: Vec<Code> = super::causes::PRECEDENCE.iter().map(|(code, _)| *code).collect();
    for (row, &upper) in table.iter().enumerate() {
        let mut alone = installed(claims());
        spoil(upper, &mut alone);
        assert_eq!(brief(&alone, NOW), (Access::Deny, upper.slug(), vec![]));
        for &lower in table.iter().skip(row + 1) {
            let mut both = installed(claims());
            spoil(lower, &mut both);
            spoil(upper, &mut both);
            // A binding fails for one reason only: the first that was found.
            if !(is_binding(upper) && is_binding(lower)) {
                assert_eq!(brief(&both, NOW).1, upper.slug(), "{upper} and {lower}");
            }
        }
    }
    let mut all = installed(claims());
    table.iter().rev().for_each(|code| spoil(*code, &mut all));
    assert_eq!(brief(&all, NOW).1, "too_new");
}

#[test]
fn an_order_of_the_words_themselves() {
    let table: Vec<&str> = super::causes::PRECEDENCE.iter().map(|(code, _)| code.slug()).collect();
    assert_eq!(
        table,
        [
            "too_new",
            "revoked",
            "wrong_machine",
            "wrong_installation",
            "suspended",
            "not_yet_valid",
            "expired",
            "token_expired",
            "sync_overdue",
        ]
    );
}

#[test]
fn the_worst_access_counts_before_the_order() {
    // It has ended and can be read; the token denies.
    let mut claims = claims();
    claims.license.valid_from = NOW - 9 * DAY;
    claims.license.valid_until = Some(NOW - 2 * DAY);
    claims.license.stages = Some(Stages { ended: stage(Some(1), Some(30)), ..Stages::default() });
    let ended = installed(claims.clone());
    assert_eq!(brief(&ended, NOW), (Access::ReadOnly, "expired", vec![]));
    claims.exp = Some(NOW - DAY);
    assert_eq!(brief(&installed(claims.clone()), NOW), (Access::Deny, "token_expired", vec![]));
    // Both in grace: it works, and says both.
    claims.license.stages = Some(Stages {
        ended: stage(None, Some(30)),
        overdue: stage(None, Some(30)),
        ..Stages::default()
    });
    let both = brief(&installed(claims), NOW);
    assert_eq!(both, (Access::Warn, "ok", vec!["in_grace", "renew_due"]));
}

#[test]
fn what_keeps_the_machine_from_being_read_stands_in_its_place() {
    let mut facts = installed(claims());
    spoil(Code::WrongMachine, &mut facts);
    spoil(Code::Suspended, &mut facts);
    let mut held = held(claims());
    held.binding = Err(Error::new(Code::Io, "the machine_file /etc/id: not found"));
    facts.candidates = vec![candidate(Source::File, held)];
    assert_eq!(brief(&facts, NOW), (Access::Deny, "io", vec![]));
    revoke(&mut facts, ID);
    assert_eq!(brief(&facts, NOW).1, "revoked");
}

#[test]
fn without_any_license_the_first_refusal_counts_then_the_state() {
    let mut facts = nothing();
    assert_eq!(brief(&facts, NOW), (Access::Deny, "not_licensed", vec![]));
    facts.state.error = Some(Error::new(Code::StateCorrupt, "both copies are damaged"));
    assert_eq!(brief(&facts, NOW), (Access::Deny, "state_corrupt", vec![]));
    facts.candidates =
        vec![refused(Source::File, Code::BadSignature), refused(Source::Text, Code::Malformed)];
    let both = (Access::Deny, "bad_signature", vec!["source_refused", "state_corrupt"]);
    assert_eq!(brief(&facts, NOW), both);
    facts.candidates.reverse();
    facts.candidates.push(candidate(Source::Text, held(claims())));
    let told = (Access::Allow, "ok", vec!["source_refused", "source_refused", "state_corrupt"]);
    assert_eq!(brief(&facts, NOW), told);
}

#[test]
fn the_days_without_a_license_are_counted_to_the_second() {
    let mut facts = nothing();
    facts.terms.grace_days = Some(31);
    assert_eq!(brief(&facts, NOW), (Access::Allow, "not_needed", vec![]));
    facts.anchor = Some(Anchor { at: NOW });
    let end = NOW + 31 * 86_400;
    let soon = end - 10 * DAY;
    let grace = |codes| (Access::Allow, "unlicensed_grace", codes);
    for (now, wanted) in [
        (NOW, grace(vec![])),
        (soon - 1, grace(vec![])),
        (soon, grace(vec!["grace_ends_soon"])),
        (end - 1, grace(vec!["grace_ends_soon"])),
        (end, (Access::Deny, "not_licensed", vec![])),
        (end + 1, (Access::Deny, "not_licensed", vec![])),
    ] {
        assert_eq!(brief(&facts, now), wanted, "{}", now - NOW);
        let verdict = judge(&facts, &at(now));
        assert!(!verdict.in_force);
        assert_eq!(verdict.access("anything"), wanted.0);
        let next = [soon, end].into_iter().find(|edge| *edge > now);
        assert_eq!(verdict.next_change_at, next);
    }
    // Not a day, and a day that is none.
    facts.terms.grace_days = Some(0);
    assert_eq!(brief(&facts, NOW).1, "not_licensed");
    facts.anchor = Some(Anchor { at: NOW + 1 });
    assert_eq!(brief(&facts, NOW).1, "unlicensed_grace");
}

#[test]
fn what_was_refused_is_no_worse_than_nothing() {
    let mut facts = with(vec![refused(Source::File, Code::UnknownKey)]);
    facts.terms.grace_days = Some(31);
    assert_eq!(brief(&facts, NOW), (Access::Allow, "not_needed", vec!["source_refused"]));
    facts.anchor = Some(Anchor { at: NOW - 31 * DAY });
    assert_eq!(brief(&facts, NOW), (Access::Deny, "unknown_key", vec![]));
}

#[test]
fn a_license_that_is_not_in_force_is_no_worse_than_none() {
    // Bought for next month, installed while the first days are still running.
    let mut claims = claims();
    claims.license.valid_from = NOW + 5 * DAY;
    let mut facts = installed(claims);
    assert_eq!(brief(&facts, NOW), (Access::Deny, "not_yet_valid", vec![]));
    facts.terms.grace_days = Some(31);
    facts.anchor = Some(Anchor { at: NOW - 21 * DAY + 1 });
    let waiting = (Access::Allow, "unlicensed_grace", vec![]);
    assert_eq!(brief(&facts, NOW), waiting, "the license takes over in time");
    let verdict = judge(&facts, &at(NOW));
    assert_eq!(verdict.next_change_at, Some(NOW + 5 * DAY));
    let wanted = "Everything works without a license until the one that is here begins on \
                  2025-11-29T00:00:00Z: there is nothing to do.";
    assert_eq!(verdict.message, wanted);
    assert_eq!((verdict.in_force, verdict.otherwise()), (false, Access::Allow));
    assert_eq!(verdict.winner().map(|held| held.claims.license.id.as_str()), Some(ID));
    assert_eq!(brief(&facts, NOW + 5 * DAY), (Access::Allow, "ok", vec![]));
    // With a day between, it is worth a warning.
    facts.anchor = Some(Anchor { at: NOW - 27 * DAY });
    let warned = vec!["not_in_force", "grace_ends_soon"];
    assert_eq!(brief(&facts, NOW), (Access::Allow, "unlicensed_grace", warned));
    facts.anchor = None;
    assert_eq!(brief(&facts, NOW), (Access::Allow, "not_needed", vec![]));
    facts.anchor = Some(Anchor { at: NOW - 31 * DAY });
    assert_eq!(brief(&facts, NOW).1, "not_yet_valid");
}

#[test]
fn a_folder_that_cannot_be_read_is_not_taken_for_a_new_one() {
    let mut facts = nothing();
    facts.terms.grace_days = Some(31);
    facts.state.error = Some(Error::new(Code::StateCorrupt, "both copies are damaged"));
    assert_eq!(brief(&facts, NOW), (Access::Deny, "state_corrupt", vec![]));
    // The host may say when the product was first used.
    facts.anchor = Some(Anchor { at: NOW });
    assert_eq!(brief(&facts, NOW), (Access::Allow, "unlicensed_grace", vec!["state_corrupt"]));
}

#[test]
fn where_the_vendor_runs_the_product_nothing_is_enforced() {
    let mut facts = nothing();
    facts.terms.deployment = Deployment::Saas;
    assert_eq!(brief(&facts, NOW), (Access::Allow, "not_enforced", vec![]));
    let mut facts = installed(claims());
    facts.terms.deployment = Deployment::Saas;
    revoke(&mut facts, ID);
    facts.anchor = Some(Anchor { at: 0 });
    let verdict = judge(&facts, &at(NOW + 900 * DAY));
    assert_eq!((verdict.access, verdict.reason.slug()), (Access::Allow, "not_enforced"));
    assert_eq!((verdict.in_force, verdict.next_change_at), (false, None));
    assert_eq!(verdict.access("anything"), Access::Allow);
    assert!(verdict.warnings.is_empty());
}

#[test]
fn the_issuer_speaks_of_one_license_and_its_doubts_only_warn() {
    for (status, wanted) in [
        (IssuerStatus::Ok, (Access::Allow, "ok", vec![])),
        (IssuerStatus::Revoked, (Access::Deny, "revoked", vec![])),
        (IssuerStatus::Suspended, (Access::Deny, "suspended", vec![])),
        (IssuerStatus::Expired, (Access::Allow, "ok", vec!["issuer_expired"])),
        (IssuerStatus::NotFound, (Access::Allow, "ok", vec!["issuer_not_found"])),
    ] {
        let mut facts = installed(claims());
        let mut said = issuer(status, NOW + 9);
        said.next_sync_by = Some(NOW + DAY);
        facts.issuer = Some(said.clone());
        assert_eq!(brief(&facts, NOW + 9), wanted, "{status:?}");
        assert_eq!(brief(&facts, NOW + 8), (Access::Allow, "ok", vec![]), "{status:?}: not yet");
        said.license_id = "550e8400-e29b-41d4-a716-446655440000".into();
        facts.issuer = Some(said);
        assert_eq!(brief(&facts, NOW + DAY), (Access::Allow, "ok", vec![]), "of another license");
        assert!(judge(&facts, &at(NOW)).issuer.is_none());
    }
}
