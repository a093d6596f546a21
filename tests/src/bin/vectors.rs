//! Writes `tests/vectors/`: `cargo run -p licentia-tests --bin vectors`.

use licentia_tests::{paths, topics};

fn main() -> std::io::Result<()> {
    for (name, topic) in topics::all() {
        let path = paths::vectors().join(format!("{name}.json"));
        std::fs::write(&path, topics::text(&topic))?;
        println!("{:4} cases in tests/vectors/{name}.json", topic.cases.len());
    }
    Ok(())
}
