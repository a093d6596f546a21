//! Something of everything that an organization can have.

use crate::place::Place;
use crate::shop::Shop;
use crate::support::Site;
use crate::support::client::Client;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The ids, by what they are of.
#[derive(Clone, Debug)]
pub struct Kit(BTreeMap<&'static str, String>);

impl Kit {
    /// Makes it for an organization, with the API key of its administrator.
    pub fn new(site: &Site, organization: Uuid, admin: &Client, code: &str) -> Kit {
        let shop = Shop::of(admin.clone(), code);
        let product = shop.id().to_string();
        let policy = json!({ "name": code, "product_id": product, "max_seats": 5 });
        let policy = admin.post("/api/v1/policies", policy).good();
        let license = json!({ "policy_id": policy["id"], "max_seats": 5, "max_machines": 3 });
        let license = shop.license(license);
        let path = format!("/api/v1/licenses/{}", text(&license["id"]));
        let seat = admin.post(&format!("{path}/seats"), json!({ "holder": "ann" })).good();
        let place = Place::new(site, &shop, code);
        place.install(&license);
        place.do_it("activation", None);
        let elsewhere = Place::new(site, &shop, &format!("{code}-2"));
        elsewhere.install(&license);
        let activation = admin.get(&format!("{path}/activations")).good();
        let key = json!({ "name": code, "scopes": ["read"] });
        let key = admin.post("/api/v1/api-keys", key).good();
        let pair = text(&shop.product["key_pair_id"]);
        let keys = admin.get(&format!("/api/v1/key-pairs/{pair}")).good();
        let keys = keys["keys"].as_array().unwrap();
        let server = keys.iter().find(|key| key["roles"].to_string().contains("server")).unwrap();
        let list = admin.get(&format!("/api/v1/products/{product}/revocations"));
        let list = String::from_utf8(list.body).unwrap();
        // An organization has twenty at most, and a kit for each route has more.
        let webhooks = admin.get("/api/v1/webhooks").good()["webhooks"].clone();
        for old in webhooks.as_array().unwrap().iter().skip(10) {
            admin.delete(&format!("/api/v1/webhooks/{}", text(&old["id"]))).good();
        }
        let webhook = json!({ "url": "https://hooks.example.com/", "events": ["policy.deleted"] });
        let webhook = admin.post("/api/v1/webhooks", webhook).good();
        let test = format!("/api/v1/webhooks/{}/test", text(&webhook["id"]));
        let delivery = admin.post(&test, json!({})).good();
        Kit(BTreeMap::from([
            ("activation", text(&activation["activations"][0]["id"])),
            ("api_key", text(&key["id"])),
            ("blob", text(&license["license_blob"])),
            ("entry", "1".to_string()),
            ("delivery", text(&delivery["id"])),
            ("first_request", elsewhere.request("activation", None)),
            ("installation", text(&activation["activations"][0]["installation"])),
            ("key", text(&server["id"])),
            ("key_pair", pair),
            ("license", text(&license["id"])),
            ("list", list),
            ("organization", organization.to_string()),
            ("policy", text(&policy["id"])),
            ("product", product),
            ("request", place.request("sync", None)),
            ("seat", text(&seat["id"])),
            ("serial", text(&license["serial"])),
            ("webhook", text(&webhook["id"])),
        ]))
    }

    /// What nobody has.
    pub fn unknown() -> Kit {
        let mut kit = BTreeMap::new();
        for (at, name) in NAMES.iter().enumerate() {
            let id = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0000 + at as u128);
            kit.insert(*name, id.to_string());
        }
        kit.insert("serial", "LIC-MYAPP-00000000".to_string());
        Kit(kit)
    }

    pub fn get(&self, name: &str) -> String {
        let found = self.0.get(name);
        found.unwrap_or_else(|| panic!("matrix/kit.rs does not make a {name}")).clone()
    }

    /// A body with what the names in it stand for.
    pub fn fill(&self, body: &Value) -> Value {
        match body {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => Value::from(self.get(name)),
                None => body.clone(),
            },
            Value::Array(all) => all.iter().map(|it| self.fill(it)).collect(),
            Value::Object(all) => {
                all.iter().map(|(name, it)| (name.clone(), self.fill(it))).collect()
            }
            _ => body.clone(),
        }
    }

    /// The same, but one thing is another's.
    pub fn with(&self, name: &'static str, other: &Kit) -> Kit {
        let mut kit = self.clone();
        kit.0.insert(name, other.get(name));
        kit
    }

    /// The same, but one thing has this id.
    pub fn with_id(&self, name: &'static str, id: &str) -> Kit {
        let mut kit = self.clone();
        kit.0.insert(name, id.to_string());
        kit
    }
}

/// Everything that a kit has.
const NAMES: &[&str] = &[
    "activation",
    "api_key",
    "blob",
    "delivery",
    "entry",
    "first_request",
    "installation",
    "key",
    "key_pair",
    "license",
    "list",
    "organization",
    "policy",
    "product",
    "request",
    "seat",
    "webhook",
];

/// The name, as the kit has it.
pub fn known(name: &str) -> &'static str {
    let mut all = NAMES.iter().chain(&["serial"]);
    all.find(|it| **it == name).unwrap_or_else(|| panic!("a kit has no {name}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_string()
}
