//! Nothing leaks: what is private is in no answer to strangers, and what nobody may have is in
//! none at all.

use super::*;
use crate::http::routes::ROUTES;
use crate::issue::sign_revocations;
use crate::machine::{self, Options};
use crate::{Binding, Metadata, Notice};

/// A text that is found wherever it is.
fn canary(name: &str) -> String {
    format!("canary{name}")
}

/// Numbers and a date that nothing else has.
const USERS: u64 = 7_654_321;
const LEASES: u64 = 8_765_432;
const USED: u64 = 6_543;
const UNTIL: i64 = 2_000_001_600; // 2033-05-18
const SUPPORT: i64 = 1_999_000_000; // 2033-05-06
const NOTICE: u32 = 3_141;
const KEY: &str = "72AC94-SECRET-278A8B-SHOWN";

/// An installation in which everything that is private has a value of its own, and the values:
/// first those that an administrator may see, then those that nobody may.
struct Secrets {
    site: Site,
    private: Vec<(&'static str, String)>,
    nobodys: Vec<(&'static str, String)>,
}

/// Binds a license to where it is, and gives the hashes that are in it.
fn bind(claims: &mut Claims, site: &Site) -> Vec<String> {
    let report = site.product.machine().unwrap();
    let options = Options { allow_weak: true, ..Options::default() };
    let machine = machine::Binding::bind(&report, "myapp", &options).unwrap();
    let hashes = machine.parts().values().flatten().cloned().collect();
    let status: Value = serde_json::from_str(&site.it.status(None).unwrap()).unwrap();
    claims.license.binding = Some(Binding {
        machine: Some(machine),
        installation: Some(status["state"]["installation"].as_str().unwrap().into()),
        instance: Some("https://canaryhost.example/".into()),
    });
    hashes
}

fn secrets() -> Secrets {
    let mut site = Site::new();
    site.it.set("instance", "https://canaryhost.example").unwrap();
    site.it.set("license_file", "/nowhere/canaryfile.lic").unwrap();
    let mut claims = claims();
    let hashes = bind(&mut claims, &site);
    claims.sub = Some(canary("sub"));
    claims.jti = canary("jti");
    claims.iss = "https://canaryissuer.example".into();
    let license = &mut claims.license;
    license.customer = Some(Customer {
        name: Some(canary("customer")),
        email: Some(canary("email")),
        account: Some(canary("account")),
        slug: Some(canary("slug")),
    });
    license.serial = Some(canary("serial"));
    license.tier = Some(canary("tier"));
    license.description = Some(canary("description"));
    license.policy = Some(canary("policy"));
    license.valid_until = Some(UNTIL);
    license.support_until = Some(SUPPORT);
    license.notice = Some(Notice { license: Some(NOTICE), token: None });
    license.metadata = Some([("limit_by".into(), Metadata::Text(canary("metadata")))].into());
    license.features = vec![
        Feature { name: Some(canary("name")), ..metered("canaryfeature", "count", Some(USERS)) },
        metered("users", "level", Some(USERS)),
        metered("leases", "distinct", Some(LEASES)),
        metered("monitored_monthly_requests", "count", None),
    ];
    let token = issue::sign(&vendor(), &claims).unwrap();
    site.connect(Ok(token.clone().into_bytes()));
    let (status, told) = site.send("POST", "/api/v1/license", &json!({ "license_key": KEY }));
    assert_eq!(status, 200, "{told}");
    site.it.record("monitored_monthly_requests", USED).unwrap();
    site.it.record_key("leases", "02:00:5e:10:00:01").unwrap();
    site.hear_from(&claims.iss, IssuerStatus::Ok, |answer| {
        answer.message = Some(canary("message"));
    });
    let private = private(&site);
    let nobodys = nobodys(&site, &token, &hashes);
    Secrets { site, private, nobodys }
}

/// What an administrator may see, and nobody else.
fn private(site: &Site) -> Vec<(&'static str, String)> {
    let status: Value = serde_json::from_str(&site.it.status(None).unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let mut all: Vec<(&str, String)> = [
        "sub",
        "jti",
        "issuer",
        "customer",
        "email",
        "account",
        "slug",
        "serial",
        "tier",
        "description",
        "policy",
        "metadata",
        "name",
        "feature",
        "message",
        "host",
        "file",
    ]
    .map(|name| (name, canary(name)))
    .into();
    all.extend([
        ("license id", ID.to_string()),
        ("installation id", text(&status["state"]["installation"])),
        ("key id", text(&status["license"]["key_id"])),
        ("limit of users", USERS.to_string()),
        ("limit of leases", LEASES.to_string()),
        ("use", USED.to_string()),
        ("end", "2033-05-1".into()),
        ("end in seconds", UNTIL.to_string()),
        ("end of support", "2033-05-0".into()),
        ("notice", NOTICE.to_string()),
        ("days left", status["license"]["days_left"].to_string()),
        ("masked key", "-SHOWN".into()),
        ("folder", site.folder.path().display().to_string()),
    ]);
    all
}

/// What is in no answer to anybody.
fn nobodys(site: &Site, token: &str, hashes: &[String]) -> Vec<(&'static str, String)> {
    let state = site.files().into_iter().find(|(path, _)| path.contains("state.")).unwrap().1;
    let state = String::from_utf8_lossy(&state).to_string();
    let (_, secret) = state.split_once("\"secret\": \"").unwrap();
    let mut all = vec![
        ("token", token.to_string()),
        ("signature", token.rsplit('.').next().unwrap().to_string()),
        ("payload", token.split('.').nth(1).unwrap().to_string()),
        ("key", KEY.to_string()),
        ("hidden half of the key", "SECRET".into()),
        ("secret", secret.split('"').next().unwrap().to_string()),
        ("device", "02:00:5e:10:00:01".into()),
    ];
    all.extend(hashes.iter().map(|hash| ("part of the machine", hash.clone())));
    all
}

/// All of an answer, as it goes out.
fn whole(answer: &Answer) -> String {
    let headers: Vec<String> = answer.headers().map(|(a, b)| format!("{a}: {b}")).collect();
    format!("{}\n{}", headers.join("\n"), String::from_utf8_lossy(answer.body()))
}

/// Every route, with bodies that are good, bad, and none; and paths that are none.
fn exchanges(token: &str) -> Vec<Exchange> {
    let mut all = vec![request("GET", "/nothing"), request("OPTIONS", "/api/license")];
    let damaged = format!("{}x", &token[..token.len() - 1]);
    for route in ROUTES {
        all.push(request(route.method, route.path));
        all.push(request("PATCH", route.path));
        if route.method == "GET" {
            continue;
        }
        for text in [token, &damaged, KEY, ""] {
            let body = json!({
                "signed_license": text, "token": text, "license_key": text,
                "instance": "https://elsewhere.example",
            });
            all.push(request(route.method, route.path).json(&body));
        }
        let cut = &token[..40];
        let broken = format!("{{\"token\": \"{cut}");
        let exchange = request(route.method, route.path).bytes(broken.as_bytes());
        all.push(exchange.header("content-type", "application/json"));
    }
    // An id that is made for an answer may have any digits.
    all.into_iter().map(|exchange| exchange.header("x-request-id", "id")).collect()
}

#[test]
fn strangers_are_told_nothing_that_is_private() {
    let Secrets { mut site, private, nobodys } = secrets();
    assert!(private.len() >= 15, "{}", private.len());
    let token = &nobodys[0].1.clone();
    let told = |site: &Site| -> Vec<String> {
        let strangers = exchanges(token).into_iter();
        let nobodies = exchanges(token).into_iter().flat_map(|it| {
            // On the public route, whoever is no administrator is a stranger too.
            let is_public = ["/api/license", "/api/license/openapi.json"].contains(&it.path());
            let bits: &[u32] = if is_public { &[0, 1, 6, 259] } else { &[0, 256] };
            bits.iter().map(|bits| it.clone().by(*bits)).collect::<Vec<_>>()
        });
        strangers.chain(nobodies).map(|exchange| whole(&ask(&site.it, exchange))).collect()
    };
    let hold = |site: &Site, when: &str| {
        for text in told(site) {
            for (name, secret) in private.iter().chain(&nobodys) {
                let found = text.to_lowercase().contains(&secret.to_lowercase());
                assert!(!found, "{name} ({secret}) {when}, in {text}");
            }
        }
    };
    for (at, when) in [
        (NOW, "in force"),
        (UNTIL - DAY, "on the last day"),
        (UNTIL + 5 * DAY, "in grace"),
        (UNTIL + 90 * DAY, "after the end"),
    ] {
        site.clock(at);
        hold(&site, when);
    }
    let ids = [crate::issue::license_id(ID).unwrap()].into();
    let list = sign_revocations(&vendor(), "myapp", "https://canaryissuer.example", 1, NOW, &ids);
    site.it.apply(list.unwrap().as_bytes()).unwrap();
    hold(&site, "withdrawn");
    site.it.remove().unwrap();
    hold(&site, "removed");
}

/// The same canaries are found where they may be: a search that finds nothing anywhere would
/// always hold.
#[test]
fn an_administrator_sees_what_strangers_do_not() {
    let Secrets { site, private, nobodys } = secrets();
    let token = &nobodys[0].1;
    let mut shown = String::new();
    for exchange in exchanges(token) {
        shown += &whole(&ask(&site.it, exchange.by(7)));
    }
    let seen = |name: &str| {
        let secret = &private.iter().find(|(it, _)| *it == name).unwrap().1;
        shown.contains(secret.as_str())
    };
    for name in [
        "jti",
        "issuer",
        "customer",
        "account",
        "slug",
        "tier",
        "description",
        "policy",
        "metadata",
        "name",
        "feature",
        "host",
        "license id",
        "installation id",
        "limit of users",
        "limit of leases",
        "use",
        "end",
        "end in seconds",
        "end of support",
        "notice",
        "masked key",
    ] {
        assert!(seen(name), "{name} is nowhere: the other test looks for what cannot be found");
    }
    let full = site.get("/api/license").to_string();
    for name in ["customer", "license id", "installation id", "limit of users", "end"] {
        let secret = &private.iter().find(|(it, _)| *it == name).unwrap().1;
        assert!(full.contains(secret.as_str()), "{name}");
    }
}

#[test]
fn nobody_is_told_a_token_a_key_or_what_the_machine_is() {
    let Secrets { site, nobodys, .. } = secrets();
    let token = &nobodys[0].1;
    for bits in [None, Some(0), Some(7), Some(263)] {
        for exchange in exchanges(token) {
            let exchange = bits.map_or(exchange.clone(), |bits| exchange.by(bits));
            let text = whole(&ask(&site.it, exchange));
            for (name, secret) in &nobodys {
                assert!(!text.contains(secret.as_str()), "{name} by {bits:?} in {text}");
            }
        }
    }
    let debug = format!("{:?} {:?}", site.it, exchanges(token));
    for (name, secret) in &nobodys {
        assert!(!debug.contains(secret.as_str()), "{name} in {debug}");
    }
}
