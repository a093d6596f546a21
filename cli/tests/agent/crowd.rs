//! Many connections at once.

use crate::running::{Agent, bearer};
use crate::site::{Site, TOKEN};
use std::io::ErrorKind::WouldBlock;
use std::io::{Read, Write};

#[test]
fn those_that_say_nothing_keep_nobody_out() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    let half = |count: usize, bytes: &[u8]| {
        let open = |_| {
            let mut stream = agent.connect();
            stream.write_all(bytes).unwrap();
            stream
        };
        (0..count).map(open).collect::<Vec<_>>()
    };
    let silent = half(100, b"");
    let halves = half(100, b"GET /healthz HTTP/1.1\r\nHost: a\r\n");
    for _ in 0..20 {
        assert_eq!(agent.get("/api/license").status, 200);
    }
    drop((silent, halves));
}

#[test]
fn where_all_places_are_taken_the_one_that_waited_longest_makes_room() {
    let site = Site::new();
    site.configure("", "[limits]\nconnections = 8\nheader_seconds = 3600\n");
    let agent = Agent::start(&site);
    let mut silent: Vec<_> = (0..40).map(|_| agent.connect()).collect();
    for _ in 0..20 {
        assert_eq!(agent.get("/healthz").status, 200);
    }
    let mut bytes = [0; 1];
    assert!(matches!(silent[0].read(&mut bytes), Ok(0) | Err(_)), "the first had to go");
}

#[test]
fn many_are_answered_at_once() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(agent.get("/api/license").status, 200);
                }
            });
        }
    });
}

/// Whoever waits for the folder, and may do so for seconds, holds up nobody who does not need it.
#[test]
fn where_all_wait_for_the_folder_the_rest_goes_on() {
    let site = Site::new();
    site.configure("", "");
    let agent = Agent::start(&site);
    let held = std::fs::File::open(site.path("agent-state/lock")).unwrap();
    held.lock().unwrap();
    let send = |request: String| {
        let mut stream = agent.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let body = serde_json::json!({ "license_key": site.license() }).to_string();
    let head = format!("HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}", bearer(TOKEN));
    let apply = format!(
        "POST /api/v1/license {head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n\
         {body}",
        body.len()
    );
    let waiting: Vec<_> = (0..64).map(|_| send(apply.clone())).collect();
    assert_eq!(agent.get("/healthz").status, 200);
    let read: Vec<_> = (0..16).map(|_| send(format!("GET /metrics {head}\r\n"))).collect();
    assert_eq!(agent.get("/healthz").status, 200);
    let still_waits = |stream: &std::net::TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.peek(&mut [0]).is_err_and(|error| error.kind() == WouldBlock)
    };
    assert!(waiting.iter().any(still_waits), "it went on only after them");
    drop((held, read));
}
