//! Nonces are good once.

use super::{code, word};
use crate::errors::Code;
use crate::messages::{check_nonce, nonce};
use std::collections::HashSet;

const SECRET: [u8; 32] = [9; 32];

fn fresh(counter: u64) -> String {
    nonce(&SECRET, "clock", counter, None).unwrap()
}

#[test]
fn every_nonce_of_the_counter_is_good_and_none_before_or_after() {
    for counter in [0, 1, 5, 64, 65, 1_000, u64::MAX] {
        let text = fresh(counter);
        let judge = |now| word(check_nonce(&SECRET, "clock", now, &text));
        assert_eq!(judge(counter), "ok");
        for (later, said) in [
            (1, "already_used"),
            (2, "already_used"),
            (64, "already_used"),
            (65, "wrong_installation"),
            (1_000, "wrong_installation"),
        ] {
            if let Some(now) = counter.checked_add(later) {
                assert_eq!(judge(now), said, "{counter} after {later}");
            }
        }
        if let Some(before) = counter.checked_sub(1) {
            // What a restored backup has: an answer to a request it does not know of.
            assert_eq!(judge(before), "wrong_installation");
        }
    }
}

#[test]
fn two_requests_before_an_answer_are_both_good_and_then_both_used() {
    let two = [fresh(3), fresh(3)];
    assert_ne!(two[0], two[1]);
    for text in &two {
        assert_eq!(word(check_nonce(&SECRET, "clock", 3, text)), "ok");
        assert_eq!(word(check_nonce(&SECRET, "clock", 4, text)), "already_used");
    }
}

#[test]
fn another_secret_word_or_byte_is_another_request() {
    let text = fresh(3);
    let mut other = SECRET;
    other[31] ^= 1;
    for (secret, what) in [(other, "clock"), (SECRET, "sync"), (SECRET, "cloc"), (SECRET, "")] {
        let error = check_nonce(&secret, what, 3, &text).unwrap_err();
        assert_eq!(error.code(), Code::WrongInstallation);
        assert_eq!(error.detail(), "the answer is to another request");
    }
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'E' } else { b'A' };
        let damaged = String::from_utf8(bytes).unwrap();
        assert_eq!(code(check_nonce(&SECRET, "clock", 3, &damaged)), Code::WrongInstallation);
    }
}

#[test]
fn what_is_no_nonce_is_malformed() {
    let text = fresh(0);
    assert_eq!(text.len(), 43);
    for bad in ["", "n", &text[1..], &format!("{text}A"), &format!("{text}="), &format!(" {text}")]
    {
        assert_eq!(code(check_nonce(&SECRET, "clock", 0, bad)), Code::Malformed, "{bad}");
    }
}

#[test]
fn no_two_are_alike() {
    let all: HashSet<String> = (0..1_000).map(|_| fresh(0)).collect();
    assert_eq!(all.len(), 1_000);
}

#[test]
fn where_the_clock_was_stopped_they_are_alike_and_good_all_the_same() {
    let stopped = |secret, what, counter, at| nonce(secret, what, counter, Some(at)).unwrap();
    let one = stopped(&SECRET, "clock", 3, 5);
    assert_eq!(one, stopped(&SECRET, "clock", 3, 5));
    for other in [
        stopped(&[8; 32], "clock", 3, 5),
        stopped(&SECRET, "sync", 3, 5),
        stopped(&SECRET, "clock", 4, 5),
        stopped(&SECRET, "clock", 3, 6),
        fresh(3),
    ] {
        assert_ne!(one[..21], other[..21]);
    }
    for (counter, said) in [(3, "ok"), (4, "already_used"), (2, "wrong_installation")] {
        assert_eq!(word(check_nonce(&SECRET, "clock", counter, &one)), said);
    }
}
