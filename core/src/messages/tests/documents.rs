//! Every claim of every kind, missing, of another type, and out of its range; and whose they are.

use super::{DIGEST, HERE, ID, KINDS, THEN, judged, keys, least, signed, verify, with, word};
use crate::limits::{HOLDER_MAX, MESSAGE_MAX, TIME_MAX};
use crate::messages::kind_of;
use crate::token::Kind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const INTEGER_MAX: u64 = crate::json::INTEGER_MAX;

#[test]
fn a_claim_that_is_required_is_and_the_others_may_be_null() {
    for kind in KINDS {
        let least = least(kind);
        assert_eq!(judged(kind, &least), "ok", "{kind:?}");
        for name in least.as_object().unwrap().keys() {
            let mut less = least.clone();
            less.as_object_mut().unwrap().remove(name);
            assert_eq!(judged(kind, &less), "malformed", "{kind:?} without {name}");
            let null = with(&least, &json!({ name: null }));
            assert_eq!(judged(kind, &null), "malformed", "{kind:?}: {name} is null");
        }
        let more = json!({ "must": null, "nbf": 1, "\u{e4}": [{"a": {}}], "license": null });
        assert_eq!(judged(kind, &with(&least, &more)), "ok", "{kind:?}");
    }
    for name in ["nonce", "installation"] {
        let null = with(&least(Kind::Lease), &json!({ name: null }));
        assert_eq!(judged(Kind::Lease, &null), "ok", "{name}");
    }
    for name in [
        "activation",
        "message",
        "license",
        "keys",
        "revocations",
        "ack",
        "sync_after",
        "next_sync_by",
    ] {
        let null = with(&least(Kind::Sync), &json!({ name: null }));
        assert_eq!(judged(Kind::Sync, &null), "ok", "{name}");
    }
}

#[test]
fn a_claim_of_another_type_or_out_of_range_is_refused() {
    let long = |count| "x".repeat(count);
    let texts = |most: usize| json!([1, true, [], {}, ["a"], "", long(most + 1)]);
    let times = json!([-1, TIME_MAX + 1, "1", true, [], {}]);
    let uuids = json!(["", ID.to_uppercase(), ID.replace('-', ""), format!("{{{ID}}}"), 1, [ID]]);
    let counts = json!([-1, "1", true, [], {}]);
    let digests = [
        json!({"version": 1, "sha256": ""}),
        json!({"version": 1, "sha256": "A".repeat(42)}),
        json!({"version": 1, "sha256": "A".repeat(44)}),
        json!({"version": 1, "sha256": format!("{DIGEST}=")}),
        json!({"version": 1, "sha256": DIGEST.replace('-', "+")}),
        json!({"version": 0, "sha256": DIGEST}),
        json!({"version": 1}),
        json!({"sha256": DIGEST}),
        json!([1, DIGEST]),
        json!("1"),
    ];
    let acks = json!([{"seq": 1}, {"head": "x"}, {"seq": -1, "head": "x"}, {"seq": 1, "head": ""},
        {"seq": 1, "head": long(65)}, [1, "x"], 1]);
    let rows = [
        ("iss", texts(256)),
        ("aud", json!(["", "MyApp", "-a", ["myapp"], 1, "a".repeat(101)])),
        ("iat", times.clone()),
        ("must", json!(["x", {}, 1, [1]])),
        ("nonce", texts(64)),
        ("installation", uuids.clone()),
        ("license_id", uuids.clone()),
        ("activation", uuids),
        ("jti", texts(64)),
        ("exp", times.clone()),
        ("holder", texts(HOLDER_MAX)),
        ("holder", json!([" a", "a ", "a\tb", "a\nb", "\u{7f}", "\u{a0}", "a\u{202e}b"])),
        ("seat", with_zero(&counts)),
        ("borrowed", json!([0, 1, "true", null, []])),
        ("server_time", times.clone()),
        ("sync_after", times.clone()),
        ("next_sync_by", times),
        ("seq", with_zero(&counts)),
        ("version", with_zero(&counts)),
        ("epoch", counts),
        ("message", texts(MESSAGE_MAX)),
        ("license", json!(["a.b.c", [], [""], ["a", ""], [1], {}])),
        ("keys", json!(digests)),
        ("revocations", json!(digests)),
        ("ack", acks),
        ("status", json!([1, null, ["ok"]])),
        ("ids", json!(["", {}, [1], [[]], null])),
    ];
    let mut judged_rows = 0;
    for (name, values) in rows {
        for kind in KINDS.into_iter().filter(|kind| has(*kind, name)) {
            for value in values.as_array().unwrap() {
                let claims = with(&least(kind), &json!({ name: value }));
                assert_eq!(judged(kind, &claims), "malformed", "{kind:?}: {name} = {value}");
                judged_rows += 1;
            }
        }
    }
    assert!(judged_rows > 150, "{judged_rows}");
}

fn with_zero(values: &Value) -> Value {
    values.as_array().unwrap().iter().cloned().chain([json!(0)]).collect()
}

/// Whether a kind has a claim.
fn has(kind: Kind, name: &str) -> bool {
    match name {
        "iss" | "aud" | "iat" | "must" => true,
        "nonce" | "installation" => kind != Kind::Revocations,
        "server_time" => matches!(kind, Kind::Clock | Kind::Sync),
        "license_id" => matches!(kind, Kind::Lease | Kind::Sync),
        "jti" | "exp" | "holder" | "seat" | "borrowed" => kind == Kind::Lease,
        "version" | "ids" => kind == Kind::Revocations,
        _ => kind == Kind::Sync,
    }
}

#[test]
fn the_ends_of_every_range_are_in_it() {
    let texts = |count| "x".repeat(count);
    for at in [0, TIME_MAX] {
        let clock = json!({ "server_time": at, "iat": at, "nonce": texts(64), "iss": texts(256) });
        assert_eq!(judged(Kind::Clock, &with(&least(Kind::Clock), &clock)), "ok");
    }
    let sync = json!({
        "activation": HERE, "seq": INTEGER_MAX, "epoch": INTEGER_MAX, "message": texts(MESSAGE_MAX),
        "license": ["a"], "keys": {"version": INTEGER_MAX, "sha256": DIGEST, "more": 1},
        "revocations": {"version": 1, "sha256": DIGEST}, "ack": {"seq": 0, "head": texts(64)},
        "sync_after": THEN, "next_sync_by": THEN, "server_time": TIME_MAX,
    });
    let sync = with(&least(Kind::Sync), &sync);
    assert_eq!(judged(Kind::Sync, &sync), "ok");
    // The microseconds of a time are no further ahead of the answer's own than 400 days.
    let edge = (THEN + 400 * 86_400) * 1_000_000;
    for (seq, said) in [(edge, "ok"), (edge + 1, "malformed"), (i64::MAX >> 10, "malformed")] {
        let claims = json!({ "seq": seq, "server_time": THEN });
        assert_eq!(judged(Kind::Sync, &with(&least(Kind::Sync), &claims)), said, "{seq}");
    }
    let early = json!({ "next_sync_by": THEN - 1 });
    assert_eq!(judged(Kind::Sync, &with(&sync, &early)), "malformed");
    for status in ["ok", "revoked", "expired", "suspended", "not_found"] {
        let claims = with(&least(Kind::Sync), &json!({ "status": status }));
        assert_eq!(judged(Kind::Sync, &claims), "ok", "{status}");
    }
    for (holder, exp) in [("a", 0), (&*texts(HOLDER_MAX), TIME_MAX), ("M\u{fc}ller, A. 7", THEN)] {
        let lease = json!({
            "holder": holder, "exp": exp, "jti": texts(64), "nonce": texts(64),
            "installation": HERE, "seat": INTEGER_MAX, "borrowed": true,
        });
        assert_eq!(judged(Kind::Lease, &with(&least(Kind::Lease), &lease)), "ok", "{holder}");
    }
    let version = json!({ "version": INTEGER_MAX });
    assert_eq!(judged(Kind::Revocations, &with(&least(Kind::Revocations), &version)), "ok");
}

#[test]
fn what_a_later_version_writes_is_too_new_whatever_else_is_wrong() {
    for kind in KINDS {
        for (must, said) in [
            (json!([]), "ok"),
            (json!(["fly"]), "too_new"),
            (json!(vec!["fly"; 16]), "too_new"),
            (json!(vec!["fly"; 17]), "too_large"),
        ] {
            assert_eq!(judged(kind, &with(&least(kind), &json!({ "must": must }))), said);
        }
        assert_eq!(judged(kind, &json!({ "must": ["fly"], "iss": {} })), "too_new", "{kind:?}");
    }
    for status in ["", "OK", "paused"] {
        let claims = with(&least(Kind::Sync), &json!({ "status": status }));
        assert_eq!(judged(Kind::Sync, &claims), "too_new", "{status:?}");
    }
}

#[test]
fn only_a_server_key_in_its_time_speaks_for_its_own_product() {
    for kind in KINDS {
        let token = signed(kind, &least(kind));
        let judge = |issuer, more| word(verify(kind, &token, issuer, &keys(more)));
        assert_eq!(judge(Some("https://acme.example"), json!({ "roles": ["server"] })), "ok");
        for issuer in ["", "https://acme.example/", "acme"] {
            assert_eq!(judge(Some(issuer), json!({})), "wrong_issuer", "{issuer}");
        }
        for (more, said) in [
            (json!({ "roles": ["license", "root"] }), "unknown_key"),
            (json!({ "roles": [] }), "unknown_key"),
            (json!({ "state": "compromised" }), "key_compromised"),
            (json!({ "state": "retired", "exp": THEN }), "key_retired"),
            (json!({ "state": "retired", "exp": THEN + 1 }), "ok"),
            (json!({ "nbf": THEN + 1 }), "key_not_yet_valid"),
            (json!({ "nbf": THEN }), "ok"),
        ] {
            assert_eq!(judge(None, more.clone()), said, "{kind:?} {more}");
        }
        let other = signed(kind, &with(&least(kind), &json!({ "aud": "other" })));
        assert_eq!(word(verify(kind, &other, None, &keys(json!({})))), "wrong_product");
        // The order of the checks: what it says, the key's time, the issuer, the product.
        let late = keys(json!({ "nbf": THEN + 1 }));
        let wrong = with(&least(kind), &json!({ "aud": "other", "iss": "other" }));
        assert_eq!(
            word(verify(kind, &signed(kind, &wrong), Some("me"), &late)),
            "key_not_yet_valid"
        );
        let keys = keys(json!({}));
        assert_eq!(word(verify(kind, &signed(kind, &wrong), Some("me"), &keys)), "wrong_issuer");
        let first = with(&wrong, &json!({ "iat": -1 }));
        assert_eq!(word(verify(kind, &signed(kind, &first), Some("me"), &late)), "malformed");
    }
}

#[test]
fn no_kind_passes_for_another_and_no_byte_may_change() {
    let keys = keys(json!({}));
    for wanted in KINDS {
        for kind in Kind::ALL {
            let token = signed(kind, &with(&least(wanted), &least(kind)));
            let said = word(verify(wanted, &token, None, &keys));
            assert_eq!(said, if kind == wanted { "ok" } else { "wrong_kind" }, "{kind:?}");
        }
        let token = signed(wanted, &least(wanted));
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(bytes).unwrap();
            assert!(verify(wanted, &damaged, None, &keys).is_err(), "{wanted:?} at {at}");
            assert!(verify(wanted, &token[..at], None, &keys).is_err(), "{wanted:?} to {at}");
        }
    }
}

#[test]
fn the_kind_is_told_in_every_coat_before_anything_is_believed() {
    let told = |text: &str| word(kind_of(text.as_bytes()));
    for kind in Kind::ALL {
        let token = signed(kind, &json!({ "anything": 1 }));
        let wrapped = format!("\u{feff}{}\r\n {}\n", &token[..40], &token[40..]);
        for coat in [token.clone(), STANDARD.encode(&token), wrapped] {
            assert_eq!(kind_of(coat.as_bytes()).unwrap(), kind, "{coat}");
        }
    }
    let token = |header: &str| {
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.AA", part(header), part("{}"))
    };
    let header = |typ: &str| token(&format!(r#"{{"alg":"EdDSA","kid":"k","typ":"{typ}"}}"#));
    assert_eq!(told(&header("lic+jwt")), "ok");
    for typ in ["", "JWT", "LIC+JWT", "lic-act+jwt", "lic+jwt "] {
        assert_eq!(told(&header(typ)), "wrong_kind", "{typ}");
    }
    let request = STANDARD.encode([0x78, 0x9c, 1, 2, 3, 4]);
    assert_eq!(told(&format!(" {request}\n")), "wrong_kind");
    for bad in ["", " ", "{}", "a.b", &token("{}"), &token("[]"), "ZXlK", HERE] {
        assert_eq!(told(bad), "malformed", "{bad}");
    }
    assert_eq!(told(&"a".repeat(8 * 1024 * 1024 + 1)), "too_large");
}
