//! Memory: nothing leaks, and nothing is read that was not given.

use crate::fixtures::fixtures;
use crate::library::{has, library, release, repository, run, shown, skip, source};
use std::path::Path;
use std::process::Command;

#[test]
fn valgrind_finds_nothing_on_good_and_failing_paths() {
    if !has("valgrind") {
        return skip("valgrind is not installed");
    }
    let walk = library().host("walk-valgrind", &source("walk.c"), &[]);
    let suppressions = repository().join("ffi/tests/valgrind.supp");
    let suppressions = format!("--suppressions={}", suppressions.display());
    for what in [&[][..], &["installation"], &["seat"], &["exchange"]] {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all"]);
        valgrind.args(["--errors-for-leak-kinds=all", &suppressions]);
        run(valgrind.arg(&walk).arg(fixtures()).arg("2").args(what));
    }
}

/// The library as it is shipped, with the clock of the system: tests unite the features of what
/// it depends on, and might try another.
#[test]
fn valgrind_finds_nothing_in_the_example_as_shipped() {
    if !has("valgrind") {
        return skip("valgrind is not installed");
    }
    let source = repository().join("examples/c/quickstart.c");
    let example = release().host("quickstart-valgrind", &source, &[]);
    for (license, word) in [("ok", "licensed to"), ("malformed", "malformed: ")] {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full"]).arg(&example);
        let file = |name: &str| Path::new(fixtures()).join(name);
        let said = valgrind.arg(file("keys")).arg("myapp").arg(file(license)).output().unwrap();
        assert!(matches!(said.status.code(), Some(0 | 1)), "{}", shown(&said));
        assert!(
            shown(&said).contains(word) || shown(&said).contains("expired: "),
            "{}",
            shown(&said)
        );
    }
}

#[test]
fn valgrind_finds_nothing_where_a_server_is_not_reached() {
    if !has("valgrind") {
        return skip("valgrind is not installed");
    }
    let source = repository().join("examples/c/online.c");
    let example = release().host("online-valgrind", &source, &[]);
    let folder = tempfile::tempdir().unwrap();
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["-q", "--error-exitcode=9", "--leak-check=full"]).arg(&example);
    valgrind.arg("http://127.0.0.1:1").arg(fixtures().join("keys")).arg("myapp");
    valgrind.arg(folder.path()).args(["0", "ABCD-EFGH", "machine=test"]);
    let said = valgrind.env("no_proxy", "127.0.0.1").output().unwrap();
    assert_eq!(said.status.code(), Some(3), "{}", shown(&said));
}

#[test]
fn address_and_undefined_sanitizers_find_nothing() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let walk = library().host("walk-asan", &source("walk.c"), &flags);
    for what in [&[][..], &["installation"], &["seat"], &["exchange"]] {
        let mut command = Command::new(&walk);
        command.arg(fixtures()).arg("5").args(what);
        run(command.env("ASAN_OPTIONS", "detect_leaks=1"));
    }
}
