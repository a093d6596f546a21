//! licentia_testing.h.

use crate::library::{has, library, repository, run, skip, source};
use std::process::Command;
use tempfile::TempDir;

#[test]
fn every_state_of_the_kit_is_what_it_promises() {
    for (name, flags) in [
        ("testing.c", &["-std=c99", "-D_GNU_SOURCE"][..]),
        ("testing.c", &["-fsanitize=address,undefined", "-D_GNU_SOURCE"]),
        ("testing.cpp", &["-std=c++17", "-O2"]),
    ] {
        let host = library().host(&format!("{name}-{}", flags[0]), &source(name), flags);
        let folder = TempDir::new().unwrap();
        run(Command::new(host).arg(folder.path()).env("ASAN_OPTIONS", "detect_leaks=1"));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "something is left");
    }
}

#[test]
fn valgrind_finds_nothing_in_the_kit() {
    if !has("valgrind") {
        return skip("valgrind is not installed");
    }
    let host = library().host("testing-valgrind", &source("testing.c"), &["-D_GNU_SOURCE"]);
    let suppressions = repository().join("ffi/tests/valgrind.supp");
    let suppressions = format!("--suppressions={}", suppressions.display());
    let folder = TempDir::new().unwrap();
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all"]);
    valgrind.args(["--errors-for-leak-kinds=all", &suppressions]);
    run(valgrind.arg(&host).arg(folder.path()));
}
