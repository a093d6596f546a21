//! `issue`.

use crate::run::Folder;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const ISSUE: &str = "issue --key keys/key.pem --product myapp";

fn claims(folder: &Folder, more: &str) -> Value {
    folder.json(&format!("{ISSUE} {more}"))["claims"].clone()
}

#[test]
fn what_is_asked_for_is_what_is_signed() {
    let folder = Folder::new();
    let claims = claims(
        &folder,
        "--issuer https://acme.example --customer Acme --customer-id c1 \
         --customer-email a@b.example --feature audit --feature ipv6 \
         --entitlement users=15 --entitlement hosts=unlimited \
         --seats 5 --machines 2 --from 2026-01-01 --until 2027-01-01T00:00:00Z --grace-days 10 \
         --notice-days 30 --support-until 2028-01-01 --refresh-days 1 --token-days 7 \
         --token-grace-days 3 --type floating --serial S-1 --tier Pro --description three-sites \
         --metadata a=1 --metadata b=true --metadata c=01 --metadata d=x=y \
         --bind-installation 6F1C2A34-0b5e-4f6d-8c7a-9d0e1f2a3b4c \
         --bind-instance https://a.example/",
    );
    let iat = claims["iat"].as_i64().unwrap();
    assert_eq!(claims["iss"], "https://acme.example");
    assert_eq!(claims["sub"], "c1");
    assert_eq!(claims["exp"], iat + 7 * 86_400);
    let mut license = claims["license"].clone();
    for (member, long) in [("id", 36), ("created_at", 0)] {
        let value = license.as_object_mut().unwrap().remove(member).unwrap();
        assert!(value.as_str().map_or(0, str::len) == long, "{member}");
    }
    assert_eq!(
        license,
        json!({
            "serial": "S-1", "type": "floating", "tier": "Pro", "description": "three-sites",
            "customer": {"name": "Acme", "email": "a@b.example"},
            "valid_from": 1_767_225_600, "valid_until": 1_798_761_600,
            "support_until": 1_830_297_600, "seats": 5, "machines": 2, "refresh_days": 1,
            "features": [
                {"id": "audit"}, {"id": "ipv6"}, {"id": "users", "meter": "level", "max": 15},
                {"id": "hosts", "meter": "level"},
            ],
            "notice": {"license": 30},
            "stages": {"ended": {"deny": 10}, "overdue": {"deny": 3}},
            "binding": {
                "installation": "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c",
                "instance": "https://a.example/",
            },
            "metadata": {"a": 1, "b": true, "c": "01", "d": "x=y"},
        })
    );
}

#[test]
fn the_end_decides_the_type_and_days_count_from_the_beginning() {
    let folder = Folder::new();
    let plain = claims(&folder, "--perpetual");
    assert_eq!(plain["license"]["type"], "perpetual");
    assert_eq!(plain["license"]["valid_until"], Value::Null);
    assert!(plain["license"].get("stages").is_none() && plain.get("exp").is_none());
    let month = claims(&folder, "--from 2026-01-01 --days 30 --grace-days 0");
    assert_eq!(month["license"]["type"], "subscription");
    assert_eq!(month["license"]["valid_until"], 1_767_225_600 + 30 * 86_400);
    assert!(month["license"].get("stages").is_none());
    assert_eq!(claims(&folder, "--days 30 --type trial")["license"]["type"], "trial");
    for (words, ended) in [
        ("--read-only-days 0 --grace-days 5", json!({"deny": 5})),
        ("--read-only-days 30", json!({"read_only": 0, "deny": 30})),
        ("--read-only-days 30 --grace-days 10", json!({"read_only": 10, "deny": 40})),
    ] {
        let license = claims(&folder, &format!("--days 30 {words}"));
        assert_eq!(license["license"]["stages"], json!({"ended": ended}), "{words}");
    }
}

#[test]
fn what_cannot_be_meant_is_wrong_usage() {
    let folder = Folder::new();
    for wrong in [
        "",
        "--days 30 --perpetual",
        "--days 30 --until 2030-01-01",
        "--days 0",
        "--days -1",
        "--days 36501",
        "--until yesterday",
        "--until 2030-02-30",
        "--until -5",
        "--from 2030-01-01 --until 2029-01-01",
        "--perpetual --type trial",
        "--perpetual --type subscription",
        "--days 30 --type perpetual",
        "--days 30 --type floating",
        "--days 30 --type node_locked",
        "--days 30 --type gift",
        "--perpetual --feature Pro",
        "--perpetual --feature users=5",
        "--perpetual --feature a --feature a",
        "--perpetual --feature a --entitlement a=5",
        "--perpetual --entitlement users",
        "--perpetual --entitlement users=5/week",
        "--perpetual --seats 9007199254740992",
        "--perpetual --metadata a",
        "--perpetual --metadata a=1 --metadata a=2",
        "--perpetual --bind-installation me",
        "--perpetual --token-grace-days 3",
        "--perpetual --refresh-days 0",
        "--perpetual --need 3",
        "--perpetual --bind-parts nic",
        "--perpetual --allow-weak-binding",
        "--perpetual --machine id",
        "--perpetual --machine-root /",
        "--perpetual --exclude nic",
        "--perpetual --bind-this-machine --bind report.json",
        "--perpetual --bind-this-machine --exclude tail",
        "--perpetual --force",
        "--perpetual --product MyApp",
        "--perpetual --format qr",
        "--perpetual --frobnicate",
    ] {
        assert_eq!(folder.fails(&format!("{ISSUE} {wrong}")), "invalid_argument", "{wrong}");
    }
    for (name, long) in [("--customer-id", 257), ("--serial", 129), ("--issuer", 257)] {
        let text = "x".repeat(long);
        let line = format!("{ISSUE} --perpetual {name} {text}");
        assert_eq!(folder.fails(&line), "invalid_argument", "{name}");
    }
    let empty = ["issue", "--key", "keys/key.pem", "--product", "myapp", "--perpetual", "--json"];
    let empty = [&empty[..], &["--serial", ""]].concat();
    assert_eq!(folder.json_words(&empty, b"")["code"], "invalid_argument");
    assert_eq!(folder.fails("issue --product myapp --perpetual"), "invalid_argument");
    assert_eq!(folder.fails("issue --key keys/key.pem --perpetual"), "invalid_argument");
    assert_eq!(folder.fails("issue --key nowhere --product myapp --perpetual"), "io");
}

#[test]
fn a_number_that_is_none_is_told_what_it_may_be() {
    let folder = Folder::new();
    let sign = "key sign-set --key keys/key.pem --product myapp --keys keys/key.jwks";
    let license = &format!("{ISSUE} --perpetual");
    for (line, option, said) in [
        (ISSUE, "--days", "a whole number of days, 1 to 36500"),
        (license, "--grace-days", "a whole number of days, 0 to 36500"),
        (license, "--notice-days", "a whole number of days, 0 to 3650"),
        (license, "--refresh-days", "a whole number of days, 1 to 3650"),
        (license, "--token-days", "a whole number of days, 0 to 36500"),
        (license, "--token-grace-days", "a whole number of days, 0 to 36500"),
        (license, "--seats", "a whole number of seats, 0 to 9007199254740991"),
        (license, "--machines", "a whole number of machines, 0 to 9007199254740991"),
        (license, "--need", "a whole number of kinds of parts, 1 to "),
        (sign, "--epoch", "a whole number, 1 to 9007199254740991"),
    ] {
        let least = if said.contains(" 1 to") { &["0"][..] } else { &[] };
        let wrong = ["1e9", "1.5", "30d", "", "-1", "-1.5", "+1", " 1", "18446744073709551616"];
        for wrong in wrong.iter().chain(least) {
            let words: Vec<&str> = line.split(' ').chain([option, *wrong]).collect();
            let run = folder.run_words(&words, b"");
            assert_eq!(run.status, 2, "{words:?}");
            let told = format!("invalid value '{wrong}' for '{option} <N>': {said}");
            assert!(run.err.contains(&told), "{words:?}: {}", run.err);
        }
    }
}

#[test]
fn a_license_that_grants_nothing_is_told() {
    let folder = Folder::new();
    let note = "note: this license grants nothing and names no customer\n";
    for (more, bare) in [
        ("", true),
        ("--tier Pro", true),
        ("--feature a", false),
        ("--entitlement a=1", false),
        ("--customer Acme", false),
        ("--customer-id c1", false),
        ("--customer-email a@b.example", false),
        ("--seats 1", false),
        ("--machines 1", false),
    ] {
        let run = folder.run(&format!("{ISSUE} --perpetual {more}"));
        let (named, noted) = run.err.split_once('\n').unwrap();
        assert!(named.starts_with("license LIC-MYAPP-") && named.contains(", id "), "{named}");
        assert_eq!(noted, if bare { note } else { "" }, "{more}");
        run.good();
    }
}

#[test]
fn a_license_file_is_written_once() {
    let folder = Folder::new();
    let first = folder.issue("--perpetual");
    let mode = fs::metadata(folder.path("a.lic")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode & 0o444, 0o444);
    let again = format!("{ISSUE} --perpetual --out a.lic");
    assert_eq!(folder.fails(&again), "io");
    assert_eq!(folder.read("a.lic").trim_end(), first);
    let object = folder.json(&format!("{again} --force"));
    assert_eq!((&object["code"], &object["file"]), (&json!("ok"), &json!("a.lic")));
    assert_eq!(folder.read("a.lic").trim_end(), object["license"]);
    assert_ne!(folder.read("a.lic").trim_end(), first);
    assert_eq!(folder.fails(&format!("{ISSUE} --perpetual --out no/where.lic")), "io");
    assert_eq!(folder.fails(&format!("{ISSUE} --perpetual --force --out keys")), "io");
    let left = fs::read_dir(folder.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.collect();
    assert_eq!(left.len(), 2, "something was left lying about: {left:?}");
}

#[test]
fn a_renewal_keeps_the_id_of_its_license() {
    let folder = Folder::new();
    let first = folder.json(&format!("{ISSUE} --days 30 --feature a"));
    let id = first["id"].as_str().unwrap();
    let line = format!("{ISSUE} --days 60 --feature a --id {}", id.to_uppercase());
    let renewed = folder.json(&line);
    assert_eq!((&renewed["id"], &renewed["claims"]["license"]["id"]), (&first["id"], &first["id"]));
    assert_ne!(renewed["claims"]["jti"], first["claims"]["jti"]);
    let run = folder.run(&format!("{line} --out b.lic"));
    assert!(run.err.contains(&format!(", id {id}\n")), "{run:?}");
    assert!(folder.run("inspect --keys keys/key.jwks b.lic").good().contains(id));
    for wrong in ["LIC-MYAPP-A1B2C3D4", "7c9e6679742540de944be07fc1f90ae7", "x"] {
        assert_eq!(folder.fails(&format!("{ISSUE} --days 1 --id {wrong}")), "invalid_argument");
    }
    let public = ISSUE.replace("key.pem", "key.jwks");
    assert_eq!(folder.fails(&format!("{public} --days 1")), "invalid_key");
    assert!(folder.run(&format!("{public} --days 1")).err.contains("sign with the .pem"));
    assert_eq!(folder.fails(&format!("{ISSUE} --days 1 --bind b.lic")), "wrong_kind");
}

#[test]
fn both_coats_and_standard_output_verify() {
    let folder = Folder::new();
    let verify = ["verify", "--keys", "keys/key.jwks", "--product", "myapp", "-"];
    for format in ["text", "blob"] {
        let run = folder.run(&format!("{ISSUE} --perpetual --feature a --format {format}"));
        assert_eq!(run.err.lines().count(), 1, "{run:?}");
        let license = run.good();
        assert_eq!(license.trim_end().contains('.'), format == "text");
        assert!(folder.run_words(&verify, license.as_bytes()).good().starts_with("valid"));
    }
    let pem = folder.read("keys/key.pem");
    let line = ["issue", "--key", "-", "--product", "myapp", "--perpetual"];
    let license = folder.run_words(&line, pem.as_bytes()).good();
    assert!(folder.run_words(&verify, license.as_bytes()).good().starts_with("valid"));
}

#[test]
fn the_issuer_is_said_or_in_the_environment_or_the_keys_own_name() {
    let folder = Folder::new();
    let kid = folder.json("key show keys/key.pem")["keys"][0]["kid"].as_str().unwrap().to_string();
    let named = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{kid}");
    assert_eq!(claims(&folder, "--perpetual")["iss"], named);
    for (more, issuer) in [("", "from-env"), ("--issuer said", "said")] {
        let line = format!("{ISSUE} --perpetual --json {more}");
        let mut command = folder.command(&line.split_whitespace().collect::<Vec<_>>());
        command.env("LICENTIA_ISSUER", "from-env");
        let out = folder.finish(command, b"").good();
        let object: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(object["claims"]["iss"], issuer);
    }
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let folder = Folder::new();
    let sign = "key sign-set --key keys/key.pem --product myapp --epoch 1 --keys keys/key.jwks";
    for (line, out) in [(format!("{ISSUE} --perpetual"), "a"), (sign.to_string(), "b")] {
        let line = format!("{line} --out {out}");
        let mut command = folder.command(&line.split_whitespace().collect::<Vec<_>>());
        command.env("LICENTIA_ISSUER", "");
        folder.finish(command, b"").good();
        let issuer = folder.json(&format!("inspect {out}"))["payload"]["iss"].clone();
        assert!(issuer.as_str().unwrap().starts_with("urn:ietf:"), "{line}: {issuer}");
    }
    let mut empty: Vec<&str> = ISSUE.split_whitespace().collect();
    empty.extend(["--perpetual", "--json", "--issuer", ""]);
    assert_eq!(folder.json_words(&empty, b"")["code"], "invalid_argument", "a slip is told");
}

#[test]
fn it_says_which_parts_bind_and_which_do_not() {
    let folder = Folder::new();
    folder.machine("server-dell");
    let bind = "--bind-this-machine --machine-root server-dell";
    let line = format!("{ISSUE} --days 30 --type node_locked {bind}");
    let run = folder.run(&line);
    for said in ["bound to the machine", "binds     nic", "binds     machine_id", "does not  cpu: "]
    {
        assert!(run.err.contains(said), "{said}: {run:?}");
    }
    assert_eq!(run.good().lines().count(), 1);
    let object = folder.json(&line);
    let bound = &object["bound_to"];
    let parts = &object["claims"]["license"]["binding"]["machine"]["parts"];
    let kinds: Vec<&String> = parts.as_object().unwrap().keys().collect();
    assert_eq!(bound["binds"], json!(kinds));
    assert!(bound["leaves"].as_array().unwrap().iter().any(|part| part["kind"] == "cpu"));
    assert!(bound["need"].as_u64().unwrap() >= 3);
    let fewer = folder.json(&format!("{line} --bind-parts nic,disk,machine_id --need 2"));
    assert_eq!(fewer["bound_to"]["need"], 2);
    assert_eq!(fewer["bound_to"]["binds"], json!(["disk", "machine_id", "nic"]));
}

#[test]
fn a_weak_binding_is_refused_unless_it_is_meant() {
    let folder = Folder::new();
    folder.machine("container-docker");
    let line = format!("{ISSUE} --days 30 --bind-this-machine --machine-root container-docker");
    assert_eq!(folder.fails(&line), "weak_binding");
    let said = folder.run(&line).err;
    for told in ["in a container it is the image's", "--machine"] {
        assert!(said.contains(told), "{said}");
    }
    assert!(said.starts_with("error: "), "{said}");
    let object = folder.json(&line);
    let leaves = object["leaves"].as_array().unwrap();
    let why = |kind: &str| leaves.iter().find(|part| part["kind"] == kind).unwrap()["why"].clone();
    assert!(why("asset_tag").as_str().unwrap().contains("image's"), "{object}");
    folder.machine("server-dell");
    let line = format!("{ISSUE} --days 30 --bind-this-machine --machine-root server-dell");
    let object = folder.json(&format!("{line} --bind-parts nic,disk --need 1"));
    let could = object["could_bind"].as_array().unwrap();
    assert!(could.contains(&json!("nic")) && could.contains(&json!("machine_id")), "{object}");
    let two = format!("{line} --bind-parts nic,disk --need 1");
    assert_eq!(folder.fails(&two), "weak_binding");
    folder.run(&format!("{two} --allow-weak-binding")).good();
    for wrong in ["--need 99", "--need 0", "--bind-parts cloud"] {
        assert_eq!(folder.fails(&format!("{line} {wrong}")), "invalid_argument", "{wrong}");
    }
}

#[test]
fn a_report_is_held_to_the_product() {
    let folder = Folder::new();
    folder.machine("server-dell");
    let report = "fingerprint --machine-root server-dell --out";
    folder.run(&format!("{report} mine.json --product myapp")).good();
    folder.run(&format!("{report} other.json --product other")).good();
    folder.write("bad.json", "{}");
    folder.write("long.json", vec![b' '; 300_000]);
    for (file, code) in [
        ("other.json", "wrong_product"),
        ("bad.json", "malformed"),
        ("long.json", "too_large"),
        ("keys/key.jwks", "malformed"),
        ("nowhere.json", "io"),
    ] {
        assert_eq!(folder.fails(&format!("{ISSUE} --days 30 --bind {file}")), code, "{file}");
    }
    folder.write("error.json", r#"{"code":"io","message":"x: no"}"#);
    folder.write("text.json", "cluster-1");
    let not = "is not a machine report: use what `licentia fingerprint --json` wrote";
    for (file, said) in [
        ("error.json", "error.json holds an error, not a machine report"),
        ("bad.json", &format!("bad.json {not}")),
        ("text.json", &format!("text.json {not}")),
        ("keys/key.jwks", &format!("keys/key.jwks {not}")),
        ("other.json", "is for other: run `licentia fingerprint --product myapp`"),
    ] {
        let err = folder.run(&format!("{ISSUE} --days 30 --bind {file}")).err;
        assert!(err.contains(said), "{file}: {err}");
    }
    folder.write("half.json", r#"{"code":"ok","v":1,"product":"myapp"}"#);
    let half = folder.run(&format!("{ISSUE} --days 30 --bind half.json")).err;
    assert!(half.contains("the machine report: ") && !half.contains(not), "{half}");
    folder.run(&format!("{ISSUE} --days 30 --bind mine.json")).good();
    let line = format!("{ISSUE} --days 30 --bind -");
    let line: Vec<&str> = line.split_whitespace().collect();
    folder.run_words(&line, folder.read("mine.json").as_bytes()).good();
    let json = folder.run("fingerprint --product myapp --machine-root server-dell --json").good();
    folder.run_words(&line, json.as_bytes()).good();
}
