//! What is said to people: each warning, each refusal, what to do, and never who the customer is.

use super::*;

fn message(facts: &Facts, now: i64) -> String {
    judge(facts, &at(now)).message
}

fn warning(facts: &Facts, now: &Now, word: &str) -> Warning {
    let verdict = judge(facts, now);
    let found = verdict.warnings.iter().find(|warning| warning.code.slug() == word);
    found.unwrap_or_else(|| panic!("no {word} in {:?}", verdict.warnings)).clone()
}

#[test]
fn a_message_says_what_holds_and_what_to_do() {
    let mut claims = claims();
    claims.license.stages = Some(Stages { ended: stage(Some(10), Some(40)), ..Stages::default() });
    let facts = installed(claims.clone());
    let end = NOW + 30 * DAY;
    for (now, wanted) in [
        (NOW, "The license is in force until 2025-12-24T00:00:00Z: there is nothing to do."),
        (end - 1, "The license is in force until 2025-12-24T00:00:00Z: ask Acme for a renewal."),
        (
            end,
            "The license ended on 2025-12-24T00:00:00Z, and it works until 2026-01-03T00:00:00Z: \
             ask Acme for a renewal.",
        ),
        (
            end + 10 * DAY,
            "The license ended on 2025-12-24T00:00:00Z, and until 2026-02-02T00:00:00Z what is \
             there can only be read: ask Acme for a renewal.",
        ),
        (
            end + 40 * DAY,
            "The license ended on 2025-12-24T00:00:00Z, its grace period on \
             2026-01-03T00:00:00Z: ask Acme for a renewal.",
        ),
    ] {
        assert_eq!(message(&facts, now), wanted);
    }
    claims.license.stages = None;
    claims.license.valid_until = None;
    let mut facts = installed(claims);
    let perpetual = "The license is in force and has no end: there is nothing to do.";
    assert_eq!(message(&facts, NOW), perpetual);
    revoke(&mut facts, ID);
    let withdrawn = "Acme withdrew the license: ask Acme why, or for another license.";
    assert_eq!(message(&facts, NOW), withdrawn);
    facts.terms.vendor = None;
    let nameless = "The vendor withdrew the license: ask the vendor why, or for another license.";
    assert_eq!(message(&facts, NOW), nameless);
}

#[test]
fn without_a_license_it_says_why_there_is_none() {
    let mut facts = nothing();
    assert_eq!(message(&facts, NOW), "There is no license: apply a license.");
    facts.terms.grace_days = Some(31);
    let wanted = "No license is needed before the first use: apply one when you have it.";
    assert_eq!(message(&facts, NOW), wanted);
    facts.anchor = Some(Anchor { at: NOW });
    let wanted =
        "Everything works without a license until 2025-12-25T00:00:00Z: apply one before then.";
    assert_eq!(message(&facts, NOW), wanted);
    let over = NOW + 31 * DAY;
    let wanted = "The days without a license ended on 2025-12-25T00:00:00Z: apply a license.";
    assert_eq!(message(&facts, over), wanted);
    facts.candidates = vec![refused(Source::Text, Code::BadSignature)];
    let wanted = "The license in the setting `license` was refused (it is so): use it exactly as \
                  the vendor sent it, alone in its file, or ask for it again.";
    assert_eq!(message(&facts, over), wanted.replace("the vendor", "Acme"));
    let verdict = judge(&facts, &at(over));
    assert_eq!(verdict.error().code(), Code::BadSignature);
    let why = "the license in the setting `license` was refused (it is so)";
    assert_eq!(verdict.error().detail(), why);
}

#[test]
fn a_clock_that_is_behind_is_reported_with_its_evidence() {
    let facts = installed(claims());
    let floor = Some(Floor { at: NOW, signed: true });
    let now = Now { at: NOW, clock: NOW - 1, floor };
    let found = warning(&facts, &now, "clock_suspect");
    let evidence = "The clock shows 2025-11-23T23:59:59Z, and Acme has signed \
                    2025-11-24T00:00:00Z";
    let reset = "set the clock right; if it is, ask Acme for a clock reset (request `clock`).";
    assert_eq!(found.message, format!("{evidence}: {reset}"));
    let json: serde_json::Value = serde_json::from_str(&judge(&facts, &now).to_json()).unwrap();
    assert_eq!(json["time"]["message"], format!("{evidence}."));
    assert_eq!(json["time"]["behind"], 1);
    assert_eq!(json["time"]["floor_by"], "server");
    assert_eq!(json["in_force"], true);
    // One that is where it was is not.
    for clock in [NOW, NOW + 1] {
        let now = Now { at: clock, clock, floor };
        assert!(judge(&facts, &now).warnings.is_empty());
    }
    // Asked about a later moment, an honest clock is not suspected.
    let later = Now { at: NOW + DAY, clock: NOW + 5, floor };
    let verdict = judge(&facts, &later);
    assert!(verdict.warnings.is_empty() && verdict.suspicion.is_none());
}

#[test]
fn a_clock_that_was_ahead_and_is_right_now_does_not_end_in_a_renewal() {
    let facts = installed(claims());
    let seen = NOW + 100 * DAY;
    let ahead = |signed, clock| Now { at: seen, clock, floor: Some(Floor { at: seen, signed }) };
    let verdict = judge(&facts, &ahead(false, NOW));
    let reset = "set the clock right; if it is, ask Acme for a clock reset (request `clock`).";
    let ended = "The license ended on 2025-12-24T00:00:00Z";
    let wanted = format!("{ended}, as the clock once showed 2026-03-04T00:00:00Z: {reset}");
    assert_eq!((verdict.reason.slug(), &verdict.message), ("expired", &wanted));
    assert!(verdict.error().detail().contains("as the clock once showed"));
    let tree = explain(&facts, &ahead(false, NOW));
    assert!(!tree.contains("for a renewal") && tree.matches("clock reset").count() >= 2, "{tree}");
    // By a time that was signed, or by the clock too, it has ended.
    for now in [ahead(true, NOW), ahead(false, seen), ahead(false, NOW + 50 * DAY)] {
        let verdict = judge(&facts, &now);
        let renewal = format!("{ended}: ask Acme for a renewal.");
        assert_eq!((verdict.reason.slug(), verdict.message), ("expired", renewal), "{now:?}");
    }
    // So have the days without a license.
    let mut facts = nothing();
    (facts.terms.grace_days, facts.anchor) = (Some(31), Some(Anchor { at: NOW }));
    let verdict = judge(&facts, &ahead(false, NOW));
    assert!(verdict.message.ends_with(reset), "{}", verdict.message);
    assert!(judge(&facts, &at(seen)).message.ends_with(": apply a license."));
}

#[test]
fn damage_is_told_with_what_it_cost() {
    let mut facts = installed(claims());
    for (what, cost) in [
        (
            "state.b is damaged",
            ", and the copy beside it is used, so that the last change at most \
          is lost",
        ),
        ("usage.a is damaged; what was used is counted anew", ""),
        ("3 records of what was used are lost", ""),
    ] {
        facts.state.recovered = Some(what.into());
        let told = warning(&facts, &at(NOW), "state_recovered").message;
        assert_eq!(told, format!("{what}{cost} (this is told for 30 days): check the disk."));
        assert!(!explain(&facts, &at(NOW)).contains("made good"));
    }
}

#[test]
fn the_state_and_the_machine_are_warned_of() {
    let mut held = held(claims());
    let changed = vec!["disk".to_string(), "nic".to_string()];
    held.binding = Ok(Drift { matched: 3, need: 3, of: 5, changed });
    let mut facts = with(vec![candidate(Source::Installed, held)]);
    facts.state.recovered = Some("state.b was cut short".into());
    facts.state.shared = true;
    facts.state.error = Some(Error::new(Code::DiskFull, "the disk is full"));
    let wanted = ["machine_drifted", "state_recovered", "shared_folder", "disk_full"];
    assert_eq!(brief(&facts, NOW), (Access::Allow, "ok", wanted.to_vec()));
    let drifted = warning(&facts, &at(NOW), "machine_drifted").message;
    assert_eq!(
        drifted,
        "2 of 5 parts of this machine have changed (disk, nic), and 3 have to match: have the \
         license bound to it again before more of it changes."
    );
}

#[test]
fn nobody_is_named_but_the_vendor() {
    let mut claims = claims();
    claims.sub = Some("SECRET".into());
    let secret = || Some("SECRET".to_string());
    claims.license.customer = Some(crate::Customer {
        name: secret(),
        email: secret(),
        account: secret(),
        slug: secret(),
    });
    claims.exp = Some(NOW + DAY);
    claims.license.stages = Some(Stages { ended: stage(Some(1), Some(2)), ..Stages::default() });
    let mut facts = installed(claims);
    for status in IssuerStatus::ALL {
        facts.issuer = Some(issuer(status, NOW));
        for days in 0..50 {
            let verdict = judge(&facts, &at(NOW + days * DAY));
            let mut all = vec![verdict.message.clone()];
            all.extend(verdict.warnings.iter().map(|it| it.message.clone()));
            all.extend(verdict.timeline.iter().map(|it| it.message.clone()));
            all.extend(verdict.sources.iter().map(|it| it.message.clone()));
            for message in all {
                assert!(!message.contains("SECRET"), "{message}");
                let one = message.ends_with('.') && !message.contains("..");
                let begins = message.starts_with(|c: char| c.is_uppercase() || c.is_numeric());
                assert!(one && begins && !message.contains("the vendor"), "{message}");
            }
            assert!(!explain(&facts, &at(NOW + days * DAY)).contains("SECRET"));
        }
    }
}

#[test]
fn the_timeline_says_what_holds_from_then_on() {
    let mut claims = claims();
    claims.iat = NOW - DAY;
    claims.exp = Some(NOW + 7 * DAY);
    claims.license.notice = Some(crate::Notice { license: Some(5), token: Some(2) });
    claims.license.stages = Some(Stages {
        ended: stage(Some(10), Some(40)),
        overdue: stage(None, None),
        ..Stages::default()
    });
    let facts = installed(claims);
    let verdict = judge(&facts, &at(NOW + 100 * DAY));
    let found: Vec<_> = verdict
        .timeline
        .iter()
        .map(|step| ((step.at - NOW) / DAY, step.event.slug(), step.access.word()))
        .collect();
    assert_eq!(
        found,
        [
            (-1, "issued", "deny"),
            (0, "begins", "allow"),
            (5, "token_due", "allow"),
            (7, "renew_due", "warn"),
            (25, "ends_soon", "warn"),
            (30, "ends", "warn"),
            (40, "read_only", "read_only"),
            (70, "stops", "deny"),
        ]
    );
}

#[test]
fn the_losers_are_named() {
    let mut other = claims();
    other.license.id = "00000000-0000-4000-8000-000000000001".into();
    other.license.valid_until = Some(NOW + DAY);
    other.license.serial = Some("LIC-OTHER".into());
    let mut ended = other.clone();
    ended.license.valid_from = NOW - 2;
    ended.license.valid_until = Some(NOW - 1);
    let facts = with(vec![
        candidate(Source::Installed, held(other)),
        candidate(Source::File, held(claims())),
        refused(Source::Environment, Code::UnknownKey),
        candidate(Source::Text, held(ended)),
    ]);
    let verdict = judge(&facts, &at(NOW));
    let found: Vec<_> = verdict
        .sources
        .iter()
        .map(|it| {
            let dates = [it.valid_from.is_some(), it.valid_until.is_some()];
            assert_eq!(dates, [it.id.is_some(); 2], "{it:?}");
            (it.source, it.used, it.result.slug(), it.id.is_some())
        })
        .collect();
    assert_eq!(
        found,
        [
            (Source::Installed, false, "ok", true),
            (Source::File, true, "ok", true),
            (Source::Environment, false, "unknown_key", false),
            (Source::Text, false, "expired", true),
        ]
    );
    assert_eq!(verdict.sources[0].serial.as_deref(), Some("LIC-OTHER"));
    assert_eq!(brief(&facts, NOW), (Access::Allow, "ok", vec!["source_refused"]));
}
