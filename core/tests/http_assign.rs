//! The *assign* family: when a license ends, a text to ask for another, and the door in.

mod http_support;
mod installation_support;

use http_support::*;
use installation_support::*;
use licentia::issue::{read_request, sign_bytes};
use licentia::machine::{self, Options, Report};
use licentia::{Binding, Kind, Product, SecretKey, issue};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const EXPIRATION: &str = "/api/license/expiration";
const REQUEST: &str = "/api/license/request";
const ASSIGN: &str = "/api/license/assign";

/// A product whose vendor has a name.
fn acme() -> Product {
    let mut product = product();
    product.set("vendor", "Acme").unwrap();
    product.set("grace_days", "31").unwrap();
    product
}

fn expiration(it: &licentia::Installation) -> String {
    let reply = get(it, EXPIRATION);
    assert_eq!((reply.status, reply.media.as_str()), (200, "application/json"), "{reply:?}");
    reply.text
}

fn assign(it: &licentia::Installation, license: &str) -> Reply {
    post(it, ASSIGN, &json!({ "signed_license": license }))
}

fn told(end: &str, days: &str) -> String {
    let saas = r#""is_saas_deployment":false"#;
    format!("{{\"license_expiration\":{end},{saas},\"days_since_first_db_creation\":{days}}}")
}

#[test]
fn the_end_of_the_license_is_told_in_every_state() {
    let (mut product, folder) = (acme(), folder());
    let it = product.open(folder.path()).unwrap();
    assert_eq!(expiration(&it), told("null", "null"));
    assert_eq!(assign(&it, &license(|_| {})).status, 204);
    let end = "\"2027-02-14T08:00:00Z\"";
    assert_eq!(expiration(&it), told(end, "null"));
    for days in [30, 39, 40, 69, 70, 4_000] {
        set_clock(&mut product, NOW + days * DAY);
        assert_eq!(expiration(&it), told(end, "null"), "installed and ended");
    }
    set_clock(&mut product, NOW);
    let without_end = license(|claims| {
        claims.iat = NOW + 1;
        claims.license.kind = "perpetual".into();
        claims.license.valid_until = None;
    });
    let other = folder_of(&product, |it| assert_eq!(assign(it, &without_end).status, 204));
    let it = product.open(other.path()).unwrap();
    assert_eq!(expiration(&it), told("null", "null"));
    product.set("deployment", "saas").unwrap();
    let it = product.open(folder.path()).unwrap();
    let managed = told(end, "null").replace("false", "true");
    assert_eq!(expiration(&it), managed);
}

fn folder_of(product: &Product, prepare: impl FnOnce(&licentia::Installation)) -> TempDir {
    let folder = folder();
    prepare(&product.open(folder.path()).unwrap());
    folder
}

#[test]
fn the_days_are_whole_ones_since_the_first_use_and_go_on_after_the_license_is_gone() {
    let (mut product, folder) = (acme(), folder());
    let it = product.open(folder.path()).unwrap();
    it.first_use(None).unwrap();
    for (seconds, days) in
        [(0, "0"), (DAY - 1, "0"), (DAY, "1"), (45 * DAY + 5, "45"), (4_000 * DAY, "4000")]
    {
        set_clock(&mut product, NOW + seconds);
        assert_eq!(expiration(&it), told("null", days));
    }
    set_clock(&mut product, NOW + 2 * DAY);
    let it = Site::new(&product);
    it.first_use(Some(NOW)).unwrap();
    assert_eq!(assign(&it, &license(|_| {})).status, 204);
    it.remove().unwrap();
    assert_eq!(expiration(&it), told("null", "2"));
}

const INVALID_STATE: &str = "This deployment's data is in an invalid state. Please contact your \
                             Acme account representative";

#[test]
fn data_that_cannot_be_right_is_said_to_be_invalid() {
    let product = acme();
    let invalid = |folder: &TempDir, path: &str| {
        let it = product.open(folder.path()).unwrap();
        let reply = get(&it, path);
        assert_eq!(reply.media, "application/json");
        assert_eq!(reply.refusal(), (400, "state_corrupt".into(), INVALID_STATE.into()), "{path}");
    };
    let later = folder_of(&product, |it| it.first_use(None).unwrap());
    forge(later.path(), |state| state["anchor"] = (NOW + 1).into());
    invalid(&later, EXPIRATION);
    forge(later.path(), |state| state["anchor"] = NOW.into());
    let it = product.open(later.path()).unwrap();
    assert_eq!(expiration(&it), told("null", "0"), "now is not later than now");

    let damaged = folder_of(&product, |_| {});
    for name in ["state.a", "state.b"] {
        fs::write(damaged.path().join(name), "damaged").unwrap();
    }
    invalid(&damaged, EXPIRATION);
    invalid(&damaged, REQUEST);
    let it = product.open(damaged.path()).unwrap();
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &[].into()).unwrap();
    assert_eq!(assign(&it, &list).refusal(), (400, "state_corrupt".into(), INVALID_STATE.into()));
    assert_eq!(assign(&it, &license(|_| {})).status, 204, "a license makes it good");
    assert_eq!(get(&it, REQUEST).status, 200);

    let held = Site::new(&product);
    for name in ["state.a", "state.b"] {
        fs::write(held.folder.path().join(name), "damaged").unwrap();
    }
    assert_eq!(get(&held, EXPIRATION).status, 400, "though this process has read it before");

    let nameless = installation_support::product();
    let other = folder_of(&nameless, |it| it.first_use(None).unwrap());
    forge(other.path(), |state| state["anchor"] = (NOW + 1).into());
    let (_, _, detail) = get(&nameless.open(other.path()).unwrap(), EXPIRATION).refusal();
    assert_eq!(detail, INVALID_STATE.replace("Acme ", ""));
}

/// Where the folder itself is the trouble, no license is blamed.
#[test]
fn trouble_with_the_folder_is_not_a_licenses_fault() {
    let product = acme();
    let gone = folder();
    let path = gone.path().join("nowhere");
    let it = product.open(&path).unwrap();
    for reply in [get(&it, EXPIRATION), get(&it, REQUEST), assign(&it, &license(|_| {}))] {
        assert_eq!((reply.status, reply.media.as_str()), (503, "application/problem+json"));
        assert_eq!(reply.json()["code"], "state_unavailable", "{reply:?}");
    }
    let other = Product::new("other", &vendor().public().to_short()).unwrap();
    let foreign = folder_of(&other, |_| {});
    let it = product.open(foreign.path()).unwrap();
    for reply in [get(&it, EXPIRATION), get(&it, REQUEST), assign(&it, &license(|_| {}))] {
        assert_eq!((reply.status, reply.json()["code"].clone()), (500, json!("wrong_product")));
    }
    let newer = folder_of(&product, |_| {});
    forge(newer.path(), |state| state["v"] = 2.into());
    let it = product.open(newer.path()).unwrap();
    let reply = assign(&it, &license(|_| {}));
    assert_eq!((reply.status, reply.json()["code"].clone()), (500, json!("too_new")));

    let site = Site::new(&product);
    let read = product.open_to_read(site.folder.path()).unwrap();
    assert_eq!(expiration(&read), told("null", "null"));
    assert_eq!(assign(&read, &license(|_| {})).status, 503);
    let mut unread = acme();
    unread.set("machine_file", "/nowhere/at/all").unwrap();
    let bound = license(|claims| claims.license.binding = Some(elsewhere()));
    let reply = assign(&Site::new(&unread), &bound);
    assert_eq!((reply.status, reply.json()["code"].clone()), (500, json!("io")));
    // What this process has read before goes on.
    let held = folder();
    let it = product.open(held.path()).unwrap();
    assert_eq!(assign(&it, &license(|_| {})).status, 204);
    fs::remove_dir_all(held.path()).unwrap();
    assert_eq!(expiration(&it), told("\"2027-02-14T08:00:00Z\"", "null"));
}

#[test]
fn a_request_says_who_asks_and_the_same_in_a_copy_while_the_clock_stands() {
    let (mut product, folder) = (acme(), folder());
    let it = product.open(folder.path()).unwrap();
    let reply = get(&it, REQUEST);
    let json = reply.json();
    assert_eq!(reply.text, format!("{{\"license_request\":{}}}", json["license_request"]));
    let text = json["license_request"].as_str().unwrap();
    assert!(text.starts_with("eJ"), "{text}");
    let asked = read_request(text.as_bytes()).unwrap();
    assert_eq!((asked.what.as_str(), asked.product.as_str(), asked.at), ("license", "myapp", NOW));
    assert!(asked.machine.is_some() && asked.key.is_none() && asked.license.is_none());

    let copy = installation_support::folder();
    for (name, bytes) in bytes_of(folder.path()) {
        fs::write(copy.path().join(name), bytes).unwrap();
    }
    let twin = product.open(copy.path()).unwrap();
    assert_eq!(get(&twin, REQUEST), reply);
    assert_eq!(get(&it, REQUEST), reply);
    set_clock(&mut product, NOW + 1);
    assert_ne!(get(&it, REQUEST), reply);
    let nonce = |reply: &Reply| {
        let text = reply.json()["license_request"].as_str().unwrap().to_string();
        read_request(text.as_bytes()).unwrap().nonce
    };
    assert_ne!(nonce(&get(&it, REQUEST)), nonce(&reply));
    product.set("clock", "system").unwrap();
    assert_ne!(nonce(&get(&it, REQUEST)), nonce(&get(&it, REQUEST)));
}

/// Claims as JSON, signed by a key, whatever is wrong with them.
fn forged(key: &SecretKey, change: impl FnOnce(&mut Value)) -> String {
    let mut json = serde_json::to_value(claims()).unwrap();
    change(&mut json);
    sign_bytes(key, Kind::License, json.to_string().as_bytes())
}

fn altered(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{signed}.{first}{}", &signature[1..])
}

fn elsewhere() -> Binding {
    let report = Report::from_identity("myapp", "another machine").unwrap();
    let machine = machine::Binding::bind(&report, "myapp", &Options::default()).unwrap();
    Binding { machine: Some(machine), ..Binding::default() }
}

const SIGNATURE: &str = "Invalid license signature. Please contact your Acme account manager for \
                         assistance.";
const FINGERPRINT: &str = "License is invalid due to fingerprint mismatch. Please contact your \
                           Acme account manager for assistance";
const EXPIRED: &str =
    "License has expired. Please contact your Acme account manager for assistance";

#[test]
fn what_is_wrong_with_a_license_is_said_in_the_texts_that_clients_know() {
    let product = acme();
    let folder = folder_of(&product, |it| it.apply(license(|_| {}).as_bytes()).unwrap());
    let it = product.open(folder.path()).unwrap();
    let stranger = SecretKey::from_seed(&[8; 32]).unwrap();
    let missing = |name: &str, member: &str| {
        let token = forged(&vendor(), |json| {
            let object = if name == "/" { json } else { &mut json["license"] };
            object.as_object_mut().unwrap().remove(member).unwrap();
        });
        assign(&it, &token).refusal()
    };
    for (object, member, named) in [
        ("license", "valid_until", "expiration_time"),
        ("license", "id", "id"),
        ("license", "features", "features"),
        ("/", "iat", "iat"),
        ("/", "license", "license"),
    ] {
        let detail = format!("Missing required field in license: {named}");
        assert_eq!(missing(object, member), (400, "malformed".into(), detail));
    }
    let bound = license(|claims| claims.license.binding = Some(elsewhere()));
    let ended = license(|claims| {
        claims.license.valid_from = NOW - 300 * DAY;
        claims.license.valid_until = Some(NOW - 100 * DAY);
    });
    for (token, code, detail) in [
        (altered(&license(|_| {})), "bad_signature", SIGNATURE),
        (forged(&stranger, |_| {}), "unknown_key", SIGNATURE),
        (bound, "wrong_machine", FINGERPRINT),
        (ended, "expired", EXPIRED),
    ] {
        let wanted = (400, code.to_string(), detail.to_string());
        assert_eq!(assign(&it, &token).refusal(), wanted);
    }
    for (token, code) in [
        (license(|claims| claims.iat = NOW - DAY), "older_than_installed"),
        (license(|claims| claims.aud = "other".into()), "wrong_product"),
        (forged(&vendor(), |json| json["must"] = json!(["more"])), "too_new"),
        (license(|claims| claims.exp = Some(NOW - DAY)), "token_expired"),
    ] {
        let reply = assign(&it, &token);
        let (status, slug, detail) = reply.refusal();
        assert_eq!((status, slug.as_str()), (400, code));
        assert!(detail.contains(": ") && !detail.starts_with("Invalid"), "{detail}");
        assert_eq!(reply.json().as_object().unwrap().len(), 2);
    }
}

#[test]
fn what_is_no_license_is_named_by_its_format() {
    let product = acme();
    let it = Site::new(&product);
    let request = it.request("license", None).unwrap();
    for (text, code) in [
        ("", "malformed"),
        ("hello", "malformed"),
        ("a.b.c", "malformed"),
        (&request, "wrong_kind"),
        (&format!("{}.b.c", "x".repeat(70_000)), "too_large"),
    ] {
        let (status, slug, detail) = assign(&it, text).refusal();
        assert_eq!((status, slug.as_str()), (400, code), "{detail}");
        let why = detail.strip_prefix("Invalid license format: ").unwrap();
        assert!(!why.is_empty() && why.len() < 160, "{why}");
    }
    for (body, why) in [
        ("{}", "signed_license is required"),
        (r#"{"token":"a"}"#, "signed_license is required"),
        (r#"{"signed_license":null}"#, "signed_license is required"),
        (r#"{"signed_license":7}"#, "signed_license is not a text"),
        ("[]", "the body is not a JSON object"),
        ("hello", "expected value at line 1 column 1"),
        ("", "EOF while parsing a value at line 1 column 0"),
        (r#"{"signed_license":"a"} x"#, "trailing characters at line 1 column 24"),
    ] {
        let wanted = (400, "malformed".into(), format!("Invalid license format: {why}"));
        assert_eq!(send(&it, "POST", ASSIGN, body).refusal(), wanted, "{body}");
    }
}

/// Of two things that are wrong the earlier in the order is named.
#[test]
fn format_signature_missing_field_fingerprint_end() {
    let product = acme();
    let it = Site::new(&product);
    let drop_end = |json: &mut Value| {
        json["license"].as_object_mut().unwrap().remove("valid_until").unwrap();
    };
    let bind = |json: &mut Value| {
        json["license"]["binding"] = serde_json::to_value(elsewhere()).unwrap();
    };
    let end = |json: &mut Value| {
        json["license"]["valid_from"] = (NOW - 300 * DAY).into();
        json["license"]["valid_until"] = (NOW - 100 * DAY).into();
    };
    let both = |one: &dyn Fn(&mut Value), two: &dyn Fn(&mut Value)| {
        forged(&vendor(), |json| {
            one(json);
            two(json);
        })
    };
    for (token, detail) in [
        (format!("{}.", altered(&both(&bind, &drop_end))), "Invalid license format: "),
        (altered(&both(&bind, &drop_end)), SIGNATURE),
        (both(&bind, &drop_end), "Missing required field in license: expiration_time"),
        (both(&bind, &end), FINGERPRINT),
        (both(&end, &|_| {}), EXPIRED),
    ] {
        let (_, _, said) = assign(&it, &token).refusal();
        assert!(said.starts_with(detail), "{said}");
    }
}

/// Anything that was signed: whoever has a license to assign may have a clock reset.
#[test]
fn a_license_is_assigned_and_so_is_a_clock_reset() {
    let (mut product, folder) = (acme(), folder());
    let it = product.open(folder.path()).unwrap();
    let reply = assign(&it, &format!("\n {}\r\n", license(|_| {})));
    assert_eq!(reply, Reply { status: 204, media: String::new(), text: String::new() });
    set_clock(&mut product, NOW + 100 * DAY);
    it.first_use(None).unwrap();
    set_clock(&mut product, NOW);
    assert_eq!(status(&it)["in_force"], false, "the clock was ahead");
    let reset = reset(&it, NOW);
    assert_eq!(assign(&it, &reset).status, 204);
    assert_eq!(status(&it)["in_force"], true);
    let (status, code, _) = assign(&it, &reset).refusal();
    assert_eq!((status, code.as_str()), (400, "already_used"));
}

/// Thirty bad licenses and bodies: what holds, and the folder, stay as they are to the byte.
#[test]
fn what_is_refused_changes_nothing() {
    let product = acme();
    let folder = folder_of(&product, |it| it.apply(license(|_| {}).as_bytes()).unwrap());
    let it = product.open(folder.path()).unwrap();
    let withdrawn = "11111111-2222-4333-8444-555555555555";
    let ids = [issue::license_id(withdrawn).unwrap()].into();
    let list = issue::sign_revocations(&vendor(), "myapp", ISSUER, 2, NOW, &ids).unwrap();
    assert_eq!(assign(&it, &list).status, 204);
    let member = |name: &'static str, value: Value| {
        forged(&vendor(), move |json| *json.pointer_mut(name).unwrap() = value)
    };
    let token = license(|_| {});
    let mut bad = vec![
        altered(&token),
        altered(&list),
        forged(&SecretKey::from_seed(&[8; 32]).unwrap(), |_| {}),
        issue::sign_revocations(&vendor(), "myapp", ISSUER, 1, NOW, &ids).unwrap(),
        license(|claims| claims.license.id = withdrawn.into()),
        license(|claims| claims.iat = NOW - 1),
        license(|claims| claims.aud = "other".into()),
        license(|claims| claims.license.binding = Some(elsewhere())),
        license(|claims| {
            let binding = Binding { installation: Some(withdrawn.into()), ..Binding::default() };
            claims.license.binding = Some(binding);
        }),
        license(|claims| claims.exp = Some(NOW - DAY)),
        member("/license/valid_until", json!(NOW - 1)),
        member("/license/valid_until", json!("2027-01-01")),
        member("/license/valid_from", json!(-1)),
        member("/license/id", json!("LIC-1")),
        member("/license/features", json!({})),
        member("/license/features/0/id", json!("Reports!")),
        member("/license", json!([])),
        member("/iat", json!(1.5)),
        member("/iss", json!("")),
        member("/aud", json!("MyApp")),
        sign_bytes(&vendor(), Kind::License, b"{}"),
        sign_bytes(&vendor(), Kind::License, b"[1,2]"),
        sign_bytes(&vendor(), Kind::License, b"{\"iat\":1,\"iat\":2}"),
        sign_bytes(&vendor(), Kind::Product, b"{}"),
        sign_bytes(&vendor(), Kind::Lease, b"{}"),
        sign_bytes(&vendor(), Kind::KeySet, b"{}"),
        it.request("license", None).unwrap(),
        token[..token.len() - 1].to_string(),
        format!("{token}{token}"),
        "x".repeat(130_000),
        "\u{0}".into(),
    ];
    bad.sort();
    bad.dedup();
    assert!(bad.len() >= 30, "{}", bad.len());
    let (before, files) = (it.status(None).unwrap(), bytes_of(folder.path()));
    for (number, token) in bad.iter().enumerate() {
        for (path, member) in [(ASSIGN, "signed_license"), ("/api/licensing/token", "token")] {
            let reply = post(&it, path, &json!({ member: token }));
            assert_eq!(reply.status, 400, "{number}: {reply:?}");
            if token.len() > 20 {
                assert!(!reply.text.contains(&token[..20]), "{number}: {reply:?}");
            }
        }
        assert_eq!(it.status(None).unwrap(), before, "{number}");
        assert!(bytes_of(folder.path()) == files, "{number}");
    }
    let reopened = product.open(folder.path()).unwrap();
    assert_eq!(reopened.status(None).unwrap(), before);
    assert_eq!(assign(&it, &license(|claims| claims.iat = NOW + 1)).status, 204, "a good one");
}
