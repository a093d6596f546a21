//! Disks that fail under a program at work, and folders in which somebody has put something else:
//! nobody who has a license is stopped, nothing hangs, and everything is said.

mod installation_support;

use installation_support::*;
use licentia::{Code, issue};
use serde_json::json;
use std::fs;
use std::path::Path;

/// Puts folders in the place of files, which nobody can read, and gives what takes them away.
fn block<'p>(folder: &'p Path, names: &'static [&'static str]) -> impl FnOnce() + use<'p> {
    let aside = |name: &str| folder.join(format!("aside.{name}"));
    for name in names {
        fs::rename(folder.join(name), aside(name)).unwrap();
        fs::create_dir(folder.join(name)).unwrap();
    }
    move || {
        for name in names {
            fs::remove_dir(folder.join(name)).unwrap();
            fs::rename(aside(name), folder.join(name)).unwrap();
        }
    }
}

#[test]
fn a_folder_that_cannot_be_read_for_a_while_stops_nobody_at_work() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let id = status(&it)["state"]["installation"].clone();
    let unblock = block(folder.path(), &["state.a", "state.b"]);
    let found = status(&it);
    assert_eq!(found["state"]["code"], "state_unavailable", "{found}");
    assert_eq!((&found["in_force"], &found["state"]["installation"]), (&json!(true), &id));
    assert!(it.allows("reports"));
    // Who comes now cannot know.
    let other = product.open(folder.path()).unwrap();
    assert!(!other.allows("reports"));
    unblock();
    for it in [&it, &other] {
        let found = status(it);
        assert_eq!((&found["state"]["ok"], &found["in_force"]), (&json!(true), &json!(true)));
    }
    it.remove().unwrap();
    assert!(!it.allows("reports") && status(&other)["in_force"] == false);
}

#[test]
fn what_failed_once_is_tried_again() {
    let (mut product, folder) = (product(), folder());
    product.set("grace_days", "31").unwrap();
    drop(product.open(folder.path()).unwrap());
    let unblock = block(folder.path(), &["usage.b"]);
    let it = product.open(folder.path()).unwrap();
    assert_eq!(status(&it)["state"]["ok"], false);
    unblock();
    assert_eq!(status(&it)["state"]["ok"], true);
    assert!(it.allows("anything"));
    let unblock = block(folder.path(), &["usage.b"]);
    assert_eq!(status(&it)["state"]["ok"], false, "and it is said when it fails later");
    unblock();
    assert_eq!(status(&it)["state"]["ok"], true);
}

#[test]
fn a_revocation_list_that_cannot_be_read_is_not_forgotten() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let id = issue::license_id(&claims().license.id).unwrap();
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &[id].into()).unwrap();
    it.apply(list.as_bytes()).unwrap();
    let unblock = block(folder.path(), &["revocations.b"]);
    let found = status(&it);
    assert_eq!((&found["reason"], it.allows("reports")), (&json!("revoked"), false), "{found}");
    for it in [&it, &product.open(folder.path()).unwrap()] {
        assert_eq!(status(it)["state"]["code"], "state_unavailable");
    }
    unblock();
    assert_eq!(status(&it)["state"]["ok"], true);
}

#[test]
fn a_revocation_list_that_was_lost_may_come_again() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    let id = issue::license_id(&claims().license.id).unwrap();
    let list = |ids: &[[u8; 16]]| {
        let ids = ids.iter().copied().collect();
        issue::sign_revocations(&vendor(), "myapp", ISSUER, 5, NOW, &ids).unwrap()
    };
    it.apply(list(&[id]).as_bytes()).unwrap();
    let error = it.apply(list(&[]).as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::OlderThanInstalled, "another of the same number");
    fs::remove_file(folder.path().join("revocations.b")).unwrap();
    let other = product.open(folder.path()).unwrap();
    assert_eq!(status(&other)["state"]["code"], "state_corrupt");
    other.apply(list(&[id]).as_bytes()).unwrap();
    let found = status(&other);
    assert_eq!((&found["state"]["ok"], &found["reason"]), (&json!(true), &json!("revoked")));
}

#[test]
fn a_license_file_that_cannot_be_read_any_more_goes_on_and_is_named() {
    let (product, folder) = (product(), folder());
    fs::write(folder.path().join("a.lic"), license(|_| {})).unwrap();
    let mut it = product.open(folder.path()).unwrap();
    it.set("license_file", folder.path().join("a.lic").to_str().unwrap()).unwrap();
    let unblock = block(folder.path(), &["a.lic"]);
    let found = status(&it);
    assert_eq!((&found["in_force"], it.allows("reports")), (&json!(true), true), "{found}");
    let results = [&found["sources"][0]["result"], &found["sources"][1]["result"]];
    assert_eq!(results, ["ok", "io"], "{found}");
    unblock();
    assert_eq!(status(&it)["sources"].as_array().unwrap().len(), 1);
    fs::remove_file(folder.path().join("a.lic")).unwrap();
    assert_eq!(status(&it)["reason"], "not_licensed", "one that is gone is gone");
}

/// A backup may have the number of what it takes the place of.
#[test]
fn a_folder_that_was_put_back_is_seen_whatever_its_number() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    let names = ["state.a", "state.b"];
    let backup = names.map(|name| fs::read(folder.path().join(name)).unwrap());
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.remove().unwrap();
    let other = product.open(folder.path()).unwrap();
    assert!(!other.allows("reports"));
    for (name, bytes) in names.iter().zip(backup) {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    it.first_use(None).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    assert_eq!(status(&other)["in_force"], true);
}

#[test]
fn what_was_used_is_not_said_to_be_nothing_where_it_cannot_be_read() {
    let (product, folder) = (product(), folder());
    let it = product.open(folder.path()).unwrap();
    it.apply(license(|_| {}).as_bytes()).unwrap();
    it.record("exports", 2).unwrap();
    let unblock = block(folder.path(), &["usage.a", "usage.b"]);
    let other = product.open(folder.path()).unwrap();
    for it in [&it, &other] {
        assert_eq!(it.usage("exports").unwrap_err().code(), Code::StateUnavailable);
    }
    unblock();
    assert_eq!(other.usage("exports").unwrap().used, 2);
}

/// Whoever reads a pipe waits for somebody to write.
#[cfg(unix)]
#[test]
fn nobody_waits_for_a_pipe() {
    let (product, folder) = (product(), folder());
    product.open(folder.path()).unwrap().apply(license(|_| {}).as_bytes()).unwrap();
    for name in ["state.a", "revocations.a", "usage.b", "lock", "tmp", "a.lic"] {
        let path = folder.path().join(name);
        let mut it = product.open(folder.path()).unwrap();
        let _ = fs::rename(&path, folder.path().join("aside"));
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let license_file = folder.path().join("a.lic");
        let (done, finished) = std::sync::mpsc::channel();
        let (product, folder) = (product.clone(), folder.path().to_path_buf());
        std::thread::spawn(move || {
            it.set("license_file", license_file.to_str().unwrap()).unwrap();
            let found = status(&it);
            let _ = (it.record("exports", 1), it.apply(license(|_| {}).as_bytes()));
            drop(product.open(&folder));
            done.send(found).unwrap();
        });
        let found = finished.recv_timeout(std::time::Duration::from_secs(8));
        assert_eq!(found.expect(name)["in_force"], true, "{name}");
        fs::remove_file(&path).unwrap();
        let _ = fs::rename(path.with_file_name("aside"), &path);
    }
}
