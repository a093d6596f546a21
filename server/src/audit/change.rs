//! What an entry says of what was done: a few members that tell it, or those that changed.

use serde_json::{Map, Value, json};
use url::Url;

/// What an entry that is no change has of the event it is about.
const TELLING: [&str; 23] = [
    "name",
    "code",
    "serial",
    "product_id",
    "product_code",
    "license_id",
    "license_type",
    "policy_id",
    "customer_id",
    "valid_until",
    "max_seats",
    "max_machines",
    "reason",
    "scopes",
    "hint",
    "expires_at",
    "url",
    "events",
    "kinds",
    "holder",
    "installation",
    "epoch",
    "organization",
];

/// What changes with every change, and tells nothing.
const DULL: [&str; 2] = ["updated_at", "status"];

/// What no entry has, whatever an event says: whoever holds it could use it.
const SECRET: [&str; 11] = [
    "license_blob",
    "license_key",
    "key",
    "secret",
    "secrets",
    "token",
    "lease",
    "sealed",
    "public_key",
    "previous_public_key",
    "public_key_pem",
];

/// What a thing is called, as far as an event about it says so.
const NAMES: [&str; 6] = ["serial", "name", "code", "url", "holder", "kid"];

/// The members of an event that tell what was done, and what it was done to is called.
pub fn telling(data: &Value) -> (Option<String>, Map<String, Value>) {
    let members = TELLING.iter().filter_map(|name| {
        let value = data.get(*name).filter(|value| !value.is_null())?;
        Some((name.to_string(), bare(name, value)))
    });
    (name(data), members.collect())
}

/// The members that are otherwise than they were, each with what it was and what it is.
pub fn changed(before: &Value, after: &Value) -> (Option<String>, Map<String, Value>) {
    let empty = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut members = Map::new();
    for name in old.keys().chain(new.keys()) {
        let (was, is) = (old.get(name), new.get(name));
        let is_dull = DULL.contains(&name.as_str());
        if was == is || is_dull || SECRET.contains(&name.as_str()) {
            continue;
        }
        let bare = |value: Option<&Value>| value.map(|value| self::bare(name, value));
        members.insert(name.clone(), json!({ "before": bare(was), "after": bare(is) }));
    }
    (self::name(after), Map::from_iter([("changed".to_string(), Value::Object(members))]))
}

fn name(data: &Value) -> Option<String> {
    let name = NAMES.iter().find_map(|name| Some(bare(name, data.get(*name)?)));
    name.and_then(|name| name.as_str().map(str::to_string))
}

/// Of an address where it is, and not what may let somebody in there.
fn bare(name: &str, value: &Value) -> Value {
    match (name, value.as_str()) {
        ("url", Some(text)) => Url::parse(text)
            .map_or(Value::Null, |url| Value::from(url.origin().ascii_serialization())),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_what_changed_and_no_secret() {
        let before = json!({"name": "a", "n": 1, "key": "old", "gone": true, "updated_at": 1});
        let after = json!({"name": "b", "n": 1, "key": "new", "came": [1], "updated_at": 2});
        let (name, detail) = changed(&before, &after);
        assert_eq!(name.as_deref(), Some("b"));
        let expected = json!({"changed": {
            "name": {"before": "a", "after": "b"},
            "gone": {"before": true, "after": null},
            "came": {"before": null, "after": [1]},
        }});
        assert_eq!(Value::Object(detail), expected);
    }

    #[test]
    fn of_an_address_nothing_is_told_that_lets_somebody_in() {
        let url = |path: &str| json!({ "url": format!("https://me:pw@a.example:8443/{path}") });
        let (name, detail) = telling(&url("canary?t=canary"));
        assert_eq!(name.as_deref(), Some("https://a.example:8443"));
        assert_eq!(Value::Object(detail), json!({ "url": "https://a.example:8443" }));
        let (_, detail) = changed(&url("canary"), &url("other"));
        let there = json!("https://a.example:8443");
        let expected = json!({"changed": {"url": {"before": there, "after": there}}});
        assert_eq!(Value::Object(detail), expected);
    }

    #[test]
    fn what_is_told_is_chosen() {
        let data =
            json!({"serial": "S", "license_blob": "x", "customer_email": "a@b", "code": null});
        let (name, detail) = telling(&data);
        assert_eq!(name.as_deref(), Some("S"));
        assert_eq!(Value::Object(detail), json!({"serial": "S"}));
    }
}
