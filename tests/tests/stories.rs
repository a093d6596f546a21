//! Every language tells every story of an installation alike.

use licentia_tests::story::Story;
use licentia_tests::{books, paths, runner, telling};
use std::collections::BTreeSet;

/// Where the folders of one language are, from the root of the repository.
fn folder(language: &str, at: usize) -> String {
    format!("target/stories/{language}/{at}")
}

fn requests(language: &str, stories: &[Story]) -> Vec<String> {
    std::env::set_current_dir(paths::root()).unwrap();
    let request = |(at, story): (usize, &Story)| {
        let folder = folder(language, at);
        telling::prepare(story, folder.as_ref()).unwrap();
        telling::request(story, &folder)
    };
    stories.iter().enumerate().map(request).collect()
}

#[test]
fn committed_files_are_what_the_generator_writes() {
    for (name, book) in books::all() {
        let path = paths::vectors().join(format!("{name}.json"));
        let text = books::text(&book);
        if std::env::var_os("LICENTIA_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "tests/vectors/{name}.json differs from its generator: run \
             `LICENTIA_BLESS=1 cargo test -p licentia-tests --test stories`, and look at what \
             changed"
        );
    }
}

#[test]
fn names_are_unique_and_there_are_enough() {
    let stories = books::committed();
    let names: BTreeSet<&str> = stories.iter().map(|story| story.name.as_str()).collect();
    assert_eq!(names.len(), stories.len(), "a name is there twice");
    assert!(stories.len() >= 300, "{}", stories.len());
}

fn rust() -> Vec<(Story, String)> {
    let stories = books::committed();
    let answers: Vec<String> =
        requests("rust", &stories).iter().map(|line| runner::answer(line)).collect();
    stories.into_iter().zip(answers).collect()
}

#[test]
fn rust_tells_every_story() {
    let wrong: Vec<String> = rust()
        .iter()
        .filter_map(|(story, answer)| {
            telling::judge(story, answer).map(|why| format!("{}: {why}", story.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
