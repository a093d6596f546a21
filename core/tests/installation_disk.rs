//! A disk that fails and one that is full, under real processes: by strace, which makes the
//! kernel's answers fail, and on a file system of some KiB.
#![cfg(target_os = "linux")]

mod installation_support;

use installation_support::children::{self, Counted, METERS, Noted, Start};
use installation_support::dice::Dice;
use installation_support::*;
use licentia::{Code, Installation};
use std::fs;
use std::path::Path;
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
    log.contains("(INJECTED)") || killed
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
    assert!(injected * 4 > runs * 3, "{injected} of {runs}");
}
