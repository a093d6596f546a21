//! Seats of a floating license: asked for, leased, borrowed and given back.

mod http_support;
mod installation_support;

use http_support::{Site, bytes_of, forge};
use installation_support::*;
use licentia::issue::{Request, Seat, SyncAnswer, read_request, sign_lease};
use licentia::{Code, Installation, KeySet, Lease, Product, Role, SecretKey, TrustedKey, issue};
use serde_json::json;

const OTHER: &str = "11111111-2222-4333-8444-555555555555";
const HOUR: i64 = 3_600;

fn asked(it: &Installation, what: &str, argument: &str) -> Request {
    read_request(it.request(what, Some(argument)).unwrap().as_bytes()).unwrap()
}

/// A seat for an hour, as the server gives it to who asked.
fn granted(request: &Request) -> Lease {
    Lease {
        jti: format!("lease {}", request.nonce),
        iat: NOW,
        exp: NOW + HOUR,
        nonce: Some(request.nonce.clone()),
        license_id: claims().license.id,
        installation: Some(request.installation.clone()),
        holder: request.seat.as_ref().unwrap().holder.clone(),
        seat: 1,
        borrowed: request.what == "borrow",
    }
}

fn token(lease: &Lease) -> String {
    sign_lease(&vendor(), "myapp", ISSUER, lease).unwrap()
}

fn licensed(product: &Product) -> Site {
    let it = Site::new(product);
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it
}

fn refused(it: &Site, lease: &Lease, code: Code) {
    let (before, files) = (it.status(None).unwrap(), bytes_of(it.folder.path()));
    let held = it.lease(&lease.holder);
    let error = it.apply(token(lease).as_bytes()).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(it.status(None).unwrap(), before, "{error}");
    assert!(bytes_of(it.folder.path()) == files, "{error}");
    assert_eq!(it.lease(&lease.holder), held, "{error}");
}

#[test]
fn a_seat_is_held_until_its_lease_ends() {
    let mut product = product();
    let it = licensed(&product);
    assert_eq!(it.lease("ann"), None);
    let request = asked(&it, "seat", " ann ");
    assert_eq!(request.seat, Some(Seat { holder: "ann".to_string(), days: None }));
    assert_eq!(request.license.as_ref().unwrap().id, claims().license.id);
    let lease = granted(&request);
    it.apply(token(&lease).as_bytes()).unwrap();
    assert_eq!(it.lease("ann"), Some(lease.clone()));
    let again = product.open(it.folder.path()).unwrap();
    assert_eq!(again.lease("ann"), Some(lease), "every process has it");
    assert_eq!((it.lease("bob"), it.lease(""), it.lease("ann ")), (None, None, None));
    for (at, held) in [(NOW + HOUR - 1, true), (NOW + HOUR, false)] {
        set_clock(&mut product, at);
        assert_eq!(it.lease("ann").is_some(), held, "{at}");
    }
}

#[test]
fn many_workers_ask_at_once_and_each_has_an_answer() {
    let it = licensed(&product());
    let workers: Vec<String> = (0..20).map(|number| format!("worker {number}")).collect();
    let requests: Vec<Request> = workers.iter().map(|worker| asked(&it, "seat", worker)).collect();
    for request in requests.iter().rev() {
        it.apply(token(&granted(request)).as_bytes()).unwrap();
    }
    assert!(workers.iter().all(|worker| it.lease(worker).is_some()));
    let later = asked(&it, "seat", "worker 3");
    let later = Lease { iat: NOW + 1, exp: NOW + 2 * HOUR, ..granted(&later) };
    it.apply(token(&later).as_bytes()).unwrap();
    assert_eq!(it.lease("worker 3"), Some(later), "the later end");
    for (number, request) in requests.iter().enumerate() {
        match number {
            3 => refused(&it, &granted(request), Code::AlreadyUsed),
            _ => it.apply(token(&granted(request)).as_bytes()).unwrap(),
        }
    }
}

#[test]
fn what_is_asked_of_seats_and_of_the_license_does_not_get_in_each_others_way() {
    let it = licensed(&product());
    let (ann, sync) = (asked(&it, "seat", "ann"), answer(&it, 1, |_| {}));
    it.apply(sync.as_bytes()).unwrap();
    let bob = asked(&it, "seat", "bob");
    let sync = answer(&it, 2, |_| {});
    for request in [ann, bob] {
        it.apply(token(&granted(&request)).as_bytes()).unwrap();
    }
    it.apply(sync.as_bytes()).unwrap();
    assert!(it.lease("ann").is_some() && it.lease("bob").is_some());
}

#[test]
fn a_machine_that_was_freed_has_no_seat_either() {
    let it = licensed(&product());
    it.apply(token(&granted(&asked(&it, "seat", "ann"))).as_bytes()).unwrap();
    let request = read_request(it.request("deactivation", None).unwrap().as_bytes()).unwrap();
    let freed = answer(&it, 1, |answer: &mut SyncAnswer| answer.nonce = request.nonce);
    it.apply(freed.as_bytes()).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    assert!(it.allows("reports"), "the license is back");
    assert_eq!(it.lease("ann"), None, "the seat is not");
}

#[test]
fn what_is_borrowed_says_for_how_many_days() {
    let it = licensed(&product());
    let request = asked(&it, "borrow", "30 Ann B.");
    assert_eq!(request.seat, Some(Seat { holder: "Ann B.".to_string(), days: Some(30) }));
    let lease = Lease { exp: NOW + 30 * DAY, ..granted(&request) };
    it.apply(token(&lease).as_bytes()).unwrap();
    assert!(it.lease("Ann B.").unwrap().borrowed);
    let long = "x".repeat(129);
    for (what, bad) in [
        ("seat", ""),
        ("seat", " "),
        ("seat", "a\tb"),
        ("seat", "a\u{202e}b"),
        ("seat", &long),
        ("release", ""),
        ("release", "\n"),
        ("borrow", ""),
        ("borrow", "ann"),
        ("borrow", "30"),
        ("borrow", "0 ann"),
        ("borrow", "367 ann"),
        ("borrow", "-1 ann"),
        ("borrow", "+3 ann"),
        ("borrow", "3.5 ann"),
        ("borrow", "99999999999 ann"),
        ("borrow", "3 "),
        ("borrow", "ann 3"),
        ("borrow", "3\tann"),
        ("sync", "ann"),
        ("deactivation", "ann"),
        ("clock", "ann"),
        ("renewal", "ann"),
    ] {
        let error = it.request(what, Some(bad)).map(drop).unwrap_err_or(what, bad);
        assert_eq!(error, Code::InvalidArgument, "{what} {bad:?}");
    }
    for what in ["seat", "borrow", "release"] {
        assert_eq!(it.request(what, None).unwrap_err().code(), Code::InvalidArgument);
        let none = Site::new(&product());
        let argument = if what == "borrow" { "1 ann" } else { "ann" };
        let error = none.request(what, Some(argument)).unwrap_err();
        assert_eq!(error.code(), Code::NotLicensed, "{what}");
    }
}

trait CodeOf {
    fn unwrap_err_or(self, what: &str, argument: &str) -> Code;
}

impl CodeOf for licentia::Result<()> {
    fn unwrap_err_or(self, what: &str, argument: &str) -> Code {
        match self {
            Ok(()) => panic!("{what} {argument:?} was asked"),
            Err(error) => error.code(),
        }
    }
}

#[test]
fn a_lease_that_was_not_meant_for_this_is_refused() {
    let it = licensed(&product());
    let request = asked(&it, "seat", "ann");
    let lease = granted(&request);
    let with = |change: &dyn Fn(&mut Lease)| {
        let mut lease = lease.clone();
        change(&mut lease);
        lease
    };
    let nonce = |what: &str, argument| {
        let text = it.request(what, argument).unwrap();
        read_request(text.as_bytes()).unwrap().nonce
    };
    for (what, argument) in [("release", Some("ann")), ("sync", None), ("clock", None)] {
        let nonce = nonce(what, argument);
        refused(&it, &with(&|it| it.nonce = Some(nonce.clone())), Code::WrongInstallation);
    }
    let theirs = licensed(&product());
    let other = granted(&asked(&theirs, "seat", "ann"));
    refused(&it, &other, Code::WrongInstallation);
    refused(&it, &with(&|it| it.nonce = other.nonce.clone()), Code::WrongInstallation);
    refused(&it, &with(&|it| it.nonce = Some("n".to_string())), Code::Malformed);
    refused(&it, &with(&|it| it.license_id = OTHER.to_string()), Code::WrongInstallation);
    refused(&it, &with(&|it| (it.iat, it.exp) = (NOW - HOUR, NOW)), Code::Expired);
    let sign = |key: &SecretKey, product: &str| sign_lease(key, product, ISSUER, &lease).unwrap();
    let stranger = SecretKey::from_seed(&[8; 32]).unwrap();
    for (token, code) in [
        (sign(&vendor(), "other"), Code::WrongProduct),
        (sign(&stranger, "myapp"), Code::UnknownKey),
        (token(&lease).replace("eyJ", "eyK"), Code::Malformed),
    ] {
        assert_eq!(it.apply(token.as_bytes()).unwrap_err().code(), code);
        assert_eq!(it.lease("ann"), None);
    }
    it.apply(token(&lease).as_bytes()).unwrap();
}

#[test]
fn a_seat_that_was_given_back_stays_so() {
    let mut product = product();
    let it = licensed(&product);
    let lease = granted(&asked(&it, "seat", "ann"));
    it.apply(token(&lease).as_bytes()).unwrap();
    let request = asked(&it, "release", "ann");
    let back = Lease { jti: "back".to_string(), exp: NOW, ..granted(&request) };
    let wrong = asked(&it, "seat", "ann").nonce;
    refused(&it, &Lease { nonce: Some(wrong), ..back.clone() }, Code::WrongInstallation);
    refused(&it, &Lease { iat: NOW - 9, exp: NOW - 9, ..back.clone() }, Code::AlreadyUsed);
    it.apply(token(&back).as_bytes()).unwrap();
    assert_eq!(it.lease("ann"), None);
    refused(&it, &lease, Code::AlreadyUsed);
    let older = Lease { jti: "x".to_string(), iat: NOW - 1, exp: NOW + 2 * HOUR, ..lease.clone() };
    refused(&it, &older, Code::AlreadyUsed);
    it.apply(token(&back).as_bytes()).unwrap();
    assert_eq!(it.lease("ann"), None, "twice is once");

    // Whoever starts again in the same second has a seat again.
    let anew = Lease { jti: "anew".to_string(), ..granted(&asked(&it, "seat", "ann")) };
    it.apply(token(&anew).as_bytes()).unwrap();
    assert_eq!(it.lease("ann"), Some(anew.clone()));
    set_clock(&mut product, NOW + 60);
    let later = Lease { jti: "later".into(), iat: NOW + 60, exp: NOW + 2 * HOUR, ..anew };
    it.apply(token(&later).as_bytes()).unwrap();
    refused(&it, &back, Code::AlreadyUsed);
    assert_eq!(it.lease("ann"), Some(later));
    let nobody = Lease { holder: "bob".to_string(), ..back };
    it.apply(token(&nobody).as_bytes()).unwrap();
    assert_eq!(it.lease("bob"), None, "there was nothing to give back");
}

#[test]
fn a_lease_that_ends_when_the_one_held_does_changes_nothing() {
    let it = licensed(&product());
    let lease = granted(&asked(&it, "borrow", "1 ann"));
    it.apply(token(&lease).as_bytes()).unwrap();
    let files = bytes_of(it.folder.path());
    let renewed = asked(&it, "borrow", "1 ann");
    let renewed = Lease { iat: NOW + 1, jti: "renewed".to_string(), ..granted(&renewed) };
    for again in [&renewed, &lease] {
        it.apply(token(again).as_bytes()).unwrap();
        assert_eq!(it.lease("ann"), Some(lease.clone()));
        assert!(bytes_of(it.folder.path()) == files);
    }
    refused(&it, &Lease { exp: lease.exp - 1, ..renewed }, Code::AlreadyUsed);
    let back = Lease { jti: "back".into(), exp: NOW, ..granted(&asked(&it, "release", "ann")) };
    it.apply(token(&back).as_bytes()).unwrap();
    refused(&it, &lease, Code::AlreadyUsed);
}

#[test]
fn a_lease_by_hand_is_for_whom_it_says() {
    let it = licensed(&product());
    let by_hand = Lease {
        jti: "by hand".to_string(),
        iat: NOW,
        exp: NOW + 7 * DAY,
        nonce: None,
        license_id: claims().license.id,
        installation: None,
        holder: "ann".to_string(),
        seat: 2,
        borrowed: true,
    };
    it.apply(token(&by_hand).as_bytes()).unwrap();
    assert_eq!(it.lease("ann"), Some(by_hand.clone()));
    let theirs = Lease { installation: Some(OTHER.to_string()), ..by_hand.clone() };
    refused(&it, &theirs, Code::WrongInstallation);
    let own = asked(&it, "seat", "bob").installation;
    let named = Lease { installation: Some(own), holder: "bob".to_string(), ..by_hand };
    it.apply(token(&named).as_bytes()).unwrap();
    assert_eq!(it.lease("bob"), Some(named));
}

#[test]
fn a_seat_goes_with_its_license_and_with_the_key_that_leased_it() {
    let it = licensed(&product());
    let lease = granted(&asked(&it, "seat", "ann"));
    it.apply(token(&lease).as_bytes()).unwrap();
    it.remove().unwrap();
    assert_eq!(it.lease("ann"), None, "of a license that is gone");
    it.apply(license(|_| {}).as_bytes()).unwrap();
    assert_eq!(it.lease("ann"), Some(lease.clone()), "and is back");

    let server = SecretKey::from_seed(&[9; 32]).unwrap();
    let set = |epoch, key: TrustedKey| {
        let keys = KeySet::of(vec![key]).unwrap();
        issue::sign_keys(&vendor(), "myapp", ISSUER, NOW, epoch, &keys).unwrap()
    };
    let active = TrustedKey::new(server.public().clone(), &[Role::Server]);
    it.apply(set(1, active.clone()).as_bytes()).unwrap();
    let bob = Lease { holder: "bob".to_string(), ..granted(&asked(&it, "seat", "bob")) };
    it.apply(sign_lease(&server, "myapp", ISSUER, &bob).unwrap().as_bytes()).unwrap();
    assert_eq!(it.lease("bob"), Some(bob.clone()));
    it.apply(set(2, active.clone().retired(NOW + 1)).as_bytes()).unwrap();
    assert!(it.lease("bob").is_some(), "what it signed in its time goes on");
    it.apply(set(3, active.compromised()).as_bytes()).unwrap();
    assert_eq!((it.lease("bob"), it.lease("ann").is_some()), (None, true));
    // Who lost it asks again, and another key signs.
    let again = token(&Lease { exp: NOW + 60, ..bob });
    it.apply(again.as_bytes()).unwrap();
    assert!(it.lease("bob").is_some());
}

/// The words beside a lease are to find it by; who edits them has no seat more.
#[test]
fn a_folder_that_was_edited_gives_no_seat() {
    let it = licensed(&product());
    let lease = granted(&asked(&it, "seat", "ann"));
    it.apply(token(&lease).as_bytes()).unwrap();
    for (pointer, value) in [
        ("/leases/0/holder", json!("bob")),
        ("/leases/0/token", json!(token(&lease).replace("eyJ", "eyK"))),
        ("/leases/0/token", json!("")),
        ("/installation", json!(OTHER)),
    ] {
        let copy = Site::new(&product());
        for (name, bytes) in bytes_of(it.folder.path()) {
            std::fs::write(copy.folder.path().join(name), bytes).unwrap();
        }
        let opened = |folder| product().open(folder).unwrap();
        assert!(opened(copy.folder.path()).lease("ann").is_some());
        forge(copy.folder.path(), |state| *state.pointer_mut(pointer).unwrap() = value);
        let it = opened(copy.folder.path());
        assert_eq!((it.lease("ann"), it.lease("bob")), (None, None), "{pointer}");
        assert!(it.allows("reports"), "nothing else is lost");
    }
}

#[test]
fn what_is_over_is_forgotten_and_of_too_many_the_first_to_end() {
    let mut product = product();
    let it = licensed(&product);
    let held = |number: i64| Lease {
        jti: number.to_string(),
        iat: NOW,
        exp: NOW + HOUR + number,
        nonce: None,
        license_id: claims().license.id,
        installation: None,
        holder: format!("user {number}"),
        seat: 1,
        borrowed: false,
    };
    let tokens: Vec<_> = (0..1_024)
        .map(|number| {
            let lease = held(number);
            json!({ "holder": lease.holder, "jti": lease.jti, "until": lease.exp,
            "token": token(&lease) })
        })
        .collect();
    forge(it.folder.path(), |state| state["leases"] = tokens.into());
    assert!(it.lease("user 0").is_some() && it.lease("user 1023").is_some());
    it.apply(token(&held(5_000)).as_bytes()).unwrap();
    assert!(it.lease("user 0").is_none(), "it ended first");
    assert!(it.lease("user 1").is_some() && it.lease("user 5000").is_some());
    set_clock(&mut product, NOW + 2 * HOUR);
    let late = Lease { iat: NOW + 2 * HOUR, exp: NOW + 3 * HOUR, ..held(1) };
    it.apply(token(&late).as_bytes()).unwrap();
    let mut left = 0;
    forge(it.folder.path(), |state| left = state["leases"].as_array().unwrap().len());
    assert_eq!(left, 1 + usize::from(held(5_000).exp > NOW + 2 * HOUR));
}
