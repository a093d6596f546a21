//! Every route of the OpenAPI document that is committed, and what is sent to it.

use super::kit::Kit;
use serde_json::{Value, json};

/// Something that can be asked.
pub struct Route {
    pub method: String,
    /// With its parameters: `/api/v1/products/{id}`.
    pub path: String,
    /// Parameters of the query that are ids.
    pub queries: Vec<String>,
    /// Parameters of the query that are any text.
    pub texts: Vec<String>,
    /// Scopes of which one is needed; `None` = no API key is.
    pub scopes: Option<Vec<String>>,
}

impl Route {
    /// Its name in a message.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Every route.
pub fn all() -> Vec<Route> {
    let document: Value = serde_json::from_str(include_str!("../../../openapi.json")).unwrap();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let of_ids = |it: &&Value| it["in"] == "query" && it["schema"]["format"] == "uuid";
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let queries = parameters.iter().filter(of_ids).map(|it| text(&it["name"])).collect();
            let of_texts = |it: &&Value| {
                let format = &it["schema"]["format"];
                it["in"] == "query" && it["schema"]["type"] == "string" && format.is_null()
            };
            let texts = parameters.iter().filter(of_texts).map(|it| text(&it["name"])).collect();
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            let needed: Vec<String> = security
                .iter()
                .filter_map(|one| one["api_key"].as_array())
                .flatten()
                .map(text)
                .collect();
            all.push(Route {
                method: method.to_uppercase(),
                path: path.clone(),
                queries,
                texts,
                scopes: (!needed.is_empty()).then_some(needed),
            });
        }
    }
    // A document without routes would hold whatever is tested.
    assert!(all.len() > 50, "only {} routes", all.len());
    all
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_string()
}

/// What one of a path's parameters is of.
pub fn what(path: &str, parameter: &str) -> &'static str {
    match parameter {
        "key_id" => return "key",
        "seat" => return "seat",
        "seq" => return "entry",
        _ => assert_eq!(parameter, "id", "{path}: say in matrix/routes.rs what {parameter} is"),
    }
    match path.split('/').nth(3).unwrap() {
        "activations" => "activation",
        "api-keys" => "api_key",
        "deliveries" => "delivery",
        "key-pairs" => "key_pair",
        "licenses" => "license",
        "organizations" => "organization",
        "policies" => "policy",
        "products" => "product",
        "seats" => "seat",
        "webhooks" => "webhook",
        _ => panic!("{path}: say in matrix/routes.rs what its id is of"),
    }
}

/// What is sent, with names in place of what the kit has: `{"product_id": "$product"}`. `None` =
/// nothing.
pub fn body(route: &Route) -> Option<Value> {
    let licenses = "/api/v1/licenses/{id}";
    let path = route.path.as_str();
    let rest = path.strip_prefix(licenses).or(path.strip_prefix("/api/v1")).unwrap_or(path);
    Some(match (route.method.as_str(), rest) {
        ("GET" | "DELETE", _) => return None,
        ("POST", "/key-pairs/{id}/rotate" | "/license-key" | "/reinstate") => return None,
        ("POST", "/key-pairs/{id}/keys/{key_id}/retire") => return None,
        ("POST", "/key-pairs/{id}/keys/{key_id}/compromise") => return None,
        ("POST", "/requests") => json!({ "request": "$request" }),
        ("POST", "/activations") => json!({ "request": "$first_request" }),
        ("POST", "/api-keys") => json!({ "name": "more", "scopes": ["read"] }),
        ("POST", "/key-pairs") => json!({ "name": "more" }),
        ("POST", "/licenses" | "/licenses/preview") => {
            json!({ "product_id": "$product", "policy_id": "$policy", "valid_days": 30 })
        }
        ("POST", "/licenses/check-revocation") => json!({ "serials": ["$serial"] }),
        ("POST", "/licenses/sync") => json!({ "license_serial": "$serial" }),
        ("POST", "/licenses/verify") => {
            json!({ "license_blob": "$blob", "product_id": "$product" })
        }
        ("POST", "/organizations") => json!({ "name": "More" }),
        ("POST", "/policies") => json!({ "name": "more", "product_id": "$product" }),
        ("PUT", "/policies/{id}") => json!({ "name": "other" }),
        ("POST", "/products") => {
            json!({ "name": "More", "code": "more", "key_pair_id": "$key_pair" })
        }
        ("PUT", "/products/{id}") => json!({ "name": "Other", "key_pair_id": "$key_pair" }),
        ("PUT", "/key-pairs/{id}") => json!({ "name": "Other" }),
        ("PUT", "/organizations/{id}") => json!({ "name": "Other" }),
        ("PUT", "") => json!({ "customer_name": "Other" }),
        ("POST", "/reissue") => json!({}),
        ("POST", "/renew") => json!({ "valid_days": 30 }),
        ("POST", "/seats") => json!({ "holder": "zoe" }),
        ("POST", "/suspend") => json!({ "reason": "late" }),
        ("PUT", "/seats/{id}") => json!({}),
        ("POST", "/deliveries/{id}/resend") => return None,
        ("POST", "/webhooks/{id}/test" | "/webhooks/{id}/resend-dead") => return None,
        ("POST", "/webhooks/{id}/rotate-secret") => json!({ "overlap_seconds": 60 }),
        ("POST", "/webhooks") => json!({
            "url": "https://hooks.example.com/licentia", "product_id": "$product",
            "events": ["license.created"],
        }),
        ("PUT", "/webhooks/{id}") => {
            json!({ "product_id": "$product", "events": ["license.revoked"] })
        }
        // Not JSON: see `plain`.
        ("POST", "/products/{id}/revocations") => return None,
        _ => panic!("{}: say in matrix/routes.rs what is sent to it", route.name()),
    })
}

/// What is sent that is no JSON: its type, and the text.
pub fn plain(route: &Route, kit: &Kit) -> Option<(&'static str, String)> {
    let adopts = route.method == "POST" && route.path == "/api/v1/products/{id}/revocations";
    adopts.then(|| ("application/jwt", kit.get("list")))
}

/// The names that a body has, such as `product`.
pub fn names(body: &Value) -> Vec<String> {
    match body {
        Value::String(text) => text.strip_prefix('$').map(str::to_string).into_iter().collect(),
        Value::Array(all) => all.iter().flat_map(names).collect(),
        Value::Object(all) => all.values().flat_map(names).collect(),
        _ => Vec::new(),
    }
}
