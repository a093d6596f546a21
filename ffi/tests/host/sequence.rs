//! Sequences of calls that nobody thought of.

use crate::fixtures::fixtures;
use crate::library::{has, library, repository, run, skip, source};
use std::env;
use std::path::PathBuf;
use std::process::Command;

/// By a generator: the same sequences every time.
#[test]
fn any_sequence_of_calls_is_answered() {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1"];
    let flags = [&flags[..], &["-std=gnu11"]].concat();
    let host = library().host("sequence", &source("sequence.c"), &flags);
    run(Command::new(host).arg(fixtures()).args(["1", "500"]));
}

/// By libFuzzer, which sees which branches of the library a sequence takes. `LICENTIA_RUNS` is
/// how many sequences, if not ten million.
#[test]
#[ignore = "takes an hour: make soak"]
fn libfuzzer_finds_no_sequence_of_calls_that_fails() {
    let runs = env::var("LICENTIA_RUNS").unwrap_or_else(|_| "10000000".to_string());
    let program = library().place("fuzzer");
    let mut clang = Command::new("clang");
    clang.arg("-fsanitize=fuzzer,address").arg("-DFUZZER").arg("-I").arg(source(""));
    clang.arg("-I").arg(repository().join("include")).arg(source("sequence.c"));
    clang.arg("-g").arg("-O1").arg("-o").arg(&program);
    let instrumented = instrumented();
    let folder = instrumented.parent().unwrap();
    clang.arg(&instrumented).arg(format!("-Wl,-rpath,{}", folder.display()));
    if !has("clang") || !clang.status().unwrap().success() {
        return skip("fuzzing the C functions: clang with libFuzzer is not installed");
    }
    let found = library().place("found-");
    let mut fuzzer = Command::new(program);
    fuzzer.arg(format!("-runs={runs}")).args(["-max_len=96", "-verbosity=0"]);
    fuzzer.arg(format!("-artifact_prefix={}", found.display())).env("FIXTURES", fixtures());
    run(&mut fuzzer);
}

/// The library with a counter for every branch, in a target folder of its own.
fn instrumented() -> PathBuf {
    let version = run(Command::new("rustc").arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let folder = repository().join("target/counted");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet", "--package", "licentia-ffi", "--lib"]);
    cargo.args(["--release", "--target", host, "--target-dir"]).arg(&folder);
    let mut flags = String::from("-Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module");
    for option in ["level=4", "inline-8bit-counters", "pc-table", "trace-compares"] {
        flags += &format!(" -Cllvm-args=-sanitizer-coverage-{option}");
    }
    cargo.env("RUSTFLAGS", flags).env("CARGO_PROFILE_RELEASE_LTO", "off");
    run(cargo.current_dir(repository()));
    let built = folder.join(host).join("release");
    let soname = built.join("liblicentia.so.1");
    let _ = std::fs::remove_file(&soname);
    std::os::unix::fs::symlink("liblicentia.so", soname).unwrap();
    built.join("liblicentia.so")
}
