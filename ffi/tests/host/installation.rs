//! An installation in a process: shared by threads, and changed by others while it is held.

use crate::fixtures::fixtures;
use crate::library::{library, run, source};
use std::env;
use std::path::PathBuf;
use std::process::Command;

fn host(name: &str) -> PathBuf {
    library().host(name, &source(&format!("{name}.c")), &[])
}

/// Every answer and every count is that of an installation that one thread uses.
#[test]
fn sixteen_threads_ask_and_record_at_once() {
    let times = if env::var_os("LICENTIA_SOAK").is_some() { "1000" } else { "20" };
    run(Command::new(host("crowd")).arg(fixtures()).args(["16", times]));
}

/// The answer that locks out a paying customer is the one that did not notice a renewal.
#[test]
fn held_for_a_year_it_follows_what_other_processes_do() {
    run(Command::new(host("year")).arg(fixtures()).arg("fixed"));
}

#[test]
fn under_the_clock_of_the_machine_it_follows_what_other_processes_do() {
    let year = library().host("year-system", &source("year.c"), &[]);
    run(Command::new(year).arg(fixtures()).arg("system"));
}
