//! Whatever comes back that is no answer: a sentence that says what it was, and nothing changed.
#![cfg(feature = "net")]

mod net_support;

use net_support::tls::{Authority, Certified};
use net_support::*;
use std::fmt::Write as _;
use std::io::Write as _;

const PROBLEM: &str = "content-type: application/problem+json\r\n";
const JSON: &str = "content-type: application/json\r\n";

/// A call to somebody who says this, and another to a server as it should be.
fn heard(it: &mut Customer, said: Vec<u8>) -> String {
    let before = it.it.status(None).unwrap();
    let told = it.sync(&Peer::saying(said).http());
    assert!(told.len() < 252 + "unreachable: ".len(), "{told}");
    let state = |status: &str| {
        let status: serde_json::Value = serde_json::from_str(status).unwrap();
        (status["state"].clone(), status["license"].clone())
    };
    assert_eq!(state(&it.it.status(None).unwrap()), state(&before), "{told}");
    told
}

#[test]
fn what_is_no_answer_is_unreachable_and_says_what_it_was() {
    let mut it = Customer::new();
    let good = Peer::good();
    let html = "content-type: text/html; charset=utf-8\r\n";
    for (said, sentence) in [
        (http("200 OK", html, "<html>Welcome to the airport"), "something else (text/html"),
        (http("204 No Content", "", ""), "something else (nothing)"),
        (http("200 OK", JSON, ""), "something else (application/json)"),
        (http("200 OK", JSON, "{}"), "something else"),
        (http("200 OK", JSON, r#"{"answer": 7}"#), "something else"),
        (http("200 OK", JSON, r#"{"answer": null}"#), "something else"),
        (http("200 OK", JSON, r#"["answer"]"#), "something else"),
        (http("200 OK", JSON, r#"{"answer": "x", "answer": "y"}"#), "something else"),
        (http("200 OK", JSON, r#"{"answer": "x", "\u0061nswer": "y"}"#), "something else"),
        (http("200 OK", JSON, r#"{"answer": "x"} trailing"#), "something else"),
        (http("200 OK", JSON, b"{\"answer\": \"\xff\xfe\"}"), "something else"),
        (http("200 OK", JSON, "[".repeat(100_000)), "something else"),
        (http("201 Created", JSON, r#"{"answer": "x"}"#), "something else"),
        (http("500 Oh", html, "<html>"), "it answers 500, and nothing that a license server"),
        (http("401 Unauthorized", "", ""), "it answers 401"),
        (http("403 Forbidden", JSON, r#"{"code": "refused"}"#), "it answers 403"),
        (http("404 Not Found", html, "no such page"), "it answers 404"),
        (http("407 Proxy Login", html, ""), "the proxy wants a name and a password"),
        (http("503 No", PROBLEM, r#"{"code": "busy", "detail": "Later"}"#), "answers 503: Later"),
        (http("429 No", PROBLEM, r#"{"code": "too_many_requests"}"#), "429: too_many_requests"),
        (http("408 No", PROBLEM, r#"{"code": "request_timeout"}"#), "408: request_timeout"),
        (
            http("302 Found", "location: https://a.example/x\r\n", ""),
            "not followed: https://a.example/x",
        ),
        (http("307 Moved", "location: /\r\n", "a body"), "points elsewhere"),
        (http("304 Not Modified", "", ""), "it answers 304"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec(), "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{".to_vec(), "not HTTP"),
        (b"HTTP/1.1 9000 OK\r\n\r\n".to_vec(), "not HTTP"),
        (b"ICY 200 OK\r\n\r\n".to_vec(), "not HTTP"),
        (b"".to_vec(), "closed without an answer"),
    ] {
        let told = heard(&mut it, said.clone());
        let said = String::from_utf8_lossy(&said).chars().take(200).collect::<String>();
        assert!(told.starts_with("unreachable: ") && told.contains(sentence), "{said}: {told}");
        assert_eq!(it.sync(&good.http()), "ok", "after {said}");
    }
}

/// A stranger wrote the detail: it is short, and none of it moves what is printed around it.
#[test]
fn a_license_server_that_says_no_is_heard() {
    let mut it = Customer::new();
    let evil = "\\u001b[2Jno\\u202e\\u0007 ".to_string() + &"x".repeat(100_000);
    for (status, code, detail, told) in [
        (409, "no_seat", "All 5 seats are taken", "no_seat: All 5 seats are taken"),
        (409, "suspended", "Pay first", "refused: Pay first"),
        (404, "not_found", "There is no such key", "refused: There is no such key"),
        (401, "unauthorized", "Who are you?", "refused: Who are you?"),
        (400, "a_word_of_tomorrow", "", "refused: a_word_of_tomorrow"),
        (422, "invalid_argument", "no\\nstatus: ok", "refused: no\\u{a}status: ok"),
        (409, "revoked", &evil, "refused: \\u{1b}[2Jno\\u{202e}\\u{7} xxx"),
    ] {
        let mut body = String::new();
        write!(body, r#"{{"status": {status}, "code": "{code}", "detail": "{detail}"}}"#).unwrap();
        let said = heard(&mut it, http(&format!("{status} No"), PROBLEM, body));
        assert!(said.starts_with(told), "{said}");
        assert!(!said.contains(|c: char| c.is_control() || c == '\u{202e}'), "{said:?}");
    }
    // A gateway on the way that says no in its own words is not the license server.
    for media in ["application/json", "text/plain", "application/problem+xml"] {
        let body = r#"{"code": "no_seat", "detail": "x"}"#;
        let said = heard(&mut it, http("409 No", &format!("content-type: {media}\r\n"), body));
        assert!(said.starts_with("unreachable: "), "{media}: {said}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let (elsewhere, mut it) = (Peer::good(), Customer::new());
    for status in [301, 302, 303, 307, 308] {
        let to = format!("location: {}/api/v1/requests\r\n", elsewhere.http());
        let said = heard(&mut it, http(&format!("{status} Over there"), &to, ""));
        assert!(said.contains("points elsewhere") && said.contains(&elsewhere.http()), "{said}");
    }
    assert_eq!(elsewhere.met(), 0);
}

/// An answer that is signed is taken, whoever brings it: the rest is the installation's affair.
#[test]
fn what_is_said_beside_the_answer_does_not_matter() {
    let mut it = Customer::new();
    let said = heard(&mut it, http("200 OK", "", r#"{"more": [1], "answer": "nothing signed"}"#));
    assert!(said.starts_with("malformed: "), "{said}");
}

#[test]
fn a_certificate_that_is_no_good_is_named() {
    let (ours, others) = (Authority::new("Acme"), Authority::new("Other"));
    let mut it = Customer::new();
    let file = ours.file(&it.folder);
    let trusting = |it: &mut Customer, file: &str| it.set("server_ca", file);
    let serving = |certified: Certified| Peer::new(move |s| serve(&mut certified.over(s)));
    let stranger = "unreachable: no known authority has signed its certificate";
    trusting(&mut it, file.to_str().unwrap());
    for (certified, told) in [
        (ours.certify("elsewhere.example"), "unreachable: its certificate is for another name"),
        (ours.certify_until("localhost", 2021), "unreachable: its certificate has expired"),
        (others.certify("localhost"), stranger),
        (Certified::by_itself("localhost"), stranger),
    ] {
        let said = it.sync(&serving(certified).https());
        assert!(said.starts_with(told) && said.len() < 265, "{said}");
        assert_eq!(said.contains("server_ca"), told == stranger, "{said}");
    }
    let good = serving(ours.certify("localhost"));
    assert_eq!(it.sync(&good.https()), "ok");
    trusting(&mut it, "");
    assert!(it.sync(&good.https()).starts_with(stranger), "the system does not know it");
    // Speaking plainly to who does not, and the other way round.
    let plain = Peer::new(|mut stream| {
        let _ = stream.write_all(&http("400 Bad Request", "", "")).map(|()| close(&stream));
    });
    let said = it.sync(&plain.http().replace("http:", "https:").replace("127.0.0.1", "localhost"));
    assert!(said.starts_with("unreachable: there is no TLS with it"), "{said}");
    assert!(it.sync(&good.http()).starts_with("unreachable: "));
    // The name of an address, not of a machine.
    let said = it.sync(&good.http().replace("http:", "https:"));
    assert!(said.starts_with("unreachable: "), "{said}");
}

#[test]
fn the_file_of_authorities_is_read_by_each_call() {
    let (ours, others) = (Authority::new("Acme"), Authority::new("Other"));
    let mut it = Customer::new();
    let file = others.file(&it.folder);
    it.set("server_ca", file.to_str().unwrap());
    let certified = ours.certify("localhost");
    let peer = Peer::new(move |stream| serve(&mut certified.over(stream)));
    assert!(it.sync(&peer.https()).starts_with("unreachable: no known authority"));
    std::fs::write(&file, format!("{}\n# theirs\n{}", ours.pem(), others.pem())).unwrap();
    assert_eq!(it.sync(&peer.https()), "ok");
    std::fs::write(&file, "no certificate").unwrap();
    let said = it.sync(&peer.https());
    assert!(said.starts_with("unreachable: server_ca: there is no certificate"), "{said}");
    std::fs::remove_file(&file).unwrap();
    let said = it.sync(&peer.https());
    assert!(
        said.starts_with("unreachable: server_ca, ") && said.contains("No such file"),
        "{said}"
    );
    assert_eq!(it.sync(&Peer::good().http()), "ok", "plain HTTP needs none");
}
