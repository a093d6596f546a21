//! Texts that mean something to a database, a shell or a log, wherever a text is taken: they are
//! texts, or they are refused.

use super::{Kit, routes, rows_of};
use crate::support::Site;
use crate::support::client::{Answer, Client};
use crate::support::dice::{Dice, seed, times};
use routes::Route;
use serde_json::{Value, json};

/// What does harm where somebody is careless.
const BASES: &[&str] = &[
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; DROP TABLE licenses; --",
    "\" OR \"\"=\"",
    "') OR ('1'='1",
    "1; DELETE FROM events",
    "'; UPDATE licenses SET revoked_at = NULL; --",
    "' UNION SELECT digest FROM api_keys --",
    "%' AND 1=0 UNION SELECT sealed FROM signing_keys --",
    "\\'; SELECT pg_sleep(9); --",
    "1 AND (SELECT COUNT(*) FROM licenses) > 0",
    "$1",
    "?1",
    ":id",
    "{{7*7}}",
    "${jndi:ldap://127.0.0.1/a}",
    "$(touch /tmp/injected)",
    "`id`",
    "%",
    "_",
    "%%",
    "\\%",
    "\\",
    "[a-z]",
    "../../etc/passwd",
    "..\\..\\windows",
    "a\r\nSet-Cookie: a=b",
    "a\nlevel=error",
    "<script>alert(1)</script>",
    "\u{0}",
    "a\u{0}b",
    "\u{1f600}",
    "\u{202e}gpj",
    "e\u{301}",
    "\u{fffe}",
    "NULL",
    "null",
    "true",
    "1e309",
    "-0",
    "0x41",
    "NaN",
    "=cmd|' /C calc'!A0",
    "|| '' ||",
    "/* */",
    "--",
    "#",
    ";",
    "''''",
    "\"\"",
];

/// The texts that are tried: some in a test, 500 where there is time.
fn payloads() -> Vec<String> {
    let mut dice = Dice(seed());
    let mut all: Vec<String> = BASES.iter().map(|it| it.to_string()).collect();
    while all.len() < 500 {
        let (one, other) = (dice.pick(BASES), dice.pick(BASES));
        all.push(match dice.below(4) {
            0 => format!("{one}{other}"),
            1 => format!("a@b.example{one}"),
            2 => one.repeat(1 + dice.below(40)),
            _ => one.to_uppercase() + &other.to_lowercase(),
        });
    }
    all.truncate(times(BASES.len()).min(500));
    all
}

/// A body with one of its texts replaced, once for each.
fn poisoned(body: &Value, payload: &str) -> Vec<Value> {
    match body {
        Value::String(_) => vec![json!(payload)],
        Value::Array(all) => {
            let each = |at: usize| {
                poisoned(&all[at], payload).into_iter().map(move |it| {
                    let mut all = all.clone();
                    all[at] = it;
                    Value::from(all)
                })
            };
            (0..all.len()).flat_map(each).collect()
        }
        Value::Object(all) => {
            let each = |name: &String| {
                let name = name.clone();
                poisoned(&all[&name], payload).into_iter().map(move |it| {
                    let mut all = all.clone();
                    all.insert(name.clone(), it);
                    Value::from(all)
                })
            };
            all.keys().flat_map(each).collect()
        }
        _ => Vec::new(),
    }
}

/// A body with every text that a route takes.
fn body(route: &Route) -> Option<Value> {
    let mut body = routes::body(route)?;
    let more = match route.path.as_str() {
        "/api/v1/licenses" => json!({
            "customer_id": "a", "customer_email": "a@b.example", "customer_name": "a",
            "license_type": "trial", "features": ["a"],
        }),
        "/api/v1/licenses/sync" => json!({
            "hardware_fingerprint": "a", "app_version": "a", "features_used": ["a"],
        }),
        "/api/v1/licenses/verify" => json!({ "public_key": "a" }),
        "/api/v1/organizations" => json!({ "issuer": "a" }),
        "/api/v1/webhooks" => json!({ "description": "a" }),
        "/api/v1/products" => json!({ "description": "a", "default_features": ["a"] }),
        _ => json!({}),
    };
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Some(body)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Refused, or done; never a fault.
fn well(answer: &Answer, name: &str, payload: &str) {
    assert!(answer.status < 500, "{name} with {payload:?}: {} {}", answer.status, answer.text());
    for (header, value) in &answer.headers {
        assert!(!header.eq_ignore_ascii_case("set-cookie"), "{name}: {header}: {value}");
    }
}

/// Asks with one thing of the path replaced, whatever it is.
fn path_with(route: &Route, kit: &Kit, at: usize, payload: &str) -> String {
    let mut path = route.path.clone();
    let mut count = 0;
    while let Some((before, rest)) = path.clone().split_once('{') {
        let (parameter, after) = rest.split_once('}').unwrap();
        let own = kit.get(routes::what(&route.path, parameter));
        let value = if count == at { encoded(payload) } else { own };
        path = format!("{before}{value}{after}");
        count += 1;
    }
    path
}

fn attack(client: &Client, route: &Route, kit: &Kit, payload: &str) -> usize {
    let name = route.name();
    let mut asked = 0;
    for at in 0..route.path.matches('{').count() {
        let path = path_with(route, kit, at, payload);
        let body = body(route).map(|body| kit.fill(&body));
        let answer = client.ask(&route.method, &path, body.as_ref());
        well(&answer, &name, payload);
        asked += 1;
    }
    let path = path_with(route, kit, usize::MAX, "");
    for text in &route.texts {
        let answer = client.get(&format!("{path}?{text}={}", encoded(payload)));
        if route.method == "GET" {
            well(&answer, &name, payload);
            // Nothing here is called like this: whoever finds something has asked for all. A part
            // of a serial number, somebody may find.
            let is_list = answer.header("content-type") == Some("application/json");
            let is_list = answer.status == 200 && is_list && text != "search";
            if is_list && answer.json()["total"].is_u64() {
                assert_eq!(answer.json()["total"], 0, "{name} {text} with {payload:?}");
            }
            asked += 1;
        }
    }
    // What would change the kit is tried on what nobody has.
    if route.method != "POST" || route.path.contains('{') {
        return asked;
    }
    for body in poisoned(&kit.fill(&body(route).unwrap_or_default()), payload) {
        well(&client.ask(&route.method, &path, Some(&body)), &name, payload);
        asked += 1;
    }
    asked
}

both! {
    fn a_text_is_a_text_wherever_it_is_taken(site: &Site) {
        println!("seed {}", seed());
        let (theirs, key) = site.organization("Other");
        Kit::new(site, theirs, &site.nobody().with_key(&key), "theirs");
        let before = rows_of(site, &theirs.to_string());
        let kit = Kit::new(site, site.organization, &site.admin(), "ours");
        let unknown = Kit::unknown();
        let client = site.admin();
        let mut routes: Vec<Route> = routes::all();
        // What is found is looked at before anything of the kind is written.
        routes.sort_by_key(|route| route.method != "GET");
        let mut asked = 0;
        for route in &routes {
            for payload in payloads() {
                let reads = route.method == "GET";
                let kit = if reads || !route.path.contains('{') { &kit } else { &unknown };
                asked += attack(&client, route, kit, &payload);
            }
        }
        assert!(asked > 2_000, "only {asked} requests");
        assert_eq!(rows_of(site, &theirs.to_string()), before);
        assert!(!std::path::Path::new("/tmp/injected").exists());
        println!("tried: {asked} requests, no fault");
    }

    fn a_text_comes_back_as_it_was(site: &Site) {
        let kit = Kit::new(site, site.organization, &site.admin(), "ours");
        for payload in payloads() {
            let body = json!({
                "product_id": kit.get("product"), "customer_id": payload, "customer_name": payload,
            });
            let made = site.admin().post("/api/v1/licenses", body);
            if made.status >= 400 {
                let control = payload.chars().any(char::is_control) || payload.contains('\u{fffe}');
                let long = payload.len() > 128;
                assert!(control || long, "{payload:?}: {}", made.text());
                continue;
            }
            let id = made.good()["id"].as_str().unwrap().to_string();
            let found = site.admin().get(&format!("/api/v1/licenses/{id}")).good();
            assert_eq!(found["customer_id"], payload);
            assert_eq!(found["customer_name"], payload);
            let path = format!("/api/v1/licenses?customer_id={}", encoded(&payload));
            let listed = site.admin().get(&path).good();
            assert_eq!((&listed["total"], &listed["licenses"][0]["id"]), (&json!(1), &json!(id)));
        }
    }
}
