//! licentia.hpp.

use crate::fixtures::fixtures;
use crate::library::{library, run, source};
use std::process::Command;

#[test]
fn the_wrapper_gives_throws_and_releases() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let host = library().host("wrapper", &source("wrapper.cpp"), &flags);
    run(Command::new(host).arg(fixtures()).env("ASAN_OPTIONS", "detect_leaks=1"));
}
