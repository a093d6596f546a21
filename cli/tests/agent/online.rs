//! The agent and the vendor's license server: license keys, renewals, and what the agent asks by
//! itself.

use crate::running::{Agent, Answer, bearer};
use crate::site::{Site, TOKEN};
use licentia::Product;
use serde_json::{Value, json};
use std::io::ErrorKind::WouldBlock;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The administrator of the server.
const ADMIN: &str = "the-administrator-of-the-server-0123456";

/// A license server whose product has the key that signed the site's product file.
struct Vendor {
    server: Agent,
    license: Value,
}

impl Vendor {
    fn new(site: &Site) -> Vendor {
        let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
        let set = std::env::vars().filter(|(name, _)| name.starts_with("LICENTIA_"));
        set.for_each(|(name, _)| _ = command.env_remove(name));
        command.current_dir("/").stdin(Stdio::null()).env("LICENTIA_ADMIN_KEY", ADMIN);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(site.path("data"));
        let mut vendor = Vendor { server: Agent::from(command), license: Value::Null };
        let pem = site.key.to_pem().unwrap().to_string();
        let pair = json!({ "name": "main", "private_key": pem });
        let pair = vendor.ask("POST", "/api/v1/key-pairs", &pair);
        let product = json!({ "name": "A", "code": "myapp", "key_pair_id": pair["id"] });
        let product = vendor.ask("POST", "/api/v1/products", &product);
        let license = json!({ "product_id": product["id"], "terms": { "sync_days": 30 } });
        vendor.license = vendor.ask("POST", "/api/v1/licenses", &license);
        vendor
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let head = bearer(ADMIN) + "Content-Type: application/json\r\n";
        let answer = self.server.ask(method, path, &head, &body.to_string());
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        answer.json()
    }

    /// Whether a machine is activated.
    fn is_activated(&self) -> bool {
        self.ask("GET", "/api/v1/activations", &Value::Null)["total"] == 1
    }

    fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }
}

/// The file of the license, as one was sent by mail.
fn file(vendor: &Vendor) -> String {
    vendor.license["license_blob"].as_str().unwrap().to_string()
}

fn configure(site: &Site, server: &str, sync: &str) {
    let network =
        format!("[site]\nserver = \"{server}\"\nproxy = \"none\"\nserver_timeout = 300\n");
    site.configure(&format!("sync = \"{sync}\""), &network);
}

/// What the folder says, to whoever looks.
fn status(site: &Site) -> Value {
    let file = std::fs::read(site.path("product.lic")).unwrap();
    let product = Product::from_file(&file).unwrap();
    let installation = product.product().open_to_read(site.path("agent-state")).unwrap();
    serde_json::from_str(&installation.status(None).unwrap()).unwrap()
}

#[track_caller]
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn renew(agent: &Agent) -> Answer {
    let head = bearer(TOKEN) + "Content-Type: application/json\r\n";
    agent.ask("POST", "/api/licensing/token/renew", &head, "{}")
}

fn page(agent: &Agent) -> String {
    agent.get_as("/license", TOKEN).body
}

#[test]
fn a_license_key_and_a_renewal_go_to_the_server() {
    let site = Site::new();
    let vendor = Vendor::new(&site);
    configure(&site, &vendor.url(), "off");
    let agent = Agent::start(&site);
    let wrong = agent.apply("ABCDE-FGHJK-MNPQR");
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let key = vendor.license["license_key"].as_str().unwrap().to_string();
    let applied = agent.apply(&key);
    assert_eq!(applied.status, 200, "{applied:?}");
    assert!(vendor.is_activated());
    assert_eq!(agent.get("/api/license").json()["license_valid"], true);
    let renewed = renew(&agent);
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let page = page(&agent);
    assert!(page.contains("last word") && page.contains("To be asked again"), "{page}");
    let issuer = &status(&site)["issuer"];
    assert!(issuer["last_contact"].is_i64() && issuer["next_contact"].is_i64(), "{issuer}");
    assert_eq!(issuer["failure"], Value::Null);
    // The server is gone: that is told, and is no fault of the license.
    drop(vendor);
    std::thread::sleep(Duration::from_secs(11));
    assert_eq!(renew(&agent).status, 502);
    assert_eq!(agent.get("/api/license").json()["license_valid"], true);
    let issuer = &status(&site)["issuer"];
    assert_eq!(issuer["failure"]["code"], "unreachable", "{issuer}");
    assert!(!agent.stop().contains(&key), "the log has the license key");
}

#[test]
fn it_asks_by_itself_and_hears_of_what_was_withdrawn() {
    let site = Site::new();
    let vendor = Vendor::new(&site);
    // As the vendor ships it: the product file says where his server is.
    site.write("product.lic", site.product(&[("vendor", "Acme"), ("server", &vendor.url())]));
    site.configure("sync = \"off\"", "[site]\nproxy = \"none\"\n");
    let agent = Agent::start(&site);
    assert_eq!(agent.apply(&file(&vendor)).status, 200);
    assert!(!vendor.is_activated());
    agent.stop();
    // With the server in reach it reports at its start, and not before it is due again.
    site.configure("", "[site]\nproxy = \"none\"\n");
    let agent = Agent::start(&site);
    until("it reports", || vendor.is_activated());
    until("it notes that", || status(&site)["issuer"]["last_contact"].is_i64());
    assert_eq!(agent.get("/api/license").json()["license_valid"], true);
    agent.stop();
    let id = vendor.license["id"].as_str().unwrap();
    vendor.ask("DELETE", &format!("/api/v1/licenses/{id}"), &json!({}));
    let agent = Agent::start(&site);
    let told = renew(&agent);
    assert_eq!(told.status, 502, "{told:?}");
    until("it is over", || agent.get("/api/license").json()["license_valid"] == false);
}

#[test]
fn what_fails_is_noted_and_logged_and_nothing_stops() {
    let site = Site::new();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    configure(&site, &format!("http://{gone}"), "on");
    let offline = Agent::start(&site);
    assert_eq!(offline.apply(&site.license()).status, 200);
    offline.stop();
    let agent = Agent::start(&site);
    until("it tries", || status(&site)["issuer"]["failure"]["code"] == "unreachable");
    let known = status(&site);
    let next = known["issuer"]["next_contact"].as_i64().unwrap();
    assert!(next >= known["issuer"]["failure"]["at"].as_i64().unwrap() + 60, "{known}");
    assert_eq!(agent.get("/api/license").json()["license_valid"], true);
    let page = page(&agent);
    assert!(page.contains("It could not be asked"), "{page}");
    assert!(agent.stop().contains("the license server: "), "it is in the log");
}

/// A server that takes what is asked and says nothing holds up those who ask it, and nobody else.
#[test]
fn a_silent_server_holds_up_nobody_who_does_not_need_it() {
    let site = Site::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    configure(&site, &format!("http://{}", silent.local_addr().unwrap()), "on");
    let agent = Agent::start(&site);
    assert_eq!(agent.apply(&site.license()).status, 200);
    let head = format!("HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}", bearer(TOKEN));
    let send = |request: String| {
        let mut stream = agent.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let renewal = || {
        let more = "Content-Type: application/json\r\nContent-Length: 2";
        send(format!("POST /api/licensing/token/renew {head}{more}\r\n\r\n{{}}"))
    };
    let key = |number: usize| {
        let body = json!({ "license_key": format!("KEY-{number}") }).to_string();
        let length = body.len();
        let more = format!("Content-Type: application/json\r\nContent-Length: {length}");
        send(format!("POST /api/v1/license {head}{more}\r\n\r\n{body}"))
    };
    let waiting: Vec<TcpStream> = (0..40).flat_map(|at| [renewal(), key(at)]).collect();
    for _ in 0..10 {
        assert_eq!(agent.get("/healthz").status, 200);
        assert_eq!(agent.get("/readyz").status, 200);
        assert_eq!(agent.get("/api/license").json()["license_valid"], true);
        assert_eq!(agent.get_as("/license", TOKEN).status, 200);
    }
    let still_waits = |stream: &TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.peek(&mut [0]).is_err_and(|error| error.kind() == WouldBlock)
    };
    for mut stream in waiting {
        if !still_waits(&stream) {
            stream.set_nonblocking(false).unwrap();
            panic!("{:?}", crate::running::answers(&crate::running::read(&mut stream)));
        }
    }
}
