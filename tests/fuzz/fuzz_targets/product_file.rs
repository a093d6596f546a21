#![no_main]
//! Any bytes as a product file, any payload as one that its own key signed, and any settings as
//! those of a draft.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use licentia::issue::{ProductTerms, sign_bytes, sign_product_file};
use licentia::{Code, KeySet, Kind, Product, ProductFile, Role, SecretKey, is_product_code};

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[7; 32]).unwrap());

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    match form % 4 {
        0 => drop(Product::from_file(rest).map(|file| read(&file))),
        1 | 2 => signed(rest),
        _ => drafted(&String::from_utf8_lossy(rest)),
    }
});

/// What holds of whatever was read.
fn read(file: &ProductFile) {
    assert!(is_product_code(file.product().code()));
    let signer = file.keys().iter().find(|key| key.key().kid() == file.key_id()).unwrap();
    assert!(signer.roles().contains(&Role::Root), "{signer:?}");
    assert!(file.name().is_none_or(|name| !name.is_empty()));
    let possible: Vec<_> = ProductFile::possible_settings().map(|setting| setting.name).collect();
    for (name, value) in file.settings() {
        assert!(possible.contains(&name), "{name} = {value}");
    }
    let clock = file.settings().find(|(name, _)| *name == "clock");
    let stopped = clock.is_some_and(|(_, value)| !value.is_empty() && value != "system");
    assert_eq!(file.product().fixed_clock().is_some(), stopped);
}

/// With its signature right, what a payload says is what the product is, by whichever key it is
/// expected, and no byte of it is anything else.
fn signed(payload: &[u8]) {
    let text = sign_bytes(&KEY, Kind::Product, payload);
    let Ok(file) = Product::from_file(text.as_bytes()) else { return };
    read(&file);
    assert_eq!(file.key_id(), KEY.public().kid());
    Product::from_file_of(text.as_bytes(), KEY.public().kid()).unwrap();
    let other = Product::from_file_of(text.as_bytes(), "another").unwrap_err();
    assert_eq!(other.code(), Code::UnknownKey);
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Product) {
        let error = Product::from_file(sign_bytes(&KEY, kind, payload).as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::WrongKind);
    }
    let mut altered = text.into_bytes();
    let last = altered.len() - 2;
    altered[last] = if altered[last] == b'A' { b'B' } else { b'A' };
    assert!(Product::from_file(&altered).is_err());
}

/// `NAME=VALUE` on every line, after the product's name: signed and read again as it was, or
/// refused before.
fn drafted(text: &str) {
    let mut lines = text.split('\n');
    let name = lines.next().filter(|name| !name.is_empty()).map(str::to_string);
    let settings = lines.filter_map(|line| line.split_once('='));
    let terms = ProductTerms {
        code: "myapp".into(),
        name,
        keys: KeySet::parse(&KEY.public().to_short()).unwrap(),
        settings: settings.map(|(name, value)| (name.into(), value.into())).collect(),
    };
    match sign_product_file(&KEY, "acme", 1_763_769_600, &terms) {
        Ok(text) => {
            let file = Product::from_file(text.as_bytes()).unwrap();
            read(&file);
            let settings = file.settings().map(|(name, value)| (name.into(), value.into()));
            assert_eq!(settings.collect::<std::collections::BTreeMap<_, _>>(), terms.settings);
            assert_eq!(file.name(), terms.name.as_deref());
        }
        Err(error) => assert_eq!(error.code(), Code::InvalidArgument, "{error}"),
    }
}
