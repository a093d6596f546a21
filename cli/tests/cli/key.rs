//! `key`.

use crate::run::Folder;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn mode(folder: &Folder, name: &str) -> u32 {
    fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_key_is_its_owners_alone() {
    let folder = Folder::empty();
    let made = folder.json("key new --out deep/keys --name vendor");
    assert_eq!(made["private_file"], "deep/keys/vendor.pem");
    assert_eq!(mode(&folder, "deep/keys/vendor.pem"), 0o600);
    assert_eq!(mode(&folder, "deep/keys/vendor.jwks") & 0o444, 0o444);
    assert_eq!(mode(&folder, "deep/keys"), 0o700);
    let keys = folder.json("key show deep/keys/vendor.jwks");
    assert_eq!(keys["keys"][0]["kid"], made["kid"]);
    assert_eq!(keys["keys"][0]["short"], made["public_key"]);
    assert_ne!(folder.json("key new --out other")["kid"], made["kid"]);
}

#[test]
fn a_key_is_never_written_over() {
    let folder = Folder::new();
    let before = folder.read("keys/key.pem");
    assert_eq!(folder.fails("key new --out keys"), "io");
    assert_eq!(folder.read("keys/key.pem"), before);
    fs::remove_file(folder.path("keys/key.jwks")).unwrap();
    assert_eq!(folder.fails("key new --out keys"), "io");
    assert_eq!(folder.read("keys/key.pem"), before);
    folder.write("keys/b.jwks", "mine");
    assert_eq!(folder.fails("key new --out keys --name b"), "io");
    assert_eq!(folder.read("keys/b.jwks"), "mine");
    assert!(!folder.path("keys/b.pem").exists(), "half a pair was left");
    std::os::unix::fs::symlink("elsewhere", folder.path("keys/c.pem")).unwrap();
    assert_eq!(folder.fails("key new --out keys --name c"), "io");
    assert!(!folder.path("keys/elsewhere").exists(), "a link was followed");
}

#[test]
fn a_name_is_a_file_in_the_folder() {
    let folder = Folder::empty();
    for name in ["../key", "a/b", ".key", "-", "", "a b", "k\u{e9}"] {
        let object =
            folder.json_words(&["key", "new", "--out", "k", "--name", name, "--json"], b"");
        assert_eq!(object["code"], "invalid_argument", "{name}");
    }
    assert_eq!(folder.fails("key new"), "invalid_argument");
    folder.write("file", "");
    assert_eq!(folder.fails("key new --out file"), "io");
    assert_eq!(folder.fails("key new --out k --role king"), "invalid_argument");
}

#[test]
fn every_form_is_the_same_key() {
    let folder = Folder::new();
    let short = folder.run("key show --short keys/key.pem").good();
    for (form, name) in [("pem", "a.pub"), ("jwks", "a.jwks"), ("short", "a.short")] {
        let text = folder.run(&format!("key show --{form} keys/key.pem")).good();
        folder.write(name, &text);
        assert_eq!(folder.run(&format!("key show --short {name}")).good(), short);
        let piped = folder.run_words(&["key", "show", "--short", "-"], text.as_bytes()).good();
        assert_eq!(piped, short);
        let told = folder.run_words(&["key", "show", "--short", "--", text.trim()], b"").good();
        assert_eq!(told, short);
    }
    assert_eq!(folder.run("key show --c keys/key.pem").good(), format!("\"{}\"\n", short.trim()));
    let pem = folder.read("keys/key.pem");
    assert_eq!(folder.run_words(&["key", "show", "--short", "-"], pem.as_bytes()).good(), short);
    assert!(folder.run("key show keys/key.pem").good().contains("root, license, server"));
    assert_eq!(folder.fails("key show --pem --short keys/key.pem"), "invalid_argument");
}

#[test]
fn roles_and_states_are_not_lost_on_the_way() {
    let folder = Folder::new();
    folder.run("key new --out keys --name b --role license --role server").good();
    let shown = folder.json("key show keys/b.jwks");
    assert_eq!(shown["keys"][0]["roles"], json!(["license", "server"]));
    for form in ["--pem", "--short"] {
        let code = folder.fails(&format!("key show {form} keys/b.jwks"));
        assert_eq!(code, "invalid_argument");
    }
    let jwks = folder.run("key show --jwks keys/b.jwks").good();
    let jwks: serde_json::Value = serde_json::from_str(&jwks).unwrap();
    assert_eq!(jwks["keys"][0]["roles"], json!(["license", "server"]));
    let literal = folder.run("key show --c keys/b.jwks").good();
    let text: String = serde_json::from_str(&literal).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), jwks);
}

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let folder = Folder::new();
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let only = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path("keys/key.pem"), only).unwrap();
        for line in [
            "key show keys/key.pem",
            "issue --key keys/key.pem --product myapp --perpetual",
            "key sign-set --key keys/key.pem --product myapp --epoch 1 --keys keys/key.jwks",
        ] {
            assert_eq!(folder.fails(line), "key_permissions", "{mode:o} {line}");
        }
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let folder = Folder::new();
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"#;
    folder.write("private.jwks", format!(r#"{jwk}","d":"AAAA"}}"#));
    folder.write("twice.jwks", format!(r#"{{"keys":[{jwk}"}},{jwk}"}}]}}"#));
    let weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    folder.write("weak.jwks", format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{weak}"}}"#));
    folder.write("empty", "");
    folder.write("bytes", b"\xff\xfe\x00");
    let ssh = "OPENSSH PRIVATE KEY-----";
    folder.write("ssh.pem", format!("-----BEGIN {ssh}\nAAAA\n-----END {ssh}\n"));
    fs::set_permissions(folder.path("ssh.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    folder.write("long", vec![b' '; 200_000]);
    for (file, code) in [
        ("private.jwks", "invalid_key"),
        ("twice.jwks", "invalid_key"),
        ("weak.jwks", "weak_key"),
        ("empty", "invalid_key"),
        ("bytes", "invalid_key"),
        ("ssh.pem", "invalid_key"),
        ("long", "too_large"),
        ("ed25519:short", "invalid_key"),
        ("nowhere", "io"),
        ("keys", "io"),
    ] {
        assert_eq!(folder.fails(&format!("key show {file}")), code, "{file}");
    }
    // A public key signs nothing.
    folder.run("key show --pem keys/key.pem").good();
    let line = "issue --key keys/key.jwks --product myapp --perpetual";
    assert!(["key_permissions", "invalid_key"].contains(&folder.fails(line).as_str()));
}

#[test]
fn a_signed_set_replaces_keys() {
    let folder = Folder::new();
    folder.run("key new --out keys --name next --role license").good();
    let sign = "key sign-set --key keys/key.pem --product myapp --keys keys/next.jwks";
    folder.run(&format!("{sign} --epoch 2 --out set.jwt")).good();
    folder.run(&format!("{sign} --epoch 1 --out old.jwt")).good();
    folder.run("issue --key keys/next.pem --product myapp --perpetual --out next.lic").good();

    let verify = "verify --product myapp --keys keys/key.jwks";
    assert_eq!(folder.fails(&format!("{verify} next.lic")), "unknown_key");
    let good = folder.json(&format!("{verify} --keys set.jwt next.lic"));
    assert_eq!(good["code"], "ok");
    let told = ["--keys", &folder.read("set.jwt"), "next.lic", "--json"];
    let told = [&verify.split(' ').collect::<Vec<_>>()[..], &told].concat();
    assert_eq!(folder.json_words(&told, b"")["code"], "ok");
    let older = format!("{verify} --keys set.jwt --keys old.jwt next.lic");
    assert_eq!(folder.fails(&older), "older_than_installed");
    let alone = "verify --product myapp --keys set.jwt next.lic";
    assert_eq!(folder.fails(alone), "invalid_key");
    let elsewhere = "verify --product other --keys keys/key.jwks --keys set.jwt next.lic";
    assert_eq!(folder.fails(elsewhere), "wrong_product");
    let shown = folder.json("inspect --keys keys/key.jwks set.jwt");
    assert_eq!((&shown["signature"], &shown["payload"]["epoch"]), (&json!("good"), &json!(2)));
    assert_eq!(folder.fails("inspect --keys keys/next.jwks set.jwt"), "unknown_key");
    for wrong in ["--epoch 0", "--epoch -1", "--epoch 9007199254740992", ""] {
        assert_eq!(folder.fails(&format!("{sign} {wrong}")), "invalid_argument", "{wrong}");
    }
    assert_eq!(folder.fails(&format!("{sign} --epoch 3 --out set.jwt")), "io");
}
