//! A vendor, a product and a folder for the tests of the installation.
#![allow(dead_code)]

pub mod children;
pub mod dice;

use licentia::issue::{IssuerStatus, Request, SyncAnswer, read_request};
use licentia::{Claims, Feature, Installation, Product, SecretKey, Stage, Stages, issue};
use serde_json::Value;
use tempfile::TempDir;

pub const NOW: i64 = 1_800_000_000;
pub const DAY: i64 = 86_400;
pub const ISSUER: &str = "https://licenses.acme.example";

pub fn vendor() -> SecretKey {
    SecretKey::from_seed(&[7; 32]).unwrap()
}

/// A product whose clock stands at `NOW`.
pub fn product() -> Product {
    let mut product = Product::new("myapp", &vendor().public().to_short()).unwrap();
    product.set("clock", &NOW.to_string()).unwrap();
    product.set("machine", "test").unwrap();
    product
}

pub fn metered(id: &str, meter: &str, max: u64) -> Feature {
    let per = (meter == "count").then(|| "month".to_string());
    let days = (meter == "distinct").then_some(30);
    Feature { meter: Some(meter.into()), per, days, max: Some(max), ..Feature::new(id) }
}

/// 30 days, with 10 days of grace and 30 of reading.
pub fn claims() -> Claims {
    let mut claims = issue::draft(ISSUER, "myapp", NOW).unwrap();
    claims.license.kind = "subscription".into();
    claims.license.id = "7c9e6679-7425-40de-944b-e07fc1f90ae7".into();
    claims.license.valid_until = Some(NOW + 30 * DAY);
    claims.license.features = vec![
        Feature::new("reports"),
        metered("exports", "count", 3),
        metered("users", "level", 2),
        metered("devices", "distinct", 2),
    ];
    let ended = Some(Stage { read_only: Some(10), deny: Some(40), ..Stage::default() });
    let suspended = Some(Stage { warn: Some(0), deny: Some(7), ..Stage::default() });
    claims.license.stages = Some(Stages { ended, suspended, ..Stages::default() });
    claims
}

pub fn sign(claims: &Claims) -> String {
    issue::sign(&vendor(), claims).unwrap()
}

/// The usual license, changed.
pub fn license(change: impl FnOnce(&mut Claims)) -> String {
    let mut claims = claims();
    change(&mut claims);
    sign(&claims)
}

pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub fn status(it: &Installation) -> Value {
    serde_json::from_str(&it.status(None).unwrap()).unwrap()
}

/// Sets the clock of a product and of everything it opened.
pub fn set_clock(product: &mut Product, at: i64) {
    product.set("clock", &at.to_string()).unwrap();
}

/// How much of something to try: a slice of it, `LICENTIA_SOAK` times.
pub fn rounds(slice: usize) -> usize {
    let soak = std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok());
    slice * soak.unwrap_or(1)
}

/// Says how much was tried. tests/soak.sh shows it.
pub fn tried(what: &str) {
    println!("tried: {what}");
}

/// Says that something was not tested, past the capture of tests, which hides `eprintln!`.
#[expect(clippy::explicit_write)]
pub fn skip(what: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "skipped: {what}").unwrap();
}

/// A folder in memory where there is any: for what no disk has a part in.
pub fn light_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| folder())
}

/// The vendor's answer to a request for a clock reset.
pub fn reset(it: &Installation, server_time: i64) -> String {
    let request = read_request(it.request("clock", None).unwrap().as_bytes()).unwrap();
    issue::sign_clock_reset(&vendor(), &request, ISSUER, server_time, server_time).unwrap()
}

/// The answer of the vendor's server to a sync: all is well, changed.
pub fn answer(it: &Installation, seq: u64, change: impl FnOnce(&mut SyncAnswer)) -> String {
    let request = read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
    let mut answer = answer_to(request, seq);
    change(&mut answer);
    issue::sign_sync(&vendor(), "myapp", ISSUER, &answer).unwrap()
}

/// What the server says to a request where all is well.
pub fn answer_to(request: Request, seq: u64) -> SyncAnswer {
    SyncAnswer {
        iat: NOW,
        nonce: request.nonce,
        license_id: claims().license.id,
        installation: request.installation,
        activation: None,
        seq,
        epoch: 0,
        server_time: NOW,
        status: IssuerStatus::Ok,
        message: None,
        license: None,
        keys: None,
        revocations: None,
        ack: None,
        sync_after: None,
        next_sync_by: None,
        machine: None,
    }
}
