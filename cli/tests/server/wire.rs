//! `licentia sync`, `activate` and `call`: the command asks a license server itself.

use crate::customer::{Customer, finish, told};
use crate::oracle::Shop;
use crate::running::{Running, Start};
use serde_json::{Value, json};
use std::net::TcpListener;

/// A server, a license of it with its key, and a customer.
struct Scene {
    _folder: tempfile::TempDir,
    running: Running,
    license: Value,
    customer: Customer,
}

impl Scene {
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let running = Start::new(folder.path(), None).run();
        let admin = running.admin();
        let shop = Shop::open(&admin);
        let license = json!({ "product_id": shop.product, "max_machines": 1, "max_seats": 1 });
        let license = admin.post("/api/v1/licenses", license).good();
        let keys = admin.get(&format!("/api/v1/products/{}/public-key", shop.product)).good();
        let customer = Customer::new(&folder.path().join("here"), &keys["keys"], "server-dell");
        Scene { _folder: folder, running, license, customer }
    }

    fn key(&self) -> &str {
        self.license["license_key"].as_str().unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// Asks this server.
    fn ask(&self, words: &[&str], input: &str) -> Value {
        self.customer.json(&[words, &["--server", &self.url()]].concat(), input.as_bytes())
    }
}

#[test]
fn a_product_is_activated_reports_and_hears_of_everything() {
    let scene = Scene::new();
    let asked = scene.ask(&["activate", scene.key()], "");
    assert_eq!(asked["code"], "ok", "{asked}");
    assert_eq!((&asked["called"], &asked["in_force"]), (&json!("activation"), &json!(true)));
    // As a person reads it.
    let line = ["sync", "--server", &scene.url()];
    let output = scene.customer.run(&line, b"");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("asked the server: sync\n"), "{text}");
    for words in [["call", "keys"], ["call", "revocations"], ["call", "renewal"], ["call", "clock"]]
    {
        assert_eq!(scene.ask(&words, "")["code"], "ok", "{words:?}");
    }
    assert_eq!(scene.ask(&["call", "seat", "ann"], "")["code"], "ok");
    let none = scene.ask(&["call", "seat", "ben"], "");
    assert_eq!(none["code"], "no_seat", "{none}");
    assert_eq!(scene.ask(&["call", "release", "ann"], "")["code"], "ok");
    assert_eq!(scene.ask(&["call", "seat", "ben"], "")["code"], "ok");
    let path = format!("/api/v1/licenses/{}", scene.license["id"].as_str().unwrap());
    scene.running.admin().delete(&path).good();
    let asked = scene.ask(&["sync"], "");
    assert_eq!((&asked["code"], &asked["in_force"]), (&json!("ok"), &json!(false)), "{asked}");
    assert_eq!(asked["reason"], "revoked");
}

#[test]
fn the_server_is_named_in_any_of_the_usual_ways() {
    let scene = Scene::new();
    // A license key that nobody else on the machine sees.
    let typed = format!("{}\n", scene.key());
    assert_eq!(scene.ask(&["activate", "-"], &typed)["code"], "ok");
    let set = format!("server={}", scene.url());
    assert_eq!(scene.customer.json(&["sync", "--set", &set], b"")["code"], "ok");
    let with = |name: &str, value: &str| {
        let mut command = scene.customer.command(&["sync", "--json"]);
        command.env("LICENTIA_SERVER", scene.url()).env(name, value);
        told(&finish(command, b""))["code"].as_str().unwrap().to_string()
    };
    assert_eq!(with("LICENTIA_PROXY", "none"), "ok");
    assert_eq!(with("LICENTIA_PROXY", ""), "ok", "set to nothing");
    assert_eq!(with("LICENTIA_SERVER_TIMEOUT", "300"), "ok");
    assert_eq!(with("LICENTIA_SERVER_TIMEOUT", "0"), "invalid_argument");
    assert_eq!(with("LICENTIA_SERVER", ""), "no_transport");
    assert_ne!(with("LICENTIA_SERVER_CA", "nowhere.pem"), "ok");
}

#[test]
fn what_fails_is_named_and_changes_nothing() {
    let scene = Scene::new();
    let key = scene.key();
    let without = scene.customer.json(&["activate", key], b"");
    assert_eq!(without["code"], "no_transport", "{without}");
    // Nobody is there, and somebody who says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let [silent, gone] = [silent.local_addr().unwrap(), gone].map(|at| format!("http://{at}"));
    for server in [&silent, &gone] {
        let words = ["activate", key, "--server", server, "--server-timeout", "1"];
        let output = scene.customer.run(&words, b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("(unreachable)") && !said.contains(key), "{said}");
    }
    // One of several is enough.
    let both = format!("{gone},{}", scene.url());
    let wrong = scene.customer.json(&["activate", "ABCDE-FGHJK", "--server", &both], b"");
    assert_eq!(wrong["code"], "refused", "{wrong}");
    for (words, code) in [
        (vec!["sync"], "refused"),
        (vec!["call", "renewal"], "not_licensed"),
        (vec!["call", "seat"], "invalid_argument"),
        (vec!["call", "everything"], "invalid_argument"),
        (vec!["sync", "--server-timeout", "x"], "invalid_argument"),
        (vec!["activate", "-", "--machine", "-"], "invalid_argument"),
    ] {
        let told = scene.ask(&words, "");
        assert_eq!(told["code"], code, "{words:?}: {told}");
    }
    let url = "http://acme:secret@127.0.0.1:1";
    for more in [["--proxy", url], ["--server", url]] {
        let output = scene.customer.run(&[&["activate", key], &more[..]].concat(), b"");
        assert!(!output.status.success());
        assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"), "{output:?}");
    }
    let list = scene.running.admin().get("/api/v1/activations").good();
    assert_eq!(list["total"], 0, "{list}");
    assert_eq!(scene.ask(&["activate", key], "")["code"], "ok");
    assert!(scene.customer.allows());
}
