//! `licentia serve`: its arguments, its start, its end, and what it writes down.

use crate::running::{Agent, bearer};
use crate::site::Site;
use crate::tls;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::{Command, Stdio};

/// The administrator's key, where it is brought along.
const KEY: &str = "canary-key-of-the-administrator-0123";

/// The server with a folder in that of the site, on any port, unstarted.
fn command(site: &Site, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
    command.current_dir("/").stdin(Stdio::null()).arg("serve");
    command.arg("--data").arg(site.path("data")).args(["--listen", "127.0.0.1:0"]).args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("LICENTIA_") {
            command.env_remove(name);
        }
    }
    command
}

/// The same with the administrator's key.
fn with_key(site: &Site, args: &[&str]) -> Command {
    let mut command = command(site, args);
    command.env("LICENTIA_ADMIN_KEY", KEY);
    command
}

fn post(server: &Agent, path: &str, body: &Value) -> Value {
    let head = bearer(KEY) + "Content-Type: application/json\r\n";
    let answer = server.ask("POST", path, &head, &body.to_string());
    assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    answer.json()
}

/// What it says when it does not start, and its exit status.
fn refusal(mut command: Command) -> (i32, String) {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(output.stdout.is_empty(), "{text}");
    assert_eq!(text.matches("error: ").count(), 1, "{text}");
    (output.status.code().unwrap(), text)
}

#[test]
fn the_first_start_tells_the_key_once_and_no_other_does() {
    let site = Site::new();
    let first = Agent::from(command(&site, &["--json"]));
    let told: Value = serde_json::from_str(&first.greeting).unwrap();
    let key = told["admin_key"].as_str().unwrap().to_string();
    assert!(key.starts_with("lic_") && key.len() > 43, "{told}");
    for (member, part) in [("data", "/data"), ("database", "licentia.db"), ("docs", "/docs")] {
        assert!(told[member].as_str().unwrap().ends_with(part), "{member}: {told}");
    }
    assert!(told["master_key"].as_str().unwrap().ends_with("/data/master.key"), "{told}");
    assert_eq!(first.get_as("/api/v1/products", &key).status, 200);
    assert!(matches!(first.get("/docs").status, 200 | 308), "the page that is told");
    assert!(first.get("/docs/").body.contains("<html"), "the page that is told");
    let log = first.stop();
    assert!(!log.contains(&key), "{log}");

    let second = Agent::from(command(&site, &["--json"]));
    let told: Value = serde_json::from_str(&second.greeting).unwrap();
    assert_eq!((&told["admin_key"], &told["organization"]), (&Value::Null, &Value::Null));
    assert_eq!(second.get_as("/api/v1/products", &key).status, 200, "it is good for ever");
    assert_eq!(second.get_as("/api/v1/products", "another").status, 401);
    second.signal(Signal::INT);
    assert_eq!(second.end().0, Some(0));
}

#[test]
fn a_key_that_is_brought_along_is_printed_nowhere() {
    let site = Site::new();
    let server = Agent::from(with_key(&site, &[]));
    assert!(server.greeting.starts_with("listening on http://127.0.0.1:"), "{}", server.greeting);
    assert_eq!(server.get_as("/v1/products", KEY).status, 200);
    assert!(!server.greeting.contains("canary"), "{}", server.greeting);
    let log = server.stop();
    assert!(log.contains("the master key is new") && !log.contains("canary"), "{log}");

    let mut later = command(&site, &["--json"]);
    later.env("LICENTIA_ADMIN_KEY", KEY.replace("0123", "4567"));
    let later = Agent::from(later);
    assert!(later.greeting.contains("counts at the first start only"), "{}", later.greeting);
    assert!(!later.greeting.contains("canary"), "{}", later.greeting);
}

#[test]
fn everything_can_be_set_by_variables_and_a_flag_counts_more() {
    let site = Site::new();
    let mut set = Command::new(env!("CARGO_BIN_EXE_licentia"));
    set.current_dir("/").stdin(Stdio::null()).args(["serve", "--json"]);
    set.env("LICENTIA_DATA", site.path("elsewhere")).env("LICENTIA_LISTEN", "127.0.0.1:0");
    set.env("LICENTIA_PUBLIC_URL", "https://licenses.example.com/");
    set.env("LICENTIA_METRICS", "off").env("LICENTIA_LOG", "json").env("LICENTIA_ADMIN_KEY", KEY);
    set.env("LICENTIA_TRUSTED_PROXY", "127.0.0.1,10.0.0.0/8").env("LICENTIA_ISSUER", "");
    set.env("LICENTIA_REQUESTS_PER_ADDRESS", "1").env("LICENTIA_DATABASE", "");
    let server = Agent::from(set);
    assert!(server.greeting.contains("\"docs\":\"https://licenses.example.com/docs\""));
    assert!(site.path("elsewhere/licentia.db").is_file());
    assert_eq!(server.get("/metrics").status, 404);
    let from = "X-Forwarded-For: 203.0.113.1\r\n";
    assert_eq!(server.ask("GET", "/v1/products", from, "").status, 401);
    assert_eq!(server.ask("GET", "/v1/products", from, "").status, 429);
    let log = server.stop();
    assert!(log.contains("\"from\":\"203.0.113.1\""), "{log}");

    let mut both = with_key(&site, &["--metrics", "local"]);
    both.env("LICENTIA_METRICS", "off").env("LICENTIA_BODY_LIMIT", "");
    assert_eq!(Agent::from(both).get("/metrics").status, 200);
}

#[test]
fn what_keeps_it_from_starting_is_one_sentence_with_the_status_of_every_command() {
    let site = Site::new();
    for (args, told) in [
        (&["--listen", "nowhere"][..], "--listen"),
        (&["--trusted-proxy", "10.0.0.0/33"], "an address, or a network"),
        (&["--metrics", "some"], "off, local, all"),
        (&["--tls-key", "key.pem"], "--tls-certificate"),
        (&["--connections", "0"], "a whole number of connections, 1 to 65536"),
        (&["--body-limit", "1048577"], "a whole number of bytes"),
        (&["--public-url", "example.com"], "https://licenses.example.com"),
        (&["--database", "mysql://h/d"], "postgres://"),
        (&["--database", "postgres://u:canary@h/d"], "LICENTIA_DATABASE"),
        (&["--admin-key", "x"], "--admin-key"),
        (&["--tls-certificate", "no.pem", "--tls-key", "no.pem"], "no.pem"),
    ] {
        let (status, text) = refusal(command(&site, args));
        let file = args.contains(&"no.pem");
        assert_eq!(status, if file { 3 } else { 2 }, "{args:?}: {text}");
        assert!(text.contains(told) && !text.contains("canary"), "{args:?}: {text}");
    }
    let (name, short) = ("LICENTIA_ADMIN_KEY", "canary-key");
    for (name, value) in [(name, short), ("LICENTIA_MASTER_KEY", "canary-master-key")] {
        let mut wrong = command(&site, &[]);
        let (status, text) = refusal({
            wrong.env(name, value);
            wrong
        });
        assert!(status == 2 && text.contains(name) && !text.contains("canary"), "{text}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut wrong = command(&site, &[]);
    wrong.env_remove("LICENTIA_LISTEN").args(["--listen", &address]);
    assert_eq!(refusal(wrong).0, 2, "a flag twice");
    let server = Agent::from(with_key(&site, &[]));
    let (status, text) = refusal(command(&site, &[]));
    assert!(status == 3 && text.contains("Another server runs on"), "{text}");
    drop(server);
}

#[test]
fn no_secret_is_ever_written_down() {
    for format in ["text", "json"] {
        let site = Site::new();
        let server = Agent::from(with_key(&site, &["--log", format, "--log-level", "debug"]));
        let made = post(&server, "/v1/api-keys", &json!({"name": "one", "scopes": ["read"]}));
        let pair = post(&server, "/v1/key-pairs", &json!({"name": "keys"}));
        let product = json!({"name": "My", "code": "my", "key_pair_id": pair["id"]});
        let product = post(&server, "/v1/products", &product);
        let license = json!({"product_id": product["id"], "customer_email": "canary@example.com"});
        let license = post(&server, "/v1/licenses", &license);
        let mut secrets: Vec<String> = vec!["canary".into()];
        let shown = [&made["key"], &license["license_blob"], &license["license_key"]];
        for secret in shown {
            secrets.push(secret.as_str().unwrap_or_else(|| panic!("{made} {license}")).into());
        }
        let head = bearer("canary-wrong-key") + "Idempotency-Key: canary-again\r\n";
        server.ask("POST", "/v1/licenses", &head, "{\"license_key\": \"canary\"}");
        server.ask("GET", "/v1/licenses/canary?canary=canary", &bearer(KEY), "");
        server.ask("GET", "/canary", "Cookie: canary\r\nUser-Agent: canary\r\n", "");
        let key = json!({"license_key": license["license_key"], "canary": 1});
        let head = bearer(KEY) + "Content-Type: application/json\r\n";
        for path in ["/v1/requests", "/v1/licenses/verify", "/v1/licenses/sync"] {
            server.ask("POST", path, &head, &key.to_string());
        }
        server.send(b"GET /canary HTTP/1.1\r\nHost: a\r\ncanary\r\n\r\n");
        let log = server.stop();
        for secret in secrets {
            assert!(!log.contains(&secret), "{secret} in {format}:\n{log}");
        }
        assert!(log.contains("/api/v1/licenses/{id}"), "{log}");
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("status")).collect();
        assert!(lines.len() >= 10, "a line for each request: {log}");
        if format == "json" {
            let begun = log.lines().skip_while(|line| !line.starts_with('{'));
            let all: Vec<Value> = begun.map(|line| serde_json::from_str(line).unwrap()).collect();
            let first = all.iter().find(|it| it["route"] == "/api/v1/api-keys").unwrap();
            for member in ["timestamp", "id", "method", "from", "organization", "key"] {
                assert!(first[member].is_string(), "{member}: {first}");
            }
            assert_eq!(first["status"], 201);
            assert!(first["seconds"].is_number() && first["bytes"].is_number(), "{first}");
        }
    }
}

#[test]
fn a_certificate_is_read_again_when_it_is_told_to() {
    let site = Site::new();
    let Some(first) = tls::certificate(&site) else { return };
    let mut command = with_key(&site, &[]);
    command.arg("--tls-certificate").arg(site.path("cert.pem"));
    command.arg("--tls-key").arg(site.path("key.pem"));
    let server = Agent::from(command);
    assert!(server.greeting.contains("listening on https://127.0.0.1:"), "{}", server.greeting);
    assert_eq!(tls::get(&server, &first), Some(200));
    let Some(second) = tls::certificate(&site) else { return };
    assert_eq!(tls::get(&server, &second), None, "it was not told yet");
    server.signal(Signal::HUP);
    let trusted = |_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        tls::get(&server, &second).is_some()
    };
    assert!((0..600).any(trusted), "it was read again");
    site.write("key.pem", "nothing");
    server.signal(Signal::HUP);
    assert_eq!(tls::get(&server, &second), Some(200));
    let log = server.stop();
    assert!(log.contains("the certificate was read again"), "{log}");
    assert!(log.contains("there is no private key in it"), "{log}");
}
