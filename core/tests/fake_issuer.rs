//! A server that lies: it has no key, the wrong one, or answers that were meant for somebody or
//! something else. Nothing of it is believed, nothing that is kept changes but the note of what
//! failed, and the next good answer is taken.

mod fake_issuer_support;
mod house_support;
mod http_support;
mod installation_support;

use fake_issuer_support::*;
use http_support::{but_for_failure, kept};
use installation_support::*;
use licentia::{Code, Error};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asks, is lied to, and asks again.
fn hear(lies: Vec<Lie>) -> usize {
    let count = lies.len();
    for Lie { what, word, code, tell } in lies {
        let stage = Stage::new();
        let (counter, it, mut tell) = (stage.counter.clone(), &stage.it, tell);
        let (before, files) = (status(it), kept(it.folder.path()));
        let (record, begun) = (stage.record.clone(), AtomicUsize::new(0));
        counter.bend(move |house, request| {
            // Only what was asked is answered falsely: newer keys are those that there are.
            (request.what == word).then(|| {
                assert_eq!(begun.fetch_add(1, Ordering::Relaxed), 0, "{what}: asked twice");
                tell(house, request, &record)
            })
        });
        let outcome = it.call(word, argument(word)).map_err(|error| error.code());
        assert_eq!(outcome, Err(code), "{what}");
        assert_eq!(but_for_failure(status(it)), but_for_failure(before), "{what}");
        assert!(kept(it.folder.path()) == files, "{what}: something is kept of it");
        assert!(it.allows("reports"), "{what}");
        counter.mend();
        // Another process, which has been told nothing.
        let again = stage.again();
        again.call(word, argument(word)).unwrap_or_else(|error| panic!("{what}, after: {error}"));
        assert_eq!(again.allows("reports"), word != "deactivation", "{what}, after");
        assert_eq!(status(&again)["issuer"]["failure"], serde_json::Value::Null, "{what}");
    }
    tried(&format!("{count} lies of a fake issuer: none believed, each made good"));
    count
}

#[test]
fn fake_issuer_that_answers_in_no_form() {
    assert_eq!(hear(of_form()), 21);
}

#[test]
fn fake_issuer_that_has_not_the_key() {
    assert_eq!(hear(of_keys()), 13);
}

#[test]
fn fake_issuer_that_answers_something_else() {
    assert_eq!(hear(of_kind()), 16);
}

#[test]
fn fake_issuer_that_answers_somebody_else() {
    assert_eq!(hear(of_person()), 16);
}

#[test]
fn fake_issuer_that_signs_what_cannot_be() {
    assert_eq!(hear(of_values()), 32);
}

#[test]
fn fake_issuer_that_brings_other_licenses_keys_and_lists() {
    assert_eq!(hear(of_documents()), 22);
}

/// What is said without a signature is told to whoever asked, and never counts.
#[test]
fn fake_issuer_that_signs_nothing_decides_nothing() {
    for code in Code::ALL {
        let stage = Stage::new();
        let before = status(&stage.it);
        stage.counter.bend(move |_, _| Some(Err(Error::new(*code, "withdrawn and stolen"))));
        let said = stage.it.sync().unwrap_err();
        let known = [Code::Unreachable, Code::Refused, Code::NoSeat, Code::NoTransport];
        let wanted = if known.contains(code) { *code } else { Code::Unreachable };
        assert_eq!(said.code(), wanted);
        let after = status(&stage.it);
        assert_eq!(but_for_failure(after), but_for_failure(before), "{code}");
        stage.counter.mend();
        stage.it.sync().unwrap();
    }
}
