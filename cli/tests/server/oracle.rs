//! Somebody who writes, notes what was acknowledged, and knows what has to be there afterwards.

use crate::client::{Answer, Client};
use crate::dice::Dice;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Seats of the license that everybody wants.
pub const SEATS: usize = 5;

/// What is sold, made before anything is killed.
pub struct Shop {
    pub product: String,
    /// The license with the seats.
    pub license: String,
    pub serial: String,
}

impl Shop {
    pub fn open(admin: &Client) -> Shop {
        let pair = admin.post("/api/v1/key-pairs", json!({ "name": "main" })).good();
        let product = json!({ "name": "A", "code": "myapp", "key_pair_id": pair["id"] });
        let product = admin.post("/api/v1/products", product).good();
        let license = json!({ "product_id": product["id"], "max_seats": SEATS });
        let license = admin.post("/api/v1/licenses", license).good();
        let text = |value: &Value| value.as_str().unwrap().to_string();
        Shop {
            product: text(&product["id"]),
            license: text(&license["id"]),
            serial: text(&license["serial"]),
        }
    }
}

/// One that writes.
pub struct Writer {
    name: String,
    dice: Dice,
    count: u64,
    /// Sent, and not known to have happened or not.
    open: Option<Asked>,
    /// Licenses that it made, and whether they are revoked.
    pub licenses: Vec<(String, bool)>,
    /// Seats that it holds.
    pub seats: BTreeSet<String>,
    pub reports: u64,
    /// Writes that were acknowledged.
    pub done: u64,
}

/// A request, as it is sent until it is answered.
#[derive(Clone)]
struct Asked {
    key: String,
    method: &'static str,
    path: String,
    body: Option<Value>,
    what: What,
}

#[derive(Clone)]
enum What {
    Make,
    Revoke(String),
    Take,
    Leave(String),
    Report,
}

impl Writer {
    pub fn new(name: &str, seed: u64) -> Writer {
        Writer {
            name: name.into(),
            dice: Dice(seed),
            count: 0,
            open: None,
            licenses: Vec::new(),
            seats: BTreeSet::new(),
            reports: 0,
            done: 0,
        }
    }

    /// Writes until it is told to stop, or until an answer does not come.
    pub fn write(&mut self, admin: &Client, shop: &Shop, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) && self.settle(admin) {
            self.open = Some(self.next(shop));
        }
    }

    /// Sends again what was not answered, until it is; false when it is not.
    pub fn settle(&mut self, admin: &Client) -> bool {
        let Some(asked) = self.open.clone() else { return true };
        let client = admin.with("Idempotency-Key", &asked.key);
        match client.try_ask(asked.method, &asked.path, asked.body.as_ref()) {
            // A server that cannot says so: that is no answer to what was asked.
            Ok(answer) if answer.status >= 500 => {
                assert!([503, 507].contains(&answer.status), "{answer:?}");
                false
            }
            Ok(answer) => {
                self.open = None;
                self.note(asked, &answer);
                true
            }
            Err(_) => false,
        }
    }

    fn next(&mut self, shop: &Shop) -> Asked {
        self.count += 1;
        let key = format!("{}-{}", self.name, self.count);
        let good = |(_, revoked): &&(String, bool)| !revoked;
        let mine: Vec<String> =
            self.licenses.iter().filter(good).map(|(id, _)| id.clone()).collect();
        let seats: Vec<String> = self.seats.iter().cloned().collect();
        let license = format!("/api/v1/licenses/{}", shop.license);
        let (method, path, body, what) = match self.dice.below(10) {
            0 if !mine.is_empty() => {
                let id = self.dice.pick(&mine).clone();
                ("DELETE", format!("/api/v1/licenses/{id}"), None, What::Revoke(id))
            }
            1..=2 if !seats.is_empty() => {
                let id = self.dice.pick(&seats).clone();
                ("DELETE", format!("/api/v1/seats/{id}"), None, What::Leave(id))
            }
            3..=5 => {
                let body = json!({ "holder": key, "borrow_days": null });
                ("POST", format!("{license}/seats"), Some(body), What::Take)
            }
            6 => {
                let body = json!({
                    "license_serial": shop.serial, "hardware_fingerprint": self.name,
                });
                ("POST", "/api/v1/licenses/sync".to_string(), Some(body), What::Report)
            }
            _ => {
                let body = json!({ "product_id": shop.product, "customer_id": key });
                ("POST", "/api/v1/licenses".to_string(), Some(body), What::Make)
            }
        };
        Asked { key, method, path, body, what }
    }

    fn note(&mut self, asked: Asked, answer: &Answer) {
        let key = &asked.key;
        // All seats are taken: that is an answer, and changes nothing.
        if matches!(asked.what, What::Take) && answer.status == 409 {
            answer.refused(409, "no_seat");
            return;
        }
        assert!((200..300).contains(&answer.status), "{key}: {answer:?}");
        let id = || answer.json()["id"].as_str().unwrap().to_string();
        match asked.what {
            What::Make => self.licenses.push((id(), false)),
            What::Revoke(id) => {
                let all = self.licenses.iter_mut();
                all.filter(|(known, _)| *known == id).for_each(|(_, revoked)| *revoked = true);
            }
            What::Take => assert!(self.seats.insert(id()), "{key}: the same seat twice"),
            What::Leave(id) => assert!(self.seats.remove(&id)),
            What::Report => self.reports += 1,
        }
        self.done += 1;
    }
}

/// Sends what was not answered until everything is, and holds what is there to what has to be.
pub fn check(admin: &Client, shop: &Shop, writers: &mut [Writer]) {
    for writer in writers.iter_mut() {
        let begun = std::time::Instant::now();
        while !writer.settle(admin) {
            assert!(begun.elapsed().as_secs() < 60, "{} is not answered", writer.name);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    let made: BTreeSet<String> =
        writers.iter().flat_map(|it| it.licenses.iter().map(|(id, _)| id.clone())).collect();
    let revoked: BTreeSet<String> = writers
        .iter()
        .flat_map(|it| it.licenses.iter().filter(|(_, revoked)| *revoked))
        .map(|(id, _)| id.clone())
        .collect();
    let found = all(admin, "/api/v1/licenses?per_page=100", "licenses");
    let ids = |keep: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
        let kept = found.iter().filter(|it| keep(it));
        let mut ids: BTreeSet<String> =
            kept.map(|it| it["id"].as_str().unwrap().to_string()).collect();
        ids.remove(&shop.license);
        ids
    };
    assert_eq!(ids(&|_| true), made, "licenses");
    assert_eq!(ids(&|it| it["status"] == "revoked"), revoked, "revoked licenses");
    let seats =
        all(admin, &format!("/api/v1/licenses/{}/seats?per_page=100", shop.license), "seats");
    let seats: BTreeSet<String> =
        seats.iter().map(|it| it["id"].as_str().unwrap().to_string()).collect();
    let held: BTreeSet<String> = writers.iter().flat_map(|it| it.seats.clone()).collect();
    assert_eq!(seats, held, "seats");
    assert!(seats.len() <= SEATS, "{} seats", seats.len());
}

/// Every row of a list.
pub fn all(admin: &Client, path: &str, name: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = None;
    loop {
        let next = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
        let page = admin.get(&format!("{path}{next}")).good();
        rows.extend(page[name].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_string()),
            None => return rows,
        }
    }
}

/// Every event has come once, and there is one for each write that makes one.
pub fn check_events(admin: &Client, writers: &[Writer]) {
    let events = all(admin, "/api/v1/events?per_page=100", "events");
    let count = |kind: &str| events.iter().filter(|it| it["kind"] == kind).count();
    let made: usize = writers.iter().map(|it| it.licenses.len()).sum();
    let gone = |it: &Writer| it.licenses.iter().filter(|(_, revoked)| *revoked).count();
    let gone: usize = writers.iter().map(gone).sum();
    // One was there before.
    assert_eq!(count("license.created"), made + 1, "events of licenses that were made");
    assert_eq!(count("license.revoked"), gone, "events of licenses that were revoked");
    let mut ids: Vec<&str> = events.iter().map(|it| it["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), events.len(), "an event is there twice");
}
