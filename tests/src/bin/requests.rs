//! Prints every case as a request, a line each, to try a runner by hand:
//! `cargo run -q -p licentia-tests --bin requests | python3 tests/runners/python/runner.py`.
//! With `stories` after it, every story, whose folders it prepares.

use licentia_tests::{books, protocol, telling, topics};

fn main() {
    let requests = match std::env::args().nth(1).as_deref() {
        Some("stories") => telling::requests("hand", &books::committed()),
        _ => topics::committed().iter().map(protocol::request).collect(),
    };
    for request in requests {
        println!("{request}");
    }
}
