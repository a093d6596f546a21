//! `tests/vectors/webhooks.json` is that of the generator, and the core says what is in it. The
//! tests of Python and Node answer the same file.

use licentia_tests::{paths, webhooks};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn the_committed_webhooks_are_what_the_generator_writes() {
    let path = paths::vectors().join("webhooks.json");
    let text = webhooks::text();
    if std::env::var_os("LICENTIA_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "tests/vectors/webhooks.json is stale: run with LICENTIA_BLESS=1");
}

#[test]
fn the_core_says_of_every_webhook_what_it_should() {
    let cases = webhooks::committed();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for case in &cases {
        let (name, expect) = (case["name"].as_str().unwrap(), case["expect"].as_str().unwrap());
        assert_eq!(webhooks::answer(case), expect, "{name}");
        assert!(names.insert(name), "{name} is there twice");
        *seen.entry(expect).or_default() += 1;
    }
    let words: Vec<_> = seen.keys().copied().collect();
    let wanted =
        ["bad_signature", "bad_timestamp", "invalid_argument", "malformed", "ok", "too_large"];
    assert_eq!(words, wanted, "{seen:?}");
    assert!(cases.len() >= 60 && seen["ok"] * 3 < cases.len(), "{seen:?}");
}
