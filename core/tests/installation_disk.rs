//! A disk that fails and one that is full, under real processes: by strace, which makes the
//! kernel's answers fail, and on a file system of some KiB.
#![cfg(target_os = "linux")]

mod installation_support;

use installation_support::children::{self, Counted, METERS, Noted, Start};
use installation_support::dice::Dice;
use installation_support::*;
use licentia::{Code, Installation};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn a_child() {
    children::live();
}

/// A system call, what becomes of it, and what a caller of the library may be told then.
const FAULTS: &[(&str, &str, &[Code])] = &[
    ("fdatasync", "error=EIO", &[Code::Io]),
    ("fdatasync", "error=ENOSPC", &[Code::DiskFull]),
    ("fdatasync", "error=EDQUOT", &[Code::DiskFull]),
    ("fdatasync", "error=EINTR", &[]),
    ("fdatasync", "signal=KILL", &[]),
    ("fsync", "error=EIO", &[Code::Io]),
    ("fsync", "error=ENOSPC", &[Code::DiskFull]),
    ("fsync", "error=EINTR", &[]),
    ("fsync", "signal=KILL", &[]),
    ("pwrite64", "error=EIO", &[Code::Io]),
    ("pwrite64", "error=ENOSPC", &[Code::DiskFull]),
    ("pwrite64", "error=EINTR", &[]),
    ("pwrite64", "signal=KILL", &[]),
    ("rename", "error=EIO", &[Code::Io]),
    ("rename", "error=ENOSPC", &[Code::DiskFull]),
    ("rename", "error=EROFS", &[Code::StateUnavailable]),
    ("rename", "signal=KILL", &[]),
    ("flock", "error=EINTR", &[]),
    ("flock", "error=EIO", &[Code::Io]),
    ("flock", "error=ENOLCK", &[Code::Io, Code::StateUnavailable]),
];

fn can_trace() -> bool {
    let mut probe = Command::new("strace");
    probe.args(["-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"]);
    probe.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn opened(folder: &Path) -> Installation {
    let it = product().open(folder).unwrap();
    it.apply(children::counted().as_bytes()).unwrap();
    it
}

/// One process that records while the disk fails, and what is there after it.
fn fail(folder: &Path, sum: &mut Noted, fault: &(&str, &str, &[Code]), when: &str) -> bool {
    let (call, what, codes) = fault;
    let aside = self::folder();
    let (log, notes) = (aside.path().join("log"), aside.path().join("notes"));
    let inject = format!("inject={call}:{what}:when={when}");
    let strace =
        ["strace", "-f", "-qq", "-o", log.to_str().unwrap(), "-e", &inject].map(String::from);
    let ended = Start::new(folder, &notes, "60").by(&strace).wait().unwrap();
    let log = fs::read_to_string(log).unwrap();
    let killed = what.starts_with("signal") && log.contains("+++ killed");
    assert!(ended.success() || killed, "{inject}: {ended}");
    let noted = Noted::read(&notes);
    for code in &noted.failed {
        assert!(codes.contains(code), "{inject}: {code:?}");
    }
    // What fails at the end, when nobody is told any more, is at most two syncs.
    let injected = log.matches("(INJECTED)").count();
    if !codes.is_empty() && *call != "pwrite64" {
        assert!(noted.failed.len() + 2 >= injected, "{inject}: {injected} {noted:?}");
    }
    sum.add(&noted);

    let after = product().open(folder).unwrap();
    let counted = Counted::read(&after);
    sum.hold(&counted, sum);
    for meter in METERS {
        after.record(meter, 1).unwrap();
    }
    let next = Counted::read(&product().open(folder).unwrap());
    assert_eq!(next.meters, counted.meters.map(|count| count + 1), "{inject}");
    let found = status(&after);
    assert_eq!((&found["state"]["ok"], &found["in_force"]), (&true.into(), &true.into()));
    sum.settle(&next);
    injected > 0 || killed
}

#[test]
fn whatever_the_kernel_answers_nothing_is_acknowledged_that_is_not_there() {
    if !can_trace() {
        return skip("failing system calls (strace is missing, or may not trace)");
    }
    let folder = folder();
    opened(folder.path());
    let (runs, mut injected, mut dice) = (rounds(FAULTS.len()), 0, Dice(44));
    let mut sum = Noted::default();
    for run in 0..runs {
        let fault = &FAULTS[run % FAULTS.len()];
        let first = 1 + dice.below(12);
        let when = match dice.below(3) {
            _ if fault.1.starts_with("signal") => first.to_string(),
            0 => first.to_string(),
            1 if !fault.1.ends_with("EINTR") => format!("{first}+"),
            _ => format!("{first}+{}", 2 + dice.below(4)),
        };
        injected += usize::from(fail(folder.path(), &mut sum, fault, &when));
    }
    tried(&format!("{runs} runs with a failing disk, {injected} of them failed somewhere"));
    assert!(injected * 3 > runs * 2, "{injected} of {runs}");
}

/// The size of the file system that a test is on, and where it is.
const SIZE: &str = "LICENTIA_TEST_SIZE";
const MOUNT: &str = "LICENTIA_TEST_MOUNT";

/// Runs a test on a file system of `size` of its own, which goes with the process.
fn on_a_small_disk(test: &str, size: &str) {
    let folder = folder();
    let script = "mount -t tmpfs -o size=$LICENTIA_TEST_SIZE tmpfs \"$LICENTIA_TEST_MOUNT\"";
    let small = |unshare: &str, script: &str| {
        let mut command = Command::new("unshare");
        command.args([unshare, "sh", "-c", script]).arg(std::env::current_exe().unwrap());
        command.args(["--exact", test, "--ignored"]);
        command.env(SIZE, size).env(MOUNT, folder.path()).stdin(Stdio::null());
        command
    };
    let works = |unshare: &&str| {
        let mut probe = small(unshare, script);
        probe.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let Some(unshare) = ["-m", "-rm"].into_iter().find(works) else {
        return skip("a full disk (a file system for it cannot be mounted here)");
    };
    let output = small(unshare, &format!("{script} && exec \"$0\" \"$@\"")).output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("1 passed"), "{}", text(&output.stdout));
}

fn the_disk() -> Option<PathBuf> {
    std::env::var_os(MOUNT).map(PathBuf::from)
}

/// Writes until nothing more fits.
fn fill(file: &Path) {
    let mut file = fs::File::create(file).unwrap();
    while file.write(&[1; 512]).is_ok_and(|written| written > 0) {}
}

fn code<T>(result: licentia::Result<T>) -> Option<Code> {
    result.err().map(|error| error.code())
}

/// What needs no room goes on.
fn goes_on(it: &Installation) {
    let found = status(it);
    assert_eq!((&found["in_force"], it.allows("reports")), (&true.into(), true), "{found}");
    it.explain(None).unwrap();
    it.request("license", None).unwrap();
    it.request("sync", None).unwrap();
}

#[test]
#[ignore = "run by the other tests, on a file system of its own"]
fn without_room_to_begin() {
    let Some(disk) = the_disk() else { return };
    let mut it = product().open(&disk).unwrap();
    let found = status(&it);
    assert_eq!(
        (&found["state"]["ok"], &found["state"]["code"]),
        (&false.into(), &"disk_full".into())
    );
    assert_eq!(code(it.apply(children::counted().as_bytes())), Some(Code::DiskFull));
    assert_eq!(code(it.request("license", None)), Some(Code::DiskFull));
    it.set("license", &children::counted()).unwrap();
    assert!(it.allows("reports") && status(&it)["in_force"] == true);
    assert_eq!(code(it.record("waited", 1)), Some(Code::DiskFull));
}

#[test]
fn a_disk_that_is_too_small_is_named() {
    on_a_small_disk("without_room_to_begin", "256k");
}

#[test]
#[ignore = "run by the other tests, on a file system of its own"]
fn until_it_is_full_and_after() {
    let Some(disk) = the_disk() else { return };
    let it = opened(&disk);
    it.record("waited", 1).unwrap();
    let filler = disk.join("filler");
    fill(&filler);
    assert_eq!(code(it.remove()), Some(Code::DiskFull));
    assert_eq!(code(it.first_use(None)), Some(Code::DiskFull));
    let renewal = license(|it| it.iat = NOW + 1);
    assert_eq!(code(it.apply(renewal.as_bytes())), Some(Code::DiskFull));
    goes_on(&it);
    // There is room for records until their file is full.
    let mut counted = 1;
    let full = loop {
        match it.record("waited", 1) {
            Ok(()) => counted += 1,
            Err(error) => break error,
        }
        assert!(counted < 10_000, "the disk is full");
    };
    assert_eq!(full.code(), Code::DiskFull, "{full}");
    assert!(counted > 1000, "{counted}");
    let again = product().open(&disk).unwrap();
    for it in [&it, &again] {
        goes_on(it);
        assert_eq!(code(it.record("later", 1)), Some(Code::DiskFull));
        assert_eq!(code(it.record_level("users", 1)), Some(Code::DiskFull));
        assert_eq!(Counted::read(it).meters, [counted, 0]);
    }
    fs::remove_file(&filler).unwrap();
    again.record("waited", 1).unwrap();
    it.record("later", 1).unwrap();
    it.apply(renewal.as_bytes()).unwrap();
    it.first_use(None).unwrap();
    let last = product().open(&disk).unwrap();
    assert_eq!(status(&last)["license"]["issued_at"], NOW + 1);
    assert_eq!(status(&last)["state"]["ok"], true);
    let usage = |feature| last.usage(feature).map(|usage| usage.used);
    last.apply_older(children::counted().as_bytes()).unwrap();
    assert_eq!((usage("waited").unwrap(), usage("later").unwrap()), (counted + 1, 1));
}

#[test]
fn a_full_disk_stops_no_answer_and_heals_with_room() {
    on_a_small_disk("until_it_is_full_and_after", "1280k");
}
