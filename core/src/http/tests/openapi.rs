//! openapi.json says what there is, and every answer is one that it describes.

use super::schema::{problems, resolve};
use super::*;
use crate::http::exchange;
use crate::http::routes::{Needs, ROUTES, Route};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../openapi.json")).unwrap());

/// A reference followed, if it is one.
fn follow(value: &'static Value) -> &'static Value {
    value.get("$ref").map_or(value, |reference| resolve(&DOCUMENT, reference))
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let known = method.bytes().all(|it| it.is_ascii_uppercase());
    DOCUMENT["paths"].get(path)?.get(method.to_lowercase()).filter(|_| known)
}

/// Panics unless the document describes an answer: its status, its headers, its media type, its
/// body. What is answered where there is no operation is a problem; at the page, a page.
pub(super) fn hold(it: &Installation, exchange: &Exchange, answer: &Answer) {
    let path = it.below_mount(exchange.path()).unwrap_or_default();
    let context = format!("{} {} {}", exchange.method(), exchange.path(), answer.status());
    let response = match operation(exchange.method(), path) {
        Some(operation) => {
            let found = operation["responses"].get(answer.status().to_string());
            follow(found.unwrap_or_else(|| panic!("{context}: not described")))
        }
        None => {
            assert!([404, 405, 414].contains(&answer.status()), "{context}");
            let name = if path == "/license" { "PageForbidden" } else { "Problem" };
            &DOCUMENT["components"]["responses"][name]
        }
    };
    for (name, header) in response["headers"].as_object().unwrap() {
        let value = answer.header(&name.to_lowercase());
        let value = value.unwrap_or_else(|| panic!("{context}: no {name}"));
        let schema = &follow(header)["schema"];
        let value = match schema["type"].as_str() {
            Some("integer") => json!(value.parse::<u64>().unwrap()),
            _ => json!(value),
        };
        assert_eq!(problems(&DOCUMENT, schema, &value), [""; 0], "{context}");
    }
    hold_body(response, exchange, answer, &context);
}

fn hold_body(response: &'static Value, exchange: &Exchange, answer: &Answer, context: &str) {
    let Some(content) = response.get("content").filter(|_| exchange.method() != "HEAD") else {
        assert!(answer.body().is_empty(), "{context}: a body");
        return;
    };
    let media_type = answer.header("content-type").unwrap();
    let media_type = media_type.split(';').next().unwrap();
    let described = content.get(media_type);
    let described = described.unwrap_or_else(|| panic!("{context}: {media_type} not described"));
    if media_type.ends_with("json") {
        let found = problems(&DOCUMENT, &described["schema"], &to_json(answer));
        assert_eq!(found, [""; 0], "{context}");
    }
}

/// The rights of an operation as the document has them, and whether it is for persons only.
fn rights(route: &Route) -> (Vec<&'static str>, bool) {
    let (rights, persons) = match route.needs {
        Needs::Nothing => return (Vec::new(), false),
        Needs::Rights(rights) => (rights, false),
        Needs::Person(rights) => (rights, true),
    };
    let names = [(Rights::READ, "read"), (Rights::WRITE, "write"), (Rights::DELETE, "delete")];
    (names.into_iter().filter(|(it, _)| rights.has(*it)).map(|(_, name)| name).collect(), persons)
}

#[test]
fn it_has_every_route_and_no_other() {
    let mut wanted = BTreeSet::new();
    for route in ROUTES {
        let methods = if route.method == "GET" { &["GET", "HEAD"][..] } else { &[route.method] };
        for method in methods {
            wanted.insert((route.path.to_string(), method.to_lowercase()));
            let found = operation(method, route.path).unwrap_or_else(|| panic!("{}", route.path));
            let (rights, persons) = rights(route);
            assert_eq!(found["x-rights"], json!(rights), "{method} {}", route.path);
            assert_eq!(found["x-persons-only"], json!(persons), "{method} {}", route.path);
            // Whoever may be anybody may still say who it is.
            let anybody = found.get("security").is_some_and(|it| it[0] == json!({}));
            assert_eq!(anybody, rights.is_empty(), "{method} {}", route.path);
        }
    }
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let found = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(|method| (path.clone(), method.clone()))
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn every_operation_is_whole() {
    let mut ids = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let context = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{context}");
            assert!(operation["summary"].as_str().is_some_and(|it| it.len() > 5), "{context}");
            let has = |status: &str| operation["responses"].get(status).is_some();
            let reads = ["get", "head"].contains(&method.as_str());
            assert_eq!(operation.get("requestBody").is_none(), reads, "{context}");
            for status in ["413", "415", "500", "503"] {
                assert!(reads || has(status), "{context} {status}");
            }
            assert!(has("414"), "{context}");
            if operation["x-rights"] != json!([]) {
                assert!(has("403"), "{context}");
                assert!(has("401") || path == "/api/v1/license", "{context}");
            }
            let Some(body) = operation.get("requestBody") else { continue };
            let described = &body["content"]["application/json"];
            let examples = described["examples"].as_object().unwrap();
            assert!(!examples.is_empty(), "{context}");
            for example in examples.values() {
                let found = problems(&DOCUMENT, &described["schema"], &example["value"]);
                assert_eq!(found, [""; 0], "{context}");
            }
        }
    }
}

/// Everything that is referred to is there, everything there is is referred to, and every example
/// is one.
#[test]
fn it_refers_to_what_it_has() {
    fn walk(value: &'static Value, found: &mut BTreeSet<&'static str>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    if name == "$ref" {
                        resolve(&DOCUMENT, member);
                        found.insert(member.as_str().unwrap());
                    }
                    walk(member, found);
                }
                if let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) {
                    assert_eq!(problems(&DOCUMENT, schema, example), [""; 0]);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&DOCUMENT, &mut found);
    for kind in ["headers", "responses", "schemas"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(reference.as_str()), "nothing refers to {reference}");
        }
    }
}

/// The only URL there is leads, from wherever the document was fetched, to where the API is.
#[test]
fn its_server_is_where_it_is_mounted() {
    let own = "/api/license/openapi.json";
    let server = DOCUMENT["servers"][0]["url"].as_str().unwrap();
    assert_eq!(DOCUMENT["servers"].as_array().unwrap().len(), 1);
    // RFC 3986, section 5.3: what comes after the last slash goes, and `..` takes one off.
    let folders = exchange::path(own).matches('/').count() - 1;
    assert_eq!(server.split('/').filter(|it| *it == "..").count(), folders);
    assert!(server.split('/').all(|it| it == ".."));
    let mut site = Site::new();
    site.it.set("mount", "/admin/licensing").unwrap();
    let served = ask(&site.it, request("GET", &format!("/admin/licensing{own}")));
    assert_eq!(to_json(&served), *DOCUMENT, "the same as is committed");
}
