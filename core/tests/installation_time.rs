//! Time: a clock that is set back gains nothing and locks nobody out; one that was wrongly ahead
//! heals.

mod installation_support;

use installation_support::*;
use licentia::issue::IssuerStatus;
use licentia::{Code, Installation, Product};
use serde_json::json;

const YEAR: i64 = 365 * DAY;

/// A year, without grace.
fn a_year(product: &Product, folder: &tempfile::TempDir) -> Installation {
    let it = product.open(folder.path()).unwrap();
    let license = license(|it| {
        it.license.valid_until = Some(NOW + YEAR);
        it.license.stages = None;
    });
    it.apply(license.as_bytes()).unwrap();
    it
}

fn days_left(it: &Installation) -> i64 {
    status(it)["license"]["days_left"].as_i64().unwrap()
}

#[test]
fn setting_the_clock_back_gains_nothing_and_locks_nobody_out() {
    let (mut product, folder) = (product(), folder());
    let it = a_year(&product, &folder);
    set_clock(&mut product, NOW + 100 * DAY);
    let left = days_left(&it);
    product.open(folder.path()).unwrap();
    for back in [1, 3_600, 30 * DAY, 99 * DAY, NOW + 100 * DAY] {
        set_clock(&mut product, NOW + 100 * DAY - back);
        for it in [&it, &product.open(folder.path()).unwrap()] {
            let found = status(it);
            assert_eq!(found["license"]["days_left"], left, "{back}: {found}");
            assert_eq!(found["time"]["suspect"], true);
            assert_eq!(found["time"]["behind"], back);
            assert_eq!(found["time"]["floor_by"], "seen");
            assert!(it.allows("reports") && found["in_force"] == true);
            assert!(found["warnings"].to_string().contains("clock"), "{found}");
        }
    }
}

#[test]
fn an_end_that_was_seen_stays_seen() {
    let (mut product, folder) = (product(), folder());
    let it = a_year(&product, &folder);
    set_clock(&mut product, NOW + YEAR);
    assert!(!it.allows("reports"));
    set_clock(&mut product, NOW);
    assert!(!it.allows("reports"), "in this process at once");
    set_clock(&mut product, NOW + YEAR);
    product.open(folder.path()).unwrap();
    set_clock(&mut product, NOW);
    assert!(!product.open(folder.path()).unwrap().allows("reports"), "and in the next one");
}

#[test]
fn a_clock_that_is_far_ahead_for_a_moment_is_forgotten() {
    let (mut product, folder) = (product(), folder());
    let it = a_year(&product, &folder);
    set_clock(&mut product, 4_070_908_800);
    assert!(!it.allows("reports") && !product.open(folder.path()).unwrap().allows("reports"));
    set_clock(&mut product, NOW + 60);
    assert!(it.allows("reports"));
    assert!(product.open(folder.path()).unwrap().allows("reports"));
}

/// 2099 for long enough to be believed.
fn poisoned(product: &mut Product, folder: &tempfile::TempDir) -> Installation {
    let it = a_year(product, folder);
    for later in [0, 700] {
        set_clock(product, 4_070_908_800 + later);
        product.open(folder.path()).unwrap();
    }
    set_clock(product, NOW + DAY);
    assert!(!it.allows("reports"), "{}", it.status(None).unwrap());
    it
}

#[test]
fn a_clock_reset_heals_a_clock_that_was_ahead_and_works_once() {
    let (mut product, folder) = (product(), folder());
    let it = poisoned(&mut product, &folder);
    let other = product.open(folder.path()).unwrap();
    assert!(!other.allows("reports"));
    let renewal = license(|it| {
        it.iat = NOW + DAY;
        it.license.valid_until = Some(NOW + 2 * YEAR);
    });
    let error = it.apply(renewal.as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::ClockRollback, "{error}");
    let (first, second) = (reset(&it, NOW + DAY), reset(&it, NOW + DAY));
    it.apply(first.as_bytes()).unwrap();
    assert!(it.allows("reports"));
    assert_eq!(status(&other)["in_force"], true, "and in every other process");
    for used in [&first, &second] {
        assert_eq!(it.apply(used.as_bytes()).unwrap_err().code(), Code::AlreadyUsed);
    }
    // It sets a floor of its own: what the issuer has signed.
    set_clock(&mut product, NOW);
    let found = status(&it);
    assert_eq!(
        (&found["time"]["now"], &found["time"]["floor_by"]),
        (&json!(NOW + DAY), &json!("server"))
    );
    let stranger = product.open(self::folder().path()).map(|it| it.apply(first.as_bytes()));
    assert!(stranger.unwrap().is_err(), "a folder that is gone");
    let elsewhere = self::folder();
    let error = product.open(elsewhere.path()).unwrap().apply(first.as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::WrongInstallation);
}

#[test]
fn signed_time_heals_too_and_no_answer_counts_twice() {
    let (mut product, folder) = (product(), folder());
    let it = poisoned(&mut product, &folder);
    let text = answer(&it, 7, |answer| answer.server_time = NOW + DAY);
    let stale = answer(&it, 8, |_| {});
    it.apply(text.as_bytes()).unwrap();
    assert!(it.allows("reports"));
    for again in [text, stale] {
        assert_eq!(it.apply(again.as_bytes()).unwrap_err().code(), Code::AlreadyUsed);
    }
    let low = answer(&it, 7, |_| {});
    assert_eq!(it.apply(low.as_bytes()).unwrap_err().code(), Code::AlreadyUsed);
    let other =
        answer(&it, 9, |answer| answer.license_id = "00000000-0000-4000-8000-000000000000".into());
    assert_eq!(it.apply(other.as_bytes()).unwrap_err().code(), Code::WrongInstallation);
    let renewal = license(|it| {
        it.iat = NOW + 5;
        it.license.valid_until = Some(NOW + 2 * YEAR);
    });
    let bad = answer(&it, 9, |answer| answer.license = Some("a.b.c".into()));
    assert!(it.apply(bad.as_bytes()).is_err(), "with a bad license in it, nothing is taken");
    let good = answer(&it, 9, |answer| answer.license = Some(renewal));
    it.apply(good.as_bytes()).unwrap();
    assert_eq!(status(&it)["license"]["valid_until"], NOW + 2 * YEAR);
}

#[test]
fn what_the_issuer_says_follows_its_stages() {
    let (mut product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(license(|it| it.license.valid_until = Some(NOW + YEAR)).as_bytes()).unwrap();
    it.apply(answer(&it, 1, |it| it.status = IssuerStatus::Suspended).as_bytes()).unwrap();
    let found = status(&it);
    assert_eq!((&found["access"], it.allows("reports")), (&json!("warn"), true));
    set_clock(&mut product, NOW + 7 * DAY - 1);
    let again = answer(&it, 2, |it| {
        it.status = IssuerStatus::Suspended;
        it.server_time = NOW + DAY;
    });
    it.apply(again.as_bytes()).unwrap();
    assert!(it.allows("reports"));
    set_clock(&mut product, NOW + 7 * DAY);
    assert!(!it.allows("reports"), "counted from when it was first said");
    assert_eq!(status(&it)["reason"], "suspended");
    let back = answer(&it, 3, |it| {
        it.server_time = NOW + 7 * DAY;
        it.next_sync_by = Some(NOW + 10 * DAY);
    });
    it.apply(back.as_bytes()).unwrap();
    assert!(it.allows("reports"));
    set_clock(&mut product, NOW + 10 * DAY - 1);
    assert!(it.allows("reports"));
    set_clock(&mut product, NOW + 10 * DAY);
    assert_eq!(status(&it)["reason"], "sync_overdue");
    assert!(!it.allows("reports"));
    let gone = answer(&it, 4, |it| it.status = IssuerStatus::Revoked);
    it.apply(gone.as_bytes()).unwrap();
    assert_eq!(status(&it)["reason"], "revoked");
}

#[test]
fn a_clock_that_lost_its_battery_is_taken_for_the_day_of_the_license() {
    let (mut product, folder) = (product(), folder());
    set_clock(&mut product, 1_000);
    let it = product.open(folder.path()).unwrap();
    let error = it.first_use(None).unwrap_err();
    assert_eq!(error.code(), Code::ClockRollback, "the days would be over when it is set: {error}");
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let found = status(&it);
    assert_eq!((&found["in_force"], &found["time"]["now"]), (&json!(true), &json!(NOW)));
    assert_eq!(
        (&found["time"]["suspect"], &found["license"]["days_left"]),
        (&json!(true), &json!(30))
    );
    it.record("exports", 1).unwrap();
    set_clock(&mut product, NOW);
    assert_eq!(it.usage("exports").unwrap().used, 1, "it was counted in the month of the license");
    set_clock(&mut product, 1_000);
    assert!(it.record("exports", 2).is_ok() && !it.allows("exports"));
    set_clock(&mut product, 1_000 + 31 * DAY);
    assert!(it.allows("exports"), "time goes by all the same");
    set_clock(&mut product, NOW);
    // What the license said of the time was not kept.
    it.remove().unwrap();
    set_clock(&mut product, NOW - 5 * DAY);
    assert_eq!(status(&product.open(folder.path()).unwrap())["time"]["floor_by"], "seen");
}

#[test]
fn a_reset_does_not_leave_a_first_use_in_the_future() {
    let (mut product, folder) = (product(), folder());
    product.set("grace_days", "31").unwrap();
    set_clock(&mut product, NOW + 300 * DAY);
    let it = product.open(folder.path()).unwrap();
    it.first_use(None).unwrap();
    set_clock(&mut product, NOW);
    let code = reset(&it, NOW);
    it.apply(code.as_bytes()).unwrap();
    assert_eq!(status(&it)["anchor"]["at"], NOW);
    set_clock(&mut product, NOW + 31 * DAY);
    assert!(!it.allows("reports"));
}
