//! Licenses beside one another: what is applied never takes away what was paid for besides.

mod installation_support;

use installation_support::*;
use licentia::{Claims, Code, Feature};
use std::thread;

/// A license for the days from `from` to `until`, signed at `NOW` and `iat` seconds.
fn days(from: i64, until: i64, iat: i64, change: impl FnOnce(&mut Claims)) -> String {
    license(|it| {
        it.iat = NOW + iat;
        it.license.valid_from = NOW + from * DAY;
        it.license.valid_until = Some(NOW + until * DAY);
        change(it);
    })
}

#[test]
fn an_upgrade_leaves_a_renewal_where_it_waits() {
    for renewal_is_newer in [false, true] {
        let (mut product, folder) = (product(), folder());
        let it = product.open(folder.path()).unwrap();
        it.apply(days(0, 30, 0, |_| {}).as_bytes()).unwrap();
        let signed = if renewal_is_newer { [20, 10] } else { [10, 20] };
        it.apply(days(30, 60, signed[0], |_| {}).as_bytes()).unwrap();
        let more = |it: &mut Claims| it.license.features.push(Feature::new("admin"));
        it.apply(days(0, 30, signed[1], more).as_bytes()).unwrap();
        assert!(it.allows("admin"));
        let before = it.apply(days(0, 30, 5, |_| {}).as_bytes()).unwrap_err();
        assert_eq!(before.code(), Code::OlderThanInstalled, "an older one of its own side");
        let before = it.apply(days(30, 50, 5, |_| {}).as_bytes()).unwrap_err();
        assert_eq!(before.code(), Code::OlderThanInstalled);
        it.apply_older(days(0, 30, 5, |_| {}).as_bytes()).unwrap();
        assert!(!it.allows("admin") && it.allows("reports"));
        set_clock(&mut product, NOW + 59 * DAY);
        assert_eq!(status(&it)["license"]["valid_until"], NOW + 60 * DAY);
        assert_eq!(status(&it)["access"], "allow");
    }
}

/// In the days of grace of the one before, two have begun: the next waits beside the better one.
#[test]
fn a_renewal_ahead_of_time_takes_nothing_from_the_one_in_force() {
    let (mut product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(days(0, 30, 0, |_| {}).as_bytes()).unwrap();
    it.apply(days(30, 60, 10, |_| {}).as_bytes()).unwrap();
    set_clock(&mut product, NOW + 35 * DAY);
    it.apply(days(60, 90, 20, |_| {}).as_bytes()).unwrap();
    for day in [35, 41, 59, 60, 89] {
        set_clock(&mut product, NOW + day * DAY);
        assert_eq!(status(&it)["access"], "allow", "day {day}");
    }
}

/// What can be read after the end can be read until the next begins.
#[test]
fn a_renewal_ahead_of_time_takes_nothing_from_one_that_has_ended() {
    let (mut product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(days(0, 30, 0, |_| {}).as_bytes()).unwrap();
    set_clock(&mut product, NOW + 45 * DAY);
    assert_eq!(status(&it)["access"], "read_only");
    it.apply(days(50, 90, 20, |_| {}).as_bytes()).unwrap();
    assert_eq!(status(&it)["access"], "read_only");
    set_clock(&mut product, NOW + 50 * DAY);
    assert_eq!(status(&it)["access"], "allow");
}

#[test]
fn an_answer_with_an_older_license_says_the_rest_all_the_same() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(days(0, 60, 10, |_| {}).as_bytes()).unwrap();
    let text = answer(&it, 1, |answer| {
        answer.license = Some(days(0, 30, 0, |_| {}));
        answer.next_sync_by = Some(NOW + 20 * DAY);
    });
    it.apply(text.as_bytes()).unwrap();
    let found = status(&it);
    assert_eq!(found["issuer"]["next_sync_by"], NOW + 20 * DAY);
    assert_eq!(found["license"]["valid_until"], NOW + 60 * DAY, "the newer one stays");
}

#[test]
fn nothing_of_a_customer_is_in_its_debug_text() {
    let (product, folder) = (product(), folder());
    std::fs::write(folder.path().join("a.lic"), license(|_| {})).unwrap();
    let mut it = product.open(folder.path()).unwrap();
    it.set("license_file", folder.path().join("a.lic").to_str().unwrap()).unwrap();
    it.apply(license(|it| it.sub = Some("Canary Inc.".into())).as_bytes()).unwrap();
    let text = format!("{it:?}");
    assert!(!text.contains("Canary") && !text.contains("101, 121, 74"), "{text}");
}

/// Other threads may be looking right then: what a thread has recorded, it knows all the same.
#[test]
fn whoever_reached_a_limit_knows_at_once() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    let ids: Vec<String> = (0..150).map(|n| format!("f{n}")).collect();
    let features = || ids.iter().map(|id| metered(id, "count", 1)).collect();
    it.apply(license(|it| it.license.features = features()).as_bytes()).unwrap();
    let (halves, it) = (ids.split_at(75), &it);
    thread::scope(|scope| {
        let halves = [halves.0, halves.1];
        let recorders = halves.map(|ids| {
            scope.spawn(move || {
                for id in ids {
                    it.record_later(id, 1).unwrap();
                    assert!(!it.allows(id), "{id}");
                }
            })
        });
        while !recorders.iter().all(|recorder| recorder.is_finished()) {
            status(it);
        }
    });
}

/// A clock that is far ahead is not believed at once. Neither is a first use that it dates.
#[test]
fn a_first_use_in_the_future_begins_now() {
    let (mut product, folder) = (product(), folder());
    product.set("grace_days", "31").unwrap();
    let it = product.open(folder.path()).unwrap();
    set_clock(&mut product, 4_070_908_800);
    it.first_use(None).unwrap();
    set_clock(&mut product, NOW + DAY);
    drop(product.open(folder.path()).unwrap());
    assert_eq!(status(&it)["anchor"]["at"], NOW + DAY);
    set_clock(&mut product, NOW + 32 * DAY);
    assert!(!it.allows("anything"));
}
