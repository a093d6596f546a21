//! Products, and what none can be.

use crate::shop::{Shop, events};
use crate::support::Site;
use serde_json::{Value, json};

both! {
    fn a_product_says_what_it_was_given_and_what_was_not(site: &Site) {
        let admin = site.admin();
        let made = admin.post("/api/v1/products", json!({"name": "My App", "code": "my-app"}));
        assert_eq!(made.status, 201);
        let product = made.good();
        let place = format!("/api/v1/products/{}", product["id"].as_str().unwrap());
        assert_eq!(made.header("location"), Some(place.as_str()));
        let expected = json!({
            "id": product["id"], "name": "My App", "code": "my-app", "description": null,
            "default_features": [], "default_valid_days": 365, "key_pair_id": null,
            "revocations_version": 0,
            "created_at": "2026-01-15T10:30:00Z", "updated_at": "2026-01-15T10:30:00Z",
        });
        assert_eq!(product, expected);
        assert_eq!(admin.get(&place).good(), expected);
        let list = admin.get("/v1/products").good();
        assert_eq!(list, json!({"products": [expected], "total": 1, "next_cursor": null}));
    }

    fn a_change_changes_what_is_given_and_null_clears(site: &Site) {
        let shop = Shop::open(site);
        let place = format!("/api/v1/products/{}", shop.id());
        site.clock.set(Some(crate::support::BEGIN + 60));
        let change = json!({"description": "For\nall", "default_features": ["pro"]});
        let changed = shop.admin.put(&place, change).good();
        let mut expected = shop.product.clone();
        expected["description"] = json!("For\nall");
        expected["default_features"] = json!(["pro"]);
        expected["updated_at"] = json!("2026-01-15T10:31:00Z");
        assert_eq!(changed, expected);
        expected["description"] = Value::Null;
        expected["key_pair_id"] = Value::Null;
        let cleared = json!({"description": null, "key_pair_id": null});
        assert_eq!(shop.admin.put(&place, cleared).good(), expected);
        // What changes nothing is no event.
        assert_eq!(shop.admin.put(&place, json!({})).good(), expected);
        assert_eq!(shop.admin.put(&place, json!({"name": "My Application"})).good(), expected);
        for never in ["name", "code", "default_features", "default_valid_days"] {
            shop.admin.put(&place, json!({ never: null })).refused(400, "malformed");
        }
        let kinds: Vec<String> =
            events(site).into_iter().filter(|kind| kind.starts_with("product.")).collect();
        assert_eq!(kinds, ["product.created", "product.updated", "product.updated"]);
    }

    fn what_no_product_can_be_is_refused(site: &Site) {
        let shop = Shop::open(site);
        let (other, _) = (Shop::of(site.nobody().with_key(&site.organization("Bond").1), "x"), 0);
        let long = "n".repeat(256);
        let many: Vec<String> = (0..1025).map(|n| format!("f{n}")).collect();
        let unknown = "0192f0aa-0000-7000-8000-000000000000";
        for (name, value) in [
            ("name", json!("")),
            ("name", json!(" \u{a0} ")),
            ("name", json!(long)),
            ("name", json!("My\r\nSet-Cookie: a=b")),
            ("code", json!("")),
            ("code", json!("MyApp")),
            ("code", json!("-app")),
            ("code", json!("my app")),
            ("code", json!("myäpp")),
            ("code", json!("c".repeat(101))),
            ("description", json!("d".repeat(4097))),
            ("default_features", json!(["Pro"])),
            ("default_features", json!(["pro", "pro"])),
            ("default_features", json!(many)),
            ("default_valid_days", json!(-1)),
            ("default_valid_days", json!(36_526)),
            ("key_pair_id", json!(unknown)),
            ("key_pair_id", other.product["key_pair_id"].clone()),
        ] {
            let mut body = json!({"name": "One", "code": "one"});
            body[name] = value.clone();
            let detail = shop.admin.post("/api/v1/products", body).refused(422, "invalid_argument");
            assert!(detail.contains(name), "{name} {value}: {detail}");
            let place = format!("/api/v1/products/{}", shop.id());
            let body = json!({ name: value });
            let detail = shop.admin.put(&place, body).refused(422, "invalid_argument");
            assert!(detail.contains(name), "{name}: {detail}");
        }
        for body in [
            json!({"name": "One"}),
            json!({"code": "one"}),
            json!({"name": 1, "code": "one"}),
            json!({"name": "One", "code": "one", "colour": "red"}),
            json!({"name": "One", "code": "one", "default_valid_days": "365"}),
            json!({"name": "One", "code": "one", "default_valid_days": 1.5}),
            json!({"name": "One", "code": "one", "key_pair_id": "none"}),
            json!([]),
            json!("One"),
        ] {
            shop.admin.post("/api/v1/products", body).refused(400, "malformed");
        }
        assert_eq!(shop.admin.get("/api/v1/products").good()["total"], 1);
    }

    fn names_of_all_the_world_are_kept(site: &Site) {
        let admin = site.admin();
        for (n, name) in ["Ünï", "日本語", "\u{1f511}", "a\"b\\c", "<b>"].iter().enumerate() {
            let body = json!({"name": name, "code": format!("p{n}")});
            assert_eq!(admin.post("/api/v1/products", body).good()["name"], *name);
        }
        let widest = "\u{1f511}".repeat(255);
        let body = json!({"name": widest, "code": "c".repeat(100)});
        assert_eq!(admin.post("/api/v1/products", body).good()["name"], widest);
    }

    fn a_code_is_one_products_in_an_organization(site: &Site) {
        let shop = Shop::open(site);
        let body = json!({"name": "Two", "code": "myapp"});
        let detail = shop.admin.post("/api/v1/products", body.clone()).refused(409, "conflict");
        assert!(detail.contains("myapp"), "{detail}");
        let two = shop.admin.post("/api/v1/products", json!({"name": "2", "code": "two"})).good();
        let place = format!("/api/v1/products/{}", two["id"].as_str().unwrap());
        let detail = shop.admin.put(&place, json!({"code": "myapp"})).refused(409, "conflict");
        assert!(detail.contains("myapp"), "{detail}");
        let (_, key) = site.organization("Bond");
        site.nobody().with_key(&key).post("/api/v1/products", body).good();
    }

    fn a_product_with_licenses_stays_with_its_code_and_keys(site: &Site) {
        let shop = Shop::open(site);
        let place = format!("/api/v1/products/{}", shop.id());
        let license = shop.license(json!({}));
        shop.admin.delete(&crate::shop::path(&license)).good();
        shop.license(json!({}));
        let detail = shop.admin.delete(&place).refused(409, "conflict");
        assert!(detail.contains("2 licenses"), "{detail}");
        let another = shop.admin.post("/api/v1/key-pairs", json!({"name": "b"})).good();
        for body in [
            json!({"code": "other"}),
            json!({"key_pair_id": null}),
            json!({"key_pair_id": another["id"]}),
        ] {
            shop.admin.put(&place, body).refused(409, "conflict");
        }
        shop.admin.put(&place, json!({"name": "Other", "code": "myapp"})).good();
    }

    fn a_product_without_licenses_goes_and_its_policies(site: &Site) {
        let shop = Shop::open(site);
        let place = format!("/api/v1/products/{}", shop.id());
        let policy = json!({"name": "of it", "product_id": shop.id()});
        shop.admin.post("/api/v1/policies", policy).good();
        let done = shop.admin.delete(&place).good();
        assert_eq!(done, json!({"message": "Product deleted successfully"}));
        shop.admin.get(&place).refused(404, "not_found");
        shop.admin.delete(&place).refused(404, "not_found");
        assert_eq!(shop.admin.get("/api/v1/policies").good()["total"], 0);
        assert_eq!(events(site).last().map(String::as_str), Some("product.deleted"));
    }
}
