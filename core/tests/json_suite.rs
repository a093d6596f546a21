//! The strict scan against JSONTestSuite and a table of numbers.

mod json_oracle;

use std::fs;
use std::path::{Path, PathBuf};

use json_oracle::allows;
use licentia::Code;
use licentia::json::{Flaw, FlawKind, parse, scan};
use serde::Deserialize;
use serde_json::Value;

const CAP: usize = 1 << 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Name and bytes of each file of JSONTestSuite, or nothing where the corpus is not there.
fn corpus() -> Option<Vec<(String, Vec<u8>)>> {
    let suite = root().join("../shared/corpora/jsontestsuite");
    let mut files = Vec::new();
    for folder in ["test_parsing", "test_transform"] {
        let Ok(entries) = fs::read_dir(suite.join(folder)) else {
            println!("skipped: JSONTestSuite is not in ../shared/corpora/jsontestsuite");
            return None;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    files.sort();
    Some(files)
}

/// Most of the suite's roots are arrays, which we refuse at the first byte. As a member, the
/// rest of the text is looked at too.
fn as_member(text: &[u8]) -> Vec<u8> {
    [b"{\"member\":", text, b"}"].concat()
}

fn word(verdict: Result<&str, Flaw>) -> &'static str {
    verdict.map_or_else(|flaw| flaw.kind.phrase(), |_| "accepted")
}

#[test]
fn json_test_suite_verdicts_are_frozen() {
    let Some(files) = corpus() else { return };
    assert_eq!(files.len(), 318 + 22);
    let mut lines = Vec::new();
    for (name, text) in &files {
        let alone = word(scan(text, CAP));
        let member = word(scan(&as_member(text), CAP));
        lines.push(format!(r#"{{"name": "{name}", "alone": "{alone}", "as_member": "{member}"}}"#));
    }
    let found = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = root().join("tests/vectors/json_verdicts.json");
    if std::env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let frozen = fs::read_to_string(&path).unwrap();
    let differences: Vec<_> =
        frozen.lines().zip(found.lines()).filter(|(then, now)| then != now).collect();
    assert!(differences.is_empty(), "(frozen, now): {differences:#?}");
    assert_eq!(frozen, found);
}

/// What the suite says, whatever the frozen table says.
#[test]
fn json_test_suite_is_obeyed() {
    let Some(files) = corpus() else { return };
    for (name, text) in &files {
        let member = as_member(text);
        for (text, whole) in [(text, true), (&member, false)] {
            let verdict = scan(text, CAP);
            let policy = verdict.is_err_and(|flaw| flaw.kind.is_policy());
            match name.get(..2).unwrap_or_default() {
                "y_" => assert!(verdict.is_ok() || policy, "{name}: {verdict:?}"),
                "n_" if whole => assert!(verdict.is_err(), "{name}"),
                // Two files nest 100,000 arrays and leave them open: the levels are met first.
                "n_" => assert!(
                    verdict.is_err_and(|flaw| !flaw.kind.is_policy()
                        || (flaw.kind == FlawKind::Depth && text.len() > 50_000)),
                    "{name}: {verdict:?}"
                ),
                _ => {}
            }
            assert_eq!(verdict.is_ok(), allows(text, CAP), "{name}: {verdict:?}");
        }
    }
}

#[test]
fn the_suite_has_cases_of_each_policy() {
    let Some(files) = corpus() else { return };
    let kind = |name: &str| {
        let (_, text) = files.iter().find(|(n, _)| n == name).unwrap();
        scan(&as_member(text), CAP).unwrap_err().kind
    };
    for (name, expected) in [
        ("y_object_duplicated_key", FlawKind::Duplicate),
        ("object_same_key_same_value", FlawKind::Duplicate),
        ("object_same_key_unclear_values", FlawKind::NegativeZero),
        ("string_with_escaped_NULL", FlawKind::Nul),
        ("string_1_escaped_invalid_codepoint", FlawKind::Surrogate),
        ("string_1_invalid_codepoint", FlawKind::Encoding),
        ("number_1.0", FlawKind::Inexact),
        ("number_1e6", FlawKind::Inexact),
        ("number_9223372036854775807", FlawKind::Range),
        ("y_number_minus_zero", FlawKind::NegativeZero),
    ] {
        assert_eq!(kind(name), expected, "{name}");
    }
}

const INEXACT: &str = "number that is not written as an integer";
const ZERO: &str = "negative zero";
const RANGE: &str = "integer out of range";
const FORM: &str = "malformed number";
const WRONG: &str = "unexpected character";

/// A number as it is written, and the integer it is or why it is refused.
const NUMBERS: &[(&str, Result<i64, &str>)] = &[
    // Around zero.
    ("0", Ok(0)),
    ("1", Ok(1)),
    ("-1", Ok(-1)),
    ("9", Ok(9)),
    ("10", Ok(10)),
    ("-0", Err(ZERO)),
    ("-00", Err(FORM)),
    ("00", Err(FORM)),
    ("01", Err(FORM)),
    ("-01", Err(FORM)),
    ("-", Err(FORM)),
    ("--1", Err(FORM)),
    ("- 1", Err(FORM)),
    ("+1", Err(WRONG)),
    ("+0", Err(WRONG)),
    // Fractions and exponents, also where the value is whole.
    ("0.0", Err(INEXACT)),
    ("-0.0", Err(INEXACT)),
    ("1.0", Err(INEXACT)),
    ("1.5", Err(INEXACT)),
    ("1700000000.0", Err(INEXACT)),
    ("1700000000.123", Err(INEXACT)),
    ("1.", Err(FORM)),
    (".5", Err(WRONG)),
    ("1..0", Err(FORM)),
    ("1.0.0", Err(WRONG)),
    ("0e0", Err(INEXACT)),
    ("-0e0", Err(INEXACT)),
    ("1e0", Err(INEXACT)),
    ("1e3", Err(INEXACT)),
    ("1E3", Err(INEXACT)),
    ("1e+3", Err(INEXACT)),
    ("1000e-3", Err(INEXACT)),
    ("1e400", Err(INEXACT)),
    ("-1e-400", Err(INEXACT)),
    ("1e", Err(FORM)),
    ("1e+", Err(FORM)),
    ("1e-", Err(FORM)),
    ("1e+-3", Err(FORM)),
    ("1e3.0", Err(WRONG)),
    ("1.e3", Err(FORM)),
    // Other ways to write a number.
    ("0x10", Err(WRONG)),
    ("0b1", Err(WRONG)),
    ("0o7", Err(WRONG)),
    ("1_000", Err(WRONG)),
    ("1 000", Err(WRONG)),
    ("1n", Err(WRONG)),
    ("1f", Err(WRONG)),
    ("NaN", Err(WRONG)),
    ("-NaN", Err(FORM)),
    ("Infinity", Err(WRONG)),
    ("-Infinity", Err(FORM)),
    ("\u{661}", Err(WRONG)),
    ("\u{ff11}", Err(WRONG)),
    ("1\u{661}", Err(WRONG)),
    // Where integers end: 31, 32, 53, 63, 64 and 128 bits.
    ("2147483647", Ok(i32::MAX as i64)),
    ("2147483648", Ok(2_147_483_648)),
    ("-2147483648", Ok(i32::MIN as i64)),
    ("-2147483649", Ok(-2_147_483_649)),
    ("4294967295", Ok(u32::MAX as i64)),
    ("4294967296", Ok(4_294_967_296)),
    ("9007199254740990", Ok(9_007_199_254_740_990)),
    ("9007199254740991", Ok(9_007_199_254_740_991)),
    ("9007199254740992", Err(RANGE)),
    ("9007199254740993", Err(RANGE)),
    ("9999999999999999", Err(RANGE)),
    ("10000000000000000", Err(RANGE)),
    ("-9007199254740991", Ok(-9_007_199_254_740_991)),
    ("-9007199254740992", Err(RANGE)),
    ("9223372036854775807", Err(RANGE)),
    ("9223372036854775808", Err(RANGE)),
    ("-9223372036854775808", Err(RANGE)),
    ("-9223372036854775809", Err(RANGE)),
    ("18446744073709551615", Err(RANGE)),
    ("18446744073709551616", Err(RANGE)),
    ("18446744073709551617", Err(RANGE)),
    ("340282366920938463463374607431768211456", Err(RANGE)),
    ("9007199254740991.0", Err(INEXACT)),
    ("00009007199254740991", Err(FORM)),
    // Dates: before 1970, the ends of 32 bits, of the year 9999, and milliseconds.
    ("-62135596800", Ok(-62_135_596_800)),
    ("1700000000", Ok(1_700_000_000)),
    ("1e9", Err(INEXACT)),
    ("253402300799", Ok(253_402_300_799)),
    ("253402300800", Ok(253_402_300_800)),
    ("1700000000000", Ok(1_700_000_000_000)),
    ("1700000000000000", Ok(1_700_000_000_000_000)),
    ("1700000000000000000", Err(RANGE)),
];

#[derive(Deserialize)]
struct Number {
    n: i64,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code)]
struct Narrow {
    n: u32,
}

#[test]
fn numbers_are_exact_integers_or_refused() {
    assert!(NUMBERS.len() >= 60);
    for (written, expected) in NUMBERS {
        for text in [format!("{{\"n\":{written}}}"), format!("{{\"n\" : {written}\n}}")] {
            match (parse::<Number>(text.as_bytes(), CAP), expected) {
                (Ok(read), Ok(value)) => assert_eq!(read.n, *value, "{text}"),
                (Err(error), Err(phrase)) => {
                    assert_eq!(error.code(), Code::Malformed, "{text}");
                    assert!(error.detail().starts_with(phrase), "{text}: {error}");
                }
                (read, _) => panic!("{text}: {:?}", read.map(|number| number.n)),
            }
            let double = serde_json::from_str::<Value>(&text).map(|v| v["n"].as_f64());
            if let (Ok(value), Ok(Some(double))) = (expected, double) {
                assert_eq!(double as i64, *value, "a double holds {written}");
            }
        }
    }
}

#[test]
fn a_number_too_large_for_its_member_is_refused() {
    for (written, fits) in [
        ("0", true),
        ("4294967295", true),
        ("4294967296", false),
        ("-1", false),
        ("9007199254740991", false),
        ("\"1\"", false),
        ("null", false),
        ("true", false),
        ("[1]", false),
    ] {
        let read = parse::<Narrow>(format!("{{\"n\":{written}}}").as_bytes(), CAP);
        assert_eq!(read.is_ok(), fits, "{written}: {read:?}");
    }
}

#[test]
fn a_stack_of_64_kib_is_enough() {
    let nested = |n: usize| format!("{}1{}", r#"{"a":"#.repeat(n), "}".repeat(n));
    let members: Vec<_> = (0..8_000).map(|n| format!("\"\\u0061{n}\":0")).collect();
    let texts = [
        nested(16),
        nested(17),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{\"a\":{}", "[{\"a\":".repeat(50_000)),
        format!("{{{}}}", members.join(",")),
        format!("{{{},\"a7\":1}}", members.join(",")),
    ];
    let scan_all = move || texts.map(|text| word(scan(text.as_bytes(), CAP)));
    let words = std::thread::Builder::new().stack_size(64 << 10).spawn(scan_all).unwrap().join();
    assert_eq!(
        words.unwrap(),
        [
            "accepted",
            "too many levels",
            "root that is not an object",
            "too many levels",
            "accepted",
            "duplicate member"
        ]
    );
}
