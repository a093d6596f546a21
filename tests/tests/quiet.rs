//! Nothing in a license makes anyone fetch or open anything.

use licentia_tests::document::{Doc, sign_header};
use licentia_tests::signer::vendor;
use licentia_tests::story::{Step, Story};
use licentia_tests::{books, case::Case, case::Deed, paths, process, protocol};
use licentia_tests::{runner, runners, telling, topics};
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

/// Licenses that ask to be checked with what lies at a URL, each signed by the right key.
fn luring(url: &str) -> Vec<String> {
    let kid = vendor().kid();
    let header = |more: &str| {
        sign_header(format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"lic+jwt",{more}}}"#))
    };
    let members = ["jku", "x5u", "kid_url", "url", "iss", "jwks_uri", "crl"];
    let mut tokens: Vec<String> =
        members.iter().map(|name| header(&format!(r#""{name}":"{url}""#))).collect();
    tokens.push(sign_header(format!(r#"{{"alg":"EdDSA","kid":"{url}","typ":"lic+jwt"}}"#)));
    let claims = ["/iss", "/x-keys", "/license/x-server", "/license/customer/email"];
    tokens.extend(claims.iter().map(|claim| Doc::license().set(claim, url).sign()));
    tokens
}

#[test]
fn nobody_calls_the_url_in_a_license() {
    std::env::set_current_dir(paths::root()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let lines: Vec<String> = luring(&url)
        .into_iter()
        .map(|token| protocol::request(&Case::verify("luring", token)))
        .collect();
    let expected: Vec<String> = lines.iter().map(|line| runner::answer(line)).collect();
    let good = expected.iter().filter(|answer| answer.starts_with("ok")).count();
    assert_eq!((lines.len(), good), (12, 4), "members of a header are refused, claims are not");
    for language in ["c", "cpp", "python", "node"] {
        let Some(command) = runners::ready(language) else { continue };
        assert_eq!(process::converse(command, lines.clone()).unwrap(), expected, "{language}");
    }
    let called = listener.accept().map_err(|error| error.kind());
    assert_eq!(called.map(|_| ()), Err(ErrorKind::WouldBlock), "somebody called");
}

/// The same under strace, and the log of what it opens; `None` if there is none, which is printed.
fn traced(name: &str, runner: &Command) -> Option<(Command, PathBuf)> {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("skipped: there is no strace");
        return None;
    }
    let folder = paths::target().join("quiet");
    fs::create_dir_all(&folder).unwrap();
    let log = folder.join(format!("{name}.log"));
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=%network,openat,open", "-o"]).arg(&log);
    command.arg(runner.get_program()).args(runner.get_args());
    Some((command, log))
}

/// Over 10,000 calls, no socket is made, and no file is opened but those that settings name.
#[test]
fn no_call_of_the_c_library_makes_a_socket_or_follows_a_name() {
    let Some(runner) = runners::ready("c") else { return };
    let Some((command, log)) = traced("c-verify", &runner) else { return };
    let small = |case: &Case| matches!(case.deed, Deed::Verify | Deed::Inspect) && case.spaces == 0;
    let lines: Vec<String> =
        topics::committed().iter().filter(|case| small(case)).map(protocol::request).collect();
    let lines: Vec<String> = lines.iter().cycle().take(10_000).cloned().collect();
    process::converse(command, lines).unwrap();
    let calls = fs::read_to_string(&log).unwrap();
    assert!(calls.contains("first/root/etc/machine-id"), "the log shows what is opened");
    for name in ["socket(", "connect(", "sendto(", "/etc/passwd", "/dev/zero", "127.0.0.1"] {
        let found = calls.lines().find(|line| line.contains(name));
        assert_eq!(found, None, "{name}");
    }
}

/// Whatever is asked of an installation that has a license server, nobody goes there; but for the
/// calls that say so, of which one is made at the end, so that the log is known to show it.
#[test]
fn no_story_makes_a_socket_and_a_sync_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let site = Step::Site { name: "server".into(), value: server };
    let told = |story: Story| Story {
        steps: [site.clone()].into_iter().chain(story.steps).collect(),
        ..story
    };
    let every = if std::env::var_os("LICENTIA_SOAK").is_some() { 1 } else { 5 };
    let quiet = |story: &Story| {
        !story
            .steps
            .iter()
            .any(|it| matches!(it, Step::Call { .. } | Step::Sync | Step::Seat { .. }))
    };
    let stories = books::committed().into_iter().filter(quiet).step_by(every).map(told);
    let stories: Vec<Story> = stories.collect();
    for language in ["c", "cpp", "python", "node"] {
        let Some(runner) = runners::ready(language) else { continue };
        let Some((command, log)) = traced(language, &runner) else { return };
        let mut lines = telling::requests(&format!("quiet-{language}"), &stories);
        process::converse(command, lines.clone()).unwrap();
        assert_eq!(sockets(&log), Vec::<String>::new(), "{language}");
        let good = stories.iter().position(|story| story.expect == "ok").unwrap();
        lines = vec![format!("{}\tsite=proxy=none\tsync=", lines.swap_remove(good))];
        let (command, log) = traced(language, &runner).unwrap();
        let answers = process::converse(command, lines).unwrap();
        assert!(answers[0].starts_with("unreachable\t"), "{language}: {}", answers[0]);
        assert!(!sockets(&log).is_empty(), "{language}: the log shows no socket");
        println!("{language}: {} stories", stories.len());
    }
}

/// What was done to be in touch with somebody.
fn sockets(log: &PathBuf) -> Vec<String> {
    let calls = fs::read_to_string(log).unwrap();
    let touch = |line: &&str| ["socket(", "connect(", "sendto("].iter().any(|it| line.contains(it));
    calls.lines().filter(touch).map(str::to_string).collect()
}
