//! Verifying licenses, and asking which are revoked.

use crate::shop::{Shop, path};
use crate::support::{BEGIN, Site};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::SecretKey;
use licentia_server::store::{licenses, withdrawn};
use sea_orm::EntityTrait;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Asserts that a license is not good, and gives why.
#[track_caller]
fn bad(verified: &Value) -> String {
    assert_eq!(verified["valid"], false, "{verified}");
    let errors = verified["errors"].as_array().unwrap();
    assert!(!errors.is_empty());
    errors.iter().map(|error| error.as_str().unwrap()).collect::<Vec<_>>().join("; ")
}

both! {
    fn a_good_license_is_good(site: &Site) {
        let shop = Shop::open(site);
        let given = json!({"customer_id": "cust_12345", "features": ["pro", "analytics"]});
        let license = shop.license(given);
        let body = json!({"license_blob": license["license_blob"], "product_id": shop.id()});
        let verified = shop.admin.post("/v1/licenses/verify", body.clone()).good();
        let expected = json!({
            "valid": true, "trusted": true, "errors": [],
            "license": {
                "id": license["id"], "serial": license["serial"], "product_id": shop.id(),
                "customer_id": "cust_12345", "license_type": "subscription",
                "features": ["pro", "analytics"], "valid_from": "2026-01-15T10:30:00Z",
                "valid_until": "2027-01-15T10:30:00Z", "is_expired": false, "status": "active",
            },
        });
        assert_eq!(verified, expected);
        // A product may ask, too; whoever issues licenses may not.
        assert_eq!(site.caller("sync").post("/v1/licenses/verify", body.clone()).good(), expected);
        site.caller("issue").post("/v1/licenses/verify", body.clone()).refused(403, "forbidden");
        site.nobody().post("/v1/licenses/verify", body).refused(401, "unauthorized");
    }

    fn a_license_that_stopped_being_good_says_so(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({"valid_days": 10}));
        let verify = || {
            let body = json!({"license_blob": license["license_blob"], "product_id": shop.id()});
            let verified = shop.admin.post("/v1/licenses/verify", body).good();
            assert_eq!(verified["license"]["serial"], license["serial"]);
            verified
        };
        let post = |end: &str, body: Value| {
            shop.admin.post(&format!("{}/{end}", path(&license)), body).good();
        };
        post("suspend", json!({"reason": "Not paid"}));
        let verified = verify();
        assert!(bad(&verified).contains("suspended since 2026-01-15T10:30:00Z: Not paid"));
        assert_eq!(verified["license"]["status"], "suspended");
        post("reinstate", json!({}));
        assert_eq!(verify()["valid"], true);
        site.clock.set(Some(BEGIN + 10 * DAY));
        let verified = verify();
        assert!(bad(&verified).contains("expired on 2026-01-25T10:30:00Z"));
        assert_eq!(verified["license"]["is_expired"], true);
        // The renewed license is another file, and whoever still has this one has paid as well.
        post("renew", json!({"valid_days": 10}));
        assert_eq!(verify()["license"]["is_expired"], false);
        shop.admin.delete(&path(&license)).good();
        assert!(bad(&verify()).contains("revoked on"));
        // The end was moved forward since this file was made.
        let sooner = shop.license(json!({"valid_days": 10}));
        let change = json!({"valid_until": "2026-01-25T10:30:01Z"});
        shop.admin.put(&path(&sooner), change).good();
        let early = shop.license(json!({"valid_from": "2026-02-01T00:00:00Z"}));
        for (license, why) in [(sooner, "expired on 2026-01-25"), (early, "begins on 2026-02-01")] {
            site.clock.set(Some(BEGIN + 10 * DAY + 1));
            let body = json!({"license_blob": license["license_blob"], "product_id": shop.id()});
            let verified = shop.admin.post("/v1/licenses/verify", body).good();
            assert!(bad(&verified).contains(why), "{verified}");
        }
    }

    fn the_record_says_when_a_renewed_license_ends(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({"valid_days": 10}));
        let end = json!({"valid_until": "2026-03-15T10:30:00Z"});
        shop.admin.post(&format!("{}/renew", path(&license)), end).good();
        site.clock.set(Some(BEGIN + 11 * DAY));
        let body = json!({"license_blob": license["license_blob"], "product_id": shop.id()});
        let verified = shop.admin.post("/v1/licenses/verify", body).good();
        assert_eq!(verified["valid"], true, "{verified}");
        assert_eq!(verified["license"]["is_expired"], false);
    }

    fn a_license_that_is_withdrawn_and_not_here_is_bad(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let id: Uuid = license["id"].as_str().unwrap().parse().unwrap();
        let verify = || {
            let body = json!({"license_blob": license["license_blob"], "product_id": shop.id()});
            shop.admin.post("/v1/licenses/verify", body).good()
        };
        let row = withdrawn::Model {
            organization_id: site.organization,
            product_id: shop.id().parse().unwrap(),
            license_id: id,
            created_at: BEGIN,
        };
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            licenses::Entity::delete_by_id(id).exec(&tx).await.unwrap();
            tx.commit().await.unwrap();
        });
        assert_eq!(verify()["valid"], true);
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            withdrawn::add(&tx, vec![row]).await.unwrap();
            tx.commit().await.unwrap();
        });
        assert!(bad(&verify()).contains("revoked"));
    }

    fn a_bad_file_is_no_error_of_the_request(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "other");
        let bond = Shop::of(site.nobody().with_key(&site.organization("Bond").1), "myapp");
        let license = shop.license(json!({}));
        let blob = license["license_blob"].as_str().unwrap();
        let token = String::from_utf8(STANDARD.decode(blob).unwrap()).unwrap();
        let mut altered = token.clone().into_bytes();
        let middle = altered.len() / 2;
        altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
        let revocations = "eyJhbGciOiJFZERTQSJ9.e30.AA";
        for blob in [
            "".to_string(),
            "not base64 !".to_string(),
            "AAAA".to_string(),
            "\u{1f511}".to_string(),
            STANDARD.encode(revocations),
            STANDARD.encode(&token[..token.len() - 4]),
            STANDARD.encode(altered),
            other.license(json!({}))["license_blob"].as_str().unwrap().to_string(),
            bond.license(json!({}))["license_blob"].as_str().unwrap().to_string(),
            "A".repeat(200_000),
        ] {
            let body = json!({"license_blob": blob, "product_id": shop.id()});
            let verified = shop.admin.post("/v1/licenses/verify", body).good();
            bad(&verified);
            assert_eq!((&verified["license"], &verified["trusted"]), (&Value::Null, &json!(true)));
        }
        // As text it is the same license.
        let body = json!({"license_blob": token, "product_id": shop.id()});
        assert_eq!(shop.admin.post("/v1/licenses/verify", body).good()["valid"], true);
        for bad in [
            json!({}),
            json!({"license_blob": blob}),
            json!({"product_id": shop.id()}),
            json!({"license_blob": blob, "product_id": "myapp"}),
            json!({"license_blob": blob, "product_id": shop.id(), "public_key": "x"}),
            json!({"license_blob": 1, "product_id": shop.id()}),
            json!({"license_blob": blob, "product_id": shop.id(), "machine": "x"}),
        ] {
            shop.admin.post("/v1/licenses/verify", bad).refused(400, "malformed");
        }
        let ask = |product: &str| json!({"license_blob": blob, "product_id": product});
        let foreign = shop.admin.post("/v1/licenses/verify", ask(bond.id()));
        let foreign = foreign.refused(404, "not_found");
        let unknown = ask("0192f0aa-0000-7000-8000-000000000000");
        let unknown = shop.admin.post("/v1/licenses/verify", unknown).refused(404, "not_found");
        assert_eq!(foreign, unknown);
    }

    fn a_license_of_four_thousand_characters_is_verified(site: &Site) {
        let shop = Shop::open(site);
        let wide: Vec<Value> = (0..200)
            .map(|n| json!({"id": format!("feature_{n}"), "meter": "level", "max": n}))
            .collect();
        let license = shop.license(json!({"entitlements": wide}));
        let blob = license["license_blob"].as_str().unwrap();
        assert!(blob.len() > 10_000);
        let body = json!({"license_blob": blob, "product_id": shop.id()});
        let verified = shop.admin.post("/v1/licenses/verify", body).good();
        assert_eq!(verified["valid"], true, "{verified}");
    }

    fn with_another_key_only_signature_and_dates_count(site: &Site) {
        let shop = Shop::open(site);
        let key = SecretKey::generate().unwrap();
        let mut claims = licentia::issue::draft("bond", "elsewhere", BEGIN).unwrap();
        claims.license.kind = "subscription".into();
        claims.license.valid_until = Some(BEGIN + DAY);
        let blob = STANDARD.encode(licentia::issue::sign(&key, &claims).unwrap());
        let pem = key.public().to_pem().unwrap();
        let ask = |blob: &str, pem: &str| {
            let body = json!({"license_blob": blob, "public_key": pem});
            shop.admin.post("/v1/licenses/verify", body)
        };
        let verified = ask(&blob, &pem).good();
        assert_eq!((&verified["valid"], &verified["trusted"]), (&json!(true), &json!(false)));
        assert_eq!(verified["license"]["serial"], json!(claims.license.serial));
        assert_eq!(verified["license"]["status"], Value::Null);
        let stranger = SecretKey::generate().unwrap().public().to_pem().unwrap();
        let verified = ask(&blob, &stranger).good();
        assert_eq!((&verified["license"], &verified["trusted"]), (&Value::Null, &json!(false)));
        bad(&verified);
        site.clock.set(Some(BEGIN + DAY));
        assert!(bad(&ask(&blob, &pem).good()).contains("expired"));
        for wrong in ["", "x", "-----BEGIN PUBLIC KEY-----", &key.to_pem().unwrap()] {
            ask(&blob, wrong).refused(422, "invalid_argument");
        }
        // Of a revoked license, too: the record is not asked.
        let license = shop.license(json!({}));
        shop.admin.delete(&path(&license)).good();
        let keys = shop.admin.get(&format!("/api/v1/products/{}/public-key", shop.id())).good();
        let pem = keys["public_key"].as_str().unwrap();
        let verified = ask(license["license_blob"].as_str().unwrap(), pem).good();
        assert_eq!((&verified["valid"], &verified["trusted"]), (&json!(true), &json!(false)));
    }

    fn serials_are_answered_in_the_order_of_the_question(site: &Site) {
        let shop = Shop::open(site);
        let [a, b, c, d] = [10, 10, 10, 20].map(|days| shop.license(json!({"valid_days": days})));
        let serial = |license: &Value| license["serial"].as_str().unwrap().to_string();
        shop.admin.delete(&path(&b)).good();
        shop.admin.post(&format!("{}/suspend", path(&c)), json!({})).good();
        let bond = Shop::of(site.nobody().with_key(&site.organization("Bond").1), "x");
        let foreign = serial(&bond.license(json!({})));
        site.clock.set(Some(BEGIN + 10 * DAY));
        let asked = [
            serial(&d), serial(&b), "LIC-NONE-00000000".into(), serial(&a), serial(&c), serial(&b),
            foreign, serial(&a).to_lowercase(), String::new(), "\u{1f511}".into(),
        ];
        let statuses = [
            "active", "revoked", "not_found", "expired", "suspended", "revoked", "not_found",
            "not_found", "not_found", "not_found",
        ];
        let results: Vec<Value> = asked.iter().zip(statuses).map(|(serial, status)| {
            let revoked_at = (status == "revoked").then_some("2026-01-15T10:30:00Z");
            json!({"serial": serial, "status": status, "revoked_at": revoked_at})
        }).collect();
        let place = "/v1/licenses/check-revocation";
        let checked = site.caller("sync").post(place, json!({"serials": asked})).good();
        assert_eq!(checked, json!({"results": results, "checked_at": "2026-01-25T10:30:00Z"}));
        let none = site.caller("read").post(place, json!({"serials": []})).good();
        assert_eq!(none["results"], json!([]));
        let hundred = vec![serial(&a); 100];
        let checked = shop.admin.post(place, json!({"serials": hundred})).good();
        assert_eq!(checked["results"].as_array().unwrap().len(), 100);
        let more = vec![serial(&a); 101];
        shop.admin.post(place, json!({"serials": more})).refused(400, "malformed");
        for bad in [
            json!({}),
            json!({"serials": serial(&a)}),
            json!({"serials": [1]}),
            json!({"serials": null}),
        ] {
            shop.admin.post(place, bad).refused(400, "malformed");
        }
        site.caller("issue").post(place, json!({"serials": []})).refused(403, "forbidden");
        site.nobody().post(place, json!({"serials": []})).refused(401, "unauthorized");
    }
}
