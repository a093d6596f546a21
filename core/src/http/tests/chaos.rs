//! Whatever is asked is answered, and nothing panics.

use super::*;
use crate::http::routes::ROUTES;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::LazyLock;

static SITE: LazyLock<Site> = LazyLock::new(|| {
    let mut site = Site::licensed(|_| {});
    site.it.set("instance", "https://play.acme.example").unwrap();
    site
});

fn any_method() -> impl Strategy<Value = String> {
    let known = ["GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS"].map(String::from).to_vec();
    prop_oneof![8 => select(known), 1 => "[!#-'*+.^_`|~0-9A-Za-z-]{1,32}"]
}

fn any_target() -> impl Strategy<Value = String> {
    let paths: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    let known = (select(paths), "(|\\?[!-~]{0,40}|#[!-~]{0,9}|/|%[0-9a-f]{2})");
    prop_oneof![
        8 => known.prop_map(|(path, rest)| format!("{path}{rest}")),
        1 => "/[!-~\u{80}-\u{10ffff}]{0,200}",
        1 => "(http|https)://[!-~]{0,40}",
    ]
}

fn any_header() -> impl Strategy<Value = (String, String)> {
    let names = [
        "content-type",
        "Content-Encoding",
        "origin",
        "host",
        "sec-fetch-site",
        "x-forwarded-host",
        "x-request-id",
        "accept",
    ];
    let values = [
        "application/json",
        "text/plain",
        "identity",
        "cross-site",
        "same-origin",
        "https://play.acme.example",
        "https://evil.example:443",
        "null",
        "a,b,,",
    ];
    let name = prop_oneof![9 => select(names.map(String::from).to_vec()), 1 => "\\PC{0,20}"];
    let value = prop_oneof![3 => select(values.map(String::from).to_vec()), 1 => ".{0,60}"];
    (name, value)
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let members = select(vec!["signed_license", "token", "license_key", "instance", "x"]);
    let values = prop_oneof![
        2 => "\\PC{0,200}".prop_map(Value::from),
        1 => select(vec![Value::Null, json!(1), json!([]), json!({}), json!(true)]),
        1 => Just(json!("https://play.acme.example")),
        1 => (0..2000_usize).prop_map(|at| {
            let mut token = license(|_| {});
            token.truncate(at);
            Value::from(token)
        }),
    ];
    prop_oneof![
        4 => proptest::collection::vec((members, values), 0..4).prop_map(|all| {
            let all: serde_json::Map<_, _> = all.into_iter().map(|(a, b)| (a.into(), b)).collect();
            serde_json::to_vec(&all).unwrap()
        }),
        1 => proptest::collection::vec(any::<u8>(), 0..300),
        1 => "[\\[\\]{}\",:0-9a-z ]{0,100}".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_is_answered(
        method in any_method(),
        target in any_target(),
        headers in proptest::collection::vec(any_header(), 0..6),
        body in any_body(),
        as_json in any::<bool>(),
        bits in proptest::option::of(select((0..8).chain(256..264).collect::<Vec<u32>>())),
    ) {
        let Ok(mut exchange) = Exchange::new(&method, &target) else { return Ok(()) };
        headers.iter().for_each(|(name, value)| exchange.add_header(name, value));
        if as_json {
            exchange.add_header("content-type", "application/json");
        }
        exchange.set_body(body);
        let exchange = bits.map_or(exchange.clone(), |bits| exchange.by(bits));
        let served = SITE.it.serves(&target);
        let answer = ask(&SITE.it, exchange);
        prop_assert_eq!(answer.status() == 404, !served);
        prop_assert_eq!(answer.header("cache-control"), Some("no-store"));
        prop_assert!(answer.status() < 500 || answer.status() == 502, "{:?}", answer);
    }
}

/// A slice, and `LICENTIA_SOAK` times as many where somebody has the time.
fn cases() -> u32 {
    let soak = std::env::var("LICENTIA_SOAK").ok().and_then(|times| times.parse().ok());
    1_000 * soak.unwrap_or(1).max(1)
}

/// Any number of threads share one installation, and what one puts in or takes away is one thing
/// or the other for the rest.
#[test]
fn many_ask_at_once() {
    let mut site = Site::new();
    site.it.set("instance", "https://play.acme.example").unwrap();
    let (site, token) = (&site, &license(|_| {}));
    let change = |method: &str, target: &str, body: Value| {
        let answer = ask(&site.it, request(method, target).by(7).json(&body));
        assert!(answer.status() < 300, "{answer:?}");
    };
    std::thread::scope(|threads| {
        for _ in 0..6 {
            threads.spawn(|| {
                for route in ROUTES.iter().filter(|it| it.method == "GET").cycle().take(200) {
                    let answer = ask(&site.it, request("GET", route.path).by(7));
                    assert_eq!(answer.status(), 200, "{}", route.path);
                }
            });
        }
        for _ in 0..10 {
            change("POST", "/api/license/assign", json!({ "signed_license": token }));
            change("POST", "/api/v1/license", json!({ "license_key": token }));
            let instance = json!({ "instance": "https://play.acme.example" });
            change("DELETE", "/api/licensing/token", instance);
        }
    });
    assert_eq!(site.get("/api/license")["licensed"], false);
}
