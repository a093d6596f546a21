//! Policies, and licenses that are made from them.

use crate::shop::{Shop, events};
use crate::support::Site;
use serde_json::{Value, json};

fn place(policy: &Value) -> String {
    format!("/api/v1/policies/{}", policy["id"].as_str().unwrap())
}

both! {
    fn a_license_is_as_its_policy_says_and_as_it_says_itself(site: &Site) {
        let shop = Shop::open(site);
        let policy = json!({
            "name": "Team", "license_type": "floating", "valid_days": 30, "max_seats": 10,
            "features": ["pro"], "max_machines": 3,
            "entitlements": [
                {"id": "calls", "meter": "count", "per": "month", "max": 900, "then": "count"},
            ],
            "terms": {
                "tier": "Team", "stages": {"ended": {"read_only": 10, "deny": 40}},
                "notice": {"license": 30}, "refresh_days": 7, "token_days": 30, "sync_days": 14,
                "borrow_days": 5, "seat_seconds": 600, "max_transfers": 2,
                "bind": {"to": "machine", "need": 2}, "metadata": {"limit_by": "users", "n": 1},
            },
        });
        let policy = shop.admin.post("/api/v1/policies", policy).good();
        assert_eq!(shop.admin.get(&place(&policy)).good(), policy);
        let license = shop.license(json!({"policy_id": policy["id"]}));
        assert_eq!(license["license_type"], "floating");
        assert_eq!(license["valid_until"], "2026-02-14T10:30:00Z");
        assert_eq!((&license["max_seats"], &license["max_machines"]), (&json!(10), &json!(3)));
        assert_eq!(license["features"], json!(["pro", "calls"]));
        assert_eq!(license["terms"], policy["terms"]);
        let claims = shop.claims(&license);
        let said = &claims["license"];
        assert_eq!(said["policy"], "Team");
        assert_eq!(said["stages"], json!({"ended": {"read_only": 10, "deny": 40}}));
        assert_eq!(said["metadata"], json!({"limit_by": "users", "n": 1}));
        assert_eq!((&said["refresh_days"], &said["tier"]), (&json!(7), &json!("Team")));
        assert_eq!(claims["exp"], json!(crate::support::BEGIN + 30 * 86_400));
        assert_eq!((&said["seats"], &said["machines"]), (&json!(10), &json!(3)));

        // What is given wins, member by member, and null takes away.
        let license = shop.license(json!({
            "policy_id": policy["id"], "valid_days": 1, "features": ["calls"], "max_seats": 2,
            "terms": {"tier": "Trial", "stages": null, "token_days": null},
        }));
        assert_eq!(license["valid_until"], "2026-01-16T10:30:00Z");
        assert_eq!(license["entitlements"], policy["entitlements"]);
        assert_eq!(license["terms"]["tier"], "Trial");
        assert!(license["terms"].get("stages").is_none());
        assert_eq!(license["terms"]["sync_days"], 14);
        assert!(shop.claims(&license).get("exp").is_none());
        let given = json!({"policy_id": policy["id"], "license_type": "perpetual"});
        assert_eq!(shop.license(given)["valid_until"], Value::Null);
    }

    fn a_change_changes_what_is_given(site: &Site) {
        let shop = Shop::open(site);
        let terms = json!({"tier": "A", "sync_days": 3});
        let policy = json!({"name": "Team", "valid_days": 30, "terms": terms});
        let policy = shop.admin.post("/api/v1/policies", policy).good();
        let license = shop.license(json!({"policy_id": policy["id"]}));
        let terms = json!({"tier": null, "borrow_days": 1});
        let change = json!({"valid_days": null, "max_seats": 3, "terms": terms});
        let changed = shop.admin.put(&place(&policy), change).good();
        assert!(changed.get("valid_days").is_none());
        assert_eq!(changed["max_seats"], 3);
        assert_eq!(changed["terms"], json!({"sync_days": 3, "borrow_days": 1}));
        assert_eq!(shop.look(&license)["terms"], json!({"tier": "A", "sync_days": 3}));
        let named = json!({"name": "New", "product_id": shop.id()});
        let named = shop.admin.put(&place(&policy), named);
        assert_eq!(named.good()["product_id"], shop.id());
        shop.admin.put(&place(&policy), json!({"name": null})).refused(400, "malformed");
        let bare = shop.admin.put(&place(&policy), json!({"terms": null})).good();
        assert_eq!(bare.get("terms"), None);
        assert_eq!(
            shop.admin.delete(&place(&policy)).good(),
            json!({"message": "Policy deleted successfully"})
        );
        shop.admin.get(&place(&policy)).refused(404, "not_found");
        // A license outlives its policy.
        shop.admin.post(&format!("{}/renew", crate::shop::path(&license)), json!({})).good();
        let kinds: Vec<String> =
            events(site).into_iter().filter(|kind| kind.starts_with("policy.")).collect();
        let expected = ["created", "updated", "updated", "updated", "deleted"];
        assert_eq!(kinds, expected.map(|kind| format!("policy.{kind}")));
    }

    fn what_no_policy_can_be_is_refused(site: &Site) {
        let shop = Shop::open(site);
        let post = |body: Value| shop.admin.post("/api/v1/policies", body);
        for (member, value) in [
            ("name", json!("")),
            ("product_id", json!("0192f0aa-0000-7000-8000-000000000000")),
            ("valid_days", json!(-1)),
            ("max_seats", json!(0)),
            ("max_machines", json!(0)),
            ("features", json!(["A"])),
            ("entitlements", json!([{"id": "a", "max": 1}])),
            ("entitlements", json!([{"id": "a", "meter": "often"}])),
            ("entitlements", json!([{"id": "a", "meter": "distinct", "days": 0}])),
            ("entitlements", json!([{"id": "a"}, {"id": "a"}])),
        ] {
            let mut body = json!({"name": "Team"});
            body[member] = value;
            let detail = post(body).refused(422, "invalid_argument");
            assert!(detail.contains(member), "{member}: {detail}");
        }
        for terms in [
            json!({"refresh_days": 0}),
            json!({"token_days": 3}),
            json!({"token_days": 3, "refresh_days": 3}),
            json!({"stages": {"ended": {"read_only": 5, "deny": 5}}}),
            json!({"stages": {"ended": {"warn": 36501}}}),
            json!({"notice": {"token": 3651}}),
            json!({"borrow_days": 367}),
            json!({"seat_seconds": 1}),
            json!({"tier": ""}),
            json!({"bind": {"to": "nothing", "need": 1}}),
            json!({"bind": {"to": "machine", "parts": ["colour"]}}),
            json!({"bind": {"to": "machine", "parts": []}}),
            json!({"bind": {"to": "machine", "parts": ["disk"], "need": 2}}),
            json!({"metadata": {"a": "x".repeat(1025)}}),
        ] {
            let body = json!({"name": "Team", "terms": terms});
            let detail = post(body).refused(422, "invalid_argument");
            assert!(detail.contains("terms"), "{detail}");
        }
        for body in [
            json!({"name": "Team", "colour": 1}),
            json!({"name": "Team", "terms": {"colour": 1}}),
            json!({"name": "Team", "terms": []}),
            json!({"name": "Team", "terms": {"notice": [1, 2]}}),
            json!({"name": "Team", "terms": {"metadata": {"a": 9007199254740993_i64}}}),
            json!({"name": "Team", "entitlements": [["a", null, null, null, null, null, null, 1]]}),
            json!({"name": "Team", "terms": {"stages": {"ended": {"never": 1}}}}),
            json!({"name": "Team", "terms": {"metadata": {"a": [1]}}}),
            json!({"name": "Team", "terms": {"support_until": "soon"}}),
            json!({"name": "Team", "license_type": "free"}),
            json!({"name": "Team", "entitlements": [{"id": "a", "colour": 1}]}),
            json!({"valid_days": 3}),
        ] {
            post(body).refused(400, "malformed");
        }
        for dates in [("perpetual", 1), ("trial", 0)] {
            let body = json!({"name": "T", "license_type": dates.0, "valid_days": dates.1});
            post(body).refused(422, "invalid_argument");
        }
        assert_eq!(shop.admin.get("/api/v1/policies").good()["total"], 0);
    }

    fn a_policy_is_for_its_product_and_its_organization(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "other");
        let bond = Shop::of(site.nobody().with_key(&site.organization("Bond").1), "x");
        let policy = json!({"name": "Team", "product_id": other.id()});
        let policy = shop.admin.post("/api/v1/policies", policy).good();
        let sold = shop.sell(json!({"policy_id": policy["id"]}));
        sold.refused(422, "invalid_argument");
        let foreign = bond.sell(json!({"policy_id": policy["id"]})).text();
        let unknown = json!({"policy_id": "0192f0aa-0000-7000-8000-000000000000"});
        let unknown = bond.sell(unknown).text();
        let blank = |text: String| {
            let mut body: Value = serde_json::from_str(&text).unwrap();
            body["request_id"] = Value::Null;
            body
        };
        assert_eq!(blank(foreign), blank(unknown));
        bond.admin.get(&place(&policy)).refused(404, "not_found");
        bond.admin.put(&place(&policy), json!({"name": "x"})).refused(404, "not_found");
        bond.admin.delete(&place(&policy)).refused(404, "not_found");
        let foreign = json!({"name": "Mine", "product_id": other.id()});
        bond.admin.post("/api/v1/policies", foreign).refused(422, "invalid_argument");
    }
}
