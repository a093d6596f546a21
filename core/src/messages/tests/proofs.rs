//! Whose signature is on a request: nobody's, the installation's, or one that does not hold.

use super::requests::{bare, full, json_of, pack};
use super::word;
use crate::errors::Result;
use crate::limits::REQUEST_MAX;
use crate::messages::{InstallationKey, Request, read, unpack};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use flate2::bufread::ZlibDecoder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Read;

const SEED: [u8; 32] = [3; 32];

fn key() -> InstallationKey {
    InstallationKey::from_seed(&SEED).unwrap()
}

/// What is packed in a request, to be tampered with.
fn inside(text: &str) -> Vec<u8> {
    let packed = STANDARD.decode(text).unwrap();
    let mut bytes = Vec::new();
    ZlibDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    bytes
}

fn judged(inside: &[u8]) -> Result<Request> {
    read(pack(inside, 6).as_bytes())
}

/// JSON with a signature made by docs/format.md, section 9.2, and not by the code under test.
fn signed(json: &str) -> Vec<u8> {
    let message = format!("licentia-request\n{json}");
    let signature = SigningKey::from_bytes(&SEED).sign(message.as_bytes()).to_bytes();
    format!("{json}\n{}", URL_SAFE_NO_PAD.encode(signature)).into_bytes()
}

/// The JSON of a request that names a key.
fn naming(jwk: &Value) -> String {
    super::with(&json_of(&full("sync")), &json!({ "cnf": { "jwk": jwk } })).to_string()
}

fn jwk() -> Value {
    let x = URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&SEED).verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x })
}

#[test]
fn a_signed_request_says_whose_it_is_and_an_unsigned_one_is_nobodys() {
    for request in [full("sync"), full("activation"), bare("clock")] {
        let text = request.to_signed_text(&key()).unwrap();
        let read = read(text.as_bytes()).unwrap();
        assert_eq!(read.signer.as_ref(), Some(key().public()));
        assert_eq!(Request { signer: None, ..read }, request);
        let json: Value = serde_json::from_str(&unpack(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(json["cnf"], json!({ "jwk": jwk() }));
        let bytes = inside(&text);
        let (json, signature) = bytes.split_at(bytes.len() - 87);
        assert_eq!(signature[0], b'\n');
        assert_eq!(signed(std::str::from_utf8(json).unwrap()), bytes, "as it is documented");
        let unsigned = judged(json_of(&request).to_string().as_bytes()).unwrap();
        assert_eq!(unsigned, request);
    }
}

#[test]
fn a_key_and_a_signature_come_together_or_not_at_all() {
    let good = signed(&naming(&jwk()));
    assert_eq!(word(judged(&good)), "ok");
    let bare = json_of(&full("sync")).to_string();
    for (bytes, said) in [
        (good[..good.len() - 87].to_vec(), "malformed"),
        (signed(&bare), "malformed"),
        (
            signed(&super::with(&json_of(&full("sync")), &json!({ "cnf": null })).to_string()),
            "malformed",
        ),
        ([&good[..], b"\n"].concat(), "malformed"),
        ([&good[..], b"A"].concat(), "malformed"),
        (good[..good.len() - 1].to_vec(), "malformed"),
        ([bare.as_bytes(), b"\n"].concat(), "ok"),
        ([bare.as_bytes(), b"\n\n"].concat(), "ok"),
        ([bare.as_bytes(), b"\n", &[b'A'; 86]].concat(), "malformed"),
    ] {
        assert_eq!(word(judged(&bytes)), said, "{}", String::from_utf8_lossy(&bytes));
    }
    // The last character has two bits to spare: one spelling of four counts.
    let mut other = good.clone();
    let last = other.last_mut().unwrap();
    assert!(b"AQgw".contains(last));
    *last += 1;
    assert_eq!(word(judged(&other)), "malformed");
    let blank = String::from_utf8(good.clone()).unwrap().replace("}\n", "} \n");
    assert_eq!(word(judged(blank.as_bytes())), "bad_signature");
}

#[test]
fn every_member_of_cnf_is_judged() {
    let with = |more: Value| word(judged(&signed(&naming(&super::with(&jwk(), &more)))));
    assert_eq!(with(json!({ "use": "sig", "alg": "EdDSA", "more": 1 })), "ok");
    let other = URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&[4; 32]).verifying_key());
    assert_eq!(with(json!({ "x": other })), "bad_signature");
    for (more, said) in [
        (json!({ "kty": "EC" }), "invalid_key"),
        (json!({ "crv": "X25519" }), "invalid_key"),
        (json!({ "x": null }), "invalid_key"),
        (json!({ "x": "AA" }), "invalid_key"),
        (json!({ "x": "x".repeat(43) }), "invalid_key"),
        (json!({ "x": "A".repeat(43) }), "weak_key"),
        (json!({ "d": "AA" }), "invalid_key"),
        (json!({ "kid": "mine" }), "invalid_key"),
        (json!({ "kty": 1 }), "malformed"),
    ] {
        assert_eq!(with(more.clone()), said, "{more}");
    }
    for cnf in [json!([]), json!("jwk"), json!({}), json!({ "kid": "a" }), json!({ "jwk": [] })] {
        let json = super::with(&json_of(&full("sync")), &json!({ "cnf": cnf }));
        assert_eq!(word(judged(&signed(&json.to_string()))), "malformed", "{cnf}");
    }
    let later = r#"{"v":2,"cnf":"of another kind"}"#;
    assert_eq!(word(judged(&signed(later))), "too_new");
    assert_eq!(unpack(pack(&signed(later), 6).as_bytes()).unwrap(), later);
}

/// What is signed as a request is nothing else: the line before it tells.
#[test]
fn a_signature_over_the_json_alone_is_none() {
    let json = naming(&jwk());
    for before in ["", "\n", "licentia-request", "Licentia-Request\n", "licentia-request\n\n"] {
        let message = format!("{before}{json}");
        let signature = SigningKey::from_bytes(&SEED).sign(message.as_bytes()).to_bytes();
        let bytes = format!("{json}\n{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(word(judged(bytes.as_bytes())), "bad_signature", "{before:?}");
    }
}

#[test]
fn signed_or_not_no_request_is_longer_than_may_be_read() {
    let pad = |len: usize| Request { sdk: "x".repeat(len), ..bare("clock") };
    let room = REQUEST_MAX - inside(&pad(0).to_signed_text(&key()).unwrap()).len();
    assert!(pad(room).to_signed_text(&key()).is_ok());
    assert_eq!(word(pad(room + 1).to_signed_text(&key())), "too_large");
    assert!(pad(room + 1).to_text().is_ok());
}

#[test]
fn a_key_is_its_seeds_and_is_not_shown() {
    assert_eq!(key().public(), InstallationKey::from_seed(&SEED).unwrap().public());
    assert_ne!(key().public(), InstallationKey::from_seed(&[4; 32]).unwrap().public());
    assert_eq!(format!("{:?}", key()), format!("InstallationKey({})", key().public().kid()));
}

proptest! {
    /// One bit anywhere, and it is no request, or not this installation's.
    #[test]
    fn no_bit_of_a_signed_request_may_change(at: prop::sample::Index, bit in 0..8) {
        let mut bytes = inside(&full("sync").to_signed_text(&key()).unwrap());
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        prop_assert!(judged(&bytes).is_err(), "{at} {bit}");
    }

    /// Anything may stand in the place of the signature, and after it.
    #[test]
    fn only_the_signature_is_one(tail in prop_oneof![
        "\n[A-Za-z0-9_-]{86}", "\n?[A-Za-z0-9_-]{80,90}\n?", "[ -~\n]{0,200}", ".{0,100}",
    ]) {
        let json = naming(&jwk());
        let bytes = [json.as_bytes(), tail.as_bytes()].concat();
        prop_assert!(judged(&bytes).is_err(), "{tail:?}");
        // Without a key it is read if nothing but blanks follows.
        let bare = json_of(&full("sync")).to_string();
        let blank = tail.chars().all(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        let read = judged(&[bare.as_bytes(), tail.as_bytes()].concat());
        prop_assert_eq!(read.is_ok(), blank, "{:?}", tail);
    }

    /// What is written is read, whatever a holder is called.
    #[test]
    fn any_holder_goes_through(holder in ".{1,40}", days in prop::option::of(0_u32..400)) {
        use crate::messages::{Seat, is_holder};
        let what = if days.is_some() { "borrow" } else { "seat" };
        let fits = is_holder(&holder) && days.is_none_or(|days| (1..=366).contains(&days));
        let request = Request { seat: Some(Seat { holder, days }), ..full(what) };
        let found = read(request.to_signed_text(&key()).unwrap().as_bytes());
        prop_assert_eq!(found.is_ok(), fits);
        if let Ok(found) = found {
            prop_assert_eq!(Request { signer: None, ..found }, request);
        }
    }
}
