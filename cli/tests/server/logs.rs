//! The log of a server: who asked, over the API and over the desk.

use crate::client::Client;
use crate::running::{ADMIN_KEY, Start};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Nothing here takes as long: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// The line of the request with an id, when it is written.
fn line(log: &Path, id: &str) -> Value {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let text = std::fs::read_to_string(log).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut requests = lines.filter(|line| line["message"] == "request");
        if let Some(line) = requests.find(|line| line["id"] == id) {
            return line;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no line of {id}: {}", std::fs::read_to_string(log).unwrap());
}

#[test]
fn whoever_asks_over_the_desk_is_named_as_over_the_api() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::new(folder.path(), None);
    let server = start.run();
    let nobody = Client::nobody(server.address);
    let asks = |client: &Client, id: &str, path: &str| {
        let answer = client.with("X-Request-Id", id).get(path);
        (answer.status, line(&start.log, id))
    };
    let api_key = server.admin().get("/api/v1/api-keys").good()["api_keys"][0]["id"].clone();
    let (status, api) = asks(&server.admin(), "api", "/api/v1/licenses");
    assert_eq!((status, &api["key"]), (200, &api_key));
    assert!(api["organization"].is_string(), "{api}");

    let form = nobody.with("Content-Type", "application/x-www-form-urlencoded");
    let key = format!("api_key={ADMIN_KEY}");
    let answer = form.with("X-Request-Id", "in").raw("POST", "/sign-in", key.as_bytes());
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap();
    assert_eq!(line(&start.log, "in")["key"], api_key);
    let browser = nobody.with("Cookie", cookie);
    for (id, path, status) in
        [("page", "/licenses", 200), ("file", "/exports/licenses", 200), ("none", "/audit/99", 404)]
    {
        let (found, line) = asks(&browser, id, path);
        assert_eq!((found, &line["status"]), (status, &status.into()), "{line}");
        let who = |line: &Value| (line["organization"].clone(), line["key"].clone());
        assert_eq!(who(&line), who(&api), "{line}");
    }
    // Nobody is nobody.
    for (id, client) in [("out", &nobody), ("stale", &nobody.with("Cookie", "licentia=stale"))] {
        let (status, line) = asks(client, id, "/licenses");
        assert_eq!(status, 303, "{line}");
        assert!(line["key"].is_null() && line["organization"].is_null(), "{line}");
    }
    let text = std::fs::read_to_string(&start.log).unwrap();
    let token = cookie.split_once('=').unwrap().1;
    assert!(!text.contains(token) && !text.contains(ADMIN_KEY), "what lets somebody in: {text}");
}
