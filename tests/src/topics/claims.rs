//! Every claim of docs/format.md, sections 3.1 and 3.2.

use crate::case::{Case, Facts, NOW};
use crate::document::Doc;
use serde_json::json;

/// What a claim may be.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    /// Text of 1 to so many bytes.
    Text(usize),
    /// Text.
    Free,
    Uuid,
    Time,
    /// An integer in a range.
    Integer(u64, u64),
    Object,
    Array,
}

use Type::{Array, Free, Integer, Object, Text, Time, Uuid};

const MAX: u64 = (1 << 53) - 1;

/// Pointer, type, and whether it is required.
const CLAIMS: &[(&str, Type, bool)] = &[
    ("/iss", Text(256), true),
    ("/aud", Free, true),
    ("/sub", Text(256), false),
    ("/jti", Text(64), true),
    ("/iat", Time, true),
    ("/exp", Time, false),
    ("/nbf", Time, false),
    ("/must", Array, false),
    ("/license", Object, true),
    ("/license/id", Uuid, true),
    ("/license/serial", Text(128), false),
    ("/license/type", Text(32), true),
    ("/license/tier", Free, false),
    ("/license/description", Free, false),
    ("/license/policy", Free, false),
    ("/license/product", Object, false),
    ("/license/product/name", Free, false),
    ("/license/customer", Object, false),
    ("/license/customer/name", Free, false),
    ("/license/customer/email", Free, false),
    ("/license/customer/account", Free, false),
    ("/license/customer/slug", Free, false),
    ("/license/created_at", Time, false),
    ("/license/updated_at", Time, false),
    ("/license/valid_from", Time, true),
    ("/license/support_until", Time, false),
    ("/license/seats", Integer(0, MAX), false),
    ("/license/machines", Integer(0, MAX), false),
    ("/license/features", Array, true),
    ("/license/binding", Object, false),
    ("/license/refresh_days", Integer(1, 3650), false),
    ("/license/notice", Object, false),
    ("/license/notice/license", Integer(0, 3650), false),
    ("/license/notice/token", Integer(0, 3650), false),
    ("/license/stages", Object, false),
    ("/license/stages/ended", Object, false),
    ("/license/stages/overdue", Object, false),
    ("/license/stages/suspended", Object, false),
    ("/license/stages/ended/warn", Integer(0, 36_500), false),
    ("/license/stages/overdue/read_only", Integer(0, 36_500), false),
    ("/license/stages/suspended/deny", Integer(0, 36_500), false),
    ("/license/metadata", Object, false),
];

pub fn cases() -> Vec<Case> {
    let mut cases = vec![Case::verify("every object empty", full().sign())];
    for (pointer, kind, required) in CLAIMS {
        cases.extend(types(pointer, *kind, *required));
        cases.extend(edges(pointer, *kind));
    }
    cases.extend(valid_until());
    cases.extend(words());
    cases.extend(capabilities());
    cases.extend(unknown());
    cases.extend(stages());
    cases.extend(metadata());
    cases
}

/// The plain license, with every optional object there and empty.
fn full() -> Doc {
    Doc::license()
        .set("/license/product", json!({}))
        .set("/license/binding", json!({}))
        .set("/license/notice", json!({}))
        .set("/license/stages", json!({"ended": {}, "overdue": {}, "suspended": {}}))
        .set("/license/metadata", json!({}))
}

/// What is left of the facts where a claim is null or empty.
fn without(pointer: &str) -> Facts {
    let mut facts = Facts::usual();
    match pointer {
        "/license/serial" => facts.serial.clear(),
        "/license/customer" | "/license/customer/name" => facts.customer = "cust_1".into(),
        _ => {}
    }
    facts
}

fn types(pointer: &str, kind: Type, required: bool) -> Vec<Case> {
    let fits = match kind {
        Text(_) | Free | Uuid => "\"x\"",
        Time | Integer(..) => "7",
        Object => "{}",
        Array => "[]",
    };
    let wrong = ["7", "\"x\"", "true", "[]", "{}"].into_iter().filter(|value| *value != fits);
    let case = |value: &str| {
        Case::verify(format!("{pointer} is {value}"), full().raw(pointer, value).sign())
    };
    let mut cases: Vec<Case> = wrong.map(|value| case(value).fails("malformed")).collect();
    if matches!(kind, Time | Integer(..)) {
        cases.push(case("\"7\"").fails("malformed"));
    }
    let null = case("null");
    if required {
        cases.push(null.fails("malformed"));
        let cut = full().cut(pointer).sign();
        cases.push(Case::verify(format!("{pointer} is missing"), cut).fails("malformed"));
    } else {
        cases.push(null.says(without(pointer)));
    }
    cases
}

fn edges(pointer: &str, kind: Type) -> Vec<Case> {
    let case = |name: String, value: serde_json::Value| {
        Case::verify(format!("{pointer} {name}"), full().set(pointer, value).sign())
    };
    let number = |value: i64| case(format!("is {value}"), value.into());
    let text = |length: usize| case(format!("of {length} bytes"), "x".repeat(length).into());
    match kind {
        Text(max) => {
            let mut longest = without(pointer);
            if pointer == "/license/serial" {
                longest.serial = "x".repeat(max);
            }
            let empty = text(0);
            let empty = match pointer {
                "/license/serial" => empty.says(without(pointer)),
                _ => empty.fails("malformed"),
            };
            vec![
                empty,
                text(max).says(longest),
                text(max + 1).fails("malformed"),
                case(
                    format!("of {} two-byte letters", max / 2 + 1),
                    "ä".repeat(max / 2 + 1).into(),
                )
                .fails("malformed"),
            ]
        }
        Time => {
            let mut cases =
                vec![number(-1).fails("malformed"), number(253_402_300_800).fails("malformed")];
            // What the dates that count come to at their ends is in dates.json.
            if pointer.ends_with("_at") || pointer.ends_with("support_until") {
                cases.extend([number(0), number(253_402_300_799)]);
            }
            cases
        }
        Integer(least, most) => {
            let mut cases =
                vec![number(-1).fails("malformed"), number(least as i64), number(most as i64)];
            // Past 2^53-1 it is not strict JSON, which json.json has.
            if most < MAX {
                cases.push(number(most as i64 + 1).fails("malformed"));
            }
            if least == 1 {
                cases.push(number(0).fails("malformed"));
            }
            cases
        }
        Uuid => [
            ("7C9E6679-7425-40DE-944B-E07FC1F90AE7", "in upper case"),
            ("7c9e6679742540de944be07fc1f90ae7", "without hyphens"),
            ("{7c9e6679-7425-40de-944b-e07fc1f90ae7}", "in braces"),
            ("urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7", "as a URN"),
            ("7c9e6679-7425-40de-944b-e07fc1f90ae", "one digit short"),
            ("7c9e6679-7425-40de-944b-e07fc1f90aeg", "with a g"),
            ("", "empty"),
        ]
        .into_iter()
        .map(|(value, name)| case(name.into(), value.into()).fails("malformed"))
        .collect(),
        Free | Object | Array => Vec::new(),
    }
}

fn valid_until() -> Vec<Case> {
    let pointer = "/license/valid_until";
    let from = Doc::license().cut(pointer).sign();
    let with = |value: i64| {
        let license = Doc::license().set(pointer, value).sign();
        Case::verify(format!("{pointer} is {value}"), license)
    };
    let start = NOW - 10 * 86_400;
    let mut cases = vec![
        Case::verify("valid_until is missing", from).fails("malformed"),
        Case::verify("valid_until is null", Doc::license().raw(pointer, "null").sign())
            .says(Facts::usual().expires(None)),
        with(-1).fails("malformed"),
        with(0).fails("malformed"),
        with(start - 1).fails("malformed"),
        with(start).fails("malformed"),
        with(start + 1).fails("expired"),
        with(253_402_300_799).says(Facts::usual().expires(Some(253_402_300_799))),
        with(253_402_300_800).fails("malformed"),
    ];
    for value in ["\"never\"", "true", "[]", "{}", "\"2099-01-01\""] {
        let license = Doc::license().raw(pointer, value).sign();
        cases.push(Case::verify(format!("valid_until is {value}"), license).fails("malformed"));
    }
    cases
}

/// Product codes, names of people, and who a license is for.
fn words() -> Vec<Case> {
    let mut cases = Vec::new();
    for aud in ["", "MyApp", "-app", "my_app", "my app", "my.app", "ünï", "a\u{200b}", "myapp "] {
        let license = Doc::license().set("/aud", aud).sign();
        cases.push(Case::verify(format!("aud {aud:?}"), license).fails("malformed"));
    }
    let longest = "a".repeat(100);
    let of = |aud: &str| Doc::license().set("/aud", aud).sign();
    cases.push(Case::verify("aud of 100 letters", of(&longest)).of(&longest));
    cases.push(Case::verify("aud of 101 letters", of(&"a".repeat(101))).fails("malformed"));
    cases.push(Case::verify("aud of one digit", of("7")).of("7"));
    for kind in ["perpetual", "trial", "node_locked", "floating", "galactic", "TRIAL", "✓"] {
        let license = Doc::license().set("/license/type", kind).sign();
        cases.push(Case::verify(format!("type {kind}"), license));
    }
    let nobody = Doc::license().cut("/sub").cut("/license/customer").cut("/license/serial");
    let facts = Facts { serial: String::new(), customer: String::new(), ..Facts::usual() };
    cases.push(Case::verify("for nobody", nobody.sign()).says(facts));
    for name in
        ["Müller & Söhne", "山田太郎", "😀", "\u{202e}evil", "O'Brien \"Bob\" <b@x>", "a\tb\nc", ""]
    {
        let license = Doc::license().set("/license/customer/name", name).sign();
        let facts = Facts { customer: name.into(), ..Facts::usual() };
        cases.push(Case::verify(format!("for {name:?}"), license).says(facts));
    }
    cases
}

fn capabilities() -> Vec<Case> {
    let words = |count: usize| json!((0..count).map(|n| format!("w{n}")).collect::<Vec<_>>());
    let must = |value: serde_json::Value| Doc::license().set("/must", value);
    vec![
        Case::verify("must nothing", must(json!([])).sign()),
        Case::verify("must one word", must(words(1)).sign()).fails("too_new"),
        Case::verify("must 16 words", must(words(16)).sign()).fails("too_new"),
        Case::verify("must 17 words", must(words(17)).sign()).fails("too_large"),
        Case::verify("must the empty word", must(json!([""])).sign()).fails("too_new"),
        Case::verify("must a number", must(json!([1])).sign()).fails("malformed"),
        Case::verify("must null", must(json!([null])).sign()).fails("malformed"),
        Case::verify("must a text", must(json!("binding-2")).sign()).fails("malformed"),
        Case::verify(
            "must, and another shape of license",
            must(words(1)).set("/license", 2).sign(),
        )
        .fails("too_new"),
        Case::verify("must, and no license", must(words(1)).cut("/license").sign())
            .fails("too_new"),
        Case::verify(
            "must, and an array of products",
            must(words(1)).set("/aud", json!([])).sign(),
        )
        .fails("too_new"),
    ]
}

/// A member that is not known changes nothing, wherever it is.
fn unknown() -> Vec<Case> {
    let places = [
        "",
        "/license",
        "/license/customer",
        "/license/product",
        "/license/binding",
        "/license/notice",
        "/license/stages",
        "/license/features/0",
    ];
    let mut cases = Vec::new();
    for place in places {
        for value in [json!(true), json!({"deep": [{"er": null}]})] {
            let license = full().set(&format!("{place}/x-new"), value.clone()).sign();
            cases.push(Case::verify(format!("unknown member {place}/x-new is {value}"), license));
        }
    }
    let cnf = json!({"jwk": {"kty": "OKP"}});
    cases.push(Case::verify("cnf is ignored", Doc::license().set("/cnf", cnf).sign()));
    for member in ["grace", "limits", "entitlements", "ext", "admin", "__proto__", "constructor"] {
        let license = Doc::license().set(&format!("/license/{member}"), json!({"pro": 1})).sign();
        cases.push(Case::verify(format!("license.{member} is ignored"), license));
    }
    cases
}

fn stages() -> Vec<Case> {
    let mut cases = Vec::new();
    for (stage, good) in [
        (json!({"warn": 0, "read_only": 1, "deny": 2}), true),
        (json!({"warn": 0, "deny": 36500}), true),
        (json!({"warn": null, "read_only": null, "deny": 0}), true),
        (json!({"later": null, "deny": 0}), true),
        (json!({"warn": 1, "read_only": 1}), false),
        (json!({"read_only": 2, "deny": 1}), false),
        (json!({"read_only": 2, "deny": 2}), false),
        (json!({"warn": 3, "deny": 1}), false),
        (json!({"warn": 3, "deny": 3}), false),
        (json!({"read_only": 5, "deny": 36501}), false),
        (json!({"stop": 3}), false),
        (json!({"warn": 0, "readonly": 3}), false),
        (json!({"Deny": 3}), false),
        (json!([0, 1, 2]), false),
        (json!([]), false),
    ] {
        for cause in ["ended", "overdue", "suspended"] {
            let pointer = format!("/license/stages/{cause}");
            let license = full().set(&pointer, stage.clone()).sign();
            let case = Case::verify(format!("stages.{cause} is {stage}"), license);
            cases.push(if good { case } else { case.fails("malformed") });
        }
    }
    let strange = full().set("/license/stages/eclipsed", json!({"deny": 0})).sign();
    cases.push(Case::verify("stages of an unknown cause", strange));
    let strange = full().set("/license/stages/eclipsed", json!(["anything"])).sign();
    cases.push(Case::verify("stages of an unknown cause and shape", strange));
    cases
}

fn metadata() -> Vec<Case> {
    let with = |value: serde_json::Value| Doc::license().set("/license/metadata", value).sign();
    let many = |count: usize| {
        let members = (0..count).map(|n| (format!("m{n}"), json!(n)));
        with(json!(members.collect::<serde_json::Map<_, _>>()))
    };
    let text = |length: usize| with(json!({"a": "x".repeat(length)}));
    let good = json!({
        "limit_by": "users", "usage_billing": false, "details_url": "https://acme.example/l/1",
        "anonymous_ratio": 0, "": "", "least": -((1i64 << 53) - 1), "most": (1i64 << 53) - 1,
    });
    let mut cases = vec![
        Case::verify("metadata of every type", with(good)),
        Case::verify("64 metadata", many(64)),
        Case::verify("65 metadata", many(65)).fails("too_large"),
        Case::verify("metadata of 1024 bytes", text(1024)),
        Case::verify("metadata of 1025 bytes", text(1025)).fails("too_large"),
        Case::verify("metadata with a name of 1025 bytes", with(json!({"x".repeat(1025): 1})))
            .fails("too_large"),
    ];
    let nothing = with(json!({"a": null, "b": 1}));
    cases.push(Case::verify("metadata with null", nothing));
    for value in [json!([]), json!({}), json!([1]), json!({"a": 1})] {
        let license = with(json!({"a": value}));
        cases.push(Case::verify(format!("metadata {value}"), license).fails("malformed"));
    }
    cases
}
