//! The C and the C++ quickstart keep the contract that all languages share.

use crate::fixtures::{BEGIN, MACHINE, PRODUCT, fixtures};
use crate::library::{library, repository, shown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

fn programs() -> &'static [PathBuf; 2] {
    static PROGRAMS: OnceLock<[PathBuf; 2]> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        ["c", "cpp"].map(|language| {
            let source = format!("examples/{language}/quickstart.{language}");
            let name = format!("quickstart-{language}");
            library().host(&name, &repository().join(source), &[])
        })
    })
}

fn start(program: &Path, license: &str, settings: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.arg(fixtures().join("keys")).arg(PRODUCT).arg(fixtures().join(license));
    command.arg(format!("clock={}", BEGIN + 60)).args(settings).output().unwrap()
}

#[test]
fn the_quickstarts_print_what_a_license_says() {
    let machine = format!("machine={MACHINE}");
    for program in programs() {
        let output = start(program, "bound", &[&machine]);
        assert!(output.status.success(), "{}", shown(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        let (start, id) = text.rsplit_once("machine: ").unwrap();
        let expected = "licensed to: Exämple GmbH\nserial: LIC-MYAPP-A1B2C3D4\n\
                        until: 2026-01-31T00:00:00Z\nallows reports: yes\n\
                        allows exports: yes\nlimit of exports: 500\n";
        assert_eq!(start, expected);
        let digits = id.trim_end().replace('-', "");
        assert!(digits.len() == 8 && digits.chars().all(|c| c.is_ascii_hexdigit()), "{id}");
    }
}

#[test]
fn the_quickstarts_know_licenses_without_end_or_limit_and_machines_without_id() {
    for program in programs() {
        let output = start(program, "ok_too", &["machine_root=/nowhere"]);
        let text = String::from_utf8(output.stdout).unwrap();
        let expected = "licensed to: customer-7\nserial: LIC-MYAPP-A1B2C3D4\n\
                        until: without end\nallows reports: no\nallows exports: yes\n\
                        limit of exports: none\nmachine: unknown\n";
        assert_eq!(text, expected);
    }
}

#[test]
fn the_quickstarts_refuse_with_the_word_and_a_remedy() {
    let words = ["bad_signature", "expired", "wrong_product", "wrong_machine", "unknown_key"];
    for program in programs() {
        for word in words {
            let output = start(program, word, &[]);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
            assert!(
                error.starts_with(&format!("{word}: ")) && error.matches(": ").count() > 1,
                "{error}"
            );
            assert!(output.stdout.is_empty());
        }
        let output = start(program, "no such file", &[]);
        assert!(output.stderr.starts_with(b"io: ") && output.status.code() == Some(1));
        let output = start(program, "ok", &["clok=7"]);
        assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean clock?"));
        let usage = Command::new(program).arg("one").output().unwrap();
        assert!(usage.stderr.starts_with(b"usage: ") && usage.status.code() == Some(2));
    }
}
