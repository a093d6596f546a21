//! What is said of the issuer: when it last spoke, when it is asked again, and what fails why.

mod house_support;
mod http_support;
mod installation_support;

use house_support::*;
use http_support::{Site, bytes_of, forge, get, post};
use installation_support::*;
use licentia::issue::read_request;
use licentia::{Code, Error, Issuer, Product};
use serde_json::{Value, json};
use std::sync::Arc;

fn begun() -> (Site, Product, Arc<Counter>) {
    let counter = Counter::new(House::default());
    let product = product_at("test", NOW);
    let mut it = Site::within(&product, light_folder());
    it.apply(counter.house().usual().as_bytes()).unwrap();
    it.connect(counter.clone() as Arc<dyn Issuer>);
    (it, product, counter)
}

fn fail(counter: &Counter, code: Code) {
    counter.bend(move |_, _| Some(Err(Error::new(code, "no route to the server"))));
}

fn issuer(it: &licentia::Installation) -> Value {
    status(it)["issuer"].clone()
}

#[test]
fn a_call_that_fails_is_noted_once_and_forgotten_by_the_next_answer() {
    let (it, product, counter) = begun();
    assert_eq!(issuer(&it)["failure"], Value::Null);
    fail(&counter, Code::Unreachable);
    let pauses = [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600];
    for pause in pauses {
        let before = generation(&it);
        assert_eq!(it.sync().unwrap_err().code(), Code::Unreachable);
        assert_eq!(generation(&it), before + 1, "written once");
        let issuer = issuer(&it);
        assert_eq!(issuer["next_contact"], NOW + pause);
        assert_eq!(
            (&issuer["failure"]["at"], &issuer["failure"]["code"]),
            (&json!(NOW), &json!("unreachable"))
        );
        let message = issuer["failure"]["message"].as_str().unwrap();
        assert!(message.contains("no route to the server"), "{message}");
    }
    // It survives the process, and is told to every other.
    let other = product.open(it.folder.path()).unwrap();
    assert_eq!(issuer(&other)["next_contact"], NOW + 3_600);
    counter.house().sync_after = Some(NOW + 7 * DAY);
    counter.mend();
    it.sync().unwrap();
    let after = issuer(&it);
    assert_eq!((&after["failure"], &after["next_contact"]), (&Value::Null, &json!(NOW + 7 * DAY)));
    assert_eq!(after["last_contact"], NOW);
}

/// The number of the newest state.
fn generation(it: &Site) -> u64 {
    let states = bytes_of(it.folder.path()).into_iter().filter(|it| it.0.starts_with("state."));
    states.map(|it| u64::from_le_bytes(it.1[16..24].try_into().unwrap())).max().unwrap()
}

#[test]
fn an_answer_by_any_way_ends_a_failure() {
    for word in ["sync", "renewal", "activation", "clock", "seat", "keys"] {
        for by_file in [true, false] {
            let (it, _, counter) = begun();
            counter.house().rotate(vec![licentia::TrustedKey::new(
                key(90).public().clone(),
                &[licentia::Role::Server],
            )]);
            fail(&counter, Code::Unreachable);
            it.sync().unwrap_err();
            assert_ne!(issuer(&it)["failure"], Value::Null);
            counter.mend();
            let argument = match word {
                "activation" => Some(KEY),
                "seat" => Some("ann"),
                _ => None,
            };
            match by_file {
                false => it.call(word, argument).unwrap(),
                true => {
                    let text = it.request(word, argument).unwrap();
                    let request = read_request(text.as_bytes()).unwrap();
                    let answer = counter.house().answer(&request).unwrap();
                    it.apply(answer.as_bytes()).unwrap();
                }
            }
            // What is signed for everybody, or by hand, does not say that anybody was reached.
            let stays = by_file && matches!(word, "seat" | "keys");
            assert_eq!(issuer(&it)["failure"] != Value::Null, stays, "{word}, by file: {by_file}");
        }
    }
}

/// What says nothing of the way to the issuer is no failure of it.
#[test]
fn a_no_to_one_question_is_not_noted() {
    let (it, product, counter) = begun();
    for (word, argument, code) in [
        ("activation", Some("AAAA-BBBB"), Code::Refused),
        ("license", None, Code::Refused),
        ("seat", Some("ann"), Code::NoSeat),
        ("seat", Some("ann"), Code::Refused),
        ("keys", None, Code::Refused),
    ] {
        counter.bend(move |_, _| Some(Err(Error::new(code, "no"))));
        assert_eq!(it.call(word, argument).unwrap_err().code(), code);
        assert_eq!(issuer(&it)["failure"], Value::Null, "{word}");
    }
    assert_eq!(it.call("seat", None).unwrap_err().code(), Code::InvalidArgument);
    // A server that refuses the sync itself is one that cannot be asked.
    counter.bend(|_, _| Some(Err(Error::new(Code::Refused, "too many requests"))));
    it.sync().unwrap_err();
    assert_eq!(issuer(&it)["failure"]["code"], "refused");
    // A signed no is an answer.
    counter.mend();
    counter.house().status = licentia::issue::IssuerStatus::Suspended;
    counter.bend(|house, request| {
        let answer = house.said(request);
        Some(Ok(house.sign(&answer).into_bytes()))
    });
    let again = {
        let mut again = product.open(it.folder.path()).unwrap();
        again.connect(counter.clone() as Arc<dyn Issuer>);
        again
    };
    assert_eq!(again.renew().unwrap_err().code(), Code::Refused);
    let said = issuer(&again);
    assert_eq!((&said["failure"], &said["status"]), (&Value::Null, &json!("suspended")));
    // Without a server, and in a folder that is only read, there is nothing to note.
    let alone = product.open(it.folder.path()).unwrap();
    assert_eq!(alone.sync().unwrap_err().code(), Code::NoTransport);
    let mut reader = product.open_to_read(it.folder.path()).unwrap();
    reader.connect(counter.clone() as Arc<dyn Issuer>);
    assert_eq!(reader.sync().unwrap_err().code(), Code::StateUnavailable);
    assert_eq!(issuer(&alone)["failure"], Value::Null);
}

/// A failure that was noted by a clock that was wrong puts nothing off.
#[test]
fn a_failure_of_a_wrong_clock_is_asked_again_in_time() {
    let (it, mut product, counter) = begun();
    fail(&counter, Code::Unreachable);
    for (shown, was) in [(NOW + 4_000 * DAY, NOW), (NOW + 9, 0)] {
        set_clock(&mut product, shown);
        it.sync().unwrap_err();
        set_clock(&mut product, was);
        let again = issuer(&it)["next_contact"].as_i64().unwrap();
        let now = status(&it)["time"]["now"].as_i64().unwrap();
        assert!(again <= now + 3_600, "{shown}: {again} at {now}");
    }
    // A state that somebody wrote with a failure of tomorrow.
    set_clock(&mut product, NOW + 10);
    forge(it.folder.path(), |state| state["failure"]["at"] = json!(NOW + 9_000 * DAY));
    let other = product.open(it.folder.path()).unwrap();
    let now = status(&other)["time"]["now"].as_i64().unwrap();
    assert!(issuer(&other)["next_contact"].as_i64().unwrap() <= now + 3_600);
    counter.mend();
    it.sync().unwrap();
}

#[test]
fn the_page_says_when_the_issuer_spoke_and_what_fails() {
    let (it, _, counter) = begun();
    counter.house().sync_after = Some(NOW + DAY);
    it.sync().unwrap();
    let page = get(&it, "/license").text;
    assert!(page.contains("To be asked again") && !page.contains("could not be reached"), "{page}");
    fail(&counter, Code::Unreachable);
    it.sync().unwrap_err();
    let page = get(&it, "/license").text;
    for text in [
        "The license server",
        "It could not be asked",
        "No route to the server",
        "What the license grants does not depend on that",
        "Tried",
        "To be tried again",
    ] {
        assert!(page.contains(text), "{text} is not on the page");
    }
    let explained = it.explain(None).unwrap();
    assert!(explained.contains("No route to the server"), "{explained}");
    // Anybody may know that it works, and not what the network is like.
    let shown = get(&it, "/api/license").json();
    assert_eq!((&shown["valid"], &shown["warning_active"]), (&json!(true), &json!(true)));
}

/// With a real answer behind it: of a hundred renewals one goes out, and a key brings a license.
#[test]
fn the_license_api_renews_and_activates_by_signed_answers() {
    let (it, _, counter) = begun();
    counter.house().now = NOW + 60;
    counter.bend(|_, _| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        None
    });
    let renew = || post(&it, "/api/licensing/token/renew", &json!({}));
    let replies: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..100).map(|_| scope.spawn(renew)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(counter.words(), ["renewal"]);
    assert!(replies.iter().all(|reply| *reply == replies[0] && reply.status == 200));
    assert_eq!(replies[0].json()["iat"], NOW + 60);
    counter.mend();
    counter.house().now = NOW + 120;
    let inserted = post(&it, "/api/v1/license", &json!({ "license_key": KEY })).json();
    assert_eq!(inserted["data"]["license"]["key"], "xxxx-xxxx-4711");
    assert_eq!(counter.words(), ["activation"]);
    assert_eq!(inserted["data"]["license"]["last_validated"], "2027-01-15T08:02:00.000Z");
}
