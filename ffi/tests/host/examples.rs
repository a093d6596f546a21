//! The daemon in C, the desktop program in C++, and the programs of both that go on line.

use crate::fixtures::{BEGIN, PRODUCT, fixtures};
use crate::library::{library, repository, run, shown, source};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn program(name: &'static str) -> &'static Path {
    static DAEMON: OnceLock<PathBuf> = OnceLock::new();
    static DESKTOP: OnceLock<PathBuf> = OnceLock::new();
    static ONLINE_C: OnceLock<PathBuf> = OnceLock::new();
    static ONLINE_CPP: OnceLock<PathBuf> = OnceLock::new();
    let (cell, file) = match name {
        "daemon" => (&DAEMON, "examples/c/daemon.c"),
        "online-c" => (&ONLINE_C, "examples/c/online.c"),
        "online-cpp" => (&ONLINE_CPP, "examples/cpp/online.cpp"),
        _ => (&DESKTOP, "examples/cpp/desktop.cpp"),
    };
    cell.get_or_init(|| library().host(name, &repository().join(file), &[]))
}

fn command(name: &'static str, folder: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.arg(fixtures().join("keys")).arg(PRODUCT).arg(folder);
    command
}

fn on_day(day: i64) -> String {
    format!("clock={}", BEGIN + day * 86_400)
}

/// Applies a license, on the first day unless it says otherwise.
fn desktop(folder: &Path, arguments: &[&str]) -> Output {
    command("desktop", folder).args(arguments).arg(on_day(1)).output().unwrap()
}

fn license(name: &str) -> String {
    fixtures().join(name).to_str().unwrap().to_string()
}

#[test]
fn the_daemon_goes_from_allow_to_deny_in_stages() {
    let folder = TempDir::new().unwrap();
    let applied = desktop(folder.path(), &[&license("metered")]);
    assert!(applied.status.success(), "{}", shown(&applied));
    for (day, mode, advice) in [
        (1, "allow: works\n", ""),
        (30, "warn: works, and tells whoever can act on it\n", "advice: renew the license before"),
        (40, "read_only: shows what it has, and takes no new work\n", "advice: renew the license:"),
        (70, "deny: takes no work, and waits for a license\n", "advice: apply a license"),
    ] {
        let said = run(command("daemon", folder.path()).arg("1").arg(on_day(day)));
        assert!(said.starts_with(mode) && said.contains(advice), "{day}: {said}");
        assert!(said.contains("\n  message: The license "), "{day}: {said}");
    }
}

/// A daemon that runs, and the lines it says.
struct Daemon {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Daemon {
    fn start(folder: &Path) -> Daemon {
        let mut child = command("daemon", folder).arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || said.lines().for_each(|line| send.send(line.unwrap()).unwrap()));
        Daemon { child, lines }
    }

    /// The next mode it says it is in, which has to come soon.
    fn becomes(&self, mode: &str) {
        let end = Instant::now() + Duration::from_secs(4);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("never {mode}"));
            if !line.starts_with(' ') {
                assert!(line.starts_with(&format!("{mode}: ")), "{line}, not {mode}");
                return;
            }
        }
    }
}

#[test]
fn the_daemon_follows_another_process_and_ends_when_told() {
    let folder = TempDir::new().unwrap();
    let mut daemon = Daemon::start(folder.path());
    daemon.becomes("deny");
    run(command("desktop", folder.path()).arg(license("metered_today")));
    daemon.becomes("allow");
    let other = library().host("another-process", &source("year.c"), &[]);
    run(Command::new(other).arg(fixtures()).arg("system").arg(folder.path()).arg("remove"));
    daemon.becomes("deny");
    run(Command::new("kill").arg(daemon.child.id().to_string()));
    assert!(daemon.child.wait().unwrap().success());
}

#[test]
fn the_desktop_asks_for_a_license_applies_it_and_shows_what_will_come() {
    let folder = TempDir::new().unwrap();
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let asked = text(&desktop(folder.path(), &[]));
    assert!(asked.starts_with("state: deny (not_licensed)\n"), "{asked}");
    assert!(asked.contains("reports: no\nto ask for a license, send this:\neJ"), "{asked}");

    let refused = desktop(folder.path(), &[&license("bad_signature")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).starts_with("bad_signature: "));
    assert!(text(&refused).starts_with("state: deny (not_licensed)\n"));

    let applied = text(&desktop(folder.path(), &[&license("metered")]));
    assert!(applied.starts_with("state: allow (ok)\n"), "{applied}");
    assert!(applied.ends_with("reports: yes\n"), "{applied}");
    let timeline: Vec<&str> = applied.lines().filter(|line| line.contains(" UTC  ")).collect();
    let has = |part: &str| timeline.iter().any(|line| line.contains(part));
    assert!(has("2026-01-31 00:00 UTC  warn: "), "{applied}");
    assert!(has("2026-02-10 00:00 UTC  read_only: "), "{applied}");
    assert!(has("2026-03-12 00:00 UTC  deny: "), "{applied}");
    let times: Vec<&str> = timeline.iter().filter_map(|line| line.get(..18)).collect();
    assert!(times.len() >= 6 && times.is_sorted(), "{applied}");
    assert!(!applied.contains(":  "), "{applied}");
}

#[test]
fn the_examples_say_how_they_are_used() {
    for name in ["daemon", "desktop"] {
        let usage = Command::new(program(name)).arg("one").output().unwrap();
        assert!(usage.stderr.starts_with(b"usage: ") && usage.status.code() == Some(2));
        let missing = Command::new(program(name)).args(["no such file", "x", "y", "1"]).output();
        let missing = missing.unwrap();
        assert!(missing.stderr.starts_with(b"io: ") && missing.status.code() == Some(1));
    }
}

/// What they do with a server is tested in tests/tests/examples.rs.
#[test]
fn without_a_server_the_examples_say_what_went_wrong_and_what_holds() {
    for name in ["online-c", "online-cpp"] {
        let folder = TempDir::new().unwrap();
        let keys = license("keys");
        let online = |arguments: &[&str]| {
            let mut command = Command::new(program(name));
            command.args(arguments).arg("machine=test").env("no_proxy", "127.0.0.1");
            command.output().unwrap()
        };
        let says = |output: &Output, status: i32, word: &str| {
            let right = output.status.code() == Some(status);
            assert!(right && output.stderr.starts_with(word.as_bytes()), "{}", shown(output));
        };
        let path = folder.path().to_str().unwrap();
        let nobody = "http://127.0.0.1:1";
        says(&online(&["one"]), 2, "usage: online URL ");
        says(&online(&[nobody, &keys, PRODUCT, path, "many"]), 2, "usage: online URL ");
        says(&online(&[nobody, "no such file", PRODUCT, path, "0"]), 1, "io: ");
        says(&online(&["ftp://x", &keys, PRODUCT, path, "0"]), 1, "invalid_argument: ");
        says(&online(&[nobody, &keys, PRODUCT, path, "0", "clok=0"]), 1, "invalid_argument: ");
        for key in [&[][..], &["ABCD-EFGH"]] {
            let all = [&[nobody, &keys, PRODUCT, path, "0"], key].concat();
            let unreachable = online(&all);
            says(&unreachable, 3, "unreachable: ");
            let told = r#"{"status": "not_licensed", "used": null, "last_contact": null}"#;
            assert_eq!(unreachable.stdout, format!("{told}\n").as_bytes(), "{name}");
        }
        says(&online(&[nobody, &keys, PRODUCT, path, "1"]), 1, "not_licensed: ");
    }
}
