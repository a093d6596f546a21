//! `licentia server rotate-keys` and `forget-clock`, beside a server that runs and without one.

use crate::running::{Agent, bearer};
use crate::site::Site;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Stdio};

const KEY: &str = "canary-key-of-the-administrator-0123";

fn licentia(site: &Site, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
    command.current_dir("/").stdin(Stdio::null()).args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LICENTIA_") {
            command.env_remove(name);
        }
    }
    command.arg("--data").arg(site.path("data"));
    command
}

fn serve(site: &Site) -> Command {
    let mut command = licentia(site, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("LICENTIA_ADMIN_KEY", KEY);
    command
}

fn done(mut command: Command) -> Value {
    let output = command.arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn post(server: &Agent, path: &str, body: &Value) -> Value {
    let head = bearer(KEY) + "Content-Type: application/json\r\n";
    let answer = server.ask("POST", path, &head, &body.to_string());
    assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    answer.json()
}

#[test]
fn keys_are_rotated_beside_a_server_and_the_master_key_without_one() {
    let site = Site::new();
    let server = Agent::from(serve(&site));
    let pair = post(&server, "/v1/key-pairs", &json!({ "name": "Main" }));
    let id = pair["id"].as_str().unwrap();
    let rotated = done(licentia(&site, &["server", "rotate-keys"]));
    assert_eq!(rotated["key_pairs"][0]["id"], pair["id"]);
    assert_eq!(rotated["key_pairs"][0]["rotated"], true);
    let rotated = done(licentia(&site, &["server", "rotate-keys", "--key-pair", id]));
    assert_eq!(rotated["key_pairs"].as_array().unwrap().len(), 1);
    // It makes use of what was made beside it.
    let again = post(&server, &format!("/v1/key-pairs/{id}/rotate"), &json!({}));
    assert_eq!(again["keys"].as_array().unwrap().len(), 9);
    let unknown = "0197a000-0000-7000-8000-000000000000";
    let unknown = refused(licentia(&site, &["server", "rotate-keys", "--key-pair", unknown]));
    assert!(unknown.contains("no such key pair"), "{unknown}");
    for args in [&["server", "rotate-keys", "--master"][..], &["server", "forget-clock"]] {
        let told = refused(licentia(&site, args));
        assert!(told.contains("Another server runs"), "{told}");
    }
    server.stop();

    let path = site.path("data/master.key");
    let old = fs::read(&path).unwrap();
    let resealed = done(licentia(&site, &["server", "rotate-keys", "--master"]));
    assert_eq!(resealed["keys"], 9, "{resealed}");
    let new = fs::read(&path).unwrap();
    assert_ne!(new, old);
    assert!(!resealed.to_string().contains(std::str::from_utf8(&new).unwrap().trim()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    fs::write(&path, &old).unwrap();
    for command in [serve(&site), licentia(&site, &["server", "rotate-keys", "--master"])] {
        let told = refused(command);
        assert!(told.contains("The master key does not open"), "{told}");
    }
    fs::write(&path, &new).unwrap();
    done(licentia(&site, &["server", "forget-clock"]));
    let server = Agent::from(serve(&site));
    post(&server, &format!("/v1/key-pairs/{id}/rotate"), &json!({}));
}

#[test]
fn a_new_master_key_is_brought_along_where_the_old_one_was() {
    let site = Site::new();
    let (old, new) = ("01".repeat(32), "02".repeat(32));
    let mut first = serve(&site);
    let server = Agent::from({
        first.env("LICENTIA_MASTER_KEY", &old);
        first
    });
    post(&server, "/v1/key-pairs", &json!({ "name": "Main" }));
    server.stop();
    let change = |new: Option<&str>| {
        let mut command = licentia(&site, &["server", "rotate-keys", "--master"]);
        command
            .env("LICENTIA_MASTER_KEY", &old)
            .envs(new.map(|it| ("LICENTIA_NEW_MASTER_KEY", it)));
        command
    };
    let output = change(None).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && told.contains("LICENTIA_NEW_MASTER_KEY"), "{told}");
    assert_eq!(done(change(Some(&new)))["keys"], 3);
    assert!(!site.path("data/master.key").exists());
    assert!(refused(change(Some(&new))).contains("The master key does not open"));
    let mut again = serve(&site);
    again.env("LICENTIA_MASTER_KEY", &new);
    assert_eq!(Agent::from(again).get_as("/v1/products", KEY).status, 200);
}
