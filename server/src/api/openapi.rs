//! The OpenAPI document: made from the code, and completed with what holds for every operation.

use super::{Shared, resources};
use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;

const ABOUT: &str = "Everything below `/api/v1` is below `/v1` as well.\n\n\
    Errors are `application/problem+json` (RFC 9457): `code` is a word that never changes, \
    `detail` a sentence for people, `request_id` what to ask about.\n\n\
    Members that are not known are refused. What is another organization's is answered as what \
    does not exist. Times are UTC (RFC 3339), to the second.\n\n\
    A write that may have to be repeated carries an `Idempotency-Key`: for a day the same key with \
    the same request gets the same answer, and nothing is done twice.";

static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", document()));

/// The document as text.
pub fn openapi() -> &'static str {
    &DOCUMENT
}

/// Where it can be read.
pub fn routes() -> Router<Shared> {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    Router::new().route("/openapi.json", get(move || async move { (headers, openapi()) }))
}

fn document() -> Value {
    let (_, paths) = OpenApiRouter::new().nest("/api/v1", resources()).split_for_parts();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key. The scope that an operation needs stands beside it; `admin` has all but \
             `operator`.",
        ))
        .build();
    let info = InfoBuilder::new()
        .title("licentia license server")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let mut document = OpenApiBuilder::from(paths).info(info).build();
    let components = document.components.get_or_insert_with(Default::default);
    components.add_security_scheme("api_key", SecurityScheme::Http(key));
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operations in paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        for (method, operation) in operations {
            if let Some(operation) = operation.as_object_mut() {
                complete(method, operation);
            }
        }
    }
    let mut schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    if let Some(schemas) = schemas.as_object_mut() {
        join(schemas);
        schemas.values_mut().for_each(widen);
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operation in paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        for body in operation.values_mut().filter_map(|it| it.get_mut("requestBody")) {
            let all = body.pointer("/content/application~1json/schema/$ref");
            let name = all.and_then(Value::as_str).and_then(|it| it.rsplit('/').next());
            let schema = name.and_then(|name| schemas.get(name));
            let needed = schema.and_then(|it| it.get("required")).and_then(Value::as_array);
            // No body is as good as an empty object.
            if schema.is_some() && needed.is_none_or(Vec::is_empty) {
                put(body, "required", false.into());
            }
        }
    }
    if let Some(place) = document.pointer_mut("/components/schemas") {
        *place = schemas;
    }
    document
}

/// Says the bounds of what is never negative: its format alone says others.
fn widen(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is = |name: &str, value: Value| members.get(name) == Some(&value);
            if is("format", "int32".into()) && is("minimum", 0.into()) {
                members.remove("format");
                members.entry("maximum").or_insert(u32::MAX.into());
            }
            members.values_mut().for_each(widen);
        }
        Value::Array(all) => all.iter_mut().for_each(widen),
        _ => {}
    }
}

/// Makes one object of those that are put together and know no other members: each part alone
/// would refuse the members of the others.
fn join(schemas: &mut Map<String, Value>) {
    let all = schemas.clone();
    for schema in schemas.values_mut().filter(|schema| schema.get("allOf").is_some()) {
        let mut joined = json!({ "type": "object", "properties": {}, "required": [] });
        add(&mut joined, schema, &all);
        if joined.get("additionalProperties").is_some() {
            *schema = joined;
        }
    }
}

/// Adds what a schema says of its members to another.
fn add(joined: &mut Value, schema: &Value, all: &Map<String, Value>) {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.rsplit('/').next());
    if let Some(other) = name.and_then(|name| all.get(name)) {
        add(joined, other, all);
    }
    let parts = schema.get("allOf").and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        add(joined, part, all);
    }
    for (name, value) in schema.as_object().into_iter().flatten() {
        match (name.as_str(), joined.get_mut(name)) {
            ("properties", Some(Value::Object(members))) => {
                members.extend(value.as_object().cloned().unwrap_or_default());
            }
            ("required", Some(Value::Array(names))) => {
                names.extend(value.as_array().cloned().unwrap_or_default());
            }
            ("additionalProperties" | "description", _) => put(joined, name, value.clone()),
            _ => {}
        }
    }
}

/// Adds what holds for all operations, so that none can forget it.
fn complete(method: &str, operation: &mut Map<String, Value>) {
    let word =
        |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_string();
    let name = word(operation.get("operationId"));
    let tag = word(operation.get("tags").and_then(|tags| tags.get(0))).replace([' ', '-'], "_");
    operation.insert("operationId".into(), format!("{tag}_{name}").into());
    let is_read = method == "get";
    operation.entry("security").or_insert_with(|| json!([{}]));
    let has_key = operation.get("security").is_some_and(|it| it.to_string().contains("api_key"));
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        if is_read {
            parameters.push(json!({
                "name": "If-None-Match", "in": "header", "schema": { "type": "string" },
                "description": "The `ETag` of an earlier answer: it comes again only if it changed",
            }));
        } else if has_key {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header",
                "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
                "description": "1 to 255 characters of ASCII, a UUID for instance",
            }));
        }
    }
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    if let Some(responses) = responses.as_object_mut() {
        complete_responses(is_read, responses);
    }
}

fn complete_responses(is_read: bool, responses: &mut Map<String, Value>) {
    for (status, response) in responses.iter_mut() {
        // A signed text is no JSON: what is in it, docs/format.md says.
        if let Some(signed) = response.pointer_mut("/content/application~1jwt") {
            *signed = json!({});
        }
        match status.chars().next() {
            Some('4' | '5') => put(response, "content", problem()),
            Some('2') if is_read => {
                let tag = json!({ "schema": { "type": "string" }, "description": "For later" });
                let headers = response.as_object_mut();
                let headers = headers.map(|it| it.entry("headers").or_insert_with(|| json!({})));
                if let Some(headers) = headers {
                    put(headers, "ETag", tag);
                }
            }
            _ => {}
        }
        if response.get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
            let text = match status.chars().next() {
                Some('2') => "Done",
                _ => "Refused: `code` says why",
            };
            put(response, "description", text.into());
        }
    }
    let retry = json!({ "Retry-After": {
        "schema": { "type": "integer", "minimum": 1 },
        "description": "After so many seconds",
    } });
    let mut add = |status: &str, response: Value| {
        responses.entry(status).or_insert(response);
    };
    add("4XX", json!({ "description": "Refused: `code` says why", "content": problem() }));
    add(
        "429",
        json!({ "description": "Too many requests", "headers": retry, "content": problem() }),
    );
    add(
        "5XX",
        json!({
            "description": "A fault of the server, or it cannot do it now (503, 507)",
            "headers": retry, "content": problem(),
        }),
    );
    if is_read {
        add("304", json!({ "description": "It is as it was" }));
    }
}

fn put(value: &mut Value, name: &str, member: Value) {
    if let Some(members) = value.as_object_mut() {
        members.insert(name.to_string(), member);
    }
}

fn problem() -> Value {
    json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Scope;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// What needs no API key.
    const PUBLIC: &[&str] = &[
        "get /api/v1/products/{id}/key-set",
        "get /api/v1/products/{id}/revocations",
        "post /api/v1/activations",
        "post /api/v1/licenses/sync",
        "post /api/v1/requests",
    ];

    /// Every operation: method, path and what is said of it.
    fn operations() -> Vec<(String, String, Value)> {
        let document: Value = serde_json::from_str(openapi()).unwrap();
        let mut all = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                all.push((method.clone(), path.clone(), operation.clone()));
            }
        }
        assert!(all.len() > 20, "only {} operations", all.len());
        all
    }

    #[test]
    fn the_committed_document_is_that_of_the_code() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        if std::env::var_os("LICENTIA_BLESS").is_some() {
            std::fs::write(&path, openapi()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        let how = "LICENTIA_BLESS=1 cargo test -p licentia-server --lib openapi";
        assert!(committed == openapi(), "{} is not that of the code: {how}", path.display());
    }

    #[test]
    fn every_operation_says_what_it_is_and_who_may() {
        let mut names = BTreeSet::new();
        for (method, path, operation) in operations() {
            let of = format!("{method} {path}");
            assert!(
                operation["summary"].as_str().is_some_and(|it| !it.is_empty()),
                "{of}: summary"
            );
            assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{of}: one tag");
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_string()), "{of}: {name} is another's name");
            let security = operation["security"].as_array().expect(&of);
            let mut is_public = false;
            for way in security.iter().map(|way| way.as_object().unwrap()) {
                is_public |= way.is_empty();
                for (name, scopes) in way {
                    let scopes = scopes.as_array().unwrap();
                    let known = Scope::ALL.map(Scope::word);
                    let is_scope = |it: &Value| known.contains(&it.as_str().unwrap());
                    assert!(name == "api_key" && !scopes.is_empty(), "{of}");
                    assert!(scopes.iter().all(is_scope), "{of}: {scopes:?}");
                }
            }
            assert_eq!(is_public, PUBLIC.contains(&&*of), "{of}: name its scope, or security(())");
            for word in path.split('/').filter_map(|word| word.strip_prefix('{')) {
                let word = word.trim_end_matches('}');
                let mut parameters = operation["parameters"].as_array().unwrap().iter();
                assert!(
                    parameters.any(|it| it["name"] == word && it["in"] == "path"),
                    "{of}: {word}"
                );
            }
        }
    }

    #[test]
    fn every_operation_lists_its_answers() {
        for (method, path, operation) in operations() {
            let responses = operation["responses"].as_object().unwrap();
            for status in ["4XX", "429", "5XX"] {
                let content = &responses[status]["content"];
                assert!(
                    content["application/problem+json"].is_object(),
                    "{method} {path} {status}"
                );
                assert_eq!(content.as_object().map(Map::len), Some(1), "{method} {path} {status}");
            }
            assert!(
                responses.keys().any(|it| it.starts_with('2')),
                "{method} {path}: no good answer"
            );
            assert_eq!(responses.contains_key("304"), method == "get", "{method} {path}");
            for (status, response) in responses {
                let text = response["description"].as_str();
                assert!(text.is_some_and(|it| !it.is_empty()), "{method} {path} {status}");
            }
        }
    }
}
