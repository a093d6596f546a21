//! The library in a process: threads, forks, loading, and what belongs to the process.

use crate::fixtures::fixtures;
use crate::library::{has, library, read, release, run, skip, source};
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

/// A walk is 70 calls and more.
#[test]
fn nothing_of_the_process_changes() {
    run(Command::new(host("process_state")).arg(fixtures()).arg(times(100, 1500)));
}

#[test]
fn children_of_a_busy_parent_verify() {
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

/// What the kernel saw: no socket, no thread, no program started, no file opened for writing.
#[test]
fn the_library_only_reads() {
    let mut probe = Command::new("strace");
    if !has("strace") || !probe.args(["-o", "/dev/null", "true"]).status().unwrap().success() {
        return skip("what the kernel sees: strace is not installed, or may not trace");
    }
    let reading = "access arch_prctl execve exit_group faccessat2 getcwd newfstatat openat \
                   readlink readlinkat statfs statx";
    let reading: Vec<&str> = reading.split_whitespace().collect();
    let walk = library().host("walk-strace", &source("walk.c"), &[]);
    let log = library().place("strace.log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-e", "trace=%network,%process,%file,io_uring_setup", "-o"]);
    run(strace.arg(&log).arg(walk).arg(fixtures()).arg("1"));

    // A line is `123 openat(AT_FDCWD, "x", O_RDONLY) = 3` or `123 +++ exited with 0 +++`.
    let log = read(log);
    let calls = log.lines().filter_map(|line| line.split_once(' ')?.1.trim().split_once('('));
    let calls: Vec<(&str, &str)> = calls.collect();
    assert!(calls.iter().any(|(_, what)| what.contains("bad_signature")), "strace sees files");
    for (name, what) in &calls {
        assert!(reading.contains(name), "{name}({what}");
        let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| what.contains(flag));
        assert!(!writes, "{name}({what}");
    }
    assert_eq!(calls.iter().filter(|(name, _)| *name == "execve").count(), 1);
}
