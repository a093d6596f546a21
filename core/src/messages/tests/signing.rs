//! What the vendor's side signs is what the product's side reads.

use super::{DIGEST, HERE, ID, THEN, key, keys, requests, word};
use crate::issue::{
    check_document, license_id, sign_clock_reset, sign_keys, sign_lease, sign_revocations,
    sign_sync,
};
use crate::keys::{KeySet, KeyState, Role, TrustedKey};
use crate::limits::TIME_MAX;
use crate::messages::{ClockReset, IssuerStatus, Lease, Ledger, Revocations, SyncAnswer, Version};
use crate::product::Product;
use crate::secret::SecretKey;
use crate::token::Kind;
use serde_json::json;
use std::collections::BTreeSet;

fn answer() -> SyncAnswer {
    SyncAnswer {
        iat: THEN,
        nonce: "n".to_string(),
        license_id: ID.to_string(),
        installation: HERE.to_string(),
        activation: None,
        seq: 3,
        epoch: 2,
        server_time: THEN + 1,
        status: IssuerStatus::Suspended,
        message: None,
        license: None,
        keys: None,
        revocations: None,
        ack: None,
        sync_after: None,
        next_sync_by: None,
        machine: None,
    }
}

#[test]
fn a_clock_reset_answers_its_request() {
    let keys = keys(json!({}));
    let request = requests::full("clock");
    let token = sign_clock_reset(&key(), &request, "acme", THEN, THEN + 5).unwrap();
    let find = |kid: &str| keys.find(kid);
    let reset = ClockReset::verify(token.as_bytes(), "myapp", Some("acme"), find).unwrap();
    let nonce = request.nonce.clone();
    let wanted = ClockReset { nonce, installation: HERE.into(), server_time: THEN + 5, iat: THEN };
    assert_eq!(reset, wanted);
    for (what, at, said) in [
        ("license", THEN, "wrong_kind"),
        ("clock", -1, "malformed"),
        ("clock", TIME_MAX + 1, "malformed"),
    ] {
        let request = requests::full(what);
        assert_eq!(word(sign_clock_reset(&key(), &request, "acme", THEN, at)), said);
    }
    assert_eq!(word(sign_clock_reset(&key(), &request, "", THEN, THEN)), "malformed");
}

#[test]
fn a_list_holds_what_was_signed() {
    let keys = keys(json!({}));
    let ids: BTreeSet<[u8; 16]> = [ID, HERE].map(|id| license_id(id).unwrap()).into();
    let token = sign_revocations(&key(), "myapp", "acme", 9, THEN, &ids).unwrap();
    let find = |kid: &str| keys.find(kid);
    let list = Revocations::verify(token.as_bytes(), "myapp", Some("acme"), find).unwrap();
    let wanted = Revocations { version: 9, iat: THEN, ids: ids.iter().copied().collect() };
    assert_eq!(list, wanted);
    for version in [0, 1 << 53] {
        let said = word(sign_revocations(&key(), "myapp", "acme", version, THEN, &ids));
        assert_eq!(said, "malformed", "{version}");
    }
    assert_eq!(word(sign_revocations(&key(), "My App", "acme", 1, THEN, &ids)), "malformed");
}

#[test]
fn a_sync_answer_holds_what_was_signed() {
    let keys = keys(json!({}));
    let least = answer();
    let version = Some(Version { version: 4, sha256: DIGEST.to_string() });
    let most = SyncAnswer {
        activation: Some(HERE.to_string()),
        status: IssuerStatus::NotFound,
        message: Some("Grüße".to_string()),
        license: Some("x".repeat(10_000)),
        keys: version.clone(),
        revocations: version,
        ack: Some(Ledger { seq: 5, head: "h".to_string() }),
        sync_after: Some(THEN + 10),
        next_sync_by: Some(THEN + 20),
        machine: None,
        ..answer()
    };
    for answer in [least, most] {
        let token = sign_sync(&key(), "myapp", "acme", &answer).unwrap();
        let find = |kid: &str| keys.find(kid);
        let read = SyncAnswer::verify(token.as_bytes(), "myapp", Some("acme"), find).unwrap();
        assert_eq!(read, answer);
    }
    for wrong in [
        SyncAnswer { seq: 0, ..answer() },
        SyncAnswer { license: Some(String::new()), ..answer() },
        // A letter that a cut goes through: no license has one.
        SyncAnswer { license: Some(format!("x{}", "ä".repeat(5_000))), ..answer() },
        SyncAnswer { message: Some(String::new()), ..answer() },
        SyncAnswer { installation: "here".to_string(), ..answer() },
        SyncAnswer { activation: Some("here".to_string()), ..answer() },
        SyncAnswer { iat: -1, ..answer() },
    ] {
        assert_eq!(word(sign_sync(&key(), "myapp", "acme", &wrong)), "malformed", "{wrong:?}");
    }
}

fn lease() -> Lease {
    Lease {
        jti: "l1".to_string(),
        iat: THEN,
        exp: THEN + 600,
        nonce: None,
        license_id: ID.to_string(),
        installation: None,
        holder: "ann".to_string(),
        seat: 7,
        borrowed: false,
    }
}

#[test]
fn a_lease_holds_what_was_signed() {
    let keys = keys(json!({}));
    let (nonce, installation) = (Some("n".to_string()), Some(HERE.to_string()));
    let most = Lease { nonce, installation, exp: TIME_MAX, borrowed: true, ..lease() };
    for lease in [lease(), most, Lease { exp: THEN, ..lease() }, Lease { exp: 0, ..lease() }] {
        let token = sign_lease(&key(), "myapp", "acme", &lease).unwrap();
        let find = |kid: &str| keys.find(kid);
        let read = Lease::verify(token.as_bytes(), "myapp", Some("acme"), find).unwrap();
        assert_eq!((read.is_release(), &read), (lease.exp <= THEN, &lease));
    }
    for wrong in [
        Lease { seat: 0, ..lease() },
        Lease { seat: 1 << 53, ..lease() },
        Lease { holder: " ann".to_string(), ..lease() },
        Lease { jti: String::new(), ..lease() },
        Lease { exp: TIME_MAX + 1, ..lease() },
        Lease { nonce: Some("n".to_string()), ..lease() },
        Lease { license_id: "it".to_string(), ..lease() },
        Lease { iat: -1, ..lease() },
    ] {
        assert_eq!(word(sign_lease(&key(), "myapp", "acme", &wrong)), "malformed", "{wrong:?}");
    }
    assert_eq!(word(sign_lease(&key(), "My App", "acme", &lease())), "malformed");
}

#[test]
fn a_key_set_holds_the_keys_that_were_given() {
    let public = |seed| SecretKey::from_seed(&[seed; 32]).unwrap().public().clone();
    let root = TrustedKey::new(key().public().clone(), &[Role::Root]);
    let old = TrustedKey::new(public(1), &[Role::License]).starting(5).retired(THEN);
    let stolen = TrustedKey::new(public(2), &[Role::Server, Role::License]).compromised();
    assert_eq!(stolen.roles(), [Role::License, Role::Server], "in one order");
    assert_eq!(
        (old.state(), old.not_before(), old.not_after()),
        (KeyState::Retired, Some(5), Some(THEN))
    );
    assert_eq!(stolen.clone().retired(THEN).state(), KeyState::Compromised, "never to its gain");
    let set = KeySet::of(vec![root.clone(), old, stolen]).unwrap();
    assert_eq!(KeySet::parse(&set.to_jwks()).unwrap(), set);
    assert_eq!(word(KeySet::of(vec![root.clone(), root])), "invalid_key");
    assert_eq!(word(KeySet::of(Vec::new())), "invalid_key");

    let token = sign_keys(&key(), "myapp", "acme", THEN, 3, &set).unwrap();
    let mut product = Product::new("myapp", &key().public().to_short()).unwrap();
    product.trust(&token).unwrap();
    assert_eq!(product.epoch(), 3);
    assert_eq!(product.find(public(1).kid()).unwrap().not_after(), Some(THEN));
    for (epoch, at) in [(0, THEN), (1 << 53, THEN), (1, -1)] {
        assert_eq!(word(sign_keys(&key(), "myapp", "acme", at, epoch, &set)), "malformed");
    }
}

#[test]
fn what_is_no_answer_is_not_checked_as_one() {
    let product = Product::new("myapp", &key().public().to_short()).unwrap();
    let check = |token: String| check_document(&product, token.as_bytes());
    let reset = sign_clock_reset(&key(), &requests::full("clock"), "acme", THEN, THEN).unwrap();
    assert_eq!(check(reset.clone()).unwrap(), Kind::Clock);
    assert_eq!(word(check(reset[..reset.len() - 2].to_string())), "malformed");
    for kind in [Kind::License, Kind::KeySet] {
        assert_eq!(word(check(super::signed(kind, &json!({})))), "wrong_kind");
    }
}
