//! Pages: their bounds, and that nothing is missed or seen twice while something is added.

use crate::place::Place;
use crate::shop::{Shop, path};
use crate::support::Site;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What is asked, and the status that it gets.
const BOUNDS: &[(&str, u16)] = &[
    ("", 200),
    ("page=1", 200),
    ("page=2", 200),
    ("page=0", 400),
    ("page=-1", 400),
    ("page=", 400),
    ("page=a", 400),
    ("page=1.0", 400),
    ("page=1e3", 400),
    ("page=%20", 400),
    ("page=%001", 400),
    ("page=18446744073709551615", 400),
    ("page=18446744073709551616", 400),
    ("page=9223372036854775807", 400),
    ("page=92233720368547758", 200),
    ("page=1000000000", 200),
    ("per_page=1", 200),
    ("per_page=100", 200),
    ("per_page=101", 400),
    ("per_page=0", 400),
    ("per_page=-1", 400),
    ("per_page=x", 400),
    ("per_page=18446744073709551616", 400),
    ("page=92233720368547760&per_page=100", 400),
    ("page=1&page=2", 400),
    ("cursor=", 400),
    ("cursor=x", 400),
    ("cursor=%00", 400),
    ("cursor=AAAAAAAAAAAAAAAAAAAAAA", 200),
    ("cursor=AAAAAAAAAAAAAAAAAAAAAA&page=1", 400),
    ("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400),
    ("per_page=1;page=2", 400),
    ("unknown=1", 400),
    ("PAGE=1", 400),
];

/// Lists, and what their rows are called.
const LISTS: &[&str] = &["products", "licenses", "policies", "key-pairs", "api-keys", "seats"];

both! {
    fn a_page_outside_the_bounds_is_refused_and_none_is_a_fault(site: &Site) {
        let admin = site.admin();
        for list in LISTS {
            for (query, status) in BOUNDS {
                let told = admin.get(&format!("/api/v1/{list}?{query}"));
                assert_eq!(told.status, *status, "{list}?{query}: {}", told.text());
                if *status == 400 {
                    told.refused(400, "malformed");
                }
            }
        }
    }

    fn after_a_last_page_that_is_full_there_is_none(site: &Site) {
        let shop = Shop::open(site);
        Shop::of(site.admin(), "other");
        site.organization("Other");
        let admin = site.caller("admin operator");
        for number in 0..2 {
            let license = shop.license(json!({ "max_seats": 2 }));
            let place = Place::new(site, &shop, &format!("machine {number}"));
            place.install(&license);
            place.do_it("activation", None);
            let holder = json!({ "holder": format!("{number}") });
            admin.post(&format!("{}/seats", path(&license)), holder).good();
            let policy = json!({ "name": format!("Policy {number}"), "license_type": "trial" });
            admin.post("/api/v1/policies", policy).good();
            let to = json!({ "url": "https://hooks.example.com/" });
            let made = admin.post("/api/v1/webhooks", to).good();
            admin.post(&format!("/api/v1/webhooks/{}/test", id(&made)), json!({})).good();
        }
        for (list, rows) in [
            ("products", "products"), ("licenses", "licenses"), ("policies", "policies"),
            ("key-pairs", "key_pairs"), ("api-keys", "api_keys"), ("seats", "seats"),
            ("activations", "activations"), ("webhooks", "webhooks"), ("events", "events"),
            ("deliveries", "deliveries"), ("organizations", "organizations"), ("audit", "entries"),
            ("licenses?ending_within_days=3650", "licenses"), ("licenses?search=-", "licenses"),
        ] {
            let page = |count: usize, cursor: &str| {
                let and = if list.contains('?') { '&' } else { '?' };
                let path = format!("/api/v1/{list}{and}per_page={count}{cursor}");
                let page = admin.get(&path).good();
                let next = page["next_cursor"].as_str().map(|next| format!("&cursor={next}"));
                (page[rows].as_array().unwrap().len(), next)
            };
            let (count, next) = page(100, "");
            assert!((2..100).contains(&count) && next.is_none(), "{list}: {count} {next:?}");
            assert_eq!(page(count, ""), (count, None), "{list}");
            let (some, next) = page(count - 1, "");
            assert_eq!(some, count - 1, "{list}");
            assert_eq!(page(1, &next.unwrap()), (1, None), "{list}");
        }
    }

    fn every_row_is_on_one_page(site: &Site) {
        let shop = Shop::open(site);
        let mut made = BTreeSet::new();
        let make = || {
            let license = shop.license(json!({}));
            license["id"].as_str().unwrap().to_string()
        };
        for _ in 0..23 {
            made.insert(make());
        }
        for size in [1, 5, 22, 23, 24, 100] {
            let path = format!("/api/v1/licenses?per_page={size}");
            let mut seen = Vec::new();
            let mut cursor = String::new();
            loop {
                let page = shop.admin.get(&format!("{path}{cursor}")).good();
                let rows = page["licenses"].as_array().unwrap();
                assert!(rows.len() <= size, "{} rows", rows.len());
                seen.extend(rows.iter().map(id));
                // What comes while somebody reads is newer: it changes no page that is to come.
                if size < 10 {
                    make();
                }
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            let all: BTreeSet<String> = seen.iter().cloned().collect();
            assert_eq!(all.len(), seen.len(), "{size} on a page: one is there twice");
            assert!(made.is_subset(&all), "{size} on a page: one is missing");
            let total = shop.admin.get(&format!("{path}&page=1")).good()["total"].clone();
            let pages = total.as_u64().unwrap().div_ceil(size as u64);
            let last = shop.admin.get(&format!("{path}&page={pages}")).good();
            assert!(!last["licenses"].as_array().unwrap().is_empty(), "{size} on a page");
            let after = shop.admin.get(&format!("{path}&page={}", pages + 1)).good();
            assert_eq!(after["licenses"], json!([]));
            assert_eq!(after["total"], total);
            made = every(&shop);
        }
    }
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_string()
}

/// The ids of all licenses, by pages of a hundred.
fn every(shop: &Shop) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for page in 1.. {
        let found = shop.admin.get(&format!("/api/v1/licenses?per_page=100&page={page}")).good();
        let rows = found["licenses"].as_array().unwrap();
        if rows.is_empty() {
            return all;
        }
        all.extend(rows.iter().map(id));
    }
    all
}
