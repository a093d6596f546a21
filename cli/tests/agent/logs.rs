//! What is written down of requests, and what never is.

use crate::running::{Agent, basic, bearer};
use crate::site::{Site, TOKEN};
use serde_json::Value;

#[test]
fn there_is_a_line_for_each_request_with_what_is_asked_later() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    let id = "X-Request-Id: abc-123\r\n";
    let answer = agent.ask("GET", "/api/v1/license?a=b", &(bearer(TOKEN) + id), "");
    assert_eq!(answer.headers("x-request-id"), ["abc-123"]);
    let answer = agent.ask("GET", "/nope", "X-Request-Id: a b\r\n", "");
    let own = answer.headers("x-request-id")[0].to_string();
    assert!(own.len() == 32 && own.bytes().all(|byte| byte.is_ascii_hexdigit()), "{own}");
    assert_eq!(answer.json()["requestId"], own.as_str(), "the same in the body");
    let log = agent.stop();
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines[0].contains("Z GET /api/v1/license 200 "), "{log}");
    assert!(lines[0].ends_with(" from=127.0.0.1 id=abc-123 caller=\"root\""), "{log}");
    assert!(lines[1].contains(" GET /nope 404 ") && lines[1].contains(&own), "{log}");
    assert!(lines[2].ends_with("stopping"), "{log}");
}

#[test]
fn in_json_each_line_is_an_object() {
    let site = Site::new();
    site.configure("log = \"json\"", "");
    let agent = Agent::start(&site);
    agent.get_as("/api/v1/license?secret", TOKEN);
    agent.ask("GET", "/%0a%1b[2J", "", "");
    agent.send(b"nonsense\r\n\r\n");
    let log = agent.stop();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["path"], "/api/v1/license");
    assert_eq!((&lines[0]["status"], &lines[0]["caller"]), (&200.into(), &"root".into()));
    assert!(lines[0]["seconds"].is_number() && lines[0]["bytes"].is_u64(), "{log}");
    assert_eq!(lines[1]["path"], "/%0a%1b[2J");
    assert!(lines[2]["message"].as_str().unwrap().contains("400"), "{log}");

    site.configure("log = \"off\"", "");
    let agent = Agent::start(&site);
    agent.get("/healthz");
    assert_eq!(agent.stop().lines().count(), 1, "it stops");
}

#[test]
fn no_secret_is_ever_written_down() {
    let site = Site::new();
    for log in ["text", "json"] {
        site.configure(&format!("log = \"{log}\""), "");
        let agent = Agent::start(&site);
        let license = site.license();
        assert_eq!(agent.apply(&license).status, 200);
        let secrets = ["canary-token-of-somebody", "canary-word", "canary-query", "canary-body"];
        agent.get_as("/api/v1/license", secrets[0]);
        agent.ask("GET", "/license", &basic("canary-name", secrets[1]), "");
        agent.ask("GET", &format!("/license?{}", secrets[2]), "", "");
        let json = "Content-Type: application/json\r\n";
        let body = format!("{{\"license_key\": \"{}\"}}", secrets[3]);
        agent.ask("POST", "/api/v1/license", &(bearer(TOKEN) + json), &body);
        agent.ask("POST", "/api/v1/license", &(bearer(TOKEN) + "X: canary-header\r\n"), "canary");
        agent.send(format!("GET /a HTTP/1.1\r\n{}\r\n", bearer(secrets[0])).as_bytes());
        agent.send(format!("{}\r\n\r\n", secrets[0]).as_bytes());
        let greeting = agent.greeting.clone();
        let text = greeting + &agent.stop();
        assert!(text.lines().count() >= 9, "{text}");
        assert!(!text.contains("canary") && !text.contains(TOKEN), "{text}");
        let signature = license.rsplit('.').next().unwrap();
        assert!(!text.contains(signature) && !text.contains(&license[..40]), "{text}");
    }
}
