#![no_main]
//! Any text as a key set; half of them are signed by a root key first.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use licentia::issue::sign_bytes;
use licentia::{Code, KeySet, Kind, Product, PublicKey, SecretKey};

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[7; 32]).unwrap());

/// A license that the pinned key signed.
static LICENSE: LazyLock<String> = LazyLock::new(|| {
    let payload = concat!(
        r#"{"iss":"acme","aud":"myapp","jti":"1","iat":1763769600,"license":"#,
        r#"{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","type":"perpetual","#,
        r#""valid_from":0,"valid_until":null,"features":[]}}"#
    );
    sign_bytes(&KEY, Kind::License, payload.as_bytes())
});

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    if form % 2 == 0 {
        let Ok(text) = std::str::from_utf8(rest) else { return };
        plain(text);
    } else {
        signed(rest);
    }
});

fn plain(text: &str) {
    let Ok(set) = KeySet::parse(text) else { return };
    assert!(!set.keys().is_empty());
    for trusted in set.keys() {
        let key: &PublicKey = trusted.key();
        assert_eq!(set.find(key.kid()).map(|found| found.key()), Some(key));
        for written in [key.to_short(), key.to_pem().unwrap(), key.to_jwks()] {
            let read = KeySet::parse(&written).unwrap();
            assert_eq!(read.keys().iter().map(|key| key.key()).collect::<Vec<_>>(), [key]);
        }
    }
}

fn signed(payload: &[u8]) {
    let mut product = Product::new("myapp", &KEY.public().to_short()).unwrap();
    product.set("clock", "1764000000").unwrap();
    assert!(product.verify(LICENSE.as_bytes()).is_ok());
    let trusted = product.trust(&sign_bytes(&KEY, Kind::KeySet, payload));
    match product.verify(LICENSE.as_bytes()) {
        Ok(_) => {}
        Err(error) => {
            let by_state = [Code::KeyCompromised, Code::KeyRetired, Code::KeyNotYetValid];
            assert!(trusted.is_ok() && by_state.contains(&error.code()), "{error}");
        }
    }
}
