//! Every language tells every story of an installation alike.
//!
//! A language whose tools or library are missing is skipped by name; `LICENTIA_REQUIRE=c,cpp,…`
//! makes that a failure. tests/runners/README.md says how each is built and asked.

use licentia_tests::story::Story;
use licentia_tests::{books, process, runner, runners, telling};
use std::collections::BTreeSet;
use std::env;
use std::sync::LazyLock;

/// Every story, and how Rust tells it.
static RUST: LazyLock<Vec<(Story, String)>> = LazyLock::new(|| {
    let stories = books::committed();
    let requests = telling::requests("rust", &stories);
    let tell = |(at, line): (usize, &String)| comparable("rust", at, &runner::answer(line));
    let answers: Vec<String> = requests.iter().enumerate().map(tell).collect();
    stories.into_iter().zip(answers).collect()
});

fn comparable(teller: &str, at: usize, answer: &str) -> String {
    telling::comparable(answer, &telling::place(teller, at))
}

#[test]
fn names_are_unique_and_there_are_enough() {
    let stories = books::committed();
    let names: BTreeSet<&str> = stories.iter().map(|story| story.name.as_str()).collect();
    assert_eq!(names.len(), stories.len(), "a name is there twice");
    assert!(stories.len() >= 300, "{}", stories.len());
}

#[test]
fn rust_tells_every_story() {
    none(RUST.iter().filter_map(|(story, answer)| judge(story, answer)).collect());
}

#[test]
fn c_tells_every_story() {
    compare("c");
}

#[test]
fn cpp_tells_every_story() {
    compare("cpp");
}

#[test]
fn python_tells_every_story() {
    compare("python");
}

#[test]
fn node_tells_every_story() {
    compare("node");
}

/// A story of each book that fails and one that does not, at least; all with LICENTIA_SOAK.
#[test]
fn c_tells_without_a_memory_error() {
    let Some(runner) = runners::ready("c") else { return };
    let Some(command) = runners::watched(&runner) else { return };
    let stories = books::committed();
    let every = if env::var_os("LICENTIA_SOAK").is_some() { 1 } else { 11 };
    let slice: Vec<Story> = stories.into_iter().step_by(every).collect();
    let answers = process::converse(command, telling::requests("valgrind", &slice)).unwrap();
    none(slice.iter().zip(&answers).filter_map(|(story, answer)| judge(story, answer)).collect());
}

/// The answers of a language are those of Rust, byte for byte.
fn compare(language: &str) {
    let Some(command) = runners::ready(language) else { return };
    let stories: Vec<Story> = RUST.iter().map(|(story, _)| story.clone()).collect();
    let requests = telling::requests(language, &stories);
    let answers = process::converse(command, requests).unwrap();
    let told = answers.iter().enumerate().map(|(at, answer)| comparable(language, at, answer));
    none(
        RUST.iter().zip(told).filter_map(|((story, rust), it)| differ(story, rust, &it)).collect(),
    );
    println!("{language}: {} stories", answers.len());
}

fn judge(story: &Story, answer: &str) -> Option<String> {
    telling::judge(story, answer).map(|why| format!("{}: {why}", story.name))
}

/// Where an answer is wrong, or first differs from that of Rust.
fn differ(story: &Story, rust: &str, answer: &str) -> Option<String> {
    if let Some(why) = judge(story, answer) {
        return Some(why);
    }
    telling::difference(answer, rust).map(|place| format!("{}:{place}", story.name))
}

fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
