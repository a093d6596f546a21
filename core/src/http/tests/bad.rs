//! What is refused changes nothing: every door, thirty bad bodies and more.

use super::*;
use crate::errors::{Code, Error};
use crate::token::Kind;

/// Where a license comes in, and in which member.
const DOORS: [(&str, &str); 4] = [
    ("/api/license/assign", "signed_license"),
    ("/api/licensing/token", "token"),
    ("/licensing/token", "token"),
    ("/api/v1/license", "license_key"),
];

/// Bodies that no door takes. `MEMBER` stands for the one that a door looks for.
fn bodies() -> Vec<String> {
    let good = license(|_| {});
    let (head, signature) = good.rsplit_once('.').unwrap();
    let flipped = signature.replacen(|c: char| c.is_ascii_lowercase(), "A", 1);
    let stranger = SecretKey::from_seed(&[8; 32]).unwrap();
    let signed = |change: fn(&mut Claims)| license(change);
    let mut claims_of_later = claims();
    claims_of_later.must = Some(vec!["x".into()]);
    let too_new = serde_json::to_vec(&claims_of_later).unwrap();
    let long = "x".repeat(100 * 1024);
    let texts = [
        head.to_string(),
        format!("{head}.{flipped}"),
        format!("{head}.{signature}{signature}"),
        format!("{head}."),
        good.replace('.', ""),
        good[200..].to_string(),
        good.chars().rev().collect(),
        issue::sign(&stranger, &claims()).unwrap(),
        signed(|claims| claims.aud = "other".into()),
        issue::sign_bytes(&vendor(), Kind::License, &too_new),
        signed(|claims| {
            claims.license.valid_from = NOW - 200 * DAY;
            claims.license.valid_until = Some(NOW - 90 * DAY);
        }),
        signed(|claims| {
            let instance = Some("https://elsewhere.example".to_string());
            claims.license.binding = Some(crate::Binding { instance, ..Default::default() });
        }),
        signed(|claims| {
            let installation = Some("6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c".to_string());
            claims.license.binding = Some(crate::Binding { installation, ..Default::default() });
        }),
        "eyJhbGciOiJub25lIn0.e30.".to_string() + &"A".repeat(120),
        format!("{}.{}.{}", "A".repeat(50), "B".repeat(50), "C".repeat(86)),
        "\u{e4}".repeat(200),
        " ".repeat(300),
        long,
    ];
    let own = texts.iter().map(|text| json!({ "MEMBER": text }).to_string());
    let others = [
        "",
        " ",
        "{",
        "{}",
        "[]",
        "null",
        "true",
        "0",
        "\"x\"",
        "{\"MEMBER\"}",
        "{\"MEMBER\": }",
        "{\"MEMBER\": null}",
        "{\"MEMBER\": 1}",
        "{\"MEMBER\": []}",
        "{\"MEMBER\": {}}",
        "{\"MEMBER\": \"\"}",
        "{\"member\": \"x\"}",
        "{\"MEMBER\": \"\\ud800\"}",
        "{} {}",
        "\u{feff}{}",
        "MEMBER=x",
        "<license/>",
    ];
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    own.chain(others.map(String::from)).chain([deep]).collect()
}

#[test]
fn whatever_is_wrong_changes_nothing() {
    let bodies = bodies();
    assert!(bodies.len() >= 30, "{}", bodies.len());
    for site in [Site::new(), Site::licensed(|_| {})] {
        let (before, status) = (site.files(), site.it.status(None).unwrap());
        for (path, member) in DOORS {
            for body in &bodies {
                let body = body.replace("MEMBER", member);
                let exchange = request("POST", path).by(7).bytes(body.as_bytes());
                let answer = ask(&site.it, exchange.header("content-type", "application/json"));
                let shown: String = body.chars().take(80).collect();
                assert_eq!(answer.status(), 400, "{path} {shown}");
                assert!(!code(&answer).is_empty(), "{path} {shown}");
            }
            let bytes = request("POST", path).by(7).bytes(b"{\"token\": \"\xff\"}");
            let answer = ask(&site.it, bytes.header("content-type", "application/json"));
            assert_eq!(answer.status(), 400);
        }
        assert!(site.files() == before, "something was written");
        assert_eq!(site.it.status(None).unwrap(), status);
    }
}

/// What editors, mail and shells do to a file is not the license's fault.
#[test]
fn a_license_is_taken_however_its_file_was_saved() {
    let text = license(|_| {});
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|it| str::from_utf8(it).unwrap()).collect();
    let texts = [text.clone(), format!("\u{feff}{text}\r\n"), lines.join("\r\n")];
    for text in texts {
        for (path, member) in DOORS {
            let body = json!({ member: text }).to_string();
            for body in [body.clone(), format!("\u{feff}{body}"), format!("\r\n{body}\r\n")] {
                let site = Site::new();
                let exchange = request("POST", path).by(7).bytes(body.as_bytes());
                let answer = ask(&site.it, exchange.header("content-type", "application/json"));
                assert!(matches!(answer.status(), 200 | 204), "{path} {body}: {}", code(&answer));
            }
        }
    }
}

/// What is wrong here is not said to be wrong with a license, and says when to try again.
#[test]
fn trouble_of_the_folder_is_not_the_license_s() {
    let site = Site::new();
    let reader = site.product.open_to_read(site.folder.path()).unwrap();
    let text = license(|_| {});
    let body = json!({ "signed_license": text, "token": text, "license_key": text });
    for path in ["/api/license/assign", "/api/licensing/token", "/api/v1/license"] {
        let answer = ask(&reader, request("POST", path).by(7).json(&body));
        assert_eq!((answer.status(), &*code(&answer)), (503, "state_unavailable"), "{path}");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

/// A key that nobody takes, or that the issuer does not know, is the caller's affair; an issuer
/// that cannot be reached is not.
#[test]
fn a_key_that_brings_nothing_says_why() {
    let mut site = Site::new();
    let key = json!({ "license_key": "72AC94-0F3B5D-278A8B" });
    let failed = |code| Err(Error::new(code, "as it is"));
    let (status, told) = site.send("POST", "/api/v1/license", &key);
    assert_eq!((status, &told["code"]), (400, &json!("no_transport")));
    for (answer, status, code) in [
        (failed(Code::Refused), 400, "refused"),
        (failed(Code::Unreachable), 502, "unreachable"),
        (Ok(b"nonsense".to_vec()), 400, "malformed"),
    ] {
        site.connect(answer);
        let (found, told) = site.send("POST", "/api/v1/license", &key);
        assert_eq!((found, &told["code"]), (status, &json!(code)));
        assert!(site.get("/api/v1/license")["data"]["license"].is_null());
    }
}
