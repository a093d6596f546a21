//! Memory: nothing leaks, and nothing is read that was not given.

use crate::fixtures::fixtures;
use crate::library::{has, library, run, skip, source};
use std::process::Command;

#[test]
fn valgrind_finds_nothing_on_good_and_failing_paths() {
    if !has("valgrind") {
        return skip("valgrind is not installed");
    }
    let walk = library().host("walk-valgrind", &source("walk.c"), &[]);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all"]);
    valgrind.args(["--errors-for-leak-kinds=all"]);
    run(valgrind.arg(walk).arg(fixtures()).arg("2"));
}

#[test]
fn address_and_undefined_sanitizers_find_nothing() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let walk = library().host("walk-asan", &source("walk.c"), &flags);
    let mut command = Command::new(&walk);
    run(command.arg(fixtures()).arg("5").env("ASAN_OPTIONS", "detect_leaks=1"));
}
