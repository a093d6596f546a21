//! Sequences of calls that nobody thought of. The fuzz target `c_abi` finds more of them.

use crate::fixtures::fixtures;
use crate::library::{library, run, source};
use std::process::Command;

/// By a generator: the same sequences every time.
#[test]
fn any_sequence_of_calls_is_answered() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1"];
    let flags = [&flags[..], &["-std=gnu11"]].concat();
    let host = library().host("sequence", &source("sequence.c"), &flags);
    run(Command::new(host).arg(fixtures()).args(["1", "300"]));
}
