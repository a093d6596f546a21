//! The library in a process: threads, forks, loading, and what belongs to the process.

use crate::fixtures::fixtures;
use crate::library::{library, release, run, source};
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// More of everything, where there is time for it: `LICENTIA_SOAK=1`.
fn times(usual: u32, soak: u32) -> String {
    if env::var_os("LICENTIA_SOAK").is_some() { soak } else { usual }.to_string()
}

fn host(name: &str) -> PathBuf {
    library().host(name, &source(&format!("{name}.c")), &[])
}

/// A walk is 70 calls and more, and one through an installation as many again.
#[test]
fn nothing_of_the_process_changes() {
    run(Command::new(host("process_state")).arg(fixtures()).arg(times(100, 1500)));
}

#[test]
fn children_of_a_busy_parent_verify_and_record() {
    run(Command::new(host("fork")).arg(fixtures()).arg(times(100, 1000)));
}

/// As it ships: without optimization, a call needs half as much again.
#[test]
fn a_stack_of_64_kib_is_enough() {
    let host = release().host("small_stack", &source("small_stack.c"), &[]);
    run(Command::new(host).arg(fixtures()));
}

#[test]
fn sixteen_threads_share_a_product_and_a_license() {
    run(Command::new(host("threads")).arg(fixtures()).arg(times(10_000, 100_000)));
}

#[test]
fn threads_load_and_unload_the_library_and_outlive_it() {
    let flags = ["-Wl,--as-needed"];
    let host = library().host("dlopen", &source("dlopen.c"), &flags);
    run(Command::new(host).arg(fixtures()).arg(library().shared()).arg("1000"));
}
