//! Folders that are damaged, foreign, or not there: reported, and never taken for a first run.

use crate::case::NOW;
use crate::document::Doc;
use crate::folder::{Folder, slot};
use crate::story::{Step, Story, step};
use serde_json::json;
use std::collections::BTreeMap;

type Files = BTreeMap<String, Vec<u8>>;

fn licensed() -> Files {
    Folder::new().license(Doc::license().sign()).files()
}

fn harmed(harm: impl Fn(&mut Files)) -> Files {
    let mut files = licensed();
    harm(&mut files);
    files
}

fn flip(files: &mut Files, name: &str, at: usize) {
    files.get_mut(name).expect("the file")[at] ^= 1;
}

fn corrupt() -> Vec<(&'static str, Files)> {
    vec![
        ("a bit of the payload", harmed(|files| flip(files, "state.b", 100))),
        ("a bit of the hash", harmed(|files| flip(files, "state.b", 40))),
        ("a bit of the generation", harmed(|files| flip(files, "state.b", 17))),
        ("cut off", harmed(|files| files.get_mut("state.b").expect("it").truncate(200))),
        ("empty", harmed(|files| files.get_mut("state.b").expect("it").clear())),
        ("gone", harmed(|files| drop(files.remove("state.b")))),
        (
            "under the other name",
            harmed(|files| {
                let state = files.remove("state.b").expect("it");
                files.insert("state.a".into(), state);
            }),
        ),
        (
            "no state in it",
            harmed(|files| {
                files.insert("state.b".into(), slot(1, b"{\"v\":1}", 0));
            }),
        ),
        (
            "no JSON in it",
            harmed(|files| {
                files.insert("state.b".into(), slot(1, b"hello", 0));
            }),
        ),
    ]
}

fn corrupt_stories() -> Vec<Story> {
    let text = || Step::Site { name: "license".into(), value: Doc::license().sign() };
    let mut stories = Vec::new();
    for (name, files) in corrupt() {
        let mut is = step::holds(false, "deny", "state_corrupt");
        is.push(("state.ok", json!(false)));
        is.push(("state.code", json!("state_corrupt")));
        stories.push(
            Story::new(format!("{name} is reported"))
                .files(files.clone())
                .then(step::status(&is))
                .then(Step::Gate { feature: "pro".into(), is: Some((400, "state_corrupt".into())) })
                .then(text())
                .then(step::access("pro", "allow"))
                .then(Step::FirstUse { at: None })
                .fails("state_corrupt"),
        );
        stories.push(
            Story::new(format!("{name} is made good by a license"))
                .files(files)
                .then(step::apply(Doc::license().sign()))
                .then(step::status(&[("reason", json!("ok")), ("state.ok", json!(true))])),
        );
    }
    stories
}

fn halves() -> Vec<Story> {
    let both = |good: u64, bad: &str| {
        harmed(|files| {
            let state = Folder::new().license(Doc::license().sign()).files();
            let payload = &state["state.b"][64..];
            let end = payload.iter().rposition(|byte| *byte != 0).expect("JSON") + 1;
            files.insert("state.a".into(), slot(2, &payload[..end], 0));
            files.insert("state.b".into(), slot(3, &payload[..end], 0));
            let spoiled = if good == 3 { "state.a" } else { "state.b" };
            match bad {
                "gone" => drop(files.remove(spoiled)),
                "flipped" => flip(files, spoiled, 80),
                _ => files.get_mut(spoiled).expect("it").truncate(90),
            }
        })
    };
    let mut stories = Vec::new();
    for (good, other) in [(3, "the older"), (2, "the newer")] {
        for bad in ["gone", "flipped", "cut off"] {
            stories.push(
                Story::new(format!("{other} generation is {bad}"))
                    .files(both(good, bad))
                    .then(step::status(&[
                        ("reason", json!("ok")),
                        ("state.ok", json!(true)),
                        ("warnings", json!(["state_recovered"])),
                    ]))
                    .then(Step::FirstUse { at: Some(NOW) })
                    .then(Step::Reopen)
                    .then(step::status(&[("warnings", json!(["state_recovered"]))])),
            );
        }
    }
    stories
}

fn others() -> Vec<Story> {
    let newer = harmed(|files| {
        let file = files.get_mut("state.b").expect("it");
        *file = slot(1, b"{\"v\":2,\"installation\":\"?\"}", 0);
    });
    let unavailable = step::holds(false, "deny", "state_unavailable");
    let mut missing = Story::new("a folder that is not there")
        .then(step::status(&unavailable))
        .then(Step::Site { name: "license".into(), value: Doc::license().sign() })
        .then(step::access("pro", "allow"))
        .then(step::apply(Doc::license().sign()))
        .fails("state_unavailable");
    missing.folder = None;
    let list_gone = Folder::new().license(Doc::license().sign()).state("/revocations", 3).files();
    vec![
        Story::new("a state of a later version")
            .files(newer)
            .then(step::status(&step::holds(false, "deny", "too_new")))
            .then(step::apply(Doc::license().sign()))
            .fails("too_new"),
        missing,
        Story::new("a revocation list that is gone")
            .files(list_gone)
            .then(step::status(&[("reason", json!("ok")), ("state.code", json!("state_corrupt"))])),
        Story::new("usage that is damaged is counted anew, and said")
            .files(harmed(|files| flip(files, "usage.b", 70)))
            .then(step::status(&[("reason", json!("ok")), ("state.ok", json!(true))]))
            .then(step::access("pro", "allow")),
        Story::new("leftovers of a crash")
            .files(harmed(|files| drop(files.insert("tmp".into(), b"half".to_vec()))))
            .then(step::status(&[("reason", json!("ok")), ("warnings", json!([]))]))
            .then(Step::FirstUse { at: None })
            .then(step::access("pro", "allow")),
    ]
}

pub fn stories() -> Vec<Story> {
    [corrupt_stories(), halves(), others()].concat()
}
