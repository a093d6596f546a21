#![no_main]
//! Any bytes as a license; half of them are signed first, so that they reach the claims.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use licentia::issue::sign_bytes;
use licentia::{Code, Kind, License, Product, SecretKey};

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[7; 32]).unwrap());

/// Nothing of this machine or of this moment goes into a verdict.
static PRODUCT: LazyLock<Product> = LazyLock::new(|| {
    let mut product = Product::new("myapp", &KEY.public().to_short()).unwrap();
    product.set("clock", "1764000000").unwrap();
    product.set("machine", "fuzzed").unwrap();
    product.set("installation", "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c").unwrap();
    product.set("instance", "https://play.acme.example/").unwrap();
    product
});

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    match form % 8 {
        0 => judge(rest),
        1 => judge(unsigned(rest).as_bytes()),
        2 => judge(STANDARD.encode(unsigned(rest)).as_bytes()),
        3 => of_another_kind(rest),
        4 => judge(STANDARD.encode(signed(rest)).as_bytes()),
        5 => altered(rest),
        _ => judge(signed(rest).as_bytes()),
    }
});

fn signed(payload: &[u8]) -> String {
    sign_bytes(&KEY, Kind::License, payload)
}

/// A header, a line end and a payload, in the form of a token with an empty signature.
fn unsigned(text: &[u8]) -> String {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (header, payload) = text.split_at(end);
    let parts = [header, payload.get(1..).unwrap_or_default(), &[0; 64]];
    parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".")
}

fn of_another_kind(payload: &[u8]) {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::License) {
        let error = PRODUCT.verify(sign_bytes(&KEY, kind, payload).as_bytes()).unwrap_err();
        assert!(matches!(error.code(), Code::WrongKind | Code::TooLarge), "{error}");
    }
}

/// One bit of a signed license is turned: it is refused.
fn altered(input: &[u8]) {
    let [high, low, bit, payload @ ..] = input else { return };
    let mut token = signed(payload).into_bytes();
    let at = usize::from(u16::from_be_bytes([*high, *low])) % token.len();
    token[at] ^= 1 << (bit % 8);
    assert!(PRODUCT.inspect(&token).is_err());
}

fn judge(token: &[u8]) {
    let (verified, inspected) = (PRODUCT.verify(token), PRODUCT.inspect(token));
    match (&verified, &inspected) {
        (Ok(license), Ok(_)) => in_force(license),
        (Err(_), Ok(license)) => {
            for feature in &license.claims().license.features {
                assert!(!license.allows(&feature.id));
                assert_eq!(license.limit(&feature.id), 0);
            }
        }
        (Err(verified), Err(inspected)) => assert_eq!(verified, inspected),
        (Ok(_), Err(error)) => panic!("verified, and not inspected: {error}"),
    }
}

fn in_force(license: &License) {
    assert_eq!(license.claims().aud, "myapp");
    let value: serde_json::Value = serde_json::from_str(license.json()).unwrap();
    assert_eq!(value["license"]["id"], license.claims().license.id);
    let granted: Vec<_> = license.granted().collect();
    for feature in &license.claims().license.features {
        let limit = granted.iter().find(|(id, _)| *id == feature.id).map(|(_, limit)| *limit);
        assert_eq!(license.allows(&feature.id), limit.is_some());
        assert_eq!(license.limit(&feature.id), limit.unwrap_or(0));
    }
    // What was read can be issued again, and then says the same.
    let again = serde_json::to_vec(license.claims()).unwrap();
    let again = PRODUCT.verify(signed(&again).as_bytes()).unwrap();
    assert_eq!(again.claims(), license.claims());
}
