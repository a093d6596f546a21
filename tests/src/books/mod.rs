//! The vector files with stories, one module each.

mod answers;
mod clock;
mod damage;
mod edges;
mod messages;
mod online;
mod sources;
mod unlicensed;
mod usage;

use crate::paths;
use crate::story::{Book, Story};
use std::fs;

type Make = fn() -> Vec<Story>;

/// File name, what it is about, and its stories.
const BOOKS: &[(&str, &str, Make)] = &[
    ("edges", "What holds at every second around each date of a license", edges::stories),
    ("sources", "Several licenses, of which one decides", sources::stories),
    ("unlicensed", "What the vendor's terms give without a license", unlicensed::stories),
    ("usage", "Meters, their periods, and what happens at a limit", usage::stories),
    ("clock", "Clocks that are wrong, and how they heal", clock::stories),
    ("messages", "What is applied besides licenses, and what is refused", messages::stories),
    ("answers", "What the vendor's server answers about a license and its seats", answers::stories),
    (
        "online",
        "Asking the vendor's server where there is none, or nobody is there",
        online::stories,
    ),
    ("damage", "Folders that are damaged, foreign, or not there", damage::stories),
];

/// Every book: its file's name, and the file as the generator writes it.
pub fn all() -> Vec<(String, Book)> {
    let book = |(name, comment, make): &(&str, &str, Make)| {
        let mut stories = make();
        for story in &mut stories {
            story.name = format!("{name}/{}", story.name);
        }
        let name = format!("installation_{name}");
        (name, Book { comment: format!("{comment}."), stories })
    };
    BOOKS.iter().map(book).collect()
}

/// The text of a book's file: a story per line, so that a change shows as the stories it changes.
pub fn text(book: &Book) -> String {
    let comment = serde_json::to_string(&book.comment).expect("a comment");
    let story = |story: &Story| serde_json::to_string(story).expect("a story");
    let stories: Vec<String> = book.stories.iter().map(story).collect();
    format!("{{\"comment\": {comment},\n\"stories\": [\n{}\n]}}\n", stories.join(",\n"))
}

/// Every story in the committed files of the generator.
pub fn committed() -> Vec<Story> {
    let read = |(name, _, _): &(&str, &str, Make)| {
        let path = paths::vectors().join(format!("installation_{name}.json"));
        let text = fs::read_to_string(&path).expect("a vector file");
        let book: Book = serde_json::from_str(&text).expect("a vector file in its form");
        book.stories
    };
    BOOKS.iter().flat_map(read).collect()
}
