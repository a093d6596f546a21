//! What docs/http.md promises. Every answer that a test is given is held to openapi.json too.

mod bad;
mod chaos;
mod cross_site;
mod deny;
mod document;
mod entitlements;
mod frame;
mod openapi;
mod privacy;
mod public;
mod schema;

use super::{Answer, Caller, Exchange, Rights};
use crate::claims::{Claims, Customer};
use crate::errors::Result;
use crate::feature::Feature;
use crate::installation::{Installation, Issuer, Message};
use crate::issue::{self, IssuerStatus, SyncAnswer, read_request};
use crate::messages::tests::bringing;
use crate::product::Product;
use crate::secret::SecretKey;
use crate::stages::{DAY, Stage, Stages};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://licenses.acme.example";
const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

fn vendor() -> SecretKey {
    SecretKey::from_seed(&[7; 32]).unwrap()
}

/// A feature with a meter.
fn metered(id: &str, meter: &str, max: Option<u64>) -> Feature {
    let per = (meter == "count").then(|| "month".to_string());
    let days = (meter == "distinct").then_some(14);
    Feature { meter: Some(meter.into()), per, days, max, ..Feature::new(id) }
}

/// 30 days, with 10 days of grace and 30 of reading after them.
fn claims() -> Claims {
    let mut claims = issue::draft(ISSUER, "myapp", NOW).unwrap();
    claims.license.kind = "node_locked".into();
    claims.license.id = ID.into();
    claims.license.customer =
        Some(Customer { name: Some("Test License".into()), ..Customer::default() });
    claims.license.valid_until = Some(NOW + 30 * DAY);
    claims.license.features = vec![
        Feature { over: Some(10), ..metered("monitored_monthly_requests", "count", Some(3)) },
        Feature::new("ipv6"),
        metered("hosts", "level", None),
        metered("leases", "distinct", Some(2)),
        metered("users", "level", Some(15)),
        Feature { name: Some("Audit logs".into()), ..Feature::new("audit_logs") },
    ];
    let ended = Some(Stage { read_only: Some(10), deny: Some(40), ..Stage::default() });
    let suspended = Some(Stage { warn: Some(0), deny: Some(7), ..Stage::default() });
    claims.license.stages = Some(Stages { ended, suspended, ..Stages::default() });
    claims
}

/// The usual license, changed.
fn license(change: impl FnOnce(&mut Claims)) -> String {
    let mut claims = claims();
    change(&mut claims);
    issue::sign(&vendor(), &claims).unwrap()
}

/// An installation in a folder of its own.
struct Site {
    it: Installation,
    product: Product,
    folder: TempDir,
}

impl Site {
    /// Without a license, and nothing without one; the vendor's settings changed.
    fn with(settings: &[(&str, &str)]) -> Site {
        let mut product = Product::new("myapp", &vendor().public().to_short()).unwrap();
        let usual = [("clock", "1800000000"), ("machine", "test"), ("vendor", "Acme")];
        for (name, value) in usual.iter().chain(settings) {
            product.set(name, value).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let it = product.open(folder.path()).unwrap();
        Site { it, product, folder }
    }

    fn new() -> Site {
        Site::with(&[])
    }

    /// With the usual license, changed.
    fn licensed(change: impl FnOnce(&mut Claims)) -> Site {
        let site = Site::new();
        site.it.apply(license(change).as_bytes()).unwrap();
        site
    }

    fn clock(&mut self, at: i64) {
        self.product.set("clock", &at.to_string()).unwrap();
    }

    /// The vendor's word on the license.
    fn hear(&self, status: IssuerStatus, change: impl FnOnce(&mut SyncAnswer)) {
        self.hear_from(ISSUER, status, change);
    }

    fn hear_from(&self, issuer: &str, status: IssuerStatus, change: impl FnOnce(&mut SyncAnswer)) {
        let request = self.it.request("sync", None).unwrap();
        let request = read_request(request.as_bytes()).unwrap();
        let mut answer = SyncAnswer {
            iat: NOW,
            nonce: request.nonce,
            license_id: ID.into(),
            installation: request.installation,
            activation: None,
            seq: 1_000,
            epoch: 0,
            server_time: NOW,
            status,
            message: None,
            license: None,
            keys: None,
            revocations: None,
            ack: None,
            sync_after: None,
            next_sync_by: None,
            machine: None,
        };
        change(&mut answer);
        let signed = issue::sign_sync(&vendor(), "myapp", issuer, &answer).unwrap();
        self.it.apply(signed.as_bytes()).unwrap();
    }

    /// What an administrator gets, as JSON.
    fn get(&self, target: &str) -> Value {
        let answer = ask(&self.it, request("GET", target).by(7));
        assert_eq!(answer.status(), 200, "{target}");
        to_json(&answer)
    }

    /// What a stranger gets, as JSON.
    fn get_as_stranger(&self, target: &str) -> Value {
        let answer = ask(&self.it, request("GET", target));
        assert_eq!(answer.status(), 200, "{target}");
        to_json(&answer)
    }

    /// What an administrator gets for a body, and its status.
    fn send(&self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let answer = ask(&self.it, request(method, target).by(7).json(body));
        (answer.status(), to_json(&answer))
    }

    /// Every file of the folder, with its bytes.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|it| it.unwrap());
        let read =
            |path: std::path::PathBuf| (path.display().to_string(), std::fs::read(path).unwrap());
        let mut files: Vec<_> = entries.map(|it| read(it.path())).collect();
        files.sort();
        files
    }
}

/// An issuer that says one thing, or brings one license, whatever it is asked.
struct Always(Result<Vec<u8>>);

impl Issuer for Always {
    fn ask(&self, message: &Message<'_>) -> Result<Vec<u8>> {
        self.0.clone().map(|said| bringing(message.request, &said))
    }
}

impl Site {
    fn connect(&mut self, answer: Result<Vec<u8>>) {
        self.it.connect(Arc::new(Always(answer)));
    }
}

fn request(method: &str, target: &str) -> Exchange {
    Exchange::new(method, target).unwrap()
}

impl Exchange {
    /// By somebody with these bits.
    fn by(mut self, bits: u32) -> Exchange {
        let rights = Rights::from_bits(bits).unwrap();
        self.set_caller(Caller::new("somebody", rights).unwrap());
        self
    }

    fn header(mut self, name: &str, value: &str) -> Exchange {
        self.add_header(name, value);
        self
    }

    fn bytes(mut self, body: &[u8]) -> Exchange {
        self.set_body(body);
        self
    }

    /// With a body, and as JSON.
    fn json(self, body: &Value) -> Exchange {
        let bytes = serde_json::to_vec(body).unwrap();
        self.header("content-type", "application/json").bytes(&bytes)
    }
}

/// The answer to an exchange, as the document describes it.
fn ask(it: &Installation, exchange: Exchange) -> Answer {
    let answer = it.handle(&exchange);
    openapi::hold(it, &exchange, &answer);
    answer
}

fn to_json(answer: &Answer) -> Value {
    match answer.body() {
        [] => Value::Null,
        body => serde_json::from_slice(body).unwrap(),
    }
}

/// What is wrong, by its word.
fn code(answer: &Answer) -> String {
    to_json(answer)["code"].as_str().unwrap_or_default().to_string()
}
