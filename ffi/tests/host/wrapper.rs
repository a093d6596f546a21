//! licentia.hpp.

use crate::fixtures::fixtures;
use crate::library::{library, run, source};
use std::process::Command;
use tempfile::TempDir;

#[test]
fn the_wrapper_gives_throws_and_releases() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let host = library().host("wrapper", &source("wrapper.cpp"), &flags);
    run(Command::new(host).arg(fixtures()).env("ASAN_OPTIONS", "detect_leaks=1"));
}

#[test]
fn the_wrapper_of_an_installation_gives_throws_and_releases() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let source = source("wrapper_installation.cpp");
    let host = library().host("wrapper-installation", &source, &flags);
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(host);
    command.arg(fixtures()).arg(folder.path()).env("ASAN_OPTIONS", "detect_leaks=1");
    run(&mut command);
}
