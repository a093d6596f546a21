//! What one call may cost another: its time, its standing, its answer; and what a call tells of
//! itself.

mod house_support;
mod http_support;
mod installation_support;

use house_support::*;
use http_support::{Site, bytes_of, forge};
use installation_support::*;
use licentia::issue::read_request;
use licentia::{Code, Error, Installation, Issuer, Message, Product, Role, TrustedKey};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn begun() -> (Site, Product, Arc<Counter>) {
    let counter = Counter::new(House::default());
    let product = product_at("test", NOW);
    let mut it = Site::within(&product, light_folder());
    it.apply(counter.house().usual().as_bytes()).unwrap();
    it.connect(counter.clone() as Arc<dyn Issuer>);
    (it, product, counter)
}

fn no_route() -> Option<Result<Vec<u8>, Error>> {
    Some(Err(Error::new(Code::Unreachable, "no route")))
}

fn failure(it: &Installation) -> Value {
    status(it)["issuer"]["failure"].clone()
}

/// A battery was empty, the network was not up, and then the clock was set.
#[test]
fn a_failure_of_a_time_that_has_not_come_puts_nothing_off() {
    let (it, product, counter) = begun();
    counter.bend(|_, _| no_route());
    it.sync().unwrap_err();
    forge(it.folder.path(), |state| state["failure"]["at"] = json!(NOW + 9_000 * DAY));
    let other = product.open(it.folder.path()).unwrap();
    let said = status(&other);
    assert_eq!(said["issuer"]["next_contact"], said["time"]["now"], "it is due at once, and stays");
}

#[test]
fn a_seat_that_cannot_be_had_puts_no_sync_off() {
    let (it, mut product, counter) = begun();
    counter.bend(|_, _| no_route());
    it.sync().unwrap_err();
    let noted = failure(&it);
    set_clock(&mut product, NOW + 50);
    for _ in 0..9 {
        it.seat("ann", 0).unwrap_err();
    }
    assert_eq!(failure(&it), noted);
    it.sync().unwrap_err();
    assert_eq!(failure(&it)["at"], NOW + 50);
}

/// Somebody who has no way to the server, while another process of the same folder has one.
struct Slow(Installation);

impl Issuer for Slow {
    fn ask(&self, _: &Message<'_>) -> Result<Vec<u8>, Error> {
        self.0.sync().unwrap();
        Err(Error::new(Code::Unreachable, "no route"))
    }
}

#[test]
fn what_another_process_was_answered_meanwhile_is_no_failure() {
    let (it, product, counter) = begun();
    let mut quick = product.open(it.folder.path()).unwrap();
    quick.connect(counter.clone() as Arc<dyn Issuer>);
    let mut slow = product.open(it.folder.path()).unwrap();
    slow.connect(Arc::new(Slow(quick)));
    assert_eq!(slow.sync().unwrap_err().code(), Code::Unreachable);
    assert_eq!(failure(&slow), Value::Null);
    assert_eq!(status(&it)["issuer"]["status"], "ok");
}

/// A stranger in between keeps an answer for later. By hand it would be good; on line it is not
/// what was asked.
#[test]
fn an_answer_that_was_kept_back_is_none_to_the_next_call() {
    let (it, mut product, counter) = begun();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    counter.bend(move |house, request| {
        *keep.lock().unwrap() = house.answer(request).unwrap().into_bytes();
        no_route()
    });
    it.sync().unwrap_err();
    // A clock that stands asks with the same words.
    set_clock(&mut product, NOW + 1);
    let answer = kept.lock().unwrap().clone();
    let again = answer.clone();
    counter.bend(move |_, _| Some(Ok(again.clone())));
    assert_eq!(it.sync().unwrap_err().code(), Code::WrongInstallation);
    assert_eq!(status(&it)["issuer"]["status"], Value::Null);
    it.apply(&answer).unwrap();
    counter.mend();
    it.sync().unwrap();
}

#[test]
fn a_license_key_is_in_nothing_that_is_noted() {
    let (it, _, counter) = begun();
    counter.bend(|_, request| {
        let key = request.key.clone().unwrap_or_default();
        Some(Err(Error::new(Code::Unreachable, format!("too many tries of {key}"))))
    });
    for word in ["activation", "keys"] {
        let error = it.call(word, Some(KEY)).unwrap_err();
        assert!(error.detail().contains("xxxx-xxxx-4711"), "{word}: {error}");
        assert_ne!(failure(&it), Value::Null);
        for (name, bytes) in bytes_of(it.folder.path()) {
            assert!(!String::from_utf8_lossy(&bytes).contains("EFGH"), "{word}: {name}");
        }
        forge(it.folder.path(), |state| state["failure"] = Value::Null);
    }
}

/// Where the power may go, nobody is told of more than the disk has: also not of what another
/// handle has recorded.
#[test]
fn what_the_issuer_is_told_of_is_on_disk() {
    let (it, product, _) = begun();
    let other = product.open(it.folder.path()).unwrap();
    other.record("exports", 1).unwrap();
    for _ in 0..2 {
        other.record_later("exports", 1).unwrap();
    }
    let request = read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
    let told = request.sync.unwrap().ledger.unwrap().seq;
    let lock = std::fs::read(it.folder.path().join("lock")).unwrap();
    let synced = u64::from_le_bytes(lock[64..72].try_into().unwrap());
    assert!(told >= 3 && synced >= told, "{synced} of {told}");
}

#[test]
fn another_way_is_tried_at_once_after_a_renewal_that_failed() {
    let (mut it, _, counter) = begun();
    counter.bend(|_, _| no_route());
    assert_eq!(it.renew().unwrap_err().code(), Code::Unreachable);
    let good = Counter::new(counter.house().clone());
    it.connect(good.clone() as Arc<dyn Issuer>);
    it.renew().unwrap();
    assert_eq!(good.words(), ["renewal"]);
}

/// The set that takes a key back came by hand, and nothing with it.
#[test]
fn a_license_whose_key_was_stolen_is_renewed_with_another() {
    let (it, _, counter) = begun();
    let set = counter.house().rotate(vec![
        TrustedKey::new(key(LICENSES).public().clone(), &[Role::License]).compromised(),
        TrustedKey::new(key(50).public().clone(), &[Role::License]),
        TrustedKey::new(key(ANSWERS).public().clone(), &[Role::Server]),
    ]);
    it.apply(set.as_bytes()).unwrap();
    assert_eq!(status(&it)["in_force"], false);
    counter.house().licenses = 50;
    it.renew().unwrap();
    assert_eq!(status(&it)["in_force"], true);
}
