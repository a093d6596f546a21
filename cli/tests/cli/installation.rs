//! The commands that tend an installation.

use crate::place::{DAY, Place};
use crate::run::Folder;
use licentia::issue;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A license with one meter of each kind.
fn metered(place: &Place) {
    place.folder.issue(
        "--days 90 --feature audit --entitlement requests=10/month --entitlement users=3 \
         --entitlement hosts=2/30d --entitlement calls=5/day,count",
    );
    place.run("apply a.lic").good();
}

#[test]
fn asking_writes_nothing_and_makes_nothing() {
    let place = Place::new();
    metered(&place);
    place.run("record requests 2").good();
    fs::create_dir(place.folder.path("new")).unwrap();
    let before = place.snapshot();
    for command in ["status", "explain", "usage", "usage requests", "simulate --at 2099-01-01"] {
        place.run(command);
        place.json(command);
        // A clock that has gone on is not noted either.
        place.run(&format!("{command} --set clock={}", place.start + 20 * DAY));
        for folder in ["new", "nowhere", "a.lic"] {
            let line = place.line(command).replace("--dir state", &format!("--dir {folder}"));
            place.folder.run(&line);
        }
        assert_eq!(place.snapshot(), before, "{command}");
    }
    assert!(!place.folder.path("nowhere").exists());
}

#[test]
fn the_json_is_that_of_the_library_with_the_code_first() {
    let place = Place::new();
    metered(&place);
    let object = place.json("status");
    let product = {
        let keys = place.folder.read("keys/key.jwks");
        licentia::Product::new("myapp", &keys).unwrap()
    };
    let state = product.open_to_read(place.folder.path("state")).unwrap();
    let mut wanted: Value = serde_json::from_str(&state.status(None).unwrap()).unwrap();
    wanted["code"] = json!("ok");
    // A second may have gone by.
    for moment in ["/at", "/time/now", "/time/clock", "/time/floor", "/time/message"] {
        if let Some(place) = wanted.pointer_mut(moment) {
            *place = object.pointer(moment).unwrap().clone();
        }
    }
    assert_eq!(object, wanted);
    let at = place.start + 200 * DAY;
    let then = place.json(&format!("simulate --at {at}"));
    assert_eq!((&then["code"], &then["at"]), (&json!("expired"), &json!(at)));
    assert_eq!(place.json("explain")["code"], "ok");
    assert_eq!(place.json(&format!("explain --at {at}"))["code"], "expired");
}

#[test]
fn a_license_is_applied_and_removed() {
    let place = Place::new();
    let first = place.folder.issue("--days 90 --customer Old");
    let old = place.folder.read("a.lic");
    let run = place.run("apply a.lic").good();
    assert!(run.starts_with("applied: a license\nIn force until 20"), "{run}");
    let again = place.json("apply a.lic");
    assert_eq!((&again["applied"], &again["in_force"]), (&json!("license"), &json!(true)));
    place.issue(|claims| claims.iat += 1);
    place.folder.write("newer.lic", place.folder.read("a.lic"));
    assert_eq!(place.json("apply newer.lic")["code"], "ok");
    place.folder.write("old.lic", &old);
    assert_eq!(place.fails("apply old.lic"), "older_than_installed");
    assert!(place.run("apply old.lic").err.contains("note: --older applies it"));
    assert_eq!(place.json("status")["license"]["valid_until"], Value::Null);
    place.run("apply --older old.lic").good();
    assert!(!place.json("status")["license"]["valid_until"].is_null());

    let (signed, _) = first.rsplit_once('.').unwrap();
    place.folder.write("forged.lic", format!("{signed}.{}", "A".repeat(86)));
    place.folder.write("nonsense", "nonsense");
    let before = place.json("status")["license"].clone();
    for (file, code) in [
        ("forged.lic", "bad_signature"),
        ("nonsense", "malformed"),
        ("keys/key.jwks", "malformed"),
        ("nowhere", "io"),
        ("", "invalid_argument"),
        ("/dev/zero", "too_large"),
    ] {
        assert_eq!(place.fails(&format!("apply {file}")), code, "{file}");
        assert_eq!(place.json("status")["license"], before, "{file}");
    }
    assert_eq!(place.json("remove")["removed"], json!(true));
    assert_eq!(place.json("remove")["removed"], json!(false));
    let said = place.run("remove").good();
    assert_eq!(said, "there was no license to remove\nStopped: there is no license\n");
    let piped = place.line("apply -");
    let words: Vec<&str> = piped.split_whitespace().collect();
    place.folder.run_words(&words, old.as_bytes()).good();
    let twice = place.line("apply --machine - -");
    assert_eq!(place.folder.fails(&twice), "invalid_argument");
}

#[test]
fn a_request_becomes_a_license_for_this_machine() {
    let place = Place::new();
    place.folder.machine("server-dell");
    place.folder.machine("server-dell-two");
    let line = "request --machine-root server-dell";
    let text = place.run(line).good();
    assert!(text.starts_with("eJ") && text.ends_with("=\n") || text.len() > 100, "{text}");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(place.json(line)["what"], "license");
    place.run(&format!("{line} --out request.txt")).good();
    assert_eq!(place.fails(&format!("{line} --out request.txt")), "io");
    let asked = issue::read_request(place.folder.read("request.txt").as_bytes()).unwrap();
    assert_eq!(asked.product, "myapp");
    place.folder.issue("--days 30 --feature a --bind request.txt");
    place.run("apply --machine-root server-dell a.lic").good();
    assert_eq!(place.json("status --machine-root server-dell-two")["code"], "wrong_machine");

    for what in ["license", "clock", "sync"] {
        let asked = place.json(&format!("request {what}"));
        let asked = issue::read_request(asked["request"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(asked.what, what);
    }
    assert_eq!(place.fails("request money"), "invalid_argument");
    assert_eq!(place.fails("request --argument x"), "invalid_argument");
    let by_license = place.json("request activation");
    let by_license = by_license["request"].as_str().unwrap();
    assert_eq!(issue::read_request(by_license.as_bytes()).unwrap().key, None);
    let key = place.json("request activation --argument ABCD-4711");
    let key = issue::read_request(key["request"].as_str().unwrap().as_bytes()).unwrap().key;
    assert_eq!(key.as_deref(), Some("ABCD-4711"));
    let bare = Place::new();
    assert_eq!(bare.fails("request renewal"), "not_licensed");
    place.run("request renewal --machine-root server-dell --out renewal.txt").good();
    place.folder.issue("--days 60 --feature a --bind renewal.txt");
    let redeem = "redeem --key keys/key.pem renewal.txt";
    assert_eq!(place.folder.fails(redeem), "wrong_kind");
    assert_eq!(place.fails("request --qr --out a.svg"), "invalid_argument");
    assert_eq!(place.fails("request --force"), "invalid_argument");
    assert!(place.run("request --qr").good().contains('▀'));
    place.run("request --out a.svg").good();
    assert!(place.folder.read("a.svg").contains("<svg"));
    place.run("request --out a.png").good();
    assert!(fs::read(place.folder.path("a.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_clock_that_was_ahead_is_set_right_without_a_server() {
    let place = Place::new();
    let ahead = place.start + 100 * DAY;
    place.run(&format!("first-use --set clock={ahead}")).good();
    let page = place.page("status --set grace_days=31");
    assert!(page.contains("The clock shows 20"), "{page}");
    place.run("request clock --out request.txt").good();
    place.folder.run("redeem --key keys/key.pem request.txt --out answer").good();
    assert_eq!(place.json("apply answer")["applied"], "clock reset");
    assert_eq!(place.json("status")["time"]["suspect"], json!(false));
    assert_eq!(place.fails("apply answer"), "already_used");
}

#[test]
fn use_is_recorded_by_kind_and_told() {
    let place = Place::new();
    metered(&place);
    let one = place.json("record requests");
    assert_eq!((&one["used"], &one["limit"]), (&json!(1), &json!(10)));
    assert!(one["resets_at"].as_i64().unwrap() > place.start);
    assert_eq!(place.json("record requests 9")["used"], 10);
    assert_eq!(place.json("record users --level 3")["used"], 3);
    assert_eq!(place.json("record users --level 1")["used"], 1);
    assert_eq!(place.json("record hosts --key 02:42:ac:11:00:02")["used"], 1);
    assert_eq!(place.json("record hosts --key 02:42:ac:11:00:02")["used"], 1);
    assert_eq!(place.json("record hosts --key other")["used"], 2);
    assert_eq!(place.json("record calls 7")["used"], 7);
    for (line, code) in [
        ("requests", "limit_exceeded"),
        ("users --level 4", "limit_exceeded"),
        ("hosts --key third", "limit_exceeded"),
        ("other", "not_granted"),
        ("users 1", "invalid_argument"),
        ("requests --level 1", "invalid_argument"),
        ("requests --key a", "invalid_argument"),
        ("requests 1 --level 1", "invalid_argument"),
        ("requests 1 --key a", "invalid_argument"),
        ("users --level 1 --key a", "invalid_argument"),
        ("requests -1", "invalid_argument"),
        ("requests 1.5", "invalid_argument"),
        ("requests 99999999999999999999", "invalid_argument"),
        ("Requests", "invalid_argument"),
        ("", "invalid_argument"),
        ("hosts --key", "invalid_argument"),
    ] {
        assert_eq!(place.fails(&format!("record {line}")), code, "{line}");
    }
    let all = place.json("usage")["features"].clone();
    let used: Vec<&Value> = all.as_array().unwrap().iter().map(|it| &it["used"]).collect();
    assert_eq!(used, [10, 1, 2, 7]);
    assert_eq!(place.json("usage users")["used"], 1);
    assert!(place.run("usage users").good().contains("Limit    3"));
    assert!(place.run("usage").good().contains("7 of 5 a day"));
    let said = |line: &str| place.run(&format!("record {line}")).err;
    assert!(said("users 1").contains("users is limited at a time: give --level N"));
    assert!(
        said("hosts 1").contains("give --key TEXT") && said("calls --level 1").contains("many")
    );
    assert!(said("audit").contains("audit is not measured: nothing is counted"));
    assert_eq!(place.fails("usage other"), "not_granted");
    place.run("remove").good();
    assert_eq!(place.fails("usage users"), "not_licensed");
    assert_eq!(place.run("usage").good(), "no feature is measured\n");
}

#[test]
fn the_first_use_is_the_earliest_that_was_given() {
    let place = Place::new();
    let at = |days: i64| place.start - days * DAY;
    let terms = "--set grace_days=31";
    let first = place.json(&format!("first-use --at {} {terms}", at(5)));
    assert_eq!((&first["first_use"], &first["grace_until"]), (&json!(at(5)), &json!(at(-26))));
    assert_eq!(place.json(&format!("first-use --at {}", at(9)))["first_use"], at(9));
    assert_eq!(place.json("first-use")["first_use"], at(9));
    assert_eq!(place.fails(&format!("first-use --at {}", at(-5))), "invalid_argument");
    let text = place.run(&format!("first-use {terms}")).good();
    assert!(text.contains("9 days ago") && text.contains("Works without a license until"));
}

#[test]
fn a_folder_that_is_not_there_or_not_to_be_written_is_told() {
    let place = Place::new();
    place.folder.issue("--days 30 --entitlement users=3");
    let there = |line: &str, folder: &str| {
        place.line(line).replace("--dir state", &format!("--dir {folder}"))
    };
    for line in ["apply a.lic", "remove", "request", "record users --level 1", "first-use"] {
        let line = there(line, "nowhere");
        assert_eq!(place.folder.fails(&line), "state_unavailable", "{line}");
        let err = place.folder.run(&line).err;
        assert!(
            err.contains("note: make it as the user that the product runs as: `mkdir nowhere`")
        );
        assert_eq!(place.folder.fails(&line.replace("nowhere", "a.lic")), "state_unavailable");
    }
    assert_eq!(place.folder.fails(&there("usage", "nowhere")), "state_unavailable");
    let said = place.run("request clock").err;
    assert!(said.contains("note: the clock is not behind"), "{said}");
    let quoted = ["remove", "--dir", "no where", "--keys", "keys/key.jwks", "--product", "myapp"];
    assert!(place.folder.run_words(&quoted, b"").err.contains("`mkdir 'no where'`"));
    let empty = ["status", "--dir", "", "--keys", "keys/key.jwks", "--product", "myapp"];
    assert_eq!(place.folder.run_words(&empty, b"").status, 2);
    assert_eq!(
        place.folder.fails("status --keys keys/key.jwks --product myapp"),
        "invalid_argument"
    );

    place.run("apply a.lic").good();
    let folder = place.folder.path("state");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(0o444)).unwrap();
    }
    assert_eq!(place.json("status")["code"], "ok");
    assert_eq!(place.json("usage users")["code"], "ok");
    if !is_root() {
        assert_eq!(place.fails("record users --level 1"), "state_unavailable");
        assert_eq!(place.fails("remove"), "state_unavailable");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

#[test]
fn slips_are_wrong_usage() {
    let place = Place::new();
    for line in [
        "status --at 2030-01-01",
        "simulate",
        "simulate --at soon",
        "simulate --at -5",
        "explain --at soon",
        "status --set nothing=1",
        "status --set license_fil=a.lic",
        "status --set grace_days=x",
        "status --set clock",
        "status --machine nowhere --machine-root /",
        "remove a.lic",
        "apply a.lic b.lic",
    ] {
        assert_eq!(place.fails(line), "invalid_argument", "{line}");
    }
    assert!(place.run("status --at 2030-01-01").err.contains("`licentia simulate`"));
    assert!(place.run("status --set license_fil=a").err.contains("license_file"), "the nearest");
    assert!(place.run("status --set grace_day=1").err.contains("grace_days"), "the nearest");
    let folder = Folder::empty();
    assert_eq!(folder.fails("status --dir . --keys nowhere --product myapp"), "io");
}
