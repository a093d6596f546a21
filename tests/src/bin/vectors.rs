//! Writes `tests/vectors/`: `cargo run -p licentia-tests --bin vectors`.

use licentia_tests::http::golden;
use licentia_tests::{books, paths, topics, webhooks};

fn main() -> std::io::Result<()> {
    for (name, topic) in topics::all() {
        write(&name, &topics::text(&topic))?;
        println!("{:4} cases in tests/vectors/{name}.json", topic.cases.len());
    }
    for (name, book) in books::all() {
        write(&name, &books::text(&book))?;
        println!("{:4} stories in tests/vectors/{name}.json", book.stories.len());
    }
    let http = golden::generate();
    write("http", &golden::text(&http))?;
    println!("{:4} sites in tests/vectors/http.json", http.cases.len());
    write("webhooks", &webhooks::text())?;
    println!("{:4} webhooks in tests/vectors/webhooks.json", webhooks::committed().len());
    Ok(())
}

fn write(name: &str, text: &str) -> std::io::Result<()> {
    std::fs::write(paths::vectors().join(format!("{name}.json")), text)
}
