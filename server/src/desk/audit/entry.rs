//! One entry: what was before, and what is after.

use super::super::client::query;
use super::super::frame::Frame;
use super::super::refused::refused;
use super::super::session::Visit;
use super::super::{State, html, numbers, when};
use super::{Entry, SECTION};
use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde_json::Value;

/// A member that changed: its name, what it was, and what it is.
struct Change {
    name: String,
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "audit/entry.html", config = "src/desk/askama.toml")]
struct Page {
    frame: Frame,
    it: Entry,
    changes: Vec<Change>,
    /// What else it says: names and values.
    facts: Vec<(String, String)>,
}

impl Page {
    /// The filter of a list with what has the same actor or subject.
    fn only(&self, name: &str, value: &str) -> String {
        query([(name, value)])
    }
}

/// A value, to be read.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_string(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(all)) if all.iter().all(Value::is_string) => {
            all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(other) => serde_json::to_string_pretty(other).unwrap_or_default(),
    }
}

/// What changed, and what else there is.
fn read(detail: &Value) -> (Vec<Change>, Vec<(String, String)>) {
    let (mut changes, mut facts) = (Vec::new(), Vec::new());
    let Some(members) = detail.as_object() else { return (changes, facts) };
    for (name, value) in members {
        match (name.as_str(), value.as_object()) {
            ("changed", Some(changed)) => changes.extend(changed.iter().map(|(name, value)| {
                let (before, after) = (shown(value.get("before")), shown(value.get("after")));
                Change { name: name.clone(), before, after }
            })),
            _ => facts.push((name.clone(), shown(Some(value)))),
        }
    }
    (changes, facts)
}

pub async fn show(desk: State, visit: Visit, Path(seq): Path<u64>) -> Response {
    let path = format!("/audit/{seq}");
    match desk.client.get::<Entry>(&visit, &path).await {
        Ok(it) => {
            let title = format!("Entry no. {}", numbers::grouped(it.seq));
            let (changes, facts) = read(&it.detail);
            let frame = Frame::of(&visit, &path, SECTION, &title);
            html::page(&Page { frame, it, changes, facts })
        }
        Err(why) => refused(&visit, &path, SECTION, &why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_stand_beside_what_else_there_is() {
        let (changes, facts) = read(&json!({
            "changed": { "name": { "before": "a", "after": null }, "n": { "after": ["x", "y"] } },
            "reason": "lost",
            "terms": { "bind": "none" },
        }));
        let found: Vec<_> = changes
            .iter()
            .map(|it| (it.name.as_str(), it.before.as_str(), it.after.as_str()))
            .collect();
        assert_eq!(found.len(), 2);
        assert!(found.contains(&("name", "a", "–")) && found.contains(&("n", "–", "x, y")));
        assert_eq!(facts.first().unwrap(), &("reason".to_string(), "lost".to_string()));
        assert!(facts.last().unwrap().1.contains("\"bind\": \"none\""));
        assert!(read(&Value::Null).0.is_empty());
    }
}
