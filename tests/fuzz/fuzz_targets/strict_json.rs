#![no_main]
//! The scanner against a second opinion, on any bytes.

#[path = "../../../core/tests/json_oracle/mod.rs"]
mod json_oracle;

use libfuzzer_sys::fuzz_target;
use licentia::json::{Object, parse, scan};
use serde::Deserialize;

/// Small, so that a fuzzer reaches it.
const CAP: usize = 2048;

/// Takes every object, and looks into nothing.
#[derive(Deserialize)]
struct Anything {}

fuzz_target!(|text: &[u8]| {
    let verdict = scan(text, CAP);
    assert_eq!(verdict.is_ok(), json_oracle::allows(text, CAP), "{verdict:?}");
    match verdict {
        Ok(same) => assert_eq!(same.as_bytes(), text),
        Err(flaw) => assert!(flaw.offset <= text.len()),
    }
    assert_eq!(parse::<Object<Anything>>(text, CAP).is_ok(), verdict.is_ok());
});
