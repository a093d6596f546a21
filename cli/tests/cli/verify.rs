//! `verify`.

use crate::run::Folder;
use serde_json::json;

const VERIFY: &str = "verify --keys keys/key.jwks --product myapp";

#[test]
fn a_good_license_is_told_in_full() {
    let folder = Folder::new();
    folder.issue(
        "--customer Acme --feature audit --entitlement requests=900/month+10%,count \
         --from 2026-01-01 --until 2026-02-01 --grace-days 10 --tier Pro",
    );
    // The clock never stands before the second in which it was signed.
    let iat = folder.json("inspect a.lic")["payload"]["iat"].as_i64().unwrap();
    let line = format!("{VERIFY} --at 2026-01-02 a.lic");
    assert_eq!(folder.fails(&line), "expired");

    folder.issue(
        "--customer Acme --feature audit --entitlement requests=900/month --days 30 \
         --grace-days 10",
    );
    let object = folder.json(&format!("{VERIFY} a.lic"));
    assert_eq!(object["customer"], "Acme");
    assert_eq!(object["allows"]["audit"], json!({"allowed": true, "limit": null}));
    assert_eq!(object["allows"]["requests"], json!({"allowed": true, "limit": 900}));
    assert_eq!(object["license"]["license"]["customer"]["name"], "Acme");
    let until = object["valid_until"].as_i64().unwrap();
    assert_eq!(object["works_until"], until + 10 * 86_400);
    assert!(object["days_left"].as_i64().unwrap() >= 29 && until > iat);
    assert_eq!(object["machine"], json!(null));

    let text = folder.run(&format!("{VERIFY} a.lic")).good();
    for said in ["valid: ", "Acme", "days left", "Works until", "900 per month", "allowed"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let grace = folder.json(&format!("{VERIFY} --at {} a.lic", until + 86_400));
    assert_eq!((&grace["code"], &grace["days_left"]), (&json!("ok"), &json!(-1)));
}

#[test]
fn every_reason_to_refuse_has_its_word() {
    let folder = Folder::new();
    folder.run("key new --out keys --name other").good();
    let license = folder.issue("--days 30 --issuer acme --token-days 5 --token-grace-days 2");
    let (signed, signature) = license.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let swapped = if signature.starts_with('A') { "B" } else { "A" };
    folder.write("altered.lic", format!("{signed}.{swapped}{}", &signature[1..]));
    folder.write("cut.lic", &license[..license.len() - 2]);
    folder.write("header.lic", format!("e30.{payload}.{signature}"));
    folder.write("none.lic", format!("{header}.{payload}."));
    folder.write("dash.lic", license.replacen('.', "\u{2014}", 1));
    folder.write("quoted.lic", format!("> {license}"));
    folder.write("empty.lic", "");
    folder.write("bytes.lic", b"\x00\xff\x00\xff");
    folder.write("long.lic", vec![b'a'; 200_000]);
    let sign = "key sign-set --key keys/key.pem --product myapp --epoch 1";
    folder.run(&format!("{sign} --keys keys/other.jwks --out set.lic")).good();
    folder.run("issue --key keys/other.pem --product myapp --perpetual --out other.lic").good();
    let issue = "issue --key keys/key.pem --product myapp --days 9";
    folder.run(&format!("{issue} --from 2100-01-01 --out later.lic")).good();
    for (line, code) in [
        ("altered.lic", "bad_signature"),
        ("cut.lic", "malformed"),
        ("header.lic", "malformed"),
        ("none.lic", "malformed"),
        ("dash.lic", "malformed"),
        ("quoted.lic", "malformed"),
        ("empty.lic", "malformed"),
        ("bytes.lic", "malformed"),
        ("long.lic", "too_large"),
        ("set.lic", "wrong_kind"),
        ("keys/key.jwks", "malformed"),
        ("other.lic", "unknown_key"),
        ("later.lic", "not_yet_valid"),
        ("--at 2099-01-01 a.lic", "expired"),
        ("--set issuer=other a.lic", "wrong_issuer"),
        ("--set clok=1 a.lic", "invalid_argument"),
        ("--set clock a.lic", "invalid_argument"),
        ("--set clock=soon a.lic", "invalid_argument"),
        ("--at soon a.lic", "invalid_argument"),
        ("--exclude tail a.lic", "invalid_argument"),
        ("--machine-root nowhere a.lic", "io"),
        ("--machine nowhere a.lic", "io"),
        ("--keys nowhere a.lic", "io"),
        ("--keys ed25519:x a.lic", "invalid_key"),
        ("nowhere.lic", "io"),
        ("keys", "io"),
        ("", "invalid_argument"),
        ("a.lic b.lic", "invalid_argument"),
    ] {
        assert_eq!(folder.fails(&format!("{VERIFY} {line}")), code, "{line}");
    }
    let iat = folder.json("inspect a.lic")["payload"]["iat"].as_i64().unwrap();
    let at = |days: i64| format!("{VERIFY} --at {} a.lic", iat + days * 86_400);
    folder.run(&at(6)).good();
    assert_eq!(folder.fails(&at(7)), "token_expired");
    assert_eq!(folder.fails("verify --product other --keys keys/key.jwks a.lic"), "wrong_product");
    let other = "verify --product MyApp --keys keys/key.jwks a.lic";
    assert_eq!(folder.fails(other), "invalid_argument");
    assert_eq!(folder.fails("verify --product myapp a.lic"), "invalid_argument");
    assert_eq!(folder.fails("verify --product myapp --keys keys/key.pem a.lic"), "invalid_key");
}

#[test]
fn a_refused_license_is_told_from_another_but_allows_nothing() {
    let folder = Folder::new();
    folder.issue("--customer Acme --feature audit --days 30");
    let object = folder.json(&format!("{VERIFY} --at 2099-01-01 a.lic"));
    assert_eq!((&object["code"], &object["customer"]), (&json!("expired"), &json!("Acme")));
    assert_eq!(object["allows"]["audit"], json!({"allowed": false, "limit": 0}));
    folder.run("key new --out keys --name other").good();
    let object = folder.json("verify --keys keys/other.jwks --product myapp a.lic");
    assert_eq!(object.as_object().unwrap().len(), 2, "an unverified license was told: {object}");
}

#[test]
fn the_machine_is_looked_at() {
    let folder = Folder::new();
    for machine in ["server-dell", "server-dell-two", "server-dell-new-cards"] {
        folder.machine(machine);
    }
    folder.issue("--feature a --days 30 --bind-this-machine --machine-root server-dell");
    let here = folder.json(&format!("{VERIFY} --machine-root server-dell a.lic"));
    assert_eq!(here["code"], "ok");
    assert!(here["machine"]["matched"].as_u64() >= here["machine"]["need"].as_u64());
    let drifted =
        folder.run(&format!("{VERIFY} --machine-root server-dell-new-cards a.lic")).good();
    assert!(drifted.contains("nic drifted"), "{drifted}");
    let line = format!("{VERIFY} --machine-root server-dell-two a.lic");
    assert_eq!(folder.fails(&line), "wrong_machine");
    let there = folder.json(&line);
    assert_eq!(there["allows"]["a"], json!({"allowed": false, "limit": 0}));
    assert!(there["message"].as_str().unwrap().contains("drifted"), "{there}");
    let blind = "--exclude nic,disk,machine_id,root_fs,asset_tag,product,board,cloud";
    let line = format!("{VERIFY} --machine-root server-dell {blind} a.lic");
    assert_eq!(folder.fails(&line), "wrong_machine");
}

#[test]
fn a_machine_is_what_its_host_says() {
    let folder = Folder::new();
    folder.write("id", "cluster-7f3a91c2\n");
    folder.write("same", "\u{feff}\r\n cluster-7f3a91c2 ");
    folder.write("other", "cluster-7f3a91c3");
    folder.write("blank", " \n");
    folder.write("long", "x".repeat(5000));
    folder.issue("--days 30 --type node_locked --bind-this-machine --machine id");
    folder.run(&format!("{VERIFY} --machine same a.lic")).good();
    folder.run(&format!("{VERIFY} --set machine=cluster-7f3a91c2 a.lic")).good();
    folder.run(&format!("{VERIFY} --set machine_file=same a.lic")).good();
    assert_eq!(folder.fails(&format!("{VERIFY} --machine other a.lic")), "wrong_machine");
    assert_eq!(folder.fails(&format!("{VERIFY} a.lic")), "wrong_machine");
    folder.run("fingerprint --product myapp --machine id --out report.json").good();
    for (file, why) in [("blank", "empty"), ("long", "4096"), ("report.json", "machine report")] {
        let line = format!("{VERIFY} --machine {file} a.lic");
        assert_eq!(folder.fails(&line), "invalid_argument", "{file}");
        assert!(folder.run(&line).err.contains(why), "{file}");
    }
    let both = format!("{VERIFY} --machine id --machine-root / a.lic");
    assert_eq!(folder.fails(&both), "invalid_argument");
}

#[test]
fn the_installation_and_the_instance_are_looked_at() {
    let folder = Folder::new();
    let id = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";
    let binding = format!("--bind-installation {id} --bind-instance https://a.example");
    folder.issue(&format!("--perpetual {binding}"));
    let line = format!("{VERIFY} --set installation={id}");
    assert_eq!(folder.fails(&format!("{line} a.lic")), "wrong_installation");
    folder.run(&format!("{line} --set instance=https://a.example/ a.lic")).good();
    let other = format!("{VERIFY} --set installation={id} --set instance=https://b.example a.lic");
    assert_eq!(folder.fails(&other), "wrong_installation");
}

#[test]
fn foreign_text_cannot_speak_to_the_terminal() {
    let folder = Folder::new();
    let evil = "A\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}B\r\nvalid";
    let mut issue = vec!["issue", "--key", "keys/key.pem", "--product", "myapp", "--days", "9"];
    issue.extend(["--out", "a.lic", "--customer", evil, "--issuer", evil, "--tier", evil]);
    issue.extend(["--description", evil]);
    folder.run_words(&issue, b"").good();
    // Every run is held to it: see run.rs.
    let text = folder.run(&format!("{VERIFY} a.lic")).good();
    assert!(text.contains(r"A\u{1b}[2J"), "{text}");
    let object = folder.json(&format!("{VERIFY} a.lic"));
    assert_eq!(object["customer"], evil, "JSON still says what was signed");
    folder.run("inspect a.lic").good();
    folder.run("inspect --keys keys/key.jwks a.lic").good();
    folder.run(&format!("{VERIFY} --set issuer=x a.lic"));
    folder.run_words(&["verify", evil], b"");
    folder.run_words(&["inspect", evil], b"");
    folder.run_words(&["inspect", evil, "--json"], b"");
    folder.run_words(&["key", "new", "--out", evil], b"").good();
}

#[test]
fn an_argument_that_is_no_name_is_told_what_it_may_be() {
    let folder = Folder::new();
    let license = folder.issue("--perpetual");
    let long = "x".repeat(256);
    let short = "eyJhbGciOiJFZERTQSJ9";
    for text in [license.as_str(), short, &long] {
        for line in [VERIFY, "inspect"] {
            let line = format!("{line} {text}");
            assert_eq!(folder.fails(&line), "invalid_argument", "{line}");
            let err = folder.run(&line).err;
            assert!(err.contains("a license is a file or -"), "{err}");
        }
    }
    std::fs::copy(folder.path("a.lic"), folder.path(short)).unwrap();
    folder.run(&format!("{VERIFY} {short}")).good();

    let sign = "key sign-set --key keys/key.pem --product myapp --epoch 1 --keys";
    for (line, option) in [
        ("verify --product myapp a.lic --keys", "--keys <KEYS>"),
        ("inspect a.lic --keys", "--keys <KEYS>"),
        (sign, "--keys <KEYS>"),
        ("issue --perpetual --product myapp --key", "--key <FILE>"),
    ] {
        let run = folder.run_words(&line.split(' ').chain([""]).collect::<Vec<_>>(), b"");
        assert!(run.status == 2 && run.err.contains(option), "{line}: {run:?}");
    }
}

#[test]
fn it_says_when_and_where_it_was_asked() {
    let folder = Folder::new();
    folder.write("id", "cluster-1");
    folder.machine("server-dell");
    folder.issue("--days 30 --machines 1 --seats 1");
    let iat = folder.json("inspect a.lic")["payload"]["iat"].as_i64().unwrap();
    let at = iat + 86_400;
    let day = licentia::rfc3339(at);
    let then = format!("good on {day}");
    for (more, said) in [
        (String::new(), "good, here and now".to_string()),
        (format!("--at {at}"), format!("{then}, here")),
        (format!("--set clock={at}"), format!("{then}, here")),
        ("--machine id".to_string(), "good now, on the machine that was given".to_string()),
        (format!("--at {at} --machine id"), format!("{then}, on the machine that was given")),
        ("--set machine=x".into(), "good now, on the machine that was given".into()),
        ("--set machine_file=id".into(), "good now, on the machine that was given".into()),
        ("--set machine_root=server-dell".into(), "good now, on the machine that was given".into()),
        ("--machine-root server-dell".into(), "good now, on the machine that was given".into()),
        ("--exclude nic".into(), "good, here and now".into()),
    ] {
        let text = folder.run(&format!("{VERIFY} {more} a.lic")).good();
        let first = text.lines().next().unwrap();
        assert_eq!(first, format!("valid: the license is {said}"), "{more}");
    }
    let signed = format!("good on {}, when it was signed", licentia::rfc3339(iat));
    for (more, said) in [
        ("--at 2001-01-01", format!("{signed}, here")),
        ("--at 2001-01-01 --machine id", format!("{signed}, on the machine that was given")),
        (&format!("--at {iat}"), format!("good on {}, here", licentia::rfc3339(iat))),
    ] {
        let text = folder.run(&format!("{VERIFY} {more} a.lic")).good();
        assert_eq!(text.lines().next(), Some(&*format!("valid: the license is {said}")), "{more}");
    }
    let text = folder.run(&format!("{VERIFY} a.lic")).good();
    assert!(text.contains("1 seat, 1 machine\n"), "{text}");
}
