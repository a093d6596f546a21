//! Files that are written: whole or not at all, and nothing lost for them.

use crate::run::Folder;
use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

const ISSUE: &str = "issue --key keys/key.pem --product myapp --perpetual";

/// The names in a folder.
fn names(folder: &Folder, name: &str) -> Vec<String> {
    let entries = fs::read_dir(folder.path(name)).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<String> = entries.map(|entry| name(entry.unwrap())).collect();
    names.sort();
    names
}

/// Runs a command line where no file can have a byte, as on a disk that is full.
fn where_nothing_fits(folder: &Folder, line: &str) -> String {
    let plain = folder.command(&line.split_whitespace().collect::<Vec<_>>());
    let mut shell = Command::new("sh");
    // The signal is ignored, so that writing fails instead of ending the process.
    shell.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$@""#]);
    shell.arg(plain.get_program()).args(plain.get_args()).current_dir(folder.path("."));
    let run = folder.finish(shell, b"");
    assert_eq!((run.status, run.out.as_str()), (3, ""), "{line}: {run:?}");
    run.err
}

#[test]
fn a_private_key_is_not_written_over_by_force() {
    let folder = Folder::new();
    let key = folder.read("keys/key.pem");
    folder.write("encrypted.pem", "notes\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n");
    let report = "fingerprint --product myapp";
    for out in ["keys/key.pem", "encrypted.pem"] {
        let before = folder.read(out);
        for line in [ISSUE, report] {
            let line = format!("{line} --force --out {out}");
            assert_eq!(folder.fails(&line), "io", "{line}");
            assert!(folder.run(&line).err.contains("is a private key"), "{line}");
            assert_eq!(folder.read(out), before, "{line}");
        }
    }
    assert_eq!(folder.read("keys/key.pem"), key);
    assert_eq!(names(&folder, "keys"), ["key.jwks", "key.pem"]);
    folder.write("old.lic", "an old license");
    folder.run(&format!("{ISSUE} --force --out old.lic")).good();
}

#[test]
fn only_regular_files_are_replaced() {
    let folder = Folder::new();
    folder.write("target", "mine");
    symlink("target", folder.path("link")).unwrap();
    symlink("nowhere", folder.path("dangling")).unwrap();
    // Stands for a FIFO or a device too, and needs neither a tool nor a privilege to make.
    let _socket = UnixListener::bind(folder.path("socket")).unwrap();
    let before = names(&folder, ".");
    for out in ["link", "dangling", "socket", "keys", "/dev/null", "/dev/stdout"] {
        // Not by force: a program with this fault would take /dev/null from everybody.
        let force = if out.starts_with("/dev") { &[""][..] } else { &["", "--force"] };
        for force in force {
            let line = format!("{ISSUE} {force} --out {out}");
            assert_eq!(folder.fails(&line), "io", "{line}");
            assert!(folder.run(&line).err.contains("is not a regular file"), "{line}");
        }
    }
    assert_eq!(names(&folder, "."), before);
    assert_eq!(folder.read("target"), "mine");
    assert!(folder.path("link").is_symlink() && folder.path("dangling").is_symlink());
    assert!(fs::metadata(folder.path("socket")).unwrap().file_type().is_socket());
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let folder = Folder::new();
    let before = names(&folder, ".");
    for line in [
        format!("{ISSUE} --out a.lic"),
        "fingerprint --product myapp --out a.json".to_string(),
        "key sign-set --key keys/key.pem --product myapp --epoch 1 --keys keys/key.jwks --out s"
            .to_string(),
    ] {
        assert!(where_nothing_fits(&folder, &line).contains("(io)"), "{line}");
        assert_eq!(names(&folder, "."), before, "{line}");
    }
    where_nothing_fits(&folder, "key new --out keys --name next");
    assert_eq!(names(&folder, "keys"), ["key.jwks", "key.pem"]);

    folder.write("a.lic", "the old one");
    let with = names(&folder, ".");
    where_nothing_fits(&folder, &format!("{ISSUE} --force --out a.lic"));
    assert_eq!(folder.read("a.lic"), "the old one");
    assert_eq!(names(&folder, "."), with);
}

/// The longest path Linux takes has 4095 bytes: `.pem` fits there, `.jwks` is one too long.
#[test]
#[cfg(target_os = "linux")]
fn a_pair_of_keys_is_written_whole_or_not_at_all() {
    let folder = Folder::empty();
    let long = 4095 - "/key.pem".len();
    let deep = format!("{}{}", "d".repeat(87), format!("/{}", "d".repeat(199)).repeat(20));
    assert_eq!(deep.len(), long);
    assert_eq!(folder.json(&format!("key new --out {deep}"))["code"], "io");
    // The path from the root is too long to be opened: `find` goes there step by step.
    let output = Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn a_file_in_the_way_is_told_with_what_helps() {
    let folder = Folder::new();
    folder.write("a", "mine");
    folder.write("keys/b.jwks", "mine");
    let sign = "key sign-set --key keys/key.pem --product myapp --epoch 1 --keys keys/key.jwks";
    let key = "exists, and a key is never written over: use another --name";
    for (line, said) in [
        (format!("{ISSUE} --out a"), "a exists, and is written over only with --force"),
        ("fingerprint --product myapp --out a".into(), "a exists, and is written over only with"),
        (format!("{sign} --out a"), "a exists, and is not written over"),
        ("key new --out keys".into(), &format!("keys/key.pem {key}")),
        ("key new --out keys --name b".into(), &format!("keys/b.jwks {key}")),
    ] {
        assert_eq!(folder.fails(&line), "io", "{line}");
        let err = folder.run(&line).err;
        assert!(err.contains(said) && !err.contains("os error"), "{line}: {err}");
    }
}

#[test]
fn a_dash_is_standard_output() {
    let folder = Folder::new();
    let before = names(&folder, ".");
    let sign = "key sign-set --key keys/key.pem --product myapp --epoch 1 --keys keys/key.jwks";
    let report = "fingerprint --product myapp";
    for (line, starts) in [(ISSUE, "eyJ"), (sign, "eyJ"), (report, "{\n  \"v\": 1,")] {
        let printed = folder.run(&format!("{line} --out -")).good();
        assert!(printed.starts_with(starts), "{line}: {printed}");
        assert_eq!(folder.json(&format!("{line} --out -"))["code"], "ok");
    }
    folder.run(&format!("{report} --out - --force")).good();
    assert_eq!(names(&folder, "."), before);
}
