//! The table of docs/format.md, section 4: each check alone, and every two together.

use crate::case::{Case, DAY, Facts, NOW, OFF};
use crate::document::{Doc, sign_payload};
use crate::signer::{Signer, b64, second, vendor};
use serde_json::json;
use std::collections::BTreeSet;

/// What each row of the table answers, from row 1 on.
const ROWS: [&str; 18] = [
    "too_large",
    "malformed",
    "wrong_kind",
    "unknown_key",
    "bad_signature",
    "key_compromised",
    "malformed",
    "too_new",
    "malformed",
    "key_not_yet_valid",
    "wrong_issuer",
    "wrong_product",
    "too_new",
    "wrong_machine",
    "wrong_installation",
    "not_yet_valid",
    "expired",
    "token_expired",
];

/// The last check that `inspect` makes.
const INSPECTED: usize = 12;

pub fn cases() -> Vec<Case> {
    let mut cases = vec![flawed("none", &[])];
    for row in 1..=ROWS.len() {
        cases.push(flawed(&format!("{row} alone"), &[row]).fails(ROWS[row - 1]));
        for later in row + 1..=ROWS.len() {
            let name = format!("{row} before {later}");
            cases.push(flawed(&name, &[row, later]).fails(ROWS[row - 1]));
        }
    }
    let all: Vec<usize> = (1..=ROWS.len()).collect();
    for first in 1..=ROWS.len() {
        let name = format!("{first} and all after it");
        cases.push(flawed(&name, &all[first - 1..]).fails(ROWS[first - 1]));
    }
    for row in 1..=ROWS.len() {
        let mut case = flawed(&format!("{row} alone, inspected"), &[row]);
        case.deed = crate::case::Deed::Inspect;
        cases.push(if row <= INSPECTED {
            case.fails(ROWS[row - 1])
        } else {
            case.says(shown(row))
        });
    }
    cases.extend(inside_rows());
    cases
}

/// What an inspected license with a flaw of a later row says.
fn shown(row: usize) -> Facts {
    let facts = Facts::plain(&[("pro", OFF), ("users", OFF), ("other", OFF)]);
    if row == 17 { facts.expires(Some(NOW - 2 * DAY)) } else { facts }
}

/// A license that fails exactly these checks.
fn flawed(name: &str, rows: &[usize]) -> Case {
    let rows: BTreeSet<usize> = rows.iter().copied().collect();
    let has = |row: usize| rows.contains(&row);
    let text = token(&claims(&has), &has);
    let mut members = Vec::new();
    if has(6) {
        members.push(r#""state":"compromised""#.to_string());
    }
    if has(10) {
        members.push(format!(r#""nbf":{}"#, NOW - DAY));
    }
    let signer: Signer = if has(4) { second() } else { vendor() };
    let mut case =
        Case::verify(name, text).keys(signer.jwks(&members.join(","))).set("machine", "host-1");
    if has(11) {
        case = case.set("issuer", "Another Issuer");
    }
    if has(12) {
        case = case.of("otherapp");
    }
    if has(1) {
        case = case.spaces(131_073);
    }
    case
}

fn claims(has: &dyn Fn(usize) -> bool) -> Doc {
    let mut doc = Doc::license();
    if has(8) {
        doc = doc.set("/must", vec!["binding-2"]);
    }
    if has(9) {
        doc = doc.cut("/jti");
    }
    let mut binding = json!({});
    if has(13) || has(14) {
        let v = if has(13) { 2 } else { 1 };
        let parts = json!({"identity": ["AAAAAAAAAAAAAAAAAAAAAA"]});
        binding["machine"] = json!({"v": v, "need": 1, "parts": parts});
    }
    if has(15) {
        binding["installation"] = json!("6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c");
    }
    doc = doc.set("/license/binding", binding);
    if has(16) {
        doc = doc.set("/nbf", NOW + DAY);
    }
    if has(17) {
        doc = doc.set("/license/valid_until", NOW - 2 * DAY);
    }
    if has(18) {
        doc = doc.set("/exp", NOW - 3 * DAY);
    }
    doc
}

/// The payload with the flaws of rows 2, 3, 5 and 7. The key of row 4 is not the signer's.
fn token(doc: &Doc, has: &dyn Fn(usize) -> bool) -> String {
    let mut payload = doc.payload();
    if has(7) {
        payload = payload.replacen('{', r#"{"x":1.5,"#, 1);
    }
    let typ = if has(3) { "lic-sync+jwt" } else { "lic+jwt" };
    let extra = if has(2) { r#","jku":"x""# } else { "" };
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{typ}"{extra}}}"#, vendor().kid());
    let token = vendor().jws(header.as_bytes(), payload.as_bytes());
    if !has(5) {
        return token;
    }
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    format!("{signed}.{}", b64(vendor().sign(b"something else")))
}

/// Rows that ask two things: the first comes first.
fn inside_rows() -> Vec<Case> {
    let iat = NOW - 10 * DAY;
    let upside = format!(r#""nbf":{},"exp":{iat}"#, iat + 1);
    let both = format!(r#""state":"compromised","nbf":{}"#, iat + 1);
    let deep = format!("{{\"must\":[\"x\"],\"x\":{}1{}}}", "[".repeat(20), "]".repeat(20));
    let early = Doc::license().set("/license/valid_from", NOW + DAY).set("/nbf", NOW + 2 * DAY);
    let roleless = vendor().jwks(r#""roles":["server"],"state":"compromised""#);
    vec![
        Case::verify("key before its time and after it", Doc::license().sign())
            .keys(vendor().jwks(&upside))
            .fails("key_not_yet_valid"),
        Case::verify("key compromised and before its time", Doc::license().sign())
            .keys(vendor().jwks(&both))
            .fails("key_compromised"),
        Case::verify("key without the role and compromised", Doc::license().sign())
            .keys(roleless)
            .fails("unknown_key"),
        Case::verify("too deep and must", sign_payload(deep)).fails("malformed"),
        Case::verify("before valid_from and nbf", early.sign()).fails("not_yet_valid"),
        Case::verify("too large and no license", "x").spaces(131_072).fails("too_large"),
    ]
}
