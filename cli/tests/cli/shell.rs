//! What a shell relies on: exit statuses, pipes, colors, completions, the manual.

use crate::run::Folder;
use serde_json::json;
use std::fs::OpenOptions;
use std::process::Stdio;

#[test]
fn help_is_good_and_slips_are_wrong_usage() {
    let folder = Folder::empty();
    for line in ["--help", "-h", "help", "--version", "key --help", "issue -h", "--json --help"] {
        let run = folder.run(line);
        assert!(run.status == 0 && run.err.is_empty() && !run.out.is_empty(), "{line}: {run:?}");
    }
    for line in ["frob", "--frob", "key", "key frob", "verify --keys", "issue --json=yes"] {
        let run = folder.run(line);
        assert!(run.status == 2 && run.out.is_empty() && !run.err.is_empty(), "{line}: {run:?}");
        let object = folder.json(line);
        assert_eq!(object["code"], "invalid_argument", "{line}");
        assert!(!object["message"].as_str().unwrap().contains('\n'), "{object}");
    }
    assert_eq!(folder.run("").status, 2);
    assert_eq!(folder.json("")["message"], "a command is missing");
}

#[test]
fn standard_input_is_read_once() {
    let folder = Folder::new();
    folder.issue("--perpetual");
    for line in [
        "verify --keys - --product myapp -",
        "verify --keys - --keys - --product myapp a.lic",
        "verify --keys keys/key.jwks --product myapp --machine - -",
        "inspect --keys - -",
        "issue --key - --product myapp --perpetual --bind -",
        "status --dir . --keys - --product myapp --machine -",
        "apply --dir . --keys - --product myapp -",
        "key sign-set --key - --keys - --product myapp --epoch 1",
    ] {
        assert_eq!(folder.fails(line), "invalid_argument", "{line}");
    }
    let keys = folder.read("keys/key.jwks");
    let line = ["verify", "--keys", "-", "--product", "myapp", "a.lic"];
    folder.run_words(&line, keys.as_bytes()).good();
    let pem = folder.run("key show --pem keys/key.jwks").good();
    for text in [keys.trim(), pem.as_str()] {
        let text = format!("--keys={text}");
        folder.run_words(&["verify", &text, "--product", "myapp", "a.lic"], b"").good();
    }
}

#[test]
fn a_reader_that_leaves_changes_nothing() {
    let folder = Folder::new();
    folder.issue("--perpetual");
    let good = ["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic"];
    let bad = ["verify", "--keys", "keys/key.jwks", "--product", "other", "a.lic", "--json"];
    for (args, status) in [(&good[..], 0), (&bad[..], 1), (&["completions", "bash"][..], 0)] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(args);
        let output = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_is_lost_is_a_failure() {
    let folder = Folder::new();
    for line in ["issue --key keys/key.pem --product myapp --perpetual", "--help"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = folder.command(&line.split(' ').collect::<Vec<_>>());
        let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{line}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("(disk_full)"), "{said}");
    }
}

#[test]
fn colors_are_for_terminals() {
    let folder = Folder::new();
    folder.issue("--perpetual");
    let line = ["verify", "--keys", "keys/key.jwks", "--product", "myapp", "a.lic"];
    assert!(!folder.run_words(&line, b"").good().contains('\u{1b}'));
    for (name, colored) in [("CLICOLOR_FORCE", true), ("NO_COLOR", false)] {
        let mut command = folder.command(&line);
        command.env(name, "1");
        let out = folder.finish(command, b"").good();
        assert_eq!(out.contains("\u{1b}[0m"), colored, "{name}: {out:?}");
    }
}

#[test]
fn shells_and_man_get_what_they_need() {
    let folder = Folder::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.json(&format!("completions {shell}"))["completions"].clone();
        let script = script.as_str().unwrap();
        assert!(script.contains("fingerprint") && script.contains("bind-this-machine"), "{shell}");
    }
    assert_eq!(folder.fails("completions tcsh"), "invalid_argument");
    let page = folder.json("man")["page"].clone();
    assert!(page.as_str().unwrap().contains(".TH licentia"), "{page}");
    assert_eq!(folder.json("man --out pages")["folder"], json!("pages"));
    for name in ["licentia", "licentia-issue", "licentia-key-new", "licentia-fingerprint"] {
        assert!(folder.read(&format!("pages/{name}.1")).contains(".TH"), "{name}");
    }
    folder.write("file", "");
    assert_eq!(folder.fails("man --out file"), "io");
}
