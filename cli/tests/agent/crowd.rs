//! Many connections at once.

use crate::running::Agent;
use crate::site::Site;
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
