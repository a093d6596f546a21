#![no_main]
//! Any bytes as a request, and any claims as the documents that a server signs.

use std::io::Write;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use libfuzzer_sys::fuzz_target;
use licentia::issue::{
    InstallationKey, check_document, is_request, read_request, sign_bytes, sign_clock_reset,
    unpack_request,
};
use licentia::{Code, Kind, Product, SecretKey};
use serde_json::{Value, json};

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[7; 32]).unwrap());

static PRODUCT: LazyLock<Product> =
    LazyLock::new(|| Product::new("myapp", &KEY.public().to_short()).unwrap());

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    match form % 16 {
        0 => request(rest),
        1 => request(STANDARD.encode(rest).as_bytes()),
        2 | 3 => request(packed(rest).as_bytes()),
        4 => document(Kind::Clock, rest),
        5 => document(Kind::Revocations, rest),
        6 => document(Kind::Sync, rest),
        7 => document(Kind::Lease, rest),
        8 | 9 => signed(rest),
        _ => drop(check_document(&PRODUCT, rest)),
    }
});

fn packed(json: &[u8]) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(json).unwrap();
    STANDARD.encode(zlib.finish().unwrap())
}

/// What is read can be written and read again, and then is the same for ever.
fn request(text: &[u8]) {
    let Ok(request) = read_request(text) else { return };
    assert!(unpack_request(text).is_ok());
    let written = match request.to_text() {
        Ok(written) => written,
        Err(error) => return assert_eq!(error.code(), Code::TooLarge),
    };
    assert!(is_request(written.as_bytes()) && written.starts_with("eJ"));
    let again = read_request(written.as_bytes()).unwrap();
    assert_eq!(again.to_text().unwrap(), written);
    assert_eq!(
        (&again.nonce, &again.license, &again.sync),
        (&request.nonce, &request.license, &request.sync)
    );
    match sign_clock_reset(&KEY, &again, "acme", 1_763_769_600, again.at) {
        Ok(_) => assert_eq!(again.what, "clock"),
        Err(error) => assert!(error.code() == Code::WrongKind && again.what != "clock", "{error}"),
    }
}

/// Any JSON object with a signature that holds: whatever else is wrong with it, that is not.
fn signed(json: &[u8]) {
    let key = SigningKey::from_bytes(&[5; 32]);
    let Ok(Value::Object(mut members)) = serde_json::from_slice(json) else { return };
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    members.insert("cnf".into(), json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}}));
    let json = Value::Object(members).to_string();
    let signature = key.sign(format!("licentia-request\n{json}").as_bytes()).to_bytes();
    let text = packed(format!("{json}\n{}", URL_SAFE_NO_PAD.encode(signature)).as_bytes());
    match read_request(text.as_bytes()) {
        Ok(request) => {
            let own = InstallationKey::from_seed(&[5; 32]).unwrap();
            assert_eq!(request.signer.as_ref(), Some(own.public()));
            let Ok(again) = request.to_signed_text(&own) else { return };
            assert_eq!(read_request(again.as_bytes()).unwrap(), request);
        }
        Err(error) => assert_ne!(error.code(), Code::BadSignature, "{json}"),
    }
}

/// Claims are judged, and a document is of its kind or refused.
fn document(kind: Kind, claims: &[u8]) {
    let found = check_document(&PRODUCT, sign_bytes(&KEY, kind, claims).as_bytes());
    assert!(found.is_err() || found == Ok(kind));
}
