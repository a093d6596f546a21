//! Prints every case as a request, a line each, to try a runner by hand:
//! `cargo run -q -p licentia-tests --bin requests | python3 tests/runners/python/runner.py`.

use licentia_tests::{protocol, topics};

fn main() {
    for case in topics::committed() {
        println!("{}", protocol::request(&case));
    }
}
