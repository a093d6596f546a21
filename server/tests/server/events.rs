//! Events: one for everything that changes, each delivered once.

use crate::shop::{Shop, events, path};
use crate::support::{BEGIN, Site};
use licentia_server::outbox::Outbox;
use licentia_server::store::events::{Column, Entity, Model};
use licentia_server::store::{Engine, deliveries, idempotency};
use licentia_server::webhooks::fan_out;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

fn outbox(site: &Site, keep_days: u32) -> Outbox {
    Outbox::new(Arc::clone(&site.server), keep_days)
}

/// A webhook that takes what tests make.
fn webhook(site: &Site) {
    site.admin().post("/api/v1/webhooks", json!({ "url": "https://a.example.com/" })).good();
}

/// The names of the events that are on their way to webhooks.
fn on_their_way(site: &Site) -> Vec<String> {
    let rows = deliveries::Entity::find().all(site.server.store.read());
    let rows = site.wait(async { rows.await.unwrap() });
    rows.iter().map(|row| row.event_id.simple().to_string()).collect()
}

fn make(site: &Site, count: usize) {
    for number in 0..count {
        let body = json!({ "name": "P", "code": format!("p{number}") });
        site.admin().post("/api/v1/products", body).good();
    }
}

fn waiting(site: &Site) -> u64 {
    let waiting = Entity::find().filter(Column::DeliveredAt.is_null());
    site.wait(async { waiting.count(site.server.store.read()).await.unwrap() })
}

both! {
    fn two_servers_deliver_each_event_once(site: &Site) {
        webhook(site);
        // More than one takes at a time.
        let many = 1200;
        let rows: Vec<Model> = (0..many).map(|number| Model {
            seq: 0,
            id: sea_orm::prelude::Uuid::now_v7(),
            organization_id: site.organization,
            kind: "test.made".into(),
            subject: number.to_string(),
            data_json: "{}".into(),
            actor: "test".into(),
            request_id: None,
            created_at: BEGIN,
            claimed_until: None,
            delivered_at: None,
        }).collect();
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            for rows in rows.chunks(500) {
                licentia_server::store::events::insert(&tx, rows.to_vec()).await.unwrap();
            }
            tx.commit().await.unwrap();
        });
        let (one, two) = (outbox(site, 0), outbox(site, 0));
        let work = |outbox: Outbox| async move { while outbox.deliver().await.unwrap() > 0 {} };
        site.wait(async {
            let done = tokio::join!(tokio::spawn(work(one)), tokio::spawn(work(two)));
            done.0.and(done.1).unwrap();
        });
        let names = on_their_way(site);
        let different: BTreeSet<&String> = names.iter().collect();
        // One more of the webhook itself.
        assert_eq!((names.len(), different.len()), (many + 1, many + 1));
        assert_eq!(waiting(site), 0);
    }

    fn what_one_server_took_and_lost_another_delivers(site: &Site) {
        webhook(site);
        make(site, 3);
        let all = waiting(site);
        let other = outbox(site, 0);
        // It is killed after it made the deliveries, before the end of the transaction.
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let taken = licentia_server::store::events::take(&tx, 500).await.unwrap();
            assert_eq!(taken.len() as u64, all);
            fan_out(&tx, &taken, BEGIN).await.unwrap();
            let numbers: Vec<i64> = taken.iter().map(|event| event.seq).collect();
            licentia_server::store::events::delivered(&tx, &numbers, BEGIN).await.unwrap();
            if site.server.store.engine() == Engine::Postgres {
                assert_eq!(other.deliver().await.unwrap(), 0, "it may still be at it");
            }
        });
        assert_eq!((waiting(site), on_their_way(site).len()), (all, 0));
        assert_eq!(site.wait(other.deliver()).unwrap(), all);
        assert_eq!((waiting(site), on_their_way(site).len() as u64), (0, all));
        assert_eq!(site.wait(other.deliver()).unwrap(), 0);
    }

    fn the_end_of_a_license_is_announced_once(site: &Site) {
        let shop = Shop::open(site);
        let (one, two) = (outbox(site, 0), outbox(site, 0));
        let license = shop.license(json!({ "valid_days": 30 }));
        let revoked = shop.license(json!({ "valid_days": 30 }));
        shop.license(json!({ "license_type": "perpetual", "valid_days": 0 }));
        shop.admin.delete(&path(&revoked)).good();
        let announced = |at: i64| {
            site.clock.set(Some(BEGIN + at));
            site.wait(async {
                let (first, second) = tokio::join!(one.announce(), two.announce());
                first.and(second).unwrap();
            });
            let seen = events(site);
            let count = |kind: &str| seen.iter().filter(|it| *it == kind).count();
            (count("license.expiring_soon"), count("license.expired"))
        };
        let day = 86_400;
        assert_eq!(announced(23 * day - 1), (0, 0));
        assert_eq!(announced(23 * day), (1, 0));
        assert_eq!(announced(24 * day), (1, 0));
        assert_eq!(announced(30 * day - 1), (1, 0));
        assert_eq!(announced(30 * day), (1, 1));
        assert_eq!(announced(31 * day), (1, 1));
        let kind = "/api/v1/events?kind=license.expired";
        let event = site.admin().get(kind).good()["events"][0].clone();
        assert_eq!(event["subject"], license["id"]);
        assert_eq!(event["data"]["status"], "expired");
        assert!(!event.to_string().contains("license_blob"));
        // Renewed, it ends once more.
        let renew = format!("{}/renew", path(&license));
        let renewed = shop.admin.post(&renew, json!({ "valid_days": 30 }));
        let until = renewed.good()["valid_until"].as_str().unwrap().to_string();
        let until = licentia::parse_time(&until).unwrap() - BEGIN;
        assert_eq!(announced(31 * day + 1), (1, 1));
        assert_eq!(announced(until - 1), (2, 1));
        assert_eq!(announced(until), (2, 2));
    }

    fn what_is_old_is_cleared_away(site: &Site) {
        make(site, 2);
        let body = json!({ "name": "P", "code": "once" });
        let once = site.admin().with("Idempotency-Key", "k");
        once.post("/api/v1/products", body.clone()).good();
        let outbox = outbox(site, 10);
        site.wait(outbox.deliver()).unwrap();
        let left = || {
            let store = site.server.store.read();
            site.wait(async {
                let kept = idempotency::Entity::find().count(store).await.unwrap();
                (Entity::find().count(store).await.unwrap(), kept)
            })
        };
        let all = left().0;
        let clear = |at: i64| {
            site.clock.set(Some(BEGIN + at));
            site.wait(outbox.clear()).unwrap();
        };
        clear(86_400);
        assert_eq!(left(), (all, 1));
        clear(86_401);
        assert_eq!(left(), (all, 0));
        make_more(site);
        clear(10 * 86_400);
        assert_eq!(left().0, all + 1);
        clear(10 * 86_400 + 1);
        assert_eq!(left().0, 1, "what was not delivered stays");
    }

    fn one_server_of_a_group_tends_at_a_time(site: &Site) {
        if site.server.store.engine() == Engine::Sqlite {
            return;
        }
        let shop = Shop::open(site);
        shop.license(json!({ "valid_days": 3 }));
        let (one, two) = (outbox(site, 0), outbox(site, 0));
        let count = || events(site).iter().filter(|it| *it == "license.expiring_soon").count();
        site.wait(one.tend()).unwrap();
        assert_eq!(count(), 1);
        shop.license(json!({ "valid_days": 3 }));
        site.wait(two.tend()).unwrap();
        assert_eq!(count(), 1, "the other one has the turn");
        site.clock.set(Some(BEGIN + 5));
        site.wait(two.tend()).unwrap();
        assert_eq!(count(), 2);
    }

    fn events_are_listed_by_pages_kinds_and_subjects(site: &Site) {
        make(site, 5);
        let admin = site.admin();
        let names = |query: &str| -> (Vec<Value>, Value) {
            let page = admin.get(&format!("/api/v1/events?{query}")).good();
            let ids = page["events"].as_array().unwrap().iter().map(|it| it["id"].clone());
            (ids.collect(), page["next_cursor"].clone())
        };
        let (all, end) = names("per_page=100");
        assert_eq!((all.len(), end), (5, Value::Null));
        let (first, next) = names("per_page=2");
        let (second, _) = names(&format!("per_page=3&cursor={}", next.as_str().unwrap()));
        assert_eq!([first, second].concat(), all);
        let page = admin.get("/api/v1/events").good();
        let newest = &page["events"][0];
        assert_eq!(newest["kind"], "product.created");
        assert!(newest["id"].as_str().unwrap().starts_with("evt_"));
        let subject = newest["subject"].as_str().unwrap();
        assert_eq!(names(&format!("subject={subject}")).0.len(), 1);
        assert_eq!(names("kind=product.deleted").0.len(), 0);
        for wrong in ["cursor=x", "kind=%00", "kind=", "subject=a%20b", "per_page=101", "page=1"] {
            admin.get(&format!("/api/v1/events?{wrong}")).refused(400, "malformed");
        }
        let (_, key) = site.organization("Other");
        let other = site.nobody().with_key(&key).get("/api/v1/events").good();
        assert_eq!(other["events"].as_array().unwrap().len(), 0);
        site.caller("sync issue").get("/api/v1/events").refused(403, "forbidden");
    }

    fn the_page_about_the_api_loads_nothing_from_elsewhere(site: &Site) {
        let nobody = site.nobody();
        let moved = nobody.get("/docs");
        assert_eq!((moved.status, moved.header("location")), (308, Some("docs/")));
        let page = nobody.get("/docs/");
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("http"), "{policy}");
        let text = page.text();
        let mut files = 0;
        for part in text.split(['"', '\'']) {
            assert!(!part.contains("//"), "{part}");
            if part.ends_with(".js") || part.ends_with(".css") || part.ends_with(".png") {
                let file = nobody.get(&format!("/docs/{part}"));
                assert_eq!(file.status, 200, "{part}");
                assert!(file.header("content-security-policy").is_some());
                files += 1;
            }
        }
        assert_eq!(files, 4);
        nobody.get("/docs/swagger-ui.js.map").refused(404, "not_found");
        nobody.get("/docs/..%2fx").refused(404, "not_found");
        let document = nobody.get("/api/v1/openapi.json");
        assert_eq!(document.json()["openapi"], "3.1.0");
        assert_eq!(nobody.get("/v1/openapi.json").body, document.body);
    }
}

/// One event more.
fn make_more(site: &Site) {
    let body = json!({ "name": "P", "code": "more" });
    site.admin().post("/api/v1/products", body).good();
}
