//! Sequences of calls that nobody thought of. The fuzz target `c_abi` finds more of them.

use crate::fixtures::fixtures;
use crate::library::{library, run, source};
use std::env;
use std::process::Command;

/// By a generator: the same sequences every time, and `LICENTIA_SOAK` times as many.
#[test]
fn any_sequence_of_calls_is_answered() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1"];
    let flags = [&flags[..], &["-std=gnu11"]].concat();
    let host = library().host("sequence", &source("sequence.c"), &flags);
    let soak = env::var("LICENTIA_SOAK").ok().and_then(|times| times.parse().ok());
    let sequences = 150 * soak.unwrap_or(1_u32);
    run(Command::new(host).arg(fixtures()).arg("1").arg(sequences.to_string()));
}
