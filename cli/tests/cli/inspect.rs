//! `inspect`.

use crate::run::Folder;
use serde_json::json;

#[test]
fn without_keys_it_says_that_nothing_was_checked() {
    let folder = Folder::new();
    let license = folder.issue("--customer Acme --days 30");
    let (signed, _) = license.rsplit_once('.').unwrap();
    folder.write("forged.lic", format!("{signed}.{}", "A".repeat(86)));
    for file in ["a.lic", "forged.lic"] {
        let text = folder.run(&format!("inspect {file}")).good();
        assert!(text.starts_with("UNVERIFIED: signature not checked"), "{text}");
        assert!(text.contains("Acme"), "{text}");
        let object = folder.json(&format!("inspect {file}"));
        assert_eq!(object["signature"], "not checked");
        assert_eq!(object["payload"]["license"]["customer"]["name"], "Acme");
        assert!(object.get("license").is_none() && object.get("allows").is_none());
    }
    let checked = "inspect --keys keys/key.jwks";
    assert_eq!(folder.json(&format!("{checked} a.lic"))["signature"], "good");
    assert_eq!(folder.fails(&format!("{checked} forged.lic")), "bad_signature");
    let piped = folder.run_words(&["inspect", "-"], license.as_bytes()).good();
    assert!(piped.starts_with("UNVERIFIED"), "{piped}");
}

#[test]
fn with_keys_it_shows_what_is_not_in_force() {
    let folder = Folder::new();
    folder.issue("--customer Acme --feature a --from 2020-01-01 --until 2021-01-01");
    let object = folder.json("inspect --keys keys/key.jwks a.lic");
    assert_eq!((&object["code"], &object["verdict"]), (&json!("ok"), &json!("expired")));
    assert_eq!(object["works_until"], 1_609_459_200);
    assert_eq!(object["allows"]["a"], json!({"allowed": false, "limit": 0}));
    let text = folder.run("inspect --keys keys/key.jwks a.lic").good();
    for said in ["signature checked", "refused here and now", "(expired)", "days ago", "Acme"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("Works until"), "{text}");
    let mine = "inspect --keys keys/key.jwks --product";
    assert_eq!(folder.json(&format!("{mine} myapp a.lic"))["code"], "ok");
    assert_eq!(folder.fails(&format!("{mine} other a.lic")), "wrong_product");
    assert_eq!(folder.fails("inspect --product myapp a.lic"), "invalid_argument");
    folder.run("key new --out keys --name other").good();
    assert_eq!(folder.fails("inspect --keys keys/other.jwks a.lic"), "unknown_key");
}

#[test]
fn a_machine_report_shows_what_leaves_the_machine() {
    let folder = Folder::new();
    folder.machine("server-dell");
    let table = folder.run("fingerprint --product myapp --machine-root server-dell --out r.json");
    let shown = folder.run("inspect r.json").good();
    assert!(shown.starts_with("a machine report (reports are not signed)"), "{shown}");
    assert!(shown.ends_with(&table.good()), "{shown}");
    let object = folder.json("inspect r.json");
    assert_eq!(object["kind"], "machine report");
    assert_eq!(object["report"]["product"], "myapp");
}

#[test]
fn what_is_none_of_these_is_refused() {
    let folder = Folder::new();
    folder.write("empty", "");
    folder.write("object.json", "{}");
    folder.write("twice.lic", "eyJhIjoxLCJhIjoyfQ.e30.e30");
    folder.write("list.lic", "W10.e30.e30");
    folder.write("bytes", b"\x7fELF\x02\x01");
    folder.run("key show --pem keys/key.pem").good();
    for (file, code) in [
        ("empty", "malformed"),
        ("object.json", "malformed"),
        ("twice.lic", "malformed"),
        ("list.lic", "malformed"),
        ("bytes", "malformed"),
        ("keys/key.jwks", "wrong_kind"),
        ("keys/key.pem", "wrong_kind"),
        ("nowhere", "io"),
        ("/dev/zero", "too_large"),
        ("", "invalid_argument"),
    ] {
        assert_eq!(folder.fails(&format!("inspect {file}")), code, "{file}");
    }
    folder.write("unnamed.lic", "e30.e30.e30");
    assert_eq!(folder.json("inspect unnamed.lic")["kind"], "document of an unknown kind");
    assert_eq!(folder.fails("inspect --keys keys/key.jwks unnamed.lic"), "malformed");
}
