//! The vector files, one module each.

mod binding;
mod claims;
mod coats;
mod dates;
mod features;
mod first;
mod inspect;
mod json;
mod keys;
mod kinds;
mod precedence;
mod settings;
mod token;

use crate::case::{Case, Topic};
use crate::paths;
use std::fs;

type Make = fn() -> Vec<Case>;

/// File name, what it is about, and its cases.
const TOPICS: &[(&str, &str, Make)] = &[
    (
        "token",
        "The shape of a signed document: headers, algorithms, parts, signatures",
        token::cases,
    ),
    ("json", "Signed payloads that two readers could read differently", json::cases),
    (
        "kinds",
        "One kind of document where another is expected, products, issuers, roles",
        kinds::cases,
    ),
    ("keys", "Key sets in all forms, unusable keys, states and times of keys", keys::cases),
    (
        "claims",
        "Every claim missing, of the wrong type, out of range, and at its edge",
        claims::cases,
    ),
    ("dates", "Every second around each edge, and clocks that are wrong", dates::cases),
    ("binding", "Licenses bound to a machine, an installation, an instance", binding::cases),
    ("features", "What a license allows, and how much of it", features::cases),
    ("coats", "Text, file and blob, and what mail does to them", coats::cases),
    (
        "precedence",
        "Every pair of checks of docs/format.md, section 4: the earlier answers",
        precedence::cases,
    ),
    ("inspect", "Licenses that are shown but not in force here", inspect::cases),
    ("first", "The first license and key, which open for ever", first::cases),
    ("settings", "Product codes and settings that are refused", settings::cases),
];

/// Every topic: its name, and its file as the generator writes it.
pub fn all() -> Vec<(String, Topic)> {
    let topic = |(name, comment, make): &(&str, &str, Make)| {
        let mut cases = make();
        for case in &mut cases {
            case.name = format!("{name}/{}", case.name);
        }
        (name.to_string(), Topic { comment: format!("{comment}."), cases })
    };
    TOPICS.iter().map(topic).collect()
}

/// The text of a topic's file: a case per line, so that a change shows as the cases it changes.
pub fn text(topic: &Topic) -> String {
    let comment = serde_json::to_string(&topic.comment).expect("a comment");
    let case = |case: &Case| serde_json::to_string(case).expect("a case");
    let cases: Vec<String> = topic.cases.iter().map(case).collect();
    format!("{{\"comment\": {comment},\n\"cases\": [\n{}\n]}}\n", cases.join(",\n"))
}

/// Every case in the committed files of the generator.
pub fn committed() -> Vec<Case> {
    let read = |(name, _, _): &(&str, &str, Make)| {
        let path = paths::vectors().join(format!("{name}.json"));
        let text = fs::read_to_string(&path).expect("a vector file");
        let topic: Topic = serde_json::from_str(&text).expect("a vector file in its form");
        topic.cases
    };
    TOPICS.iter().flat_map(read).collect()
}
