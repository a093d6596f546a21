//! `revocations`.

use crate::run::Folder;
use serde_json::json;

const SIGN: &str = "revocations --key keys/key.pem --product myapp";
const A: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const B: &str = "2c2cf578-edb4-49f7-ba37-5e8aed83b546";

#[test]
fn a_list_has_what_was_named_once_and_in_order() {
    let folder = Folder::new();
    let upper = A.to_uppercase();
    folder.write("ids", format!("\u{feff}# withdrawn in May\r\n{upper}  # Acme\r\n\r\n{B}\r\n"));
    let all = folder.json(&format!("{SIGN} --version 7 --from ids {A} --out list"));
    assert_eq!((&all["version"], &all["count"]), (&json!(7), &json!(2)));
    let text = folder.run("inspect --keys keys/key.jwks list").good();
    assert!(text.starts_with("signature checked: a revocation list that a trusted key"), "{text}");
    assert!(text.ends_with(&format!("licenses withdrawn: 2\n  {B}\n  {A}\n")), "{text}");
    let object = folder.json("inspect --keys keys/key.jwks list");
    assert_eq!(object["licenses"], json!([B, A]));
    assert_eq!(folder.json("inspect list")["kind"], "revocation list");
    let piped = ["revocations", "--key", "keys/key.pem", "--product", "myapp", "--version", "1"];
    let piped = [&piped[..], &["--from", "-", "--json"]].concat();
    assert_eq!(folder.json_words(&piped, B.as_bytes())["count"], 1);
    let none = folder.run_words(&[&piped[..9], &["--out", "none"]].concat(), b"# nobody\n");
    assert_eq!(none.err, "version 1 withdraws 0 licenses of myapp\nwritten to none\n");
    assert_eq!(folder.json("inspect --keys keys/key.jwks none")["licenses"], json!([]));
}

#[test]
fn a_license_is_withdrawn_by_its_file() {
    let folder = Folder::new();
    folder.issue("--days 30 --feature a --serial LIC-1");
    let line = format!("{SIGN} --version 1 --license a.lic");
    let run = folder.run(&format!("{line} --out list"));
    let said = "version 1 withdraws 1 license of myapp, LIC-1 among them\n";
    assert!(run.err.starts_with(said), "{run:?}");
    let seen = folder.json("inspect a.lic");
    let listed = folder.json("inspect --keys keys/key.jwks list");
    assert_eq!(listed["licenses"], json!([seen["payload"]["license"]["id"]]));
    assert_eq!(folder.json(&format!("{line} {A}"))["count"], 2);
    assert_eq!(folder.fails(&format!("{SIGN} --version 1 --license list")), "wrong_kind");
    assert_eq!(folder.fails(&format!("{SIGN} --version 1 --license nowhere")), "io");
    let other = line.replace("myapp", "other");
    assert_eq!(folder.fails(&other), "wrong_product");
}

#[test]
fn a_slip_is_told_and_nothing_is_signed() {
    let folder = Folder::new();
    folder.write("ids", format!("{A}\n{B}x\n"));
    let run = folder.run(&format!("{SIGN} --version 1 --from ids"));
    assert!(run.status == 2 && run.err.contains("line 2: "), "{run:?}");
    folder.run("key new --out keys --name old").good();
    for wrong in [
        "--version 1",
        "--version 0 --from ids",
        "--version 1 LIC-MYAPP-A1B2C3D4",
        "--version 1 --from=",
        A,
    ] {
        assert_eq!(folder.fails(&format!("{SIGN} {wrong}")), "invalid_argument", "{wrong}");
    }
    assert_eq!(folder.fails(&format!("{SIGN} --version 1 --from nowhere")), "io");
    assert_eq!(folder.fails(&format!("{SIGN} --version 1 --from /dev/zero")), "too_large");
    assert_eq!(folder.fails(&format!("{SIGN} --version 1 {A} --issuer=")), "malformed");
}

#[test]
fn a_license_that_is_withdrawn_stops_and_an_older_list_changes_nothing() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("state")).unwrap();
    folder.issue("--days 30 --feature a");
    let id = folder.json("inspect a.lic")["payload"]["license"]["id"].clone();
    let id = id.as_str().unwrap();
    let here = "--dir state --keys keys/key.jwks --product myapp";
    folder.run(&format!("apply {here} a.lic")).good();
    for (version, ids) in [(1, B.to_string()), (2, format!("{A} {id}"))] {
        folder.run(&format!("{SIGN} --version {version} {ids} --out {version}")).good();
    }
    folder.run(&format!("apply {here} 2")).good();
    let status = folder.run(&format!("status {here}"));
    assert!(status.out.contains("withdrawn"), "{status:?}");
    assert_eq!(folder.fails(&format!("apply {here} 1")), "older_than_installed");
    folder.run(&format!("apply {here} 2")).good();
    folder.run("key new --out keys --name server --role license").good();
    let list = format!("revocations --key keys/server.pem --product myapp --version 3 {A}");
    folder.run(&format!("{list} --out 3")).good();
    let keys = "inspect --keys keys/server.jwks 3";
    assert_eq!(folder.fails(keys), "unknown_key", "its role is not server");
}
