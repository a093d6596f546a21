//! Every language answers every case alike.
//!
//! A language whose tools or library are missing is skipped by name; `LICENTIA_REQUIRE=c,cpp,…`
//! makes that a failure. tests/runners/README.md says how each is built and asked.

use licentia_tests::case::Case;
use licentia_tests::{paths, process, protocol, runner, runners, topics};

#[test]
fn rust_answers_every_case() {
    std::env::set_current_dir(paths::root()).unwrap();
    let mut wrong = Vec::new();
    for case in topics::committed() {
        let answer = runner::answer(&protocol::request(&case));
        wrong.extend(protocol::judge(&case, &answer).map(|why| format!("{}: {why}", case.name)));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn c_answers_every_case() {
    compare("c");
}

#[test]
fn cpp_answers_every_case() {
    compare("cpp");
}

#[test]
fn python_answers_every_case() {
    compare("python");
}

#[test]
fn node_answers_every_case() {
    compare("node");
}

/// Good and failing paths alike leave no memory behind and touch none that is not theirs.
#[test]
fn c_answers_without_a_memory_error() {
    let Some(runner) = runners::ready("c") else { return };
    let Some(command) = runners::watched(&runner) else { return };
    let cases = topics::committed();
    let lines = cases.iter().map(protocol::request).collect();
    process::converse(command, lines).unwrap();
}

/// The answers of a language are those of Rust, byte for byte: the verdict, the message, the
/// facts and the JSON.
fn compare(language: &str) {
    std::env::set_current_dir(paths::root()).unwrap();
    let Some(command) = runners::ready(language) else { return };
    let cases = topics::committed();
    let lines: Vec<String> = cases.iter().map(protocol::request).collect();
    let expected: Vec<String> = lines.iter().map(|line| runner::answer(line)).collect();
    let answers = process::converse(command, lines).unwrap();
    let wrong: Vec<String> = cases
        .iter()
        .zip(answers.iter().zip(&expected))
        .filter_map(|(case, (answer, expected))| differ(case, answer, expected))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    println!("{language}: {} cases", cases.len());
}

fn differ(case: &Case, answer: &str, expected: &str) -> Option<String> {
    let short = |text: &str| text.chars().take(300).collect::<String>();
    if let Some(why) = protocol::judge(case, answer) {
        return Some(format!("{}: {why}", case.name));
    }
    (answer != expected)
        .then(|| format!("{}:\n  {}\n  Rust: {}", case.name, short(answer), short(expected)))
}
