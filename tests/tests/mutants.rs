//! What is altered is refused, whatever was altered; and the answer never depends on chance.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use licentia::{Code, Product};
use licentia_tests::dice::Dice;
use licentia_tests::document::Doc;
use licentia_tests::signer::{b64, vendor};
use licentia_tests::{case::NOW, process, protocol, runner, runners};
use serde_json::{Map, json};
use std::collections::BTreeSet;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn product() -> Product {
    let mut product = Product::new("myapp", &vendor().short()).unwrap();
    product.set("clock", &NOW.to_string()).unwrap();
    product
}

/// Twenty licenses that are in force, of growing size.
fn licenses() -> Vec<Doc> {
    (0..20)
        .map(|n| {
            let features: Vec<_> = (0..n % 7).map(|i| json!({"id": format!("f{n}-{i}")})).collect();
            let metadata: Map<_, _> = (0..n).map(|i| (format!("m{i}"), json!(i))).collect();
            Doc::license()
                .set("/jti", format!("token-{n}"))
                .set("/license/features", features)
                .set("/license/metadata", metadata)
        })
        .collect()
}

/// Every single-bit change of a license, of its text and of its decoded parts.
fn bent(doc: &Doc, mut each: impl FnMut(&[u8])) {
    let token = doc.sign();
    let mut text = token.clone().into_bytes();
    for bit in 0..text.len() * 8 {
        text[bit / 8] ^= 1 << (bit % 8);
        each(&text);
        text[bit / 8] ^= 1 << (bit % 8);
    }
    let parts: Vec<Vec<u8>> =
        token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    for part in 0..3 {
        for bit in 0..parts[part].len() * 8 {
            let mut parts = parts.clone();
            parts[part][bit / 8] ^= 1 << (bit % 8);
            let text: Vec<String> = parts.iter().map(b64).collect();
            each(text.join(".").as_bytes());
        }
    }
}

/// A bit that turns a character into white space takes the character away: refused as well.
#[test]
fn every_flipped_bit_of_20_licenses_is_refused() {
    let product = product();
    let mut tried = 0;
    let mut codes = BTreeSet::new();
    for doc in licenses() {
        assert!(product.verify(doc.sign().as_bytes()).is_ok());
        bent(&doc, |text| {
            tried += 1;
            let error = product.verify(text).expect_err("a flipped bit");
            codes.insert(error.code());
        });
    }
    assert!(tried >= 150_000, "{tried}");
    let expected = [Code::Malformed, Code::UnknownKey, Code::BadSignature, Code::WrongKind];
    assert_eq!(codes, BTreeSet::from(expected));
}

/// The same in every other language, for a sample.
#[test]
fn flipped_bits_are_refused_in_every_language() {
    let mut dice = Dice(9);
    let mut lines = Vec::new();
    let keys = protocol::escape(vendor().short().as_bytes());
    let head = format!("product=myapp\tkeys={keys}\tset=clock={NOW}\tverify=");
    for doc in licenses() {
        bent(&doc, |text| {
            if dice.below(100) == 0 {
                lines.push(format!("{head}{}", protocol::escape(text)));
            }
        });
    }
    assert!(lines.len() > 1_000);
    for language in ["c", "cpp", "python", "node"] {
        let Some(command) = runners::ready(language) else { continue };
        let answers = process::converse(command, lines.clone()).unwrap();
        let words = ["malformed", "unknown_key", "bad_signature", "wrong_kind"];
        for (line, answer) in lines.iter().zip(answers) {
            let word = answer.split('\t').next().unwrap_or_default();
            assert!(words.contains(&word), "{language}: {answer} to {line}");
        }
    }
}

/// Other characters for the same bytes: one spelling is accepted, and a license's text can stand
/// for it.
#[test]
fn a_thousand_respellings_are_refused() {
    let product = product();
    let mut spellings = BTreeSet::new();
    for doc in licenses() {
        let token = doc.sign();
        let parts: Vec<&str> = token.split('.').collect();
        for (index, part) in parts.iter().enumerate() {
            let mut with = |text: String| {
                let mut parts = parts.clone();
                parts[index] = &text;
                spellings.insert(parts.join("."));
            };
            for last in ALPHABET.iter().chain(b"=") {
                with(format!("{}{}", &part[..part.len() - 1], char::from(*last)));
            }
            for pad in ["=", "==", "===", "A", "AA", "A===", "%3D"] {
                with(format!("{part}{pad}"));
                with(format!("{pad}{part}"));
            }
            with(part.replacen('-', "+", 1));
            with(part.replacen('_', "/", 1));
            with(part.replace('-', "+").replace('_', "/"));
            for at in [1, part.len() / 2, part.len() - 1] {
                for foreign in ["=", "\0", "\u{200b}", "\u{a0}", ".", "?", "%20", "\\n", "\u{ad}"] {
                    with(format!("{}{foreign}{}", &part[..at], &part[at..]));
                }
            }
        }
        spellings.remove(&token);
    }
    assert!(spellings.len() >= 1_000, "{}", spellings.len());
    for spelling in spellings {
        assert!(product.verify(spelling.as_bytes()).is_err(), "accepted: {spelling}");
    }
}

/// One license, verified over and over, with maps of 0 to 20 entries: always the same answer.
#[test]
fn ten_thousand_verifications_have_one_answer() {
    let product = product();
    let mut wrong = product_for_another_clock();
    wrong.set("issuer", "Another Issuer").unwrap();
    for (size, doc) in licenses().into_iter().enumerate() {
        let text = doc.sign();
        let reference = format!("{:?}", product.verify(text.as_bytes()).unwrap());
        let refusal = wrong.verify(text.as_bytes()).unwrap_err();
        for _ in 0..500 {
            let license = product.verify(text.as_bytes()).unwrap();
            assert_eq!(format!("{license:?}"), reference, "{size} entries");
            assert_eq!(wrong.verify(text.as_bytes()).unwrap_err(), refusal);
        }
    }
}

/// The same in every other language: 50 licenses, 200 times each.
#[test]
fn ten_thousand_verifications_have_one_answer_in_every_language() {
    let license = |n: usize| {
        let metadata: Map<_, _> = (0..n % 21).map(|i| (format!("m{i}"), json!(i))).collect();
        Doc::license().set("/jti", format!("token-{n}")).set("/license/metadata", metadata).sign()
    };
    let line = |n| {
        let keys = protocol::escape(vendor().short().as_bytes());
        format!("product=myapp\tkeys={keys}\tset=clock={NOW}\tverify={}\task=pro", license(n))
    };
    let lines: Vec<String> = (0..50).map(line).collect();
    let expected: Vec<String> = lines.iter().map(|line| runner::answer(line)).collect();
    assert!(expected.iter().all(|answer| answer.starts_with("ok\t")));
    for language in ["c", "cpp", "python", "node"] {
        let Some(command) = runners::ready(language) else { continue };
        let asked = (0..10_000).map(|index| lines[index % 50].clone()).collect();
        let answers = process::converse(command, asked).unwrap();
        assert_eq!(answers.len(), 10_000);
        for (index, answer) in answers.iter().enumerate() {
            assert_eq!(*answer, expected[index % 50], "{language}, number {index}");
        }
    }
}

fn product_for_another_clock() -> Product {
    let mut product = product();
    product.set("clock", "0").unwrap();
    product
}
