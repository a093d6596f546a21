//! Time: a clock that is set back gains nothing and locks nobody out; one that was wrongly ahead
//! heals.

mod installation_support;

use installation_support::*;
use licentia::issue::{self, IssuerStatus, SyncAnswer, read_request};
use licentia::{Code, Installation, Product};
use serde_json::{Value, json};

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

fn reset(it: &Installation, server_time: i64) -> String {
    let request = read_request(it.request("clock", None).unwrap().as_bytes()).unwrap();
    issue::sign_clock_reset(&vendor(), &request, ISSUER, server_time, server_time).unwrap()
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

fn answer(it: &Installation, seq: u64, change: impl FnOnce(&mut SyncAnswer)) -> String {
    let request = read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
    let mut answer = SyncAnswer {
        iat: NOW,
        nonce: request.nonce,
        license_id: claims().license.id,
        installation: request.installation,
        seq,
        epoch: 0,
        server_time: NOW,
        status: IssuerStatus::Ok,
        message: None,
        license: None,
        keys: None,
        revocations: None,
        ack: None,
        sync_after: None,
        next_sync_by: None,
    };
    change(&mut answer);
    issue::sign_sync(&vendor(), "myapp", ISSUER, &answer).unwrap()
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

/// A small generator: the same walks on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64).rem_euclid(sides)
    }
}

/// Random walks of a clock: forward, back, with and without a restart. What remains never grows
/// again, and going back alone never takes anything away.
#[test]
fn clock_walks_never_gain_time_and_never_lock_out() {
    let soak: usize = std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut dice = Dice(7);
    for walk in 0..60 * soak {
        let (mut product, folder) = (product(), folder());
        let mut it = a_year(&product, &folder);
        let (mut latest, mut kept) = (NOW, NOW);
        for step in 0..25 {
            let clock = match dice.roll(4) {
                0 => NOW - dice.roll(2 * YEAR),
                1 => latest - dice.roll(40 * DAY),
                _ => latest + dice.roll(12 * DAY),
            };
            set_clock(&mut product, clock);
            if dice.roll(3) == 0 {
                it = product.open(folder.path()).unwrap();
                latest = clock.max(kept);
                kept = if latest - kept >= 60 { latest } else { kept };
            } else {
                latest = latest.max(clock);
            }
            let found: Value = status(&it);
            let context = format!("walk {walk}, step {step}: {}", found["time"]);
            assert_eq!(found["time"]["now"], latest, "{context}");
            assert_eq!(it.allows("reports"), latest < NOW + YEAR, "{context}");
        }
    }
}
