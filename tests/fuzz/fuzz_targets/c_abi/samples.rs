//! What a fuzzer would not come upon by itself: names, and what a fixed key signed.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::issue::sign_bytes;
use licentia::machine::{Binding, Options, Report};
use licentia::{Kind, SecretKey};

pub const CODES: &[&str] = &["myapp", "other", "my app", ""];

pub const SETTINGS: &[&str] = &[
    "clock",
    "issuer",
    "machine",
    "machine_file",
    "machine_root",
    "machine_exclude",
    "installation",
    "instance",
    "clok",
    "",
];

pub const VALUES: &[&str] = &[
    "1764000000",
    "2100-01-01T00:00:00Z",
    "0",
    "system",
    "fuzzed",
    "acme",
    "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c",
    "https://play.acme.example/",
    "nic,disk",
    "",
];

/// A folder that does not exist.
pub const NOWHERE: &str = "/nonexistent";

/// No such file, an empty one, a folder and a text.
pub const FILES: &[&str] = &[
    NOWHERE,
    "/dev/null",
    env!("CARGO_MANIFEST_DIR"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
];

pub const FEATURES: &[&str] = &["pro", "users", "audit_logs", "PRO", "nothing", ""];

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[7; 32]).unwrap());
static SECOND: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::from_seed(&[8; 32]).unwrap());

pub static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let (key, second) = (KEY.public(), SECOND.public());
    vec![
        key.to_short(),
        key.to_jwks(),
        key.to_pem().unwrap(),
        second.to_short(),
        key_set(1, second.to_jwks()),
        key_set(2, key.to_jwks().replacen(r#""kty""#, r#""state":"compromised","kty""#, 1)),
        key_set(3, key.to_jwks()),
        "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_string(),
        String::new(),
    ]
});

/// A set that the first key signed, as root.
fn key_set(epoch: u8, jwks: String) -> String {
    let head = format!(r#"{{"iss":"acme","aud":"myapp","iat":1763769600,"epoch":{epoch},"#);
    sign_bytes(&KEY, Kind::KeySet, jwks.replacen('{', &head, 1).as_bytes())
}

pub struct Sample {
    pub bytes: Vec<u8>,
    /// It grants `pro` while it is in force.
    pub has_pro: bool,
}

/// The first has no coat.
pub static LICENSES: LazyLock<Vec<Sample>> = LazyLock::new(|| {
    let plain = payload("", r#""valid_until":null"#);
    let report = Report::from_identity("myapp", "fuzzed").unwrap();
    let options = Options { allow_weak: true, ..Options::default() };
    let binding =
        serde_json::to_string(&Binding::bind(&report, "myapp", &options).unwrap()).unwrap();
    let bound = |to: &str| payload("", &format!(r#""valid_until":null,"binding":{{{to}}}"#));
    let grace = r#""valid_until":1764000000,"stages":{"ended":{"read_only":10,"deny":40}}"#;
    let payloads = [
        plain.clone(),
        payload("", r#""valid_until":1763800000"#),
        payload("", grace),
        payload(r#""exp":1763800000,"#, r#""valid_until":null"#),
        payload(r#""nbf":4102444800,"#, r#""valid_until":null"#),
        payload(r#""must":["fly"],"#, r#""valid_until":null"#),
        bound(&format!(r#""machine":{binding}"#)),
        bound(r#""installation":"6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c""#),
        plain.replace("myapp", "other"),
        plain.replace("acme", "emca"),
    ];
    let large = &include_bytes!("../../seeds/token/in_force")[1..];
    let token = sign_bytes(&KEY, Kind::License, plain.as_bytes());
    let file: Vec<u8> = token.as_bytes().chunks(64).flat_map(|l| [l, b"\r\n"].concat()).collect();
    let has_pro = |bytes| Sample { bytes, has_pro: true };
    let mut samples: Vec<_> =
        payloads.iter().map(|payload| has_pro(signed(payload.as_bytes()))).collect();
    samples.push(has_pro(STANDARD.encode(&token).into_bytes()));
    samples.push(has_pro(file));
    samples.push(has_pro(sign_bytes(&SECOND, Kind::License, plain.as_bytes()).into_bytes()));
    samples.push(has_pro(sign_bytes(&KEY, Kind::KeySet, plain.as_bytes()).into_bytes()));
    samples.push(Sample { bytes: signed(large), has_pro: false });
    samples
});

/// A license with more claims and more about the license.
fn payload(claims: &str, license: &str) -> String {
    format!(
        concat!(
            r#"{{"iss":"acme","aud":"myapp",{}"jti":"1","iat":1763769600,"license":{{"#,
            r#""id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","type":"node_locked","#,
            r#""valid_from":1763769600,"features":[{{"id":"pro"}},"#,
            r#"{{"id":"users","meter":"level","max":15}}],{}}}}}"#
        ),
        claims, license
    )
}

/// A license with any bytes as its serial number and its customer's name.
pub fn payload_with(text: &[u8]) -> Vec<u8> {
    let around = payload("", r#""serial":"?","valid_until":null,"customer":{"name":"?"}"#);
    let parts: Vec<&[u8]> = around.as_bytes().split(|byte| *byte == b'?').collect();
    parts.join(text)
}

/// A license as it is sent.
pub fn signed(payload: &[u8]) -> Vec<u8> {
    sign_bytes(&KEY, Kind::License, payload).into_bytes()
}
