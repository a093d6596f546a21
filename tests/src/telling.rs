//! Stories over the line protocol: what a runner is asked, and whether it answered rightly.

use crate::folder::{self, INSTALLATION};
use crate::paths;
use crate::protocol::{escape, limit_word, unescape};
use crate::story::{Step, Story};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Stands for the path of the folder in a story.
pub const FOLDER: &str = "$FOLDER";

/// Puts the files of a story into a folder, which is made anew.
pub fn prepare(story: &Story, folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let Some(files) = story.bytes() else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Where the folder of a story is, from the root of the repository: each who tells it has one.
pub fn place(teller: &str, at: usize) -> String {
    format!("target/stories/{teller}/{at}")
}

/// Prepares the folders of all stories, and gives the requests to tell them.
pub fn requests(teller: &str, stories: &[Story]) -> Vec<String> {
    std::env::set_current_dir(paths::root()).expect("the root of the repository");
    let request = |(at, story): (usize, &Story)| {
        let folder = place(teller, at);
        prepare(story, folder.as_ref()).expect("a folder for a story");
        request(story, &folder)
    };
    stories.iter().enumerate().map(request).collect()
}

/// An answer without what differs between two tellings of a story: where the folder is, and the
/// id that a new installation gives itself.
pub fn comparable(answer: &str, folder: &str) -> String {
    let answer = answer.replace(folder, FOLDER);
    let (_, after) = answer.split_once(STATE_ID).unwrap_or_default();
    match after.get(..36) {
        Some(id) if is_random(id) && id != INSTALLATION => answer.replace(id, "$INSTALLATION"),
        _ => answer,
    }
}

/// Where a status has the id of its installation.
const STATE_ID: &str = r#""state":{"installation":""#;

/// Whether a text is a UUID of version 4.
fn is_random(id: &str) -> bool {
    id.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'4',
        19 => b"89ab".contains(&byte),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    })
}

/// A story as one line, without the line feed.
pub fn request(story: &Story, folder: &str) -> String {
    let mut fields = Vec::new();
    let mut add = |verb: &str, value: &str| {
        fields.push(format!("{verb}={}", escape(value.as_bytes())));
    };
    add("product", &story.product);
    add("keys", &story.keys);
    for (name, value) in &story.set {
        add(&format!("set={}", escape(name.as_bytes())), value);
    }
    add("open", folder);
    for step in &story.steps {
        let (verb, value) = asked(step, folder);
        add(&verb, &value);
    }
    fields.join("\t")
}

/// The verb of a step, with its first argument, and its last.
fn asked(step: &Step, folder: &str) -> (String, String) {
    let of = |verb: &str, name: &str, value: String| {
        (format!("{verb}={}", escape(name.as_bytes())), value)
    };
    let plain = |verb: &str, value: &str| (verb.to_string(), value.to_string());
    let time = |at: &Option<i64>| at.map_or("now".to_string(), |at| at.to_string());
    match step {
        Step::Clock { at } => of("set", "clock", at.to_string()),
        Step::Site { name, value } => of("site", name, value.replace(FOLDER, folder)),
        Step::Apply { data } => plain("apply", data),
        Step::ApplyOlder { data } => plain("apply_older", data),
        Step::Remove { .. } => plain("remove", ""),
        Step::FirstUse { at } => plain("first_use", &time(at)),
        Step::Record { feature, amount } => of("record", feature, amount.to_string()),
        Step::RecordLater { feature, amount } => of("record_later", feature, amount.to_string()),
        Step::RecordLevel { feature, level } => of("record_level", feature, level.to_string()),
        Step::RecordKey { feature, key } => of("record_key", feature, key.clone()),
        Step::Reopen => plain("reopen", ""),
        Step::Access { feature, .. } => plain("access", feature),
        Step::Gate { feature, .. } => plain("gate", feature),
        Step::Usage { feature, .. } => plain("usage", feature),
        Step::Status { at, .. } => plain("status", &time(at)),
        Step::Explain { at } => plain("explain", &time(at)),
        Step::Call { what, argument } => of("call", what, argument.clone().unwrap_or_default()),
        Step::Sync => plain("sync", ""),
        Step::Seat { holder, days } => of("seat", holder, days.to_string()),
        Step::Request { what, argument, .. } => {
            of("request", what, argument.clone().unwrap_or_default())
        }
    }
}

/// Why an answer is not what the story expects; `None` if it is.
pub fn judge(story: &Story, answer: &str) -> Option<String> {
    let mut fields = answer.split('\t');
    let verdict = fields.next().unwrap_or_default();
    if verdict != story.expect {
        let rest: String = fields.collect::<Vec<_>>().join(" ").chars().take(300).collect();
        return Some(format!("expected {}, got {verdict} {rest}", story.expect));
    }
    if story.expect != "ok" {
        return None;
    }
    let mut asked = story.steps.iter().filter(|step| answers(step));
    for (step, field) in asked.by_ref().zip(fields.by_ref()) {
        if let Some(why) = wrong(step, field) {
            return Some(format!("{why}\n    in {step:?}"));
        }
    }
    match (asked.next(), fields.next()) {
        (None, None) => None,
        (step, field) => Some(format!("left over: {step:?}, {field:?}")),
    }
}

/// Where an answer first differs from that of Rust; `None` if it does not.
pub fn difference(answer: &str, rust: &str) -> Option<String> {
    let same = answer.chars().zip(rust.chars()).take_while(|(one, other)| one == other).count();
    let around =
        |text: &str| text.chars().skip(same.saturating_sub(80)).take(200).collect::<String>();
    (answer != rust).then(|| format!("\n  {}\n  Rust: {}", around(answer), around(rust)))
}

/// Whether a step has something to say.
fn answers(step: &Step) -> bool {
    matches!(
        step,
        Step::Remove { .. }
            | Step::Access { .. }
            | Step::Gate { .. }
            | Step::Usage { .. }
            | Step::Status { .. }
            | Step::Explain { .. }
            | Step::Request { .. }
    )
}

fn wrong(step: &Step, field: &str) -> Option<String> {
    let differ =
        |wanted: String| (field != wanted).then(|| format!("expected {wanted}, got {field:.200}"));
    match step {
        Step::Remove { had } => differ(removed(*had)),
        Step::Access { feature, is } => differ(access(feature, is)),
        Step::Usage { feature, used, limit, resets_at } => {
            differ(usage(feature, *used, *limit, *resets_at))
        }
        Step::Gate { feature, is } => wrong_gate(feature, is.as_ref(), field),
        Step::Status { is, .. } => wrong_json(is, "status", field),
        Step::Explain { .. } => wrong_json(&BTreeMap::new(), "explain", field),
        Step::Request { what, is, .. } => wrong_request(what, is, field),
        _ => None,
    }
}

fn wrong_gate(feature: &str, is: Option<&(u16, String)>, field: &str) -> Option<String> {
    let Some((status, code)) = is else {
        let go = gate(feature, None);
        return (field != go).then(|| format!("expected {go}, got {field:.200}"));
    };
    let head = format!("gate={}={status}=", escape(feature.as_bytes()));
    let body = field.strip_prefix(&head).and_then(unescape);
    let body: Option<Value> = body.and_then(|body| serde_json::from_slice(&body).ok());
    let good = body.is_some_and(|body| body["code"] == code.as_str() && body["detail"].is_string());
    (!good).then(|| format!("expected {head} with {code}, got {field:.200}"))
}

/// A request is signed by the installation of every prepared folder, and says what it should.
fn wrong_request(what: &str, is: &BTreeMap<String, Value>, field: &str) -> Option<String> {
    let text = field.strip_prefix(&format!("request={what}=")).and_then(unescape);
    let Some(found) = text.as_deref().and_then(folder::signed_request) else {
        return Some(format!("no request that the installation signed: {field:.80}"));
    };
    let wanted = is.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let mut wanted = wanted.chain([("what", what.into()), ("installation", INSTALLATION.into())]);
    wanted.find_map(|(name, wanted)| {
        let found = found.pointer(&format!("/{}", name.replace('.', "/")));
        let found = found.cloned().unwrap_or_default();
        (found != wanted).then(|| format!("{name} is {found}, not {wanted}"))
    })
}

/// Members are named by their path, as `license.source`; `warnings` and `features` are lists of
/// words: the codes, and `id access reason`.
fn wrong_json(is: &BTreeMap<String, Value>, verb: &str, field: &str) -> Option<String> {
    let text = field.strip_prefix(verb).and_then(|it| it.strip_prefix('=')).and_then(unescape);
    let Some(found) = text.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else {
        return Some(format!("no JSON in {field:.80}"));
    };
    let words = |list: &Value, names: &[&str]| -> Value {
        let word = |item: &Value| {
            let words: Vec<&str> = names.iter().filter_map(|name| item[*name].as_str()).collect();
            Value::from(words.join(" "))
        };
        list.as_array().map(|list| list.iter().map(word).collect::<Vec<_>>()).into()
    };
    is.iter().find_map(|(name, wanted)| {
        let found = match name.as_str() {
            "warnings" => words(&found["warnings"], &["code"]),
            "features" => words(&found["features"], &["id", "access", "reason"]),
            "sources" => words(&found["sources"], &["source", "result"]),
            _ => {
                found.pointer(&format!("/{}", name.replace('.', "/"))).cloned().unwrap_or_default()
            }
        };
        (found != *wanted).then(|| format!("{name} is {found}, not {wanted}"))
    })
}

/// The answer to `remove`.
pub fn removed(had: bool) -> String {
    format!("removed={}", if had { "yes" } else { "no" })
}

/// The answer to `access`.
pub fn access(feature: &str, word: &str) -> String {
    format!("access={}={word}", escape(feature.as_bytes()))
}

/// The answer to everything about a seat.
pub fn seat(expires: Option<i64>) -> String {
    format!("seat={}", expires.map_or("none".into(), |at| at.to_string()))
}

/// The answer to `usage`.
pub fn usage(feature: &str, used: u64, limit: Option<u64>, resets_at: Option<i64>) -> String {
    let resets_at = resets_at.map_or("never".into(), |at| at.to_string());
    format!("usage={}={used}={}={resets_at}", escape(feature.as_bytes()), limit_word(limit))
}

/// The answer to `gate`.
pub fn gate(feature: &str, refusal: Option<(u16, &str)>) -> String {
    let said = refusal
        .map_or("go".into(), |(status, body)| format!("{status}={}", escape(body.as_bytes())));
    format!("gate={}={said}", escape(feature.as_bytes()))
}
