//! Revocation lists, and licenses in pieces.

use super::{ID, THEN, judged, key, keys, least, signed, with, word};
use crate::issue::{license_id, sign_revocations};
use crate::limits::{LICENSE_TEXTS_MAX, REVOCATIONS_MAX, TOKEN_MAX};
use crate::messages::Revocations;
use crate::token::Kind;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

fn id(number: u64) -> [u8; 16] {
    (u128::from(number) << 64).to_be_bytes()
}

fn text(numbers: &[u64]) -> String {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| id(*number)).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

fn list(texts: Value) -> &'static str {
    judged(Kind::Revocations, &with(&least(Kind::Revocations), &json!({ "ids": texts })))
}

#[test]
fn ids_ascend_over_the_whole_list() {
    assert_eq!(list(json!([text(&[1, 2]), text(&[3])])), "ok");
    for texts in [
        json!([text(&[2, 1])]),
        json!([text(&[1, 1])]),
        json!([text(&[1, 2]), text(&[2, 3])]),
        json!([text(&[3]), text(&[1])]),
        json!([text(&[1, 2, 3, 5, 4, 6])]),
    ] {
        assert_eq!(list(texts.clone()), "malformed", "{texts}");
    }
}

#[test]
fn a_text_of_a_list_is_whole_ids_in_their_one_spelling() {
    let full: Vec<u64> = (1..=192).collect();
    assert_eq!(text(&full).len(), 4096);
    assert_eq!(list(json!([text(&full), text(&[193])])), "ok");
    let over: Vec<u64> = (1..=193).collect();
    assert_eq!(list(json!([text(&over)])), "too_large");
    let one = text(&[1]);
    for bad in [&one[1..], &one[..21], &format!("{one}AA"), &format!("{one}=="), "", "A", " "] {
        assert_eq!(list(json!([bad])), "malformed", "{bad:?}");
    }
    let bits = format!("{}B", &one[..21]);
    assert_eq!(list(json!([bits])), "malformed", "unused bits");
}

#[test]
fn a_hundred_thousand_ids_are_read_at_once() {
    let ids: BTreeSet<[u8; 16]> =
        (0..100_000).map(|n: u64| id(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let token = sign_revocations(&key(), "myapp", "acme", 7, THEN, &ids).unwrap();
    assert!(token.len() < 3_000_000, "{}", token.len());
    let keys = keys(json!({}));
    let read = || {
        let started = Instant::now();
        let list = Revocations::verify(token.as_bytes(), "myapp", None, |kid| keys.find(kid));
        (started.elapsed(), list.unwrap())
    };
    let (took, list) = (0..5).map(|_| read()).min_by_key(|(took, _)| *took).unwrap();
    println!("100,000 ids: {took:?}");
    // Without optimization it is some twenty times as slow.
    let most = if cfg!(debug_assertions) { 2_000 } else { 50 };
    assert!(took <= Duration::from_millis(most), "{took:?}");
    assert_eq!((list.version, list.iat), (7, THEN));
    assert_eq!(list.ids, ids.into_iter().collect::<HashSet<_>>());
}

#[test]
fn a_list_that_is_larger_than_any_is_not_looked_at() {
    let token = signed(Kind::Revocations, &least(Kind::Revocations));
    let keys = keys(json!({}));
    let judge = |text: String| {
        word(Revocations::verify(text.as_bytes(), "myapp", None, |kid| keys.find(kid)))
    };
    assert_eq!(judge(format!("{}{token}", " ".repeat(REVOCATIONS_MAX))), "ok");
    assert_eq!(judge(format!("{}{token}", " ".repeat(2 * REVOCATIONS_MAX))), "too_large");
    assert_eq!(judge(format!("a.b.{}", "c".repeat(REVOCATIONS_MAX))), "too_large");
    let every: BTreeSet<[u8; 16]> = (0..150_000).map(id).collect();
    assert_eq!(word(sign_revocations(&key(), "myapp", "acme", 1, THEN, &every)), "too_large");
}

#[test]
fn an_id_is_a_uuid() {
    assert_eq!(license_id(ID).unwrap()[..4], [0x7c, 0x9e, 0x66, 0x79]);
    assert_eq!(license_id(&ID.to_uppercase()).unwrap(), license_id(ID).unwrap());
    for bad in ["", "LIC-MYAPP-A1B2C3D4", &ID[1..], &format!("{ID}0")] {
        assert_eq!(word(license_id(bad)), "invalid_argument", "{bad}");
    }
}

#[test]
fn a_license_comes_in_pieces_no_longer_than_it_may_be() {
    let sync = |pieces: Value| {
        judged(Kind::Sync, &with(&least(Kind::Sync), &json!({ "license": pieces })))
    };
    let piece = "x".repeat(4096);
    assert_eq!(piece.len() * LICENSE_TEXTS_MAX, TOKEN_MAX);
    assert_eq!(sync(json!(vec![piece.clone(); 16])), "ok");
    assert_eq!(sync(json!(vec![piece.clone(); 17])), "too_large");
    assert_eq!(sync(json!([format!("{piece}x")])), "too_large");
    assert_eq!(sync(json!(vec!["x"; 17])), "too_large");
}
