//! Who asks, and for what: the same of every site.

use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::http::sites::{INSTANCE, Site, full};
use crate::signer::stranger;
use licentia::Rights;
use serde_json::json;

/// One kind of caller.
pub struct Kind {
    /// What it is called, and what a host calls it.
    pub name: &'static str,
    /// What it may do; `None` = a stranger.
    pub rights: Option<Rights>,
}

const fn kind(name: &'static str, bits: u32) -> (&'static str, u32) {
    (name, bits)
}

/// Every kind of caller that there is a difference between, and some that there must not be.
pub fn kinds() -> Vec<Kind> {
    let signed_in = [
        kind("nobody", 0),
        kind("reader", 1),
        kind("writer", 2),
        kind("editor", 3),
        kind("deleter", 4),
        kind("administrator", 7),
        kind("service_reader", 257),
        kind("service", 263),
    ];
    let known = signed_in.into_iter().map(|(name, bits)| {
        let rights = Some(Rights::from_bits(bits).expect("rights"));
        Kind { name, rights }
    });
    [Kind { name: "stranger", rights: None }].into_iter().chain(known).collect()
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Who asks: the name of a [`Kind`].
    pub who: &'static str,
    /// The method.
    pub method: &'static str,
    /// The target, below the mount.
    pub target: String,
    /// The headers, but for who asks.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What everybody may want to look at.
const LOOKS: &[&str] = &[
    "/api/license/expiration",
    "/api/license/request",
    "/api/licensing/check",
    "/api/license",
    "/api/v1/license",
    "/license",
];

/// What is written, with a body that is refused.
const WRITES: &[(&str, &str, &str)] = &[
    ("POST", "/api/license/assign", r#"{"signed_license":"nonsense"}"#),
    ("POST", "/api/licensing/token", r#"{"token":"nonsense"}"#),
    ("POST", "/licensing/token", r#"{"token":"e30.e30.e30"}"#),
    ("POST", "/api/licensing/token/renew", "{}"),
    ("DELETE", "/api/licensing/token", r#"{"instance":"https://elsewhere.example/"}"#),
    ("POST", "/api/v1/license", r#"{"license_key":"72xC94-xxxxx-278x8B-528A45-xxxxx-Vx"}"#),
];

fn ask(who: &'static str, method: &'static str, target: &str, body: &str) -> Ask {
    let mut headers = vec![("x-request-id", "a-request".to_string())];
    if !body.is_empty() {
        headers.push(("content-type", "application/json".to_string()));
    }
    Ask { who, method, target: target.to_string(), headers, body: body.to_string() }
}

/// Everything that a site is asked, in this order.
pub fn of(site: &Site) -> Vec<Ask> {
    let kinds = kinds();
    let every = |method: &'static str, target: &str, body: &str| -> Vec<Ask> {
        kinds.iter().map(|kind| ask(kind.name, method, target, body)).collect()
    };
    let mut asks: Vec<Ask> = LOOKS.iter().flat_map(|target| every("GET", target, "")).collect();
    asks.extend(every("GET", "/api/license/openapi.json", ""));
    asks.extend(WRITES.iter().flat_map(|(method, target, body)| every(method, target, body)));
    if matches!(site.name, "active" | "not_licensed") {
        asks.extend(frame());
        asks.extend(refused());
    }
    asks.extend(changes());
    asks
}

fn looks(who: &'static str) -> impl Iterator<Item = Ask> {
    LOOKS.iter().map(move |target| ask(who, "GET", target, ""))
}

/// A good license comes and goes.
fn changes() -> Vec<Ask> {
    let by = |method, target: &str, body: String| ask("administrator", method, target, &body);
    let token = full().set("/iat", NOW + DAY).set("/jti", "newer").sign();
    let mut asks =
        vec![by("POST", "/api/license/assign", json!({"signed_license": token}).to_string())];
    asks.extend(looks("administrator"));
    asks.extend(looks("stranger"));
    let token = full().set("/iat", NOW + 2 * DAY).set("/jti", "newest").sign();
    asks.push(by("POST", "/api/v1/license", json!({"license_key": token}).to_string()));
    asks.push(by("POST", "/api/licensing/token", json!({"token": token}).to_string()));
    let body = json!({"instance": INSTANCE}).to_string();
    asks.push(by("DELETE", "/api/licensing/token", body.clone()));
    asks.push(by("DELETE", "/api/licensing/token", body));
    asks.extend(looks("administrator"));
    asks
}

/// What is wrong with a license, in the order in which it is told.
fn refused() -> Vec<Ask> {
    let far = json!({"v": 1, "need": 1, "parts": {"explicit": [crate::signer::b64([7; 16])]}});
    let tokens = [
        full().sign_by(&stranger()),
        full().cut("/license/valid_until").sign(),
        full().cut("/license/id").sign(),
        full().set("/license/binding/machine", far).sign(),
        Doc::license().set("/license/valid_until", NOW - DAY).sign(),
        full().set("/aud", "other").sign(),
        full().set("/must", json!(["telepathy"])).sign(),
        full().set("/iat", NOW - 300 * DAY).sign(),
        Doc::license().typ("lic-lease+jwt").sign(),
        String::new(),
        "x".repeat(70_000),
    ];
    let by = |target: &str, member: &str, token: &str| {
        ask("administrator", "POST", target, &json!({member: token}).to_string())
    };
    let each = |token: &String| {
        [
            by("/api/license/assign", "signed_license", token),
            by("/api/licensing/token", "token", token),
            by("/api/v1/license", "license_key", token),
        ]
    };
    tokens.iter().flat_map(each).collect()
}

/// What is wrong with a request.
fn frame() -> Vec<Ask> {
    let by = |method, target: &str, body: &str| ask("administrator", method, target, body);
    let with = |mut ask: Ask, name, value: &str| {
        ask.headers.retain(|(known, _)| *known != name);
        ask.headers.push((name, value.to_string()));
        ask
    };
    let good = |target| by("POST", target, r#"{"signed_license":"nonsense"}"#);
    let mut asks = vec![
        by("GET", "/api/license/openapi.json", ""),
        by("HEAD", "/api/license/expiration", ""),
        by("HEAD", "/api/license", ""),
        by("GET", "/api/license?all=1", ""),
        by("GET", "/api/license/", ""),
        by("GET", "/api/licenses", ""),
        by("GET", "/api/license/../license", ""),
        by("GET", "/API/license", ""),
        by("GET", "/api%2flicense", ""),
        by("OPTIONS", "/api/license/assign", ""),
        by("PUT", "/api/license", "{}"),
        by("PATCH", "/api/v1/license", "{}"),
        by("DELETE", "/license", "{}"),
        with(good("/api/license/assign"), "content-type", "text/plain"),
        with(good("/api/license/assign"), "content-type", "application/json; charset=utf-8"),
        with(good("/api/license/assign"), "sec-fetch-site", "cross-site"),
        with(good("/api/license/assign"), "sec-fetch-site", "same-origin"),
        with(good("/api/license/assign"), "origin", "https://evil.example"),
        with(good("/api/license/assign"), "origin", "https://play.acme.example"),
        with(good("/api/license/assign"), "x-request-id", "with spaces in it"),
        ask("stranger", "GET", "/nowhere", ""),
        ask("stranger", "POST", "/api/license", "{}"),
    ];
    let long = json!({"signed_license": "x".repeat(140_000)}).to_string();
    asks.push(by("POST", "/api/license/assign", &long));
    for (_, target, _) in WRITES {
        for body in ["nonsense", "[]", "{}", "null", r#"{"signed_license":1,"token":[]}"#] {
            asks.push(by("POST", target, body));
        }
    }
    for body in ["{}", "[]", r#"{"instance":1}"#, r#"{"instance":"play.acme.example"}"#] {
        asks.push(by("DELETE", "/api/licensing/token", body));
    }
    asks
}
