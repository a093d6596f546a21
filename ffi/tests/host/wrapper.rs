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

/// Runs a test of an installation in a folder of its own.
fn with_a_folder(name: &str) {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let host = library().host(name, &source(&format!("{name}.cpp")), &flags);
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(host);
    command.arg(fixtures()).arg(folder.path()).env("ASAN_OPTIONS", "detect_leaks=1");
    run(&mut command);
}

#[test]
fn the_wrapper_of_an_installation_gives_throws_and_releases() {
    with_a_folder("wrapper_installation");
}

#[test]
fn the_wrapper_of_a_seat_gives_throws_and_releases() {
    with_a_folder("wrapper_seat");
}

#[test]
fn the_wrapper_answers_requests_to_the_license_api() {
    with_a_folder("wrapper_exchange");
}
