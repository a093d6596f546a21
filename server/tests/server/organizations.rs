//! Organizations: several on one server, and none sees anything of another.

use crate::shop::Shop;
use crate::support::{Database, Site, runtime};
use licentia_server::clock::Clock;
use licentia_server::first_start::{First, first_start};
use licentia_server::store::migrations;
use serde_json::json;

const ALL: &str = "/api/v1/organizations";

both! {
    fn an_operator_makes_one_and_its_administrator(site: &Site) {
        let operator = site.caller("operator");
        let body = json!({"name": "Globex", "issuer": "https://globex.example"});
        let made = operator.post(ALL, body);
        assert_eq!(made.status, 201);
        let body = made.good();
        let path = format!("{ALL}/{}", body["id"].as_str().unwrap());
        assert_eq!(made.header("location"), Some(path.as_str()));
        assert_eq!(body["api_key"]["scopes"], json!(["admin"]));
        let key = body["api_key"]["key"].as_str().unwrap();
        let admin = site.nobody().with_key(key);
        let own = admin.get("/api/v1/organization").good();
        assert_eq!((&own["id"], &own["issuer"]), (&body["id"], &json!("https://globex.example")));
        for path in [path.as_str(), ALL] {
            assert!(!operator.get(path).text().contains(key), "it is shown once");
        }
        assert_eq!(operator.get(ALL).good()["total"], 2);
        admin.get(ALL).refused(403, "forbidden");
        operator.get("/api/v1/organization").refused(403, "forbidden");
        operator.get("/api/v1/products").refused(403, "forbidden");
        let unnamed = operator.post(ALL, json!({"name": "Initech"})).good();
        assert_eq!(unnamed["issuer"], format!("urn:uuid:{}", unnamed["id"].as_str().unwrap()));
    }

    fn only_an_operator_may(site: &Site) {
        let admin = site.admin();
        let path = format!("{ALL}/{}", site.organization);
        for answer in [
            admin.post(ALL, json!({"name": "Globex"})),
            admin.get(ALL),
            admin.get(&path),
            admin.put(&path, json!({"name": "Globex"})),
            admin.delete(&path),
        ] {
            answer.refused(403, "forbidden");
        }
        assert_eq!(admin.get("/api/v1/organization").good()["name"], "Acme");
    }

    fn two_have_the_same_names_and_nothing_in_common(site: &Site) {
        let (_, key) = site.organization("Other");
        let ours = Shop::open(site);
        let theirs = Shop::of(site.nobody().with_key(&key), "myapp");
        for path in [
            format!("/api/v1/products/{}", ours.id()),
            format!("/api/v1/products/{}/public-key", ours.id()),
            format!("/api/v1/key-pairs/{}", ours.product["key_pair_id"].as_str().unwrap()),
        ] {
            assert_eq!(ours.admin.get(&path).status, 200);
            theirs.admin.get(&path).refused(404, "not_found");
        }
        assert_eq!(theirs.admin.get("/api/v1/key-pairs").good()["total"], 1);
        assert_eq!(theirs.admin.get("/api/v1/products").good()["total"], 1);
    }

    fn a_name_changes_and_the_issuer_does_not(site: &Site) {
        let operator = site.caller("operator");
        let path = format!("{ALL}/{}", site.organization);
        assert_eq!(operator.put(&path, json!({"name": "Acme Ltd"})).good()["name"], "Acme Ltd");
        assert_eq!(operator.put(&path, json!({})).good()["name"], "Acme Ltd");
        operator.put(&path, json!({"issuer": "x"})).refused(400, "malformed");
        operator.put(&path, json!({"name": null})).refused(400, "malformed");
        for name in ["", " ", "a\u{7}b", &"x".repeat(256)] {
            operator.put(&path, json!({"name": name})).refused(422, "invalid_argument");
            operator.post(ALL, json!({"name": name})).refused(422, "invalid_argument");
            let body = json!({"name": "Globex", "issuer": name.repeat(2)});
            operator.post(ALL, body).refused(422, "invalid_argument");
        }
        let long = json!({"name": "Globex", "issuer": "ü".repeat(200)});
        operator.post(ALL, long).refused(422, "invalid_argument");
        assert_eq!(operator.get(&path).good()["name"], "Acme Ltd");
    }

    fn what_has_anything_stays(site: &Site) {
        let operator = site.caller("operator");
        let own = format!("{ALL}/{}", site.organization);
        assert!(operator.delete(&own).refused(409, "conflict").contains("your own"));
        let made = operator.post(ALL, json!({"name": "Globex"})).good();
        let path = format!("{ALL}/{}", made["id"].as_str().unwrap());
        let admin = site.nobody().with_key(made["api_key"]["key"].as_str().unwrap());
        let pair = admin.post("/api/v1/key-pairs", json!({"name": "k"})).good();
        assert!(operator.delete(&path).refused(409, "conflict").contains("key pairs"));
        let product = json!({"name": "A", "code": "a", "key_pair_id": pair["id"]});
        let product = admin.post("/api/v1/products", product).good();
        assert!(operator.delete(&path).refused(409, "conflict").contains("products"));
        admin.delete(&format!("/api/v1/products/{}", product["id"].as_str().unwrap())).good();
        let pair = format!("/api/v1/key-pairs/{}", pair["id"].as_str().unwrap());
        assert_eq!(admin.delete(&pair).status, 204);
        assert_eq!(operator.delete(&path).status, 204);
        admin.get("/api/v1/products").refused(401, "unauthorized");
        operator.get(&path).refused(404, "not_found");
        operator.delete(&path).refused(404, "not_found");
    }

    fn the_last_operator_is_not_deleted_with_its_organization(site: &Site) {
        let (other, _) = site.organization("Other");
        site.api_key(other, "operator");
        let ending = site.api_key_until(site.organization, "operator", Some(i64::from(u32::MAX)));
        let operator = site.nobody().with_key(&ending);
        let path = format!("{ALL}/{other}");
        assert!(operator.delete(&path).refused(409, "conflict").contains("make another"));
        site.api_key(site.organization, "operator");
        assert_eq!(operator.delete(&path).status, 204);
    }
}

#[test]
fn the_first_is_made_once_by_whoever_starts_first() {
    for database in [Some(Database::sqlite()), Database::postgres()].into_iter().flatten() {
        let runtime = runtime();
        runtime.block_on(async {
            let mut stores = Vec::new();
            for _ in 0..4 {
                stores.push(database.open().await);
            }
            migrations::migrate(&stores[0]).await.unwrap();
            let clock = Clock::default();
            let start = |at: usize| first_start(&stores[at], &clock, "Acme", "acme", None);
            let (a, b, c, d) = tokio::join!(start(0), start(1), start(2), start(3));
            let made: Vec<First> = [a, b, c, d].into_iter().filter_map(Result::unwrap).collect();
            assert_eq!(made.len(), 1, "{made:?}");
            for store in stores {
                store.close().await;
            }
        });
    }
}
