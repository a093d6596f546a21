//! A vendor's first steps: a key pair, a product, licenses.

use crate::support::Site;
use crate::support::client::Client;
use serde_json::{Value, json};

/// What tests sell.
pub struct Shop {
    pub admin: Client,
    pub product: Value,
}

impl Shop {
    /// A product with the code `myapp` and a key pair, of the first organization.
    pub fn open(site: &Site) -> Shop {
        Shop::of(site.admin(), "myapp")
    }

    /// A product with a code and a key pair, of whoever asks.
    pub fn of(admin: Client, code: &str) -> Shop {
        let name = format!("keys of {code}");
        let pair = admin.post("/api/v1/key-pairs", json!({ "name": name })).good();
        let product = json!({
            "name": "My Application", "code": code, "key_pair_id": pair["id"],
            "default_features": ["basic", "help"],
        });
        let product = admin.post("/api/v1/products", product).good();
        Shop { admin, product }
    }

    /// The id of the product.
    pub fn id(&self) -> &str {
        self.product["id"].as_str().unwrap()
    }

    /// A license with these members.
    pub fn license(&self, members: Value) -> Value {
        self.sell(members).good()
    }

    /// The same, or why not.
    pub fn sell(&self, mut members: Value) -> crate::support::client::Answer {
        let all = members.as_object_mut().unwrap();
        all.entry("product_id").or_insert_with(|| self.product["id"].clone());
        self.admin.post("/api/v1/licenses", members)
    }

    /// A license as it is now.
    pub fn look(&self, license: &Value) -> Value {
        self.admin.get(&path(license)).good()
    }

    /// What the license file says, believed because the product's keys signed it.
    pub fn claims(&self, license: &Value) -> Value {
        let keys = self.admin.get(&format!("/api/v1/products/{}/public-key", self.id())).good();
        let code = self.product["code"].as_str().unwrap();
        let mut product = licentia::Product::new(code, &keys["keys"].to_string()).unwrap();
        product.set("machine", "test").unwrap();
        let blob = license["license_blob"].as_str().unwrap();
        let verified = product.inspect(blob.as_bytes()).unwrap();
        serde_json::from_str(verified.json()).unwrap()
    }
}

/// Where a license is.
pub fn path(license: &Value) -> String {
    format!("/api/v1/licenses/{}", license["id"].as_str().unwrap())
}

/// The kinds of the events so far, the oldest first.
pub fn events(site: &Site) -> Vec<String> {
    use licentia_server::store::events::{Column, Entity};
    use sea_orm::{EntityTrait, QueryOrder};
    let all = Entity::find().order_by_asc(Column::Seq);
    let all = site.wait(async { all.all(site.server.store.read()).await.unwrap() });
    all.into_iter().map(|event| event.kind).collect()
}
