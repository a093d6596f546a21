//! The first license and key that were committed, in every coat and form.

use crate::case::{Case, Facts, OFF};
use crate::paths;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;

/// `expect.json`: what the license comes to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    product: String,
    set: BTreeMap<String, String>,
    facts: Facts,
}

fn file(name: &str) -> String {
    let path = paths::root().join("tests/fixtures/first").join(name);
    fs::read_to_string(path).expect("a committed fixture")
}

pub fn cases() -> Vec<Case> {
    let expected: Expected = serde_json::from_str(&file("expect.json")).expect("expect.json");
    let (license, keys) = (file("license.lic"), file("vendor.jwks"));
    let end = expected.facts.expires.expect("an end");
    let case = |name: &str, license: &str| Case {
        product: expected.product.clone(),
        set: expected.set.clone(),
        ..Case::verify(name, license).keys(&*keys).says(expected.facts.clone())
    };
    let gone = [("users", OFF), ("ipv4", OFF)];
    vec![
        case("the file", &license),
        case("the blob", &file("license.blob")),
        case("the text", license.trim_end()),
        case("under the key as PEM", &license).keys(file("vendor.pub.pem")),
        case("under the key in short", &license).keys(file("vendor.txt")),
        case("under the signed key set", &license).trust(file("keys.jws")),
        case("until its grace period ends", &license).later(end + 10 * 86_400, &gone),
        case("after its grace period", &license).at(end + 10 * 86_400).fails("expired"),
        case("on another machine", &license)
            .set("machine_root", "tests/fixtures/first/nothing")
            .fails("wrong_machine"),
        case("with parts of the machine kept private", &license)
            .set("machine_exclude", "board,chassis")
            .fails("wrong_machine"),
        case("with one part kept private", &license).set("machine_exclude", "board"),
        case("with an identity instead", &license).set("machine", "host-1").fails("wrong_machine"),
        case("in another installation", &license)
            .set("installation", "00000000-0000-4000-8000-000000000000")
            .fails("wrong_installation"),
        case("at another instance", &license).set("instance", "").fails("wrong_installation"),
        case("in another product", &license).of("otherapp").fails("wrong_product"),
        case("under another key", &license)
            .keys(crate::signer::stranger().short())
            .fails("unknown_key"),
        case("with its end cut off", license.trim_end().split_at(2000).0).fails("malformed"),
    ]
}
