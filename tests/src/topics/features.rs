//! What a license allows, and how much of it: docs/format.md, section 3.3.

use crate::case::{Case, Grant, OFF, ON, upto};
use crate::document::Doc;
use serde_json::{Value, json};

/// The largest limit that JSON holds exactly.
const MOST: u64 = (1 << 53) - 1;

pub fn cases() -> Vec<Case> {
    let mut cases = meters();
    cases.extend(flaws());
    cases.extend(ids());
    cases.extend(lists());
    cases
}

fn with(name: impl Into<String>, features: Value) -> Case {
    Case::verify(name, Doc::license().features(features).sign())
}

/// One feature `f`, and what it comes to.
fn one(feature: Value, grant: Option<Option<u64>>) -> Case {
    let name = format!("{feature}");
    let mut feature = feature;
    feature["id"] = "f".into();
    with(name, json!([feature, {"id": "pro"}])).grants(&[("f", grant), ("pro", ON)])
}

fn meters() -> Vec<Case> {
    let mut cases = vec![
        one(json!({}), ON),
        one(json!({"name": "A feature"}), ON),
        one(json!({"name": ""}), ON),
        one(json!({"meter": null, "per": null, "days": null, "max": null}), ON),
        one(json!({"meter": "level"}), ON),
        one(json!({"meter": "level", "max": 0}), upto(0)),
        one(json!({"meter": "level", "max": 1}), upto(1)),
        one(json!({"meter": "level", "max": MOST}), upto(MOST)),
        one(json!({"meter": "level", "max": MOST - 1}), upto(MOST - 1)),
        one(json!({"meter": "level", "max": 4_294_967_296u64}), upto(1 << 32)),
        one(json!({"meter": "level", "max": 10, "over": 0}), upto(10)),
        one(json!({"meter": "level", "max": 10, "over": 1000}), upto(10)),
        one(json!({"meter": "level", "max": 10, "then": "stop"}), upto(10)),
        one(json!({"meter": "level", "max": 10, "then": "count"}), upto(10)),
        one(json!({"meter": "distinct", "days": 1}), ON),
        one(json!({"meter": "distinct", "days": 366, "max": 5000}), upto(5000)),
    ];
    for per in ["hour", "day", "month", "year", "ever"] {
        cases.push(one(json!({"meter": "count", "per": per, "max": 900}), upto(900)));
    }
    // Words of a later version deny this feature and leave the other alone.
    for unknown in [
        json!({"meter": "rolling"}),
        json!({"meter": "rolling", "max": 5}),
        json!({"meter": "rolling", "per": "hour", "days": 7, "max": 5}),
        json!({"meter": "rolling", "over": 5000, "then": "count"}),
        json!({"meter": "Level"}),
        json!({"meter": ""}),
        json!({"meter": "count", "per": "week"}),
        json!({"meter": "count", "per": "Month", "max": 3}),
        json!({"meter": "count", "per": ""}),
        json!({"meter": "level", "max": 5, "then": "ask"}),
        json!({"meter": "level", "max": 5, "then": "STOP"}),
    ] {
        cases.push(one(unknown, OFF));
    }
    cases
}

fn flaws() -> Vec<Case> {
    [
        json!({"max": 5}),
        json!({"per": "day"}),
        json!({"days": 3}),
        json!({"over": 5}),
        json!({"then": "stop"}),
        json!({"meter": "count"}),
        json!({"meter": "count", "max": 5}),
        json!({"meter": "count", "per": "day", "days": 3}),
        json!({"meter": "level", "per": "day"}),
        json!({"meter": "level", "days": 3}),
        json!({"meter": "level", "over": 10}),
        json!({"meter": "level", "then": "stop"}),
        json!({"meter": "distinct"}),
        json!({"meter": "distinct", "days": 0}),
        json!({"meter": "distinct", "days": 367}),
        json!({"meter": "distinct", "days": 3, "per": "day"}),
        json!({"meter": "level", "max": -1}),
        json!({"meter": "level", "max": "5"}),
        json!({"meter": "level", "max": true}),
        json!({"meter": "level", "max": [5]}),
        json!({"meter": "level", "max": "unlimited"}),
        json!({"meter": "level", "max": 5, "over": 1001}),
        json!({"meter": "level", "max": 5, "over": -1}),
        json!({"meter": "level", "max": 5, "then": 1}),
        json!({"meter": 1}),
        json!({"meter": ["level"]}),
        json!({"name": 1}),
        json!({"name": "x".repeat(257)}),
    ]
    .into_iter()
    .map(|feature| one(feature, OFF).fails("malformed"))
    .enumerate()
    .map(|(index, mut case)| {
        case.name = format!("flaw {}: {:.60}", index + 1, case.name);
        case
    })
    .collect()
}

fn ids() -> Vec<Case> {
    let mut cases = Vec::new();
    for id in [
        "constructor",
        "tostring",
        "hasownproperty",
        "valueof",
        "__proto__x",
        "0",
        "a",
        "a.b:c-d_e",
        "length",
        "null",
        "true",
    ] {
        if id.starts_with('_') {
            continue;
        }
        let grants: &[Grant<'_>] = &[(id, ON), ("pro", OFF), ("__proto__", OFF)];
        cases.push(with(format!("id {id}"), json!([{"id": id}])).grants(grants));
    }
    let longest = "a".repeat(64);
    let grants: &[Grant<'_>] = &[(&longest, ON), (&longest[1..], OFF)];
    cases.push(with("id of 64 letters", json!([{"id": longest}])).grants(grants));
    for id in [
        "",
        "Pro",
        "pro ",
        " pro",
        "_pro",
        ".pro",
        "-pro",
        ":pro",
        "__proto__",
        "pr o",
        "pro\n",
        "prö",
        "рro",
        "toString",
        "pro/x",
        "pro*",
        "a\u{200b}b",
        "\u{202e}orp",
    ] {
        cases.push(with(format!("id {id:?}"), json!([{"id": id}])).fails("malformed"));
    }
    let long = "a".repeat(65);
    cases.push(with("id of 65 letters", json!([{"id": long}])).fails("malformed"));
    for feature in [json!({}), json!({"id": null}), json!({"id": 1}), json!({"id": ["pro"]})] {
        cases.push(with(format!("feature {feature}"), json!([feature])).fails("malformed"));
    }
    cases.extend(asked());
    cases
}

/// What nobody granted, as a program might ask for it by accident.
fn asked() -> Vec<Case> {
    let words = [
        "",
        "PRO",
        "Pro",
        "pro ",
        " pro",
        "pr",
        "prox",
        "pro.",
        "__proto__",
        "constructor",
        "toString",
        "hasOwnProperty",
        "*",
        "0",
        "id",
        "features",
        "päö",
        "users\n",
        "pro%",
        "a=b",
    ];
    let case = |word: &str| {
        let grants: &[Grant<'_>] = &[(word, OFF), ("pro", ON)];
        Case::verify(format!("asked for {word:?}"), Doc::license().sign()).grants(grants)
    };
    words.into_iter().map(case).collect()
}

fn lists() -> Vec<Case> {
    let many = |count: usize| {
        json!((0..count).map(|n| json!({"id": format!("f{n}")})).collect::<Vec<_>>())
    };
    let twice = |a: Value, b: Value| json!([a, {"id": "other"}, b]);
    let edges: &[Grant<'_>] =
        &[("f0", ON), ("f1", ON), ("f512", ON), ("f1023", ON), ("f1024", OFF), ("f", OFF)];
    let reserved = json!([
        {"id": "users", "meter": "level", "max": 15},
        {"id": "sessions", "meter": "level", "max": 3},
        {"id": "leases", "meter": "distinct", "days": 30, "max": 5000, "then": "count"},
    ]);
    let mixed = json!([
        {"id": "b"}, {"id": "new", "meter": "rolling"}, {"id": "a", "meter": "level", "max": 2},
        {"id": "ab"}, {"id": "aa", "meter": "level", "max": 0},
    ]);
    vec![
        with("no features", json!([])).grants(&[("pro", OFF), ("", OFF)]),
        with("1024 features", many(1024)).grants(edges),
        with("1025 features", many(1025)).fails("too_large"),
        with("the same twice", twice(json!({"id": "pro"}), json!({"id": "pro"})))
            .fails("malformed"),
        with(
            "the same with two limits",
            twice(
                json!({"id": "x", "meter": "level", "max": 1}),
                json!({"id": "x", "meter": "level"}),
            ),
        )
        .fails("malformed"),
        with(
            "the same, one of an unknown meter",
            twice(json!({"id": "x"}), json!({"id": "x", "meter": "rolling"})),
        )
        .fails("malformed"),
        with("reserved ids", reserved).grants(&[
            ("users", upto(15)),
            ("sessions", upto(3)),
            ("leases", upto(5000)),
        ]),
        with("not in alphabetical order", mixed).grants(&[
            ("a", upto(2)),
            ("aa", upto(0)),
            ("ab", ON),
            ("b", ON),
            ("new", OFF),
            ("abc", OFF),
        ]),
    ]
}
