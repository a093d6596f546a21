//! The Licenses API, as a client knows it that has read its description and nothing else.

use crate::shop::{Shop, events, path};
use crate::support::{BEGIN, Site};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

const DAY: i64 = 86_400;

/// The members that are described, and in this order.
const MEMBERS: [&str; 15] = [
    "id",
    "product_id",
    "product_name",
    "product_code",
    "serial",
    "customer_id",
    "customer_email",
    "status",
    "valid_from",
    "valid_until",
    "features",
    "max_seats",
    "hardware_binding",
    "created_at",
    "revoked_at",
];

/// What a client that knows only these members sees.
fn described(license: &Value) -> Map<String, Value> {
    let all = license.as_object().unwrap();
    let known = MEMBERS.map(|name| (name.to_string(), all.get(name).unwrap().clone()));
    known.into_iter().collect()
}

both! {
    fn a_license_is_created_listed_shown_downloaded_and_revoked(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let body = json!({
            "product_id": shop.id(), "license_type": "subscription", "customer_id": "cust_12345",
            "customer_email": "customer@example.com", "features": ["pro", "analytics"],
            "valid_days": 365, "max_seats": 5, "hardware_binding": null,
        });
        let answer = admin.post("/v1/licenses", body);
        assert_eq!((answer.status, answer.header("content-type")), (201, Some("application/json")));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let created = answer.good();
        assert_eq!(answer.header("location"), Some(path(&created).as_str()));
        let expected = json!({
            "id": created["id"], "product_id": shop.id(), "product_name": "My Application",
            "product_code": "myapp", "serial": created["serial"], "customer_id": "cust_12345",
            "customer_email": "customer@example.com", "status": "active",
            "valid_from": "2026-01-15T10:30:00Z", "valid_until": "2027-01-15T10:30:00Z",
            "features": ["pro", "analytics"], "max_seats": 5, "hardware_binding": null,
            "created_at": "2026-01-15T10:30:00Z", "revoked_at": null,
        });
        let expected = expected.as_object().unwrap().clone();
        assert_eq!(described(&created), expected);
        let serial = created["serial"].as_str().unwrap();
        let tail = serial.strip_prefix("LIC-MYAPP-").unwrap();
        let letter = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
        assert!(tail.len() == 8 && tail.bytes().all(letter), "{tail}");

        let list = admin.get("/v1/licenses").good();
        assert_eq!(list["total"], 1);
        assert_eq!(described(&list["licenses"][0]), expected);
        assert!(list["licenses"][0].get("license_blob").is_none());
        let shown = admin.get(&path(&created)).good();
        assert_eq!(described(&shown), expected);
        assert_eq!(shown["license_blob"], created["license_blob"]);
        // The key is shown once.
        assert_eq!(created["license_key"].as_str().unwrap().len(), 34);
        assert!(shown.get("license_key").is_none());
        assert!(!list.to_string().contains("license_key\""));

        let file = admin.get(&format!("{}/download", path(&created)));
        assert_eq!(file.header("content-type"), Some("application/octet-stream"));
        let name = format!("attachment; filename=\"{serial}.lic\"");
        assert_eq!(file.header("content-disposition"), Some(name.as_str()));
        assert_eq!(STANDARD.encode(&file.body), created["license_blob"].as_str().unwrap());

        for _ in 0..2 {
            let revoked = admin.delete(&path(&created));
            assert_eq!(revoked.status, 200);
            assert_eq!(revoked.good(), json!({"message": "License revoked successfully"}));
            site.clock.set(Some(BEGIN + 60));
        }
        let shown = admin.get(&path(&created)).good();
        assert_eq!(shown["status"], "revoked");
        assert_eq!(shown["revoked_at"], "2026-01-15T10:30:00Z");
        let told: Vec<String> =
            events(site).into_iter().filter(|kind| kind.starts_with("license.")).collect();
        assert_eq!(told, ["license.created", "license.revoked"]);
    }

    fn what_is_not_said_is_as_described(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        assert_eq!(license["license_type"], "subscription");
        assert_eq!(license["features"], json!(["basic", "help"]));
        assert_eq!((&license["max_seats"], &license["max_machines"]), (&json!(1), &json!(1)));
        assert_eq!(license["valid_until"], "2027-01-15T10:30:00Z");
        for null in ["customer_id", "customer_email", "hardware_binding", "revoked_at"] {
            assert_eq!(license[null], Value::Null, "{null}");
        }
        let forever = shop.license(json!({"valid_days": 0}));
        assert_eq!((&forever["valid_until"], &forever["status"]), (&Value::Null, &json!("active")));
        let seats = shop.license(json!({"max_seats": 7}));
        assert_eq!(seats["max_machines"], 7);
        assert_eq!(shop.license(json!({"features": []}))["features"], json!([]));
    }

    fn types_and_dates_go_together(site: &Site) {
        let shop = Shop::open(site);
        for (given, kind, until) in [
            (json!({"license_type": "perpetual"}), "perpetual", None),
            (json!({"license_type": "perpetual", "valid_days": 0}), "perpetual", None),
            (json!({"license_type": "subscription", "valid_days": 0}), "perpetual", None),
            (json!({"license_type": "trial", "valid_days": 1}), "trial", Some("2026-01-16")),
            (json!({"license_type": "trial"}), "trial", Some("2027-01-15")),
            (json!({"license_type": "floating", "valid_days": 0}), "floating", None),
            (json!({"license_type": "node_locked", "valid_days": 2}), "node_locked",
                Some("2026-01-17")),
            (json!({"valid_until": "2026-03-01T00:00:00Z"}), "subscription", Some("2026-03-01")),
            (json!({"valid_from": "2026-02-01", "valid_days": 1}), "subscription",
                Some("2026-02-02")),
            (json!({"valid_days": 36525}), "subscription", Some("2126-01-16")),
        ] {
            let license = shop.license(given.clone());
            assert_eq!(license["license_type"], kind, "{given}");
            let found = license["valid_until"].as_str().map(|at| &at[..10]);
            assert_eq!(found, until, "{given}");
            let said = shop.claims(&license);
            assert_eq!(said["license"]["type"], kind);
            assert_eq!(said["license"]["valid_until"].is_null(), until.is_none());
        }
        for given in [
            json!({"license_type": "perpetual", "valid_days": 1}),
            json!({"license_type": "perpetual", "valid_until": "2027-01-01T00:00:00Z"}),
            json!({"license_type": "trial", "valid_days": 0}),
            json!({"valid_days": 1, "valid_until": "2027-01-01T00:00:00Z"}),
            json!({"valid_until": "2026-01-15T10:30:00Z"}),
            json!({"valid_days": -1}),
            json!({"valid_days": 36_526}),
            json!({"valid_days": 9_007_199_254_740_991_i64}),
            json!({"valid_from": "9999-12-31T00:00:00Z", "valid_days": 2}),
        ] {
            shop.sell(given).refused(422, "invalid_argument");
        }
    }

    fn the_file_says_what_the_record_says(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "customer_id": "cust_1", "customer_email": "a@b.example", "customer_name": "Ünï GmbH",
            "features": ["b", "a"], "max_seats": 5, "max_machines": 2,
            "entitlements": [{"id": "users", "meter": "level", "max": 15, "name": "Users"}],
            "terms": {"support_until": "2026-06-01", "description": "Three sites"},
        }));
        let claims = shop.claims(&license);
        let said = &claims["license"];
        assert_eq!((&claims["aud"], &claims["sub"]), (&json!("myapp"), &json!("cust_1")));
        assert_eq!(claims["iss"], "https://acme.example");
        assert_eq!((&said["id"], &said["serial"]), (&license["id"], &license["serial"]));
        assert_eq!(said["product"], json!({"id": shop.id(), "name": "My Application"}));
        assert_eq!(said["customer"], json!({"name": "Ünï GmbH", "email": "a@b.example"}));
        assert_eq!((&said["seats"], &said["machines"]), (&json!(5), &json!(2)));
        let users = json!({"id": "users", "name": "Users", "meter": "level", "max": 15});
        assert_eq!(said["features"], json!([{"id": "b"}, {"id": "a"}, users]));
        assert_eq!(license["features"], json!(["b", "a", "users"]));
        assert_eq!(license["entitlements"], said["features"]);
        assert_eq!(said["support_until"], json!(1_780_272_000));
        assert!(said.get("binding").is_none());
        let another = shop.license(json!({}));
        assert_ne!(shop.claims(&another)["jti"], claims["jti"]);
        assert_ne!(another["serial"], license["serial"]);
    }

    fn a_license_is_for_the_machine_that_is_named(site: &Site) {
        let shop = Shop::open(site);
        let hash = |n: u8| STANDARD.encode([n; 16])[..22].to_string();
        let part = |kind: &str, n| json!({"kind": kind, "hash": hash(n)});
        let (id, nic) = (part("machine_id", 1), part("nic", 4));
        let parts = json!([id, part("disk", 2), part("disk", 3), nic]);
        let given = json!({"algorithm": "licentia-machine-1", "threshold": 2, "components": parts});
        let license = shop.license(json!({"hardware_binding": given}));
        assert_eq!(license["hardware_binding"], given);
        let expected = json!({"machine": {"v": 1, "need": 2, "parts": {
            "machine_id": [hash(1)], "disk": [hash(2), hash(3)], "nic": [hash(4)],
        }}});
        assert_eq!(shop.claims(&license)["license"]["binding"], expected);
        // Three of five, where nobody says how many.
        let license = shop.license(json!({"hardware_binding": {"components": parts}}));
        assert_eq!(license["hardware_binding"]["threshold"], 2);

        let license = shop.license(json!({"hardware_binding": {"fingerprint": "abc123def456"}}));
        assert_eq!(license["hardware_binding"], json!({"fingerprint": "abc123def456"}));
        let keys = shop.admin.get(&format!("/api/v1/products/{}/public-key", shop.id())).good();
        let mut product = licentia::Product::new("myapp", &keys["keys"].to_string()).unwrap();
        product.set("clock", &BEGIN.to_string()).unwrap();
        for (machine, is_it) in [("abc123def456", true), ("abc123def457", false)] {
            product.set("machine", machine).unwrap();
            let blob = license["license_blob"].as_str().unwrap();
            assert_eq!(product.verify(blob.as_bytes()).is_ok(), is_it, "{machine}");
        }
        for bad in [
            json!({}),
            json!({"threshold": 1}),
            json!({"components": []}),
            json!({"components": [part("colour", 1)]}),
            json!({"components": [{"kind": "disk", "hash": "short"}]}),
            json!({"components": parts, "threshold": 0}),
            json!({"components": parts, "threshold": 4}),
            json!({"components": parts, "algorithm": "md5"}),
            json!({"components": parts, "fingerprint": "a"}),
            json!({"fingerprint": ""}),
            json!({"fingerprint": "f".repeat(257)}),
            json!({"fingerprint": "f", "algorithm": "licentia-machine-1"}),
            json!({"instance": "nowhere"}),
        ] {
            let sold = shop.sell(json!({"hardware_binding": bad}));
            let detail = sold.refused(422, "invalid_argument");
            assert!(detail.contains("hardware_binding"), "{bad}: {detail}");
        }
        for bad in [
            json!([]),
            json!("abc"),
            json!({"colour": 1}),
            json!({"components": [{"kind": "disk"}]}),
        ] {
            shop.sell(json!({"hardware_binding": bad})).refused(400, "malformed");
        }
    }

    fn what_cannot_be_read_is_400_and_what_cannot_be_is_422(site: &Site) {
        let shop = Shop::open(site);
        let post = |body: Value| shop.admin.post("/api/v1/licenses", body);
        post(json!({})).refused(400, "malformed");
        post(json!({"product_id": "myapp"})).refused(400, "malformed");
        post(json!({"product_id": shop.id(), "product": 1})).refused(400, "malformed");
        for (name, value) in [
            ("license_type", json!("forever")),
            ("license_type", json!(1)),
            ("customer_id", json!(12345)),
            ("customer_email", json!(["a@b"])),
            ("features", json!("pro")),
            ("features", json!([1])),
            ("valid_days", json!("365")),
            ("valid_days", json!(1.5)),
            ("valid_days", json!(1e30)),
            ("max_seats", json!("5")),
            ("max_seats", json!(true)),
            ("valid_from", json!(1_768_473_000)),
            ("valid_until", json!("tomorrow")),
            ("valid_until", json!("1768473000")),
            ("terms", json!("none")),
            ("terms", json!({"colour": "red"})),
            ("policy_id", json!("none")),
            ("license_blob", json!("")),
        ] {
            shop.sell(json!({ name: value })).refused(400, "malformed");
        }
        let many: Vec<String> = (0..1025).map(|n| format!("f{n}")).collect();
        for (name, value) in [
            ("customer_id", json!("")),
            ("customer_id", json!("c".repeat(256))),
            ("customer_id", json!("a\nb")),
            ("customer_email", json!("a@b.example\r\nBcc: all@b.example")),
            ("customer_email", json!("e".repeat(321))),
            ("customer_name", json!("\u{7f}")),
            ("features", json!(["Pro"])),
            ("features", json!(["pro", "pro"])),
            ("features", json!([""])),
            ("features", json!(many)),
            ("max_seats", json!(0)),
            ("max_seats", json!(-5)),
            ("max_seats", json!(1_000_001)),
            ("max_machines", json!(0)),
            ("policy_id", json!("0192f0aa-0000-7000-8000-000000000000")),
        ] {
            let detail = shop.sell(json!({ name: value })).refused(422, "invalid_argument");
            assert!(detail.contains(name), "{name}: {detail}");
        }
        // A thousand features with long names are too much for one license, not for the server.
        let wide: Vec<Value> = (0..1024)
            .map(|n| json!({"id": format!("f{n}"), "name": "n".repeat(200)}))
            .collect();
        shop.sell(json!({"entitlements": wide})).refused(422, "invalid_argument");
        let huge = json!({"customer_name": "x".repeat(10 << 20)});
        shop.sell(huge).refused(413, "too_large");
        assert_eq!(shop.admin.get("/api/v1/licenses").good()["total"], 0);
    }

    fn a_product_that_cannot_issue_does_not(site: &Site) {
        let shop = Shop::open(site);
        let bare = shop.admin.post("/api/v1/products", json!({"name": "B", "code": "b"})).good();
        shop.sell(json!({"product_id": bare["id"]})).refused(422, "no_key_pair");
        let bond = Shop::of(site.nobody().with_key(&site.organization("Bond").1), "x");
        let foreign = bond.sell(json!({"product_id": shop.id()})).refused(404, "not_found");
        let unknown = json!({"product_id": "0192f0aa-0000-7000-8000-000000000000"});
        assert_eq!(bond.sell(unknown).refused(404, "not_found"), foreign);
    }

    fn another_organizations_license_is_not_there(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({"customer_email": "a@b.example"}));
        let bond = Shop::of(site.nobody().with_key(&site.organization("Bond").1), "myapp");
        let place = path(&license);
        for (method, end, body) in [
            ("GET", "", None),
            ("DELETE", "", None),
            ("GET", "/download", None),
            ("PUT", "", Some(json!({"max_seats": 2}))),
            ("POST", "/renew", Some(json!({}))),
            ("POST", "/reissue", Some(json!({}))),
            ("POST", "/suspend", Some(json!({}))),
            ("POST", "/reinstate", Some(json!({}))),
            ("POST", "/license-key", Some(json!({}))),
        ] {
            let foreign = bond.admin.ask(method, &format!("{place}{end}"), body.as_ref());
            let detail = foreign.refused(404, "not_found");
            for none in ["0192f0aa-0000-7000-8000-000000000000", "none", "%00", "1"] {
                let unknown = format!("/api/v1/licenses/{none}{end}");
                let unknown = bond.admin.ask(method, &unknown, body.as_ref());
                assert_eq!(unknown.refused(404, "not_found"), detail, "{method} {end} {none}");
            }
        }
        let list = bond.admin.get(&format!("/v1/licenses?product_id={}", shop.id())).good();
        assert_eq!(list["total"], 0);
        assert_eq!(shop.look(&license)["status"], "active");
    }

    fn whoever_may_not_does_not(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let place = path(&license);
        let calls = [
            ("GET", "/api/v1/licenses".to_string(), "read"),
            ("POST", "/api/v1/licenses".to_string(), "issue"),
            ("GET", place.clone(), "read"),
            ("GET", format!("{place}/download"), "read"),
            ("PUT", place.clone(), "issue"),
            ("POST", format!("{place}/renew"), "issue"),
            ("POST", format!("{place}/reissue"), "issue"),
            ("POST", format!("{place}/license-key"), "issue"),
            ("POST", format!("{place}/suspend"), "revoke"),
            ("POST", format!("{place}/reinstate"), "revoke"),
            ("DELETE", place.clone(), "revoke"),
        ];
        for scope in ["read", "issue", "revoke", "sync", "catalog"] {
            let caller = site.caller(scope);
            for (method, path, needed) in &calls {
                let new = path == "/api/v1/licenses" && *method == "POST";
                let body = if new { json!({"product_id": shop.id()}) } else { json!({}) };
                let body = (*method != "GET" && *method != "DELETE").then_some(body);
                let answer = caller.ask(method, path, body.as_ref());
                assert_eq!(answer.status == 403, scope != *needed, "{scope}: {method} {path}");
            }
        }
        for (method, path, _) in &calls {
            site.nobody().ask(method, path, None).refused(401, "unauthorized");
        }
    }

    fn a_license_can_be_put_on_hold(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({"valid_days": 10}));
        let place = path(&license);
        let post = |end: &str, body: Value| shop.admin.post(&format!("{place}{end}"), body);
        let held = post("/suspend", json!({"reason": "Not paid"})).good();
        assert_eq!((&held["status"], &held["reason"]), (&json!("suspended"), &json!("Not paid")));
        assert_eq!(held["suspended_at"], "2026-01-15T10:30:00Z");
        assert_eq!(post("/suspend", json!({"reason": "Again"})).good(), held);
        // Longer than it is valid: still on hold, and renewing does not change that.
        site.clock.set(Some(BEGIN + 11 * DAY));
        assert_eq!(shop.look(&license)["status"], "suspended");
        assert_eq!(post("/renew", json!({"valid_days": 5})).good()["status"], "suspended");
        let free = post("/reinstate", json!({})).good();
        assert_eq!((&free["status"], &free["reason"]), (&json!("active"), &Value::Null));
        assert_eq!(post("/reinstate", json!({})).good(), free);
        assert_eq!(free["license_blob"], shop.look(&license)["license_blob"]);
        post("/suspend", json!({"reason": "r".repeat(501)})).refused(422, "invalid_argument");
        post("/suspend", json!({"reason": 1})).refused(400, "malformed");
        post("/suspend", json!({"why": "x"})).refused(400, "malformed");
        let gone = shop.admin.delete(&format!("{}?reason=Charged%20back", path(&license)));
        gone.good();
        assert_eq!(shop.look(&license)["reason"], "Charged back");
        for (end, body) in [
            ("/suspend", json!({})),
            ("/reinstate", json!({})),
            ("/renew", json!({})),
            ("/reissue", json!({})),
            ("/license-key", json!({})),
        ] {
            post(end, body).refused(409, "revoked");
        }
        let change = json!({"max_seats": 9});
        shop.admin.put(&path(&license), change).refused(409, "revoked");
        let told: Vec<String> =
            events(site).into_iter().filter(|kind| kind.starts_with("license.")).collect();
        let expected = ["created", "suspended", "renewed", "reinstated", "revoked"];
        assert_eq!(told, expected.map(|kind| format!("license.{kind}")));
    }

    fn a_renewal_makes_it_later(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({"valid_days": 10}));
        let renew = |body: Value| shop.admin.post(&format!("{}/renew", path(&license)), body);
        // Early: from its end on. Nobody loses the days that are left.
        let renewed = renew(json!({"valid_days": 10})).good();
        assert_eq!(renewed["valid_until"], "2026-02-04T10:30:00Z");
        assert_ne!(renewed["license_blob"], license["license_blob"]);
        let (before, after) = (shop.claims(&license), shop.claims(&renewed));
        assert_eq!(before["license"]["id"], after["license"]["id"]);
        assert_ne!(before["jti"], after["jti"]);
        // Late: from now on.
        site.clock.set(Some(BEGIN + 100 * DAY));
        assert_eq!(shop.look(&license)["status"], "expired");
        assert_eq!(renew(json!({})).good()["valid_until"], "2027-04-25T10:30:00Z");
        let until = json!({"valid_until": "2028-01-01T00:00:00Z"});
        assert_eq!(renew(until.clone()).good()["valid_until"], "2028-01-01T00:00:00Z");
        for never in [
            until,
            json!({"valid_until": "2027-01-01T00:00:00Z"}),
            json!({"valid_days": 1, "valid_until": "2029-01-01T00:00:00Z"}),
            json!({"valid_days": -1}),
        ] {
            renew(never).refused(422, "invalid_argument");
        }
        let forever = renew(json!({"valid_days": 0})).good();
        assert_eq!(forever["valid_until"], Value::Null);
        assert_eq!(forever["license_type"], "perpetual");
        renew(json!({"valid_days": 10})).refused(422, "invalid_argument");
        let trial = shop.license(json!({"license_type": "trial", "valid_days": 5}));
        let place = format!("{}/renew", path(&trial));
        shop.admin.post(&place, json!({"valid_days": 0})).refused(422, "invalid_argument");
    }

    fn a_change_is_signed_and_says_only_what_changed(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "customer_email": "a@b.example", "features": ["pro"], "max_machines": 2,
            "entitlements": [{"id": "users", "meter": "level", "max": 15}],
        }));
        let put = |body: Value| shop.admin.put(&path(&license), body);
        let blob = put(json!({})).good()["license_blob"].clone();
        assert_eq!(blob, license["license_blob"]);
        let changed = put(json!({
            "customer_email": "New@B.example", "customer_name": "B", "max_seats": 4,
            "max_machines": null, "features": ["users"], "terms": {"tier": "Gold"},
        })).good();
        assert_eq!(changed["customer_email"], "New@B.example");
        assert_eq!(changed["max_machines"], 4);
        assert_eq!(changed["entitlements"], json!([{"id": "users", "meter": "level", "max": 15}]));
        let said = shop.claims(&changed);
        let said = &said["license"];
        assert_eq!((&said["seats"], &said["tier"]), (&json!(4), &json!("Gold")));
        let found = shop.admin.get("/v1/licenses?customer_email=NEW%40b").good();
        assert_eq!(found["total"], 1);
        assert_eq!(put(json!({"entitlements": []})).good()["features"], json!([]));
        assert_eq!(put(json!({"customer_email": null})).good()["customer_email"], Value::Null);
        let shorter = put(json!({"valid_until": "2026-02-01T00:00:00Z"})).good();
        assert_eq!(shorter["valid_until"], "2026-02-01T00:00:00Z");
        let forever = put(json!({"valid_until": null})).good();
        assert_eq!(forever["license_type"], "perpetual");
        let ends = put(json!({"valid_until": "2027-02-01"})).good();
        assert_eq!(ends["license_type"], "subscription");
        for bad in [
            json!({"max_seats": 0}),
            json!({"license_type": "perpetual", "valid_until": "2027-02-01"}),
            json!({"license_type": "trial", "valid_until": null}),
            json!({"valid_until": "2020-01-01"}),
            json!({"customer_name": ""}),
            json!({"features": ["a", "a"]}),
        ] {
            put(bad).refused(422, "invalid_argument");
        }
        for bad in [
            json!({"max_seats": null}),
            json!({"features": null}),
            json!({"serial": "LIC-MYAPP-00000000"}),
            json!({"status": "active"}),
            json!({"terms": {"colour": 1}}),
        ] {
            put(bad).refused(400, "malformed");
        }
    }

    fn a_license_is_reissued_for_another_machine(site: &Site) {
        let shop = Shop::open(site);
        let one = json!({"fingerprint": "one"});
        let given = json!({"license_type": "node_locked", "hardware_binding": one});
        let license = shop.license(given);
        let place = format!("{}/reissue", path(&license));
        let again = shop.admin.post(&place, json!({})).good();
        assert_ne!(again["license_blob"], license["license_blob"]);
        let moved = json!({"hardware_binding": {"fingerprint": "two"}, "features": ["pro"]});
        let moved = shop.admin.post(&place, moved).good();
        assert_eq!(moved["hardware_binding"], json!({"fingerprint": "two"}));
        assert_eq!(moved["features"], json!(["pro"]));
        let claims = [&license, &moved].map(|it| shop.claims(it));
        let bound = |n: usize| claims[n]["license"]["binding"].clone();
        assert!(bound(0) != bound(1) && !bound(1).is_null());
        let free = shop.admin.post(&place, json!({"hardware_binding": null})).good();
        assert!(shop.claims(&free)["license"].get("binding").is_none());
        assert_eq!(events(site).last().map(String::as_str), Some("license.reissued"));
    }

    fn a_lost_key_is_replaced(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let place = format!("{}/license-key", path(&license));
        let replaced = shop.admin.post(&place, json!({})).good();
        let (old, new) = (&license["license_key"], &replaced["license_key"]);
        assert!(new.is_string() && old != new);
        let hint = replaced["license_key_hint"].as_str().unwrap();
        assert!(new.as_str().unwrap().ends_with(hint));
        assert_eq!(replaced["license_blob"], license["license_blob"]);
        // Neither the record nor an event has it.
        let id = license["id"].as_str().unwrap().parse().unwrap();
        let row = site.wait(async {
            let read = site.server.store.read();
            licentia_server::store::licenses::get(read, site.organization, id).await.unwrap()
        });
        let row = format!("{row:?}");
        for key in [old, new] {
            let key = key.as_str().unwrap();
            assert!(!row.contains(key) && !row.contains(&key.replace('-', "")));
        }
        let digest = licentia_server::license_key::digest_of(new.as_str().unwrap()).unwrap();
        assert!(row.contains(&digest));
    }

    fn a_repeated_request_makes_one_license(site: &Site) {
        let shop = Shop::open(site);
        let once = shop.admin.with("Idempotency-Key", "order 17");
        let body = json!({"product_id": shop.id()});
        let first = once.post("/api/v1/licenses", body.clone());
        let again = once.post("/api/v1/licenses", body);
        assert_eq!(first.good(), again.good());
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(shop.admin.get("/api/v1/licenses").good()["total"], 1);
    }
}
