//! What the kernel saw of the library, by strace.

use crate::fixtures::fixtures;
use crate::library::{has, library, read, run, skip, source};
use std::path::Path;
use std::process::Command;

fn can_trace() -> bool {
    let mut probe = Command::new("strace");
    has("strace") && probe.args(["-o", "/dev/null", "true"]).status().unwrap().success()
}

/// The system calls of a program, as names and what is in their parentheses and after.
fn trace(program: &Path, arguments: &[&str], what: &str) -> Vec<(String, String)> {
    let log = program.with_extension("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "--seccomp-bpf", "-e"]).arg(format!("trace={what}"));
    run(strace.arg("-o").arg(&log).arg(program).arg(fixtures()).args(arguments));
    // A line is `123 openat(AT_FDCWD, "x", O_RDONLY) = 3` or `123 +++ exited with 0 +++`.
    let log = read(log);
    let calls = log.lines().filter_map(|line| line.split_once(' ')?.1.trim().split_once('('));
    let calls: Vec<_> = calls.map(|(name, rest)| (name.to_string(), rest.to_string())).collect();
    assert_eq!(calls.iter().filter(|(name, _)| name == "execve").count(), 1, "strace sees nothing");
    calls
}

const READING: &[&str] = &[
    "access",
    "arch_prctl",
    "execve",
    "exit_group",
    "faccessat2",
    "getcwd",
    "newfstatat",
    "openat",
    "readlink",
    "readlinkat",
    "statfs",
    "statx",
];

fn writes(what: &str) -> bool {
    ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| what.contains(flag))
}

/// No socket, no thread, no program started, no file opened for writing.
#[test]
fn the_library_only_reads() {
    if !can_trace() {
        return skip("what the kernel sees: strace is not installed, or may not trace");
    }
    let walk = library().host("walk-strace", &source("walk.c"), &[]);
    let calls = trace(&walk, &["1"], "%network,%process,%file,io_uring_setup");
    assert!(calls.iter().any(|(_, what)| what.contains("bad_signature")), "strace sees files");
    for (name, what) in &calls {
        assert!(READING.contains(&&**name), "{name}({what}");
        assert!(!writes(what), "{name}({what}");
    }
}

/// The same of an installation, but that it writes in its folder, and leaves no file open to a
/// program that the host starts.
#[test]
fn an_installation_writes_in_its_folder_only() {
    if !can_trace() {
        return skip("what the kernel sees: strace is not installed, or may not trace");
    }
    let walk = library().host("walk-strace-installation", &source("walk.c"), &[]);
    let traced = "%network,%process,%file,fchmod,fchown,io_uring_setup";
    let mut calls = trace(&walk, &["1", "installation"], traced);
    // Nor where it is asked for what needs a server, and none is configured.
    calls.extend(trace(&walk, &["1", "seat"], traced));
    let folder = format!("{}/installation-", fixtures().display());
    let mut written = 0;
    for (name, what) in &calls {
        let changes = ["rename", "renameat", "renameat2", "fchmod", "fchown"].contains(&&**name);
        let by_host = ["mkdir", "rmdir", "unlink"].contains(&&**name);
        assert!(changes || by_host || READING.contains(&&**name), "{name}({what}");
        if changes || by_host || writes(what) {
            assert!(what.contains(&folder), "{name}({what}");
            written += 1;
        }
        let opened = name == "openat" && what.contains(&folder) && !what.contains("O_DIRECTORY");
        assert!(!opened || what.contains("O_CLOEXEC"), "{name}({what}");
    }
    assert!(written > 20, "{written} calls that write");
}

/// Nor do as many records that do not wait for the disk: it is asked once a second.
#[test]
fn ten_thousand_questions_open_no_socket() {
    if !can_trace() {
        return skip("sockets: strace is not installed, or may not trace");
    }
    let ask = library().host("ask", &source("ask.c"), &[]);
    let mut waits = 0;
    for (name, what) in trace(&ask, &["10000"], "%network,%process,fsync,fdatasync,io_uring_setup")
    {
        match &*name {
            "fsync" | "fdatasync" => waits += 1,
            _ => assert!(["execve", "arch_prctl", "exit_group"].contains(&&*name), "{name}({what}"),
        }
    }
    assert!((1..1000).contains(&waits), "it waited for the disk {waits} times");
}
