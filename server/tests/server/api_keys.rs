//! API keys: their form, what they may do, and how they end.

use crate::support::client::{Answer, Client};
use crate::support::{BEGIN, Site};
use licentia_server::error::Code;
use licentia_server::operations::admin_key;
use licentia_server::upkeep;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

const KEYS: &str = "/api/v1/api-keys";

fn make(by: &Client, body: Value) -> (String, String) {
    let made = by.post(KEYS, body).good();
    (text(&made, "key"), format!("{KEYS}/{}", text(&made, "id")))
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_string()
}

/// Asks with a request id of its own, so that answers can be compared byte for byte.
fn asked(by: &Client) -> (u16, String) {
    let answer: Answer = by.with("X-Request-Id", "same").get("/api/v1/products");
    (answer.status, answer.text())
}

both! {
    fn a_key_is_shown_once_and_has_its_form(site: &Site) {
        let admin = site.admin();
        let made = admin.post(KEYS, json!({"name": "CI", "scopes": ["read", "issue", "read"]}));
        assert_eq!(made.status, 201);
        let body = made.good();
        let (key, id) = (text(&body, "key"), text(&body, "id"));
        assert_eq!(made.header("location"), Some(&*format!("{KEYS}/{id}")));
        let short = id.replace('-', "")[20..].to_string();
        assert_eq!(key.len(), 4 + 12 + 1 + 43);
        assert!(key.starts_with(&format!("lic_{short}_")), "{key} of {id}");
        assert_eq!(body["hint"], format!("lic_{short}"));
        assert_eq!(body["scopes"], json!(["read", "issue"]));
        assert_eq!(body["state"], "active");
        let again = admin.get(&format!("{KEYS}/{id}"));
        let list = admin.get(KEYS);
        assert!(!again.text().contains(&key[17..]) && !list.text().contains(&key[17..]));
        assert_eq!(list.good()["total"], 2);
        assert_eq!(site.nobody().with_key(&key).get("/api/v1/products").status, 200);
        let cut = site.nobody().with_key(&key[..key.len() - 1]);
        cut.get("/api/v1/products").refused(401, "unauthorized");
    }

    fn who_has_lost_the_key_makes_another_by_hand(site: &Site) {
        let (other, _) = site.organization("Other");
        let (store, clock) = (site.server.store.clone(), site.clock.clone());
        let made = |organization| site.wait(admin_key::make(&store, &clock, organization));
        let (first, key) = made(None).unwrap();
        let anew = site.nobody().with_key(&key.0);
        assert_eq!(anew.get("/api/v1/organization").good()["id"], first.id.to_string());
        assert_eq!(anew.get("/api/v1/organizations").good()["total"], 2);
        let (of, key) = made(Some(other)).unwrap();
        assert_eq!(of.id, other);
        let theirs = site.nobody().with_key(&key.0);
        assert_eq!(theirs.get("/api/v1/organization").good()["id"], other.to_string());
        theirs.post(KEYS, json!({"name": "a", "scopes": ["read"]})).good();
        theirs.get("/api/v1/organizations").refused(403, "forbidden");
        let unknown = made(Some(Uuid::now_v7())).unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    }

    fn what_is_unknown_over_or_revoked_is_the_same(site: &Site) {
        let (admin, nobody) = (site.admin(), site.nobody());
        let body = json!({"name": "a", "scopes": ["read"]});
        let (revoked, path) = make(&admin, body);
        let over = site.api_key_until(site.organization, "read", Some(BEGIN + 10));
        let good = nobody.with_key(&over);
        assert_eq!(asked(&good).0, 200);
        assert_eq!(asked(&nobody.with_key(&revoked)).0, 200);
        assert_eq!(admin.delete(&path).status, 204);
        let unknown = asked(&nobody.with_key(&format!("lic_0123456789ab_{}", "x".repeat(43))));
        assert_eq!(unknown.0, 401);
        assert_eq!(asked(&nobody.with_key(&revoked)), unknown, "on the next request");
        site.clock.set(Some(BEGIN + 9));
        assert_eq!(asked(&good).0, 200);
        site.clock.set(Some(BEGIN + 10));
        assert_eq!(asked(&good), unknown);
        assert_eq!(admin.delete(&path).status, 204, "again");
        assert_eq!(admin.get(&path).good()["state"], "revoked");
    }

    fn nobody_gives_what_he_has_not(site: &Site) {
        let admin = site.admin();
        let sentence = admin.post(KEYS, json!({"name": "a", "scopes": ["read", "operator"]}));
        assert!(sentence.refused(403, "forbidden").contains("operator"));
        for scopes in ["read", "catalog issue revoke sync", "operator"] {
            let caller = site.caller(scopes);
            caller.post(KEYS, json!({"name": "a", "scopes": ["read"]})).refused(403, "forbidden");
            caller.get(KEYS).refused(403, "forbidden");
            caller.delete(&format!("{KEYS}/{}", site.organization)).refused(403, "forbidden");
        }
        let both = site.caller("admin operator");
        make(&both, json!({"name": "a", "scopes": ["operator"]}));
    }

    fn what_cannot_be_meant_is_refused(site: &Site) {
        let admin = site.admin();
        for (body, status, code) in [
            (json!({"name": "a", "scopes": []}), 422, "invalid_argument"),
            (json!({"name": "", "scopes": ["read"]}), 422, "invalid_argument"),
            (json!({"name": "a\nb", "scopes": ["read"]}), 422, "invalid_argument"),
            (json!({"name": "a".repeat(256), "scopes": ["read"]}), 422, "invalid_argument"),
            (json!({"name": "a", "scopes": ["root"]}), 400, "malformed"),
            (json!({"name": "a", "scopes": "read"}), 400, "malformed"),
            (json!({"name": "a"}), 400, "malformed"),
            (json!({"name": "a", "scopes": ["read"], "key": "mine"}), 400, "malformed"),
            (
                json!({"name": "a", "scopes": ["read"], "expires_at": "soon"}),
                422,
                "invalid_argument",
            ),
            (
                json!({"name": "a", "scopes": ["read"], "expires_at": "2026-01-15T10:30:00Z"}),
                422,
                "invalid_argument",
            ),
        ] {
            admin.post(KEYS, body).refused(status, code);
        }
        assert_eq!(admin.get(KEYS).good()["total"], 1);
    }

    fn the_last_administrator_stays(site: &Site) {
        let admin = site.admin();
        let own = format!("{KEYS}/{}", text(&admin.get(KEYS).good()["api_keys"][0], "id"));
        let sentence = admin.delete(&own).refused(409, "conflict");
        assert!(sentence.contains("make another"), "{sentence}");
        let ending = json!({"name": "b", "scopes": ["admin"], "expires_at": "2026-02-01"});
        make(&admin, ending);
        make(&admin, json!({"name": "c", "scopes": ["read", "issue"]}));
        admin.delete(&own).refused(409, "conflict");
        let (second, path) = make(&admin, json!({"name": "d", "scopes": ["admin"]}));
        assert_eq!(admin.delete(&own).status, 204, "by itself");
        admin.get(KEYS).refused(401, "unauthorized");
        site.nobody().with_key(&second).delete(&path).refused(409, "conflict");
    }

    fn the_last_operator_stays(site: &Site) {
        let operator = site.caller("admin operator");
        let keys = operator.get(KEYS).good();
        let mut keys = keys["api_keys"].as_array().unwrap().iter();
        let own = keys.find(|key| key["scopes"] == json!(["admin", "operator"])).unwrap();
        let own = format!("{KEYS}/{}", text(own, "id"));
        assert!(operator.delete(&own).refused(409, "conflict").contains("operator"));
        let (other, key) = site.organization("Other");
        assert!(!key.is_empty());
        site.api_key(other, "operator");
        assert_eq!(operator.delete(&own).status, 204, "another is elsewhere");
    }

    fn two_administrators_cannot_revoke_each_other_at_once(site: &Site) {
        let mut last = site.admin();
        let first = format!("{KEYS}/{}", text(&last.get(KEYS).good()["api_keys"][0], "id"));
        let mut kept = first;
        for _ in 0..10 {
            let (key, path) = make(&last, json!({"name": "b", "scopes": ["admin"]}));
            let other = site.nobody().with_key(&key);
            let (one, two) = std::thread::scope(|scope| {
                let one = scope.spawn(|| last.delete(&path).status);
                let two = scope.spawn(|| other.delete(&kept).status);
                (one.join().unwrap(), two.join().unwrap())
            });
            let lives = |client: &Client| client.get(KEYS).status == 200;
            match (one, two) {
                (204, 409 | 401) => assert!(lives(&last) && !lives(&other)),
                (409 | 401, 204) => {
                    assert!(lives(&other) && !lives(&last));
                    (last, kept) = (other, path);
                }
                other => panic!("both or none: {other:?}"),
            }
        }
    }

    fn when_a_key_was_used_last_is_written_now_and_then(site: &Site) {
        let (admin, key) = (site.admin(), site.api_key(site.organization, "read"));
        let caller = site.nobody().with_key(&key);
        let keep = || site.wait(async { upkeep::keep(&site.server, false).await.unwrap() });
        let used = || {
            let keys = admin.get(KEYS).good();
            let mut keys = keys["api_keys"].as_array().unwrap().iter();
            let own = keys.find(|key| key["scopes"] == json!(["read"])).unwrap();
            own["last_used_at"].as_str().map(str::to_string)
        };
        assert_eq!(asked(&caller).0, 200);
        assert_eq!(used(), None, "not on the way of a request");
        keep();
        assert_eq!(used().as_deref(), Some("2026-01-15T10:30:00Z"));
        site.clock.set(Some(BEGIN + 59));
        asked(&caller);
        keep();
        assert_eq!(used().as_deref(), Some("2026-01-15T10:30:00Z"), "once a minute");
        site.clock.set(Some(BEGIN + 60));
        keep();
        assert_eq!(used().as_deref(), Some("2026-01-15T10:30:59Z"));
    }

    fn a_repeated_request_gets_the_same_key(site: &Site) {
        let admin = site.admin().with("Idempotency-Key", "once");
        let body = json!({"name": "a", "scopes": ["read"]});
        let (first, again) = (admin.post(KEYS, body.clone()), admin.post(KEYS, body));
        assert_eq!(first.body, again.body);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(site.admin().get(KEYS).good()["total"], 2);
    }

    fn keys_of_others_are_unknown(site: &Site) {
        let (_, theirs) = site.organization("Other");
        let theirs = site.nobody().with_key(&theirs);
        let own = text(&site.admin().get(KEYS).good()["api_keys"][0], "id");
        for id in [own.as_str(), "0197a000-0000-7000-8000-000000000000", "x"] {
            let path = format!("{KEYS}/{id}");
            theirs.get(&path).refused(404, "not_found");
            theirs.delete(&path).refused(404, "not_found");
        }
        assert_eq!(theirs.get(KEYS).good()["total"], 1);
        assert_eq!(site.admin().get(KEYS).status, 200);
    }
}
