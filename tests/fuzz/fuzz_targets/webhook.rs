#![no_main]
//! Any headers, secrets and bodies as webhooks: an id, a timestamp, signatures, a secret and a
//! body, with a zero byte in between. Half of them are signed first.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use licentia::webhook::{Headers, Secret, SigningKey, sign, verify};
use licentia::{Code, limits};

const NOW: i64 = 1_614_265_330;

static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    let text = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    ["whsec_", "whsk_"].map(|start| SigningKey::parse(&format!("{start}{text}")).unwrap()).into()
});

static SECRETS: LazyLock<Vec<Secret>> =
    LazyLock::new(|| KEYS.iter().map(|key| Secret::parse(&key.verifier()).unwrap()).collect());

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    let mut parts = rest.splitn(5, |byte| *byte == 0);
    let mut text = || std::str::from_utf8(parts.next()?).ok();
    let (Some(id), Some(timestamp), Some(signature), Some(secret)) =
        (text(), text(), text(), text())
    else {
        return;
    };
    let body = parts.next().unwrap_or_default();
    if form % 2 == 0 {
        given(Headers { id, timestamp, signature }, secret, body);
    } else {
        signed(id, timestamp, body);
    }
});

/// As it came: what is good was signed, byte for byte.
fn given(headers: Headers<'_>, secret: &str, body: &[u8]) {
    if let Ok(own) = Secret::parse(secret) {
        let _ = verify(body, &headers, &[own], NOW);
    }
    if let Ok(key) = SigningKey::parse(secret) {
        let again = SigningKey::parse(&key.to_text()).unwrap();
        assert_eq!(*again.to_text(), *key.to_text());
    }
    match verify(body, &headers, &SECRETS, NOW) {
        Ok(sent) => {
            let ours = |key: &SigningKey| key.sign(headers.id, sent, body).unwrap();
            let mut list = headers.signature.split(' ');
            assert!(list.any(|one| KEYS.iter().any(|key| ours(key) == one)), "{headers:?}");
            assert_eq!(sent.to_string(), headers.timestamp);
            assert!(sent.abs_diff(NOW) <= 300);
        }
        Err(error) => {
            let known = [Code::Malformed, Code::TooLarge, Code::BadSignature, Code::BadTimestamp];
            assert!(known.contains(&error.code()), "{error}");
        }
    }
}

/// Signed for this id, time and body: good then, and for no other body.
fn signed(id: &str, timestamp: &str, body: &[u8]) {
    let Ok(at) = timestamp.parse() else { return };
    let Ok(signature) = sign(&KEYS, id, at, body) else {
        assert!(
            id.is_empty()
                || id.len() > limits::WEBHOOK_ID_MAX
                || id.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b'.')
                || !(0..1_000_000_000_000).contains(&at)
                || body.len() > limits::WEBHOOK_MAX
        );
        return;
    };
    let timestamp = at.to_string();
    let headers = Headers { id, timestamp: &timestamp, signature: &signature };
    assert_eq!(verify(body, &headers, &SECRETS, at), Ok(at));
    let other = [body, b" "].concat();
    assert!(verify(&other, &headers, &SECRETS, at).is_err());
}
