//! An issuer that is not reached any more, or is kept from saying anything new: every day of more
//! than a year, and every second at the edges. What was signed decides what then works, and where
//! nothing was signed about it nothing changes but what is said of the calls.

mod house_support;
mod http_support;
mod installation_support;

use house_support::*;
use http_support::{Site, but_for_failure, get};
use installation_support::*;
use licentia::{Access, Code, Error, Issuer, Product, Stage, Stages, issue};
use serde_json::{Value, json};
use std::sync::Arc;

/// Has to be asked again after 30 days; warns for 14, can be read for 16 more.
const BY: i64 = NOW + 30 * DAY;
const READ_ONLY: i64 = BY + 14 * DAY;
const DENY: i64 = BY + 30 * DAY;

/// A license of two years with stages for an issuer that is not reached.
fn due() -> String {
    let mut claims = claims();
    claims.license.valid_until = Some(NOW + 800 * DAY);
    let overdue = Some(Stage { warn: Some(0), read_only: Some(14), deny: Some(30) });
    claims.license.stages = Some(Stages { overdue, ..Stages::default() });
    issue::sign(&key(LICENSES), &claims).unwrap()
}

fn begun(license: &str, next_sync_by: Option<i64>) -> (Site, Product, Arc<Counter>) {
    let counter = Counter::new(House { next_sync_by, ..House::default() });
    let product = product_at("test", NOW);
    let mut it = Site::within(&product, light_folder());
    it.apply(license.as_bytes()).unwrap();
    it.connect(counter.clone() as Arc<dyn Issuer>);
    it.sync().unwrap();
    (it, product, counter)
}

fn set(product: &mut Product, at: i64) {
    product.set("clock", &at.to_string()).unwrap();
}

fn cut_off(counter: &Counter) {
    counter.bend(|_, _| Some(Err(Error::new(Code::Unreachable, "no route to the server"))));
}

/// What has to hold at a second.
fn wanted(at: i64) -> (Access, &'static str) {
    match at {
        ..BY => (Access::Allow, "ok"),
        BY..READ_ONLY => (Access::Warn, "ok"),
        READ_ONLY..DENY => (Access::ReadOnly, "sync_overdue"),
        _ => (Access::Deny, "sync_overdue"),
    }
}

fn word(access: Access) -> &'static str {
    match access {
        Access::Allow => "allow",
        Access::Warn => "warn",
        Access::ReadOnly => "read_only",
        Access::Deny => "deny",
    }
}

/// Whether every face of an installation says the same at a second.
fn check(it: &Site, at: i64) {
    let (access, reason) = wanted(at);
    assert_eq!(it.access("reports"), access, "{at}");
    assert_eq!(it.allows("reports"), access >= Access::Warn, "{at}");
    let status = status(it);
    assert_eq!(
        (&status["access"], &status["reason"]),
        (&json!(word(access)), &json!(reason)),
        "{at}"
    );
    let warned =
        |code: &str| status["warnings"].as_array().unwrap().iter().any(|it| it["code"] == code);
    assert_eq!(warned("sync_due"), access == Access::Warn, "{at}");
    assert_eq!(it.gate("reports").is_none(), access >= Access::Warn, "{at}");
    let check = get(it, "/api/licensing/check").json();
    assert_eq!(check, json!(access >= Access::Warn), "{at}: {check}");
    // The same, told before and after by the date it is asked for.
    let told: Value = serde_json::from_str(&it.status(Some(at)).unwrap()).unwrap();
    assert_eq!(told["access"], status["access"], "{at}");
}

#[test]
fn freeze_of_400_days_changes_everything_at_its_second() {
    let (it, mut product, counter) = begun(&due(), Some(BY));
    cut_off(&counter);
    let steps: Vec<(i64, String)> = status(&it)["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["at"].as_i64().unwrap(), step["event"].as_str().unwrap().to_string()))
        .filter(|(_, event)| event.starts_with("sync_"))
        .collect();
    let wanted = [(BY, "sync_due"), (READ_ONLY, "sync_read_only"), (DENY, "sync_stops")];
    assert_eq!(steps, wanted.map(|(at, event)| (at, event.to_string())));
    let edges = [BY, READ_ONLY, DENY];
    let days = (0..=400).map(|day| NOW + day * DAY + day);
    let seconds = edges.iter().flat_map(|edge| edge - 3..=edge + 3);
    let mut all: Vec<i64> = days.chain(seconds).collect();
    all.sort_unstable();
    let mut seen = 0;
    for at in all {
        set(&mut product, at);
        check(&it, at);
        if seen % 40 == 0 {
            assert_eq!(it.sync().unwrap_err().code(), Code::Unreachable, "{at}");
            check(&it, at);
        }
        seen += 1;
        let next = status(&it)["next_change_at"].as_i64().unwrap();
        let edge = edges.iter().find(|edge| **edge > at);
        assert_eq!(Some(&next).filter(|next| **next <= DENY), edge, "{at}");
    }
    tried(&format!("{seen} moments of 400 days without the issuer"));
    // One word from it, and all is well.
    counter.mend();
    {
        let mut house = counter.house();
        house.now = NOW + 400 * DAY + 400;
        house.next_sync_by = Some(NOW + 430 * DAY);
    }
    it.sync().unwrap();
    assert_eq!((it.access("reports"), &status(&it)["reason"]), (Access::Allow, &json!("ok")));
}

/// Old answers and old lists, given again for a year, put off nothing.
#[test]
fn freeze_by_old_answers_ends_at_the_same_second() {
    let (it, mut product, counter) = begun(&due(), Some(BY));
    let old = {
        let request = issue::read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
        counter.house().answer(&request).unwrap()
    };
    it.apply(old.as_bytes()).unwrap();
    counter.bend(move |_, _| Some(Ok(old.clone().into_bytes())));
    for at in [NOW + DAY, BY - 1, BY, READ_ONLY - 1, READ_ONLY, DENY - 1, DENY, DENY + 300 * DAY] {
        set(&mut product, at);
        assert_eq!(it.sync().unwrap_err().code(), Code::AlreadyUsed);
        check(&it, at);
    }
}

/// A clock that is set back gains nothing, and one that was ahead is made good by one answer.
#[test]
fn freeze_is_not_put_off_by_a_clock_that_is_set_back() {
    let (it, mut product, counter) = begun(&due(), Some(BY));
    cut_off(&counter);
    set(&mut product, READ_ONLY);
    assert_eq!(it.access("reports"), Access::ReadOnly);
    // Written down by whoever looks, and by another process after that.
    let _ = it.sync();
    for at in [READ_ONLY - 1, NOW, 0] {
        set(&mut product, at);
        assert_eq!(it.access("reports"), Access::ReadOnly, "{at}");
    }
    set(&mut product, NOW + DAY);
    counter.mend();
    counter.house().now = NOW + DAY;
    it.sync().unwrap();
    check(&it, NOW + DAY);
}

/// Where no license asks for it, a month without a network is no matter.
#[test]
fn freeze_without_a_duty_changes_nothing_but_the_note() {
    let mut claims = claims();
    claims.license.valid_until = Some(NOW + 800 * DAY);
    let license = issue::sign(&key(LICENSES), &claims).unwrap();
    let (it, mut product, counter) = begun(&license, None);
    cut_off(&counter);
    for hour in 0..30 * 24 {
        let at = NOW + hour * 3_600;
        set(&mut product, at);
        // Whoever asks has the time of the hour written down.
        assert!(it.allows("reports"));
        let before = status(&it);
        if hour % 6 == 0 {
            assert_eq!(it.sync().unwrap_err().code(), Code::Unreachable);
        }
        let after = status(&it);
        assert_eq!(after["issuer"]["failure"]["code"], "unreachable");
        assert_eq!(but_for_failure(after.clone()), but_for_failure(before), "{hour}");
        assert_eq!((&after["reason"], &after["warnings"]), (&json!("ok"), &json!([])), "{hour}");
        assert_eq!(it.access("reports"), Access::Allow, "{hour}");
    }
}
