//! Webhooks, good and bad, for every language that checks them: `tests/vectors/webhooks.json`.

use crate::paths;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::webhook::{Headers, Secret, SigningKey, sign, verify};
use serde_json::{Map, Value, json};

/// What it says of itself.
const COMMENT: &str = "Webhooks (Standard Webhooks 1.0.0): what each receiver has to say of them. \
                       `headers` are names and values, `now` is the receiver's clock, and `expect` \
                       is `ok` or the word for the error. A body that is no text is in base64.";

/// The published vector.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &str = r#"{"test": 2432232314}"#;

/// An event of ours.
const EVENT: &str = concat!(
    r#"{"id":"evt_1","type":"license.created","created_at":"2021-02-25T15:02:10Z","#,
    r#""data":{"customer_name":"Zo\u00eb"}}"#
);

/// One webhook, and what has to be said of it.
#[derive(Clone)]
struct Case {
    name: String,
    body: Vec<u8>,
    headers: Vec<(String, String)>,
    secrets: Vec<String>,
    now: i64,
    expect: &'static str,
}

impl Case {
    /// A good one, signed with these keys, and given the first of them.
    fn good(name: &str, keys: &[&str], body: &[u8]) -> Case {
        let keys: Vec<_> = keys.iter().map(|key| SigningKey::parse(key).unwrap()).collect();
        let signature = sign(&keys, ID, AT, body).unwrap();
        let headers = [
            ("webhook-id", ID.to_string()),
            ("webhook-timestamp", AT.to_string()),
            ("webhook-signature", signature),
        ];
        Case {
            name: name.to_string(),
            body: body.to_vec(),
            headers: headers.map(|(name, value)| (name.to_string(), value)).into(),
            secrets: vec![keys[0].verifier().to_string()],
            now: AT,
            expect: "ok",
        }
    }

    fn published(name: &str) -> Case {
        Case::good(name, &[SECRET], BODY.as_bytes())
    }

    fn with(mut self, header: &str, value: impl Into<String>) -> Case {
        let known = self.headers.iter_mut().find(|(name, _)| name == header).unwrap();
        known.1 = value.into();
        self
    }

    fn signature(&self) -> &str {
        &self.headers[2].1
    }

    fn says(self, expect: &'static str) -> Case {
        Case { expect, ..self }
    }

    fn json(&self) -> Value {
        let mut case = Map::new();
        case.insert("name".into(), json!(format!("webhooks/{}", self.name)));
        match std::str::from_utf8(&self.body) {
            Ok(text) => case.insert("body".into(), json!(text)),
            Err(_) => case.insert("body_base64".into(), json!(STANDARD.encode(&self.body))),
        };
        case.insert("headers".into(), json!(self.headers));
        case.insert("secrets".into(), json!(self.secrets));
        case.insert("now".into(), json!(self.now));
        case.insert("expect".into(), json!(self.expect));
        Value::Object(case)
    }
}

/// A key of the kind, made of one byte.
fn key(start: &str, byte: u8) -> String {
    format!("{start}{}", STANDARD.encode([byte; 32]))
}

fn public(key: &str) -> String {
    SigningKey::parse(key).unwrap().verifier().to_string()
}

fn good() -> Vec<Case> {
    let event = EVENT.as_bytes();
    let (new, pair) = (key("whsec_", 1), key("whsk_", 2));
    let mut cases = vec![
        Case::published("the published vector"),
        Case::good("an event of ours", &[&new], event),
        Case::good("an event of ours, with a pair of keys", &[&pair], event),
        Case::good("a body that is no text", &[&new], b"\xff\xfe\x00\x01"),
        Case::good("a body of two lines", &[&new], b"{\r\n}\n"),
        Case::good("a body that is not ASCII", &[&new], "{\"name\": \"Zoë 🌍\"}".as_bytes()),
        Case::good("no body", &[&new], b""),
        Case::good(
            "a secret of 64 bytes",
            &[&format!("whsec_{}", STANDARD.encode([3; 64]))],
            event,
        ),
        Case::good("the old secret, while a new one follows", &[SECRET, &new], event),
        Case::good("the new secret, while the old one is still there", &[&new, SECRET], event),
        Case::good("a secret beside a pair of keys", &[&pair, &new], event),
    ];
    for apart in [-300, -1, 1, 300] {
        cases.push(Case { now: AT + apart, ..Case::published(&format!("{apart} seconds apart")) });
    }
    let several = vec![key("whsec_", 9), public(&pair), SECRET.to_string()];
    cases.push(Case { secrets: several, ..Case::published("one of several secrets") });
    let bare = vec![SECRET.trim_end_matches('=').to_string() + "\n"];
    cases.push(Case { secrets: bare, ..Case::published("a secret with an end of line") });
    let it = Case::published("signatures of kinds that are not known");
    let list = format!("v2,abc v1a,abc v1,*** {} v9,", it.signature());
    cases.push(it.with("webhook-signature", list));
    let mut it = Case::published("names of headers in another case");
    it.headers.iter_mut().for_each(|(name, _)| *name = name.to_uppercase());
    it.headers.push(("Host".into(), "hooks.example.com".into()));
    cases.push(it);
    cases
}

fn forged() -> Vec<Case> {
    let it = Case::published;
    let mut cases = Vec::new();
    for (what, body) in [
        ("a byte more", format!("{BODY} ")),
        ("a byte less", BODY.trim_end_matches('}').to_string()),
        ("a byte changed", BODY.replace('3', "4")),
        ("written again by a parser", BODY.replace(": ", ":")),
        ("nothing", String::new()),
        ("a mark of its encoding in front", format!("\u{feff}{BODY}")),
    ] {
        let name = format!("the body is {what}");
        cases.push(Case { body: body.into_bytes(), ..it(&name) });
    }
    cases.push(it("another id").with("webhook-id", "msg_other"));
    cases.push(it("another time").with("webhook-timestamp", (AT + 1).to_string()));
    let wrong = vec![key("whsec_", 9)];
    cases.push(Case { secrets: wrong, ..it("another secret") });
    let theirs = vec![public(&key("whsk_", 2))];
    cases.push(Case { secrets: theirs, ..it("a public key for a secret's signature") });
    let confused = Case::good("the public key taken for a secret", &[&key("whsk_", 2)], b"{}");
    let forger = confused.secrets[0].replace("whpk_", "whsec_");
    let forged = SigningKey::parse(&forger).unwrap().sign(ID, AT, b"{}").unwrap();
    cases.push(confused.with("webhook-signature", forged));
    let one = it("");
    let signature = one.signature().to_string();
    for (what, signature) in [
        ("only of kinds that are not known", "v2,abc v0,abc".to_string()),
        ("of another kind", signature.replace("v1,", "v1a,")),
        ("without its padding", signature.trim_end_matches('=').to_string()),
        ("in another spelling", signature.replace("OE=", "OF=")),
        ("in the alphabet of URLs", signature.replace('+', "-").replace('/', "_")),
        ("cut", signature[..20].to_string()),
        ("empty behind its kind", "v1,".to_string()),
        ("with a comma in place of the space", format!("v1,AAAA,{signature}")),
    ] {
        let name = format!("a signature {what}");
        cases.push(it(&name).with("webhook-signature", signature));
    }
    cases.into_iter().map(|case| case.says("bad_signature")).collect()
}

fn others() -> Vec<Case> {
    let it = Case::published;
    let mut cases = Vec::new();
    for apart in [-86_400, -301, 301, 86_400 * 365] {
        let name = format!("replayed {apart} seconds apart");
        cases.push(Case { now: AT + apart, ..it(&name) }.says("bad_timestamp"));
    }
    let late = Case { now: AT + 301, ..it("forged, and too late") };
    cases.push(late.with("webhook-id", "other").says("bad_signature"));
    for (header, at) in [("webhook-id", 0), ("webhook-timestamp", 1), ("webhook-signature", 2)] {
        let mut without = it(&format!("no {header}"));
        without.headers.remove(at);
        let mut twice = it(&format!("{header} twice"));
        twice.headers.push(twice.headers[at].clone());
        let empty = it(&format!("an empty {header}")).with(header, "");
        cases.extend([without, twice, empty].map(|case| case.says("malformed")));
    }
    for (what, id) in [
        ("a full stop", "msg.1"),
        ("a space", "msg 1"),
        ("a letter that is not ASCII", "msg_é"),
        ("257 characters", &"a".repeat(257)),
    ] {
        let name = format!("an id with {what}");
        cases.push(it(&name).with("webhook-id", id).says("malformed"));
    }
    for at in ["+1614265330", "-1", "01614265330", "1614265330.0", "1.6e9", "0x60", "soon", "١"] {
        let name = format!("a timestamp {at}");
        cases.push(it(&name).with("webhook-timestamp", at).says("malformed"));
    }
    for list in ["v1", "signature", "v1,a b"] {
        let name = format!("a list of signatures {list}");
        cases.push(it(&name).with("webhook-signature", list).says("malformed"));
    }
    let one = it("").signature().to_string();
    let many = [one.as_str()].repeat(17).join(" ");
    let huge = format!("{one}{}", " ".repeat(5_000));
    cases.push(it("17 signatures").with("webhook-signature", many).says("too_large"));
    cases.push(it("a list of 5,000 bytes").with("webhook-signature", huge).says("too_large"));
    let identity = format!("whpk_{}", STANDARD.encode([&[1_u8][..], &[0; 31]].concat()));
    for (what, secrets) in [
        ("no secrets", vec![]),
        ("17 secrets", vec![SECRET.to_string(); 17]),
        ("a secret without its start", vec![SECRET.replace("whsec_", "")]),
        ("a secret of 23 bytes", vec![format!("whsec_{}", STANDARD.encode([1; 23]))]),
        ("a secret of 65 bytes", vec![format!("whsec_{}", STANDARD.encode([1; 65]))]),
        ("a secret that is not base64", vec!["whsec_????????????????????????????????".into()]),
        ("the sender's private key", vec![key("whsk_", 2)]),
        ("a public key that anyone can sign for", vec![identity]),
    ] {
        cases.push(Case { secrets, ..it(what) }.says("invalid_argument"));
    }
    cases
}

/// What the file has to be.
pub fn text() -> String {
    let all = [good(), forged(), others()].concat();
    let lines: Vec<_> = all.iter().map(|case| format!("    {}", case.json())).collect();
    let comment = json!(COMMENT);
    format!("{{\n  \"comment\": {comment},\n  \"cases\": [\n{}\n  ]\n}}\n", lines.join(",\n"))
}

/// The cases as they are committed.
pub fn committed() -> Vec<Value> {
    let text = std::fs::read_to_string(paths::vectors().join("webhooks.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

/// What this version says of a case: `ok`, or the word for the error.
pub fn answer(case: &Value) -> &'static str {
    let body = match case["body_base64"].as_str() {
        Some(body) => STANDARD.decode(body).unwrap(),
        None => case["body"].as_str().unwrap().as_bytes().to_vec(),
    };
    let text = |value: &'_ Value| value.as_str().unwrap().to_string();
    let pair = |pair: &Value| (text(&pair[0]), text(&pair[1]));
    let headers: Vec<_> = case["headers"].as_array().unwrap().iter().map(pair).collect();
    let found = Headers::find(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let secrets = case["secrets"].as_array().unwrap().iter();
    let secrets: licentia::Result<Vec<_>> =
        secrets.map(|secret| Secret::parse(secret.as_str().unwrap())).collect();
    let checked =
        secrets.and_then(|secrets| verify(&body, &found?, &secrets, case["now"].as_i64().unwrap()));
    checked.err().map_or("ok", |error| error.slug())
}
