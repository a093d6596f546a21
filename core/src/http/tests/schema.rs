//! As much of JSON Schema as openapi.json uses. A word that is not known here fails: a rule that is
//! not looked at would always hold.

use crate::clock::parse_time;
use serde_json::{Map, Value};

/// Why a value is not what a schema of the document says; empty = it is.
pub(super) fn problems(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut checker = Checker { document, found: &mut found };
    checker.check(schema, value, "");
    found
}

struct Checker<'a> {
    document: &'a Value,
    found: &'a mut Vec<String>,
}

impl<'a> Checker<'a> {
    fn check(&mut self, schema: &'a Value, value: &Value, at: &str) {
        for (word, rule) in schema.as_object().unwrap() {
            if !self.holds(schema, word, rule, value, at) {
                self.found.push(format!("{at}: {word} {rule}: {value}"));
            }
        }
    }

    fn holds(
        &mut self,
        schema: &'a Value,
        word: &str,
        rule: &'a Value,
        value: &Value,
        at: &str,
    ) -> bool {
        let number = |value: &Value| value.as_i64();
        match word {
            "description" => true,
            "$ref" => {
                self.check(resolve(self.document, rule), value, at);
                true
            }
            "type" => match rule {
                Value::Array(types) => types.iter().any(|it| is_of(it, value)),
                one => is_of(one, value),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => number(value).is_none_or(|it| it >= number(rule).unwrap()),
            "maximum" => number(value).is_none_or(|it| it <= number(rule).unwrap()),
            "minLength" => value.as_str().is_none_or(|it| it.len() as i64 >= number(rule).unwrap()),
            "maxItems" => {
                value.as_array().is_none_or(|it| it.len() as i64 <= number(rule).unwrap())
            }
            "pattern" => value.as_str().is_none_or(|it| matches(rule.as_str().unwrap(), it)),
            "format" => value.as_str().is_none_or(|it| {
                assert_eq!(rule, "date-time");
                it.ends_with('Z') && parse_time(it).is_some()
            }),
            "required" => value.as_object().is_none_or(|members| {
                rule.as_array().unwrap().iter().all(|it| members.contains_key(it.as_str().unwrap()))
            }),
            "properties" | "additionalProperties" => {
                self.members(schema, value, at);
                true
            }
            "items" => {
                let items = value.as_array().into_iter().flatten();
                items.for_each(|item| self.check(rule, item, &format!("{at}[]")));
                true
            }
            "oneOf" => {
                let fits = |it: &&Value| problems(self.document, it, value).is_empty();
                rule.as_array().unwrap().iter().filter(fits).count() == 1
            }
            other => panic!("the word {other} is not known"),
        }
    }

    fn members(&mut self, schema: &'a Value, value: &Value, at: &str) {
        let none = Map::new();
        let properties = schema["properties"].as_object();
        for (name, member) in value.as_object().unwrap_or(&none) {
            let at = format!("{at}.{name}");
            match (properties.and_then(|it| it.get(name)), &schema["additionalProperties"]) {
                (Some(own), _) => self.check(own, member, &at),
                (None, Value::Bool(false)) => self.found.push(format!("{at}: it is not described")),
                (None, other @ Value::Object(_)) => self.check(other, member, &at),
                (None, _) => {}
            }
        }
    }
}

/// What a reference within the document stands for.
pub(super) fn resolve<'a>(document: &'a Value, reference: &Value) -> &'a Value {
    let place = reference.as_str().unwrap().strip_prefix('#').unwrap();
    document.pointer(place).unwrap_or_else(|| panic!("there is no {reference}"))
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the type {other} is not known"),
    }
}

/// The four patterns there are.
fn matches(pattern: &str, text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    match pattern {
        r"^\d{4}-\d{2}-\d{2}$" => shape == "0000-00-00",
        r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$" => shape == "0000-00-00T00:00:00.000Z",
        "^[a-z_]+$" => {
            !text.is_empty() && text.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
        }
        "^eJ[A-Za-z0-9+/]+=*$" => {
            let rest = text.trim_end_matches('=').strip_prefix("eJ").unwrap_or_default();
            let fits = |it: u8| it.is_ascii_alphanumeric() || b"+/".contains(&it);
            !rest.is_empty() && rest.bytes().all(fits)
        }
        other => panic!("the pattern {other} is not known"),
    }
}

#[test]
fn what_is_wrong_is_found() {
    let document = serde_json::json!({"schemas": {"A": {"type": "integer", "minimum": 1}}});
    let schema = serde_json::json!({
        "type": "object",
        "properties": {
            "a": {"$ref": "#/schemas/A"},
            "b": {"type": ["string", "null"], "pattern": r"^\d{4}-\d{2}-\d{2}$"},
            "c": {"oneOf": [{"type": "string", "const": "x"}, {"type": "null"}]},
            "d": {"type": "array", "items": {"type": "boolean"}, "maxItems": 1},
        },
        "required": ["a"],
        "additionalProperties": false,
    });
    for (value, fits) in [
        (r#"{"a": 1}"#, true),
        (r#"{"a": 1, "b": null, "c": null, "d": [true]}"#, true),
        (r#"{"a": 1, "b": "2027-01-15", "c": "x", "d": []}"#, true),
        (r#"{}"#, false),
        (r#"[]"#, false),
        (r#"{"a": 0}"#, false),
        (r#"{"a": 1.5}"#, false),
        (r#"{"a": 1, "b": "15.1.2027"}"#, false),
        (r#"{"a": 1, "c": "y"}"#, false),
        (r#"{"a": 1, "d": [1]}"#, false),
        (r#"{"a": 1, "d": [true, true]}"#, false),
        (r#"{"a": 1, "e": 1}"#, false),
    ] {
        let value = serde_json::from_str(value).unwrap();
        assert_eq!(problems(&document, &schema, &value).is_empty(), fits, "{value}");
    }
}
