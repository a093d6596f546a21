//! The same request again: once done, the same answer, and what is cut off on the way is made up
//! for by asking again.

use crate::shop::Shop;
use crate::support::Site;
use crate::support::client::Client;
use crate::support::dice::{Dice, seed, times};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Shutdown;

/// Requests that are tried by each of the callers.
const EACH: usize = 125;

/// Callers at a time.
const CALLERS: usize = 4;

fn each() -> usize {
    times(EACH).min(2_500)
}

/// What one caller saw: the id of what was made, by the key of the request.
fn call(admin: &Client, shop: &Shop, name: usize, seed: u64) -> BTreeMap<String, String> {
    let mut dice = Dice(seed + name as u64);
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for at in 0..each() {
        let before: Vec<&String> = made.keys().collect();
        let again = !before.is_empty() && dice.chance(30);
        let key = match again {
            true => (*dice.pick(&before)).clone(),
            false => format!("{name}-{at}"),
        };
        let body = json!({ "product_id": shop.product["id"], "customer_id": key });
        let client = admin.with("Idempotency-Key", &key);
        if dice.chance(10) {
            // Cut off after it was sent: nobody knows whether it was done.
            let text = body.to_string();
            let sent = client.send("POST", "/api/v1/licenses", Some(text.as_bytes())).unwrap();
            let _ = sent.shutdown(Shutdown::Both);
        }
        let answer = client.post("/api/v1/licenses", body);
        // The one that was cut off may still be at it.
        let id = answer.good()["id"].as_str().unwrap().to_string();
        if let Some(known) = made.insert(key.clone(), id.clone()) {
            assert_eq!(known, id, "{key}: done twice");
            assert_eq!(answer.header("idempotency-replayed"), Some("true"), "{key}");
        }
    }
    made
}

both! {
    fn what_is_asked_again_is_done_once(site: &Site) {
        let shop = Shop::open(site);
        let seed = seed();
        println!("seed {seed}");
        let made: BTreeMap<String, String> = std::thread::scope(|threads| {
            let calling: Vec<_> = (0..CALLERS)
                .map(|name| {
                    let shop = &shop;
                    threads.spawn(move || call(&shop.admin, shop, name, seed))
                })
                .collect();
            calling.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        let total = shop.admin.get("/api/v1/licenses?per_page=1").good()["total"].clone();
        assert_eq!(total, made.len(), "licenses that were made");
        // An event for each, and no more.
        let events = crate::shop::events(site);
        let created = events.iter().filter(|kind| *kind == "license.created").count();
        assert_eq!(created, made.len());
        println!("tried: {} requests, {} done, each once", CALLERS * each(), made.len());
    }

    fn many_that_send_the_same_at_once_get_the_same(site: &Site) {
        let shop = Shop::open(site);
        for round in 0..times(3).min(50) {
            let answers: Vec<Value> = std::thread::scope(|threads| {
                let asking: Vec<_> = (0..8)
                    .map(|_| {
                        let client = shop.admin.with("Idempotency-Key", &format!("r{round}"));
                        let body = json!({ "product_id": shop.product["id"] });
                        threads.spawn(move || client.post("/api/v1/licenses", body).good())
                    })
                    .collect();
                asking.into_iter().map(|it| it.join().unwrap()).collect()
            });
            assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
            let total = shop.admin.get("/api/v1/licenses?per_page=1").good()["total"].clone();
            assert_eq!(total, round + 1);
        }
    }

    fn a_key_is_for_one_request_of_one_caller(site: &Site) {
        let shop = Shop::open(site);
        let body = |name: &str| json!({ "product_id": shop.product["id"], "customer_id": name });
        let client = shop.admin.with("Idempotency-Key", "k");
        let first = client.post("/api/v1/licenses", body("a")).good();
        client.post("/api/v1/licenses", body("b")).refused(422, "idempotency_mismatch");
        let path = format!("/api/v1/licenses/{}/suspend", first["id"].as_str().unwrap());
        client.post(&path, json!({})).refused(422, "idempotency_mismatch");
        client.post("/api/v1/licenses?a=1", body("a")).refused(422, "idempotency_mismatch");
        // What was refused was not done, and may be asked for with the same key.
        let other = shop.admin.with("Idempotency-Key", "l");
        let wrong = json!({ "product_id": shop.product["id"], "valid_days": -1 });
        assert!(other.post("/api/v1/licenses", wrong).status >= 400);
        other.post("/api/v1/licenses", body("c")).good();
        // Another caller's key is another key.
        let issuer = site.caller("issue").with("Idempotency-Key", "k");
        let second = issuer.post("/api/v1/licenses", body("a")).good();
        assert_ne!(first["id"], second["id"]);
        for wrong in [String::new(), "x".repeat(256), "é".into()] {
            let client = shop.admin.with("Idempotency-Key", &wrong);
            client.post("/api/v1/licenses", body("d")).refused(400, "malformed");
        }
    }
}
