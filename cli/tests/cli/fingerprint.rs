//! `fingerprint`.

use crate::machine_support::Fixture;
use crate::run::Folder;
use serde_json::{Value, json};

const HERE: &str = "fingerprint --product myapp";

#[test]
fn the_table_and_the_report_say_the_same() {
    let folder = Folder::empty();
    folder.machine("server-dell");
    let line = format!("{HERE} --machine-root server-dell");
    let text = folder.run(&line).good();
    let object = folder.json(&line);
    let id = object["id"].as_str().unwrap();
    assert!(text.contains(id), "{text}");
    for part in object["components"].as_array().unwrap() {
        let row = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let hash = part["hash"].as_str().unwrap_or("-");
            words.len() > 3
                && part["kind"] == words[0]
                && part["state"] == words[1]
                && (words[2] == "yes") == (part["binds"] == true)
                && words[3] == hash
        };
        assert!(text.lines().find(row).is_some(), "{part} is not in {text}");
    }
    folder.run(&format!("{line} --out r.json")).good();
    let mut written: Value = serde_json::from_str(&folder.read("r.json")).unwrap();
    written["code"] = json!("ok");
    assert_eq!(written, object);
    assert_eq!(folder.fails(&format!("{line} --out r.json")), "io");
    folder.run(&format!("{line} --out r.json --force")).good();
}

#[test]
fn no_raw_value_leaves_the_machine() {
    let folder = Folder::empty();
    for name in ["server-dell", "vm-kvm", "container-docker"] {
        folder.machine(name);
        let line = format!("{HERE} --machine-root {name}");
        let printed = folder.run(&line).good() + &folder.json(&line).to_string();
        // Words such as the name of a hypervisor are told on purpose; ids and serials are not.
        for value in Fixture::named(name).raw_values() {
            let id = value.len() >= 8 && value.chars().any(|c| c.is_ascii_digit());
            assert!(!id || !printed.contains(&value), "{name}: {value} was printed");
        }
    }
}

#[test]
fn what_is_excluded_is_not_read() {
    let folder = Folder::empty();
    folder.machine("server-dell");
    let object = folder.json(&format!("{HERE} --machine-root server-dell --exclude nic,disk"));
    for part in object["components"].as_array().unwrap() {
        let out = part["kind"] == "nic" || part["kind"] == "disk";
        assert_eq!(part["state"] == "excluded", out, "{part}");
    }
}

#[test]
fn this_machine_has_a_report_whatever_it_is() {
    let folder = Folder::empty();
    let object = folder.json(HERE);
    assert_eq!((&object["code"], &object["v"]), (&json!("ok"), &json!(1)));
    assert!(folder.run(HERE).good().contains("machine_id"));
}

#[test]
fn an_identity_is_the_machine() {
    let folder = Folder::empty();
    folder.write("id", "cluster-1");
    let object = folder.json(&format!("{HERE} --machine id"));
    assert_eq!(object["components"].as_array().unwrap().len(), 1);
    assert_eq!(object["components"][0]["kind"], "identity");
    assert!(!object.to_string().contains("cluster-1"));
    let piped = [&HERE.split(' ').collect::<Vec<_>>()[..], &["--machine", "-", "--json"]].concat();
    assert_eq!(folder.json_words(&piped, b"cluster-1\n"), object);
}

#[test]
fn a_machine_with_too_little_is_told_what_to_do() {
    let folder = Folder::empty();
    folder.write("id", "cluster-1");
    folder.machine("server-dell");
    folder.machine("container-docker");
    let most = "nic,disk,machine_id,asset_tag,board,cloud";
    for (more, weak) in [
        ("--machine-root container-docker", true),
        ("--machine-root container-docker --out r.json", true),
        (&format!("--machine-root server-dell --exclude {most}"), true),
        ("--machine-root server-dell", false),
        ("--machine id", false),
    ] {
        let line = format!("{HERE} {more}");
        let run = folder.run(&line);
        assert_eq!(run.err.contains("note: too little here to bind"), weak, "{line}: {run:?}");
        assert_eq!(run.err.contains("with --machine\n"), weak, "{line}: {run:?}");
        run.good();
    }
    // For programs it is the report alone.
    folder.json(&format!("{HERE} --machine-root container-docker"));
}

#[test]
fn a_private_key_is_no_identity() {
    let folder = Folder::new();
    let line = format!("{HERE} --machine keys/key.pem");
    assert_eq!(folder.fails(&line), "invalid_argument");
    let err = folder.run(&line).err;
    assert!(err.contains("keys/key.pem is a private key, not a machine's identity"), "{err}");
}

#[test]
fn wrong_questions_are_refused() {
    let folder = Folder::empty();
    for (line, code) in [
        ("fingerprint", "invalid_argument"),
        ("fingerprint --product My", "invalid_argument"),
        ("fingerprint --product myapp --exclude tail", "invalid_argument"),
        ("fingerprint --product myapp --force", "invalid_argument"),
        ("fingerprint --product myapp --machine-root nowhere", "io"),
        ("fingerprint --product myapp --machine nowhere", "io"),
        ("fingerprint --product myapp --out no/where", "io"),
    ] {
        assert_eq!(folder.fails(line), code, "{line}");
    }
}
