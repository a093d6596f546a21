//! Reports: plain ones as anybody's program sends them, and signed ones, which count once however
//! often they come.

use crate::activations::{forged, seed, token_id};
use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::Site;
use crate::support::client::Answer;
use licentia::issue::{Ledger, Totals, Used};
use licentia_server::store::{activations, reports, rows};
use sea_orm::prelude::{Expr, Uuid};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// A license with two counters.
fn metered(shop: &Shop, more: Value) -> Value {
    let mut members = json!({
        "max_seats": 5,
        "entitlements": [
            { "id": "exports", "meter": "count", "per": "month" },
            { "id": "users", "meter": "level" },
        ],
    });
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    shop.license(members)
}

fn usage(shop: &Shop, license: &Value) -> Value {
    let all = shop.admin.get(&format!("{}/usage?per_page=100", path(license))).good();
    assert_eq!(all["total"], all["usage"].as_array().unwrap().len());
    all["usage"].clone()
}

fn used(shop: &Shop, license: &Value, feature: &str) -> u64 {
    let usage = usage(shop, license);
    let rows = usage.as_array().unwrap().iter().filter(|row| row["feature"] == feature);
    rows.map(|row| row["used"].as_u64().unwrap()).sum()
}

fn count(site: &Site, kind: &str) -> usize {
    events(site).iter().filter(|it| *it == kind).count()
}

/// An installation that is activated, and says what a test tells it to.
fn says(site: &Site, shop: &Shop, license: &Value) -> impl Fn(i64, Totals) -> Answer {
    let (here, token_id) = (Uuid::new_v4(), token_id(shop, license));
    let (license, nobody) = (license.clone(), site.nobody());
    let ask = move |what: &str, at: i64, sync: Option<Totals>| {
        let mut request = forged(&license, &token_id, here, what);
        (request.at, request.sync) = (at, sync);
        let text = request.to_signed_text(&seed(1)).unwrap();
        nobody.post("/api/v1/requests", json!({ "request": text }))
    };
    ask("activation", site.clock.now(), None).good();
    move |at, totals| ask("sync", at, Some(totals))
}

both! {
    fn who_has_newer_answers_than_this_server_gives_is_heard(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let say = says(site, &shop, &license);
        let now = site.clock.now();
        let seq = (now as u64 + 86_400) * 1_000_000;
        let ours = Place::said(&say(now, Totals::default()).good())["epoch"].as_u64().unwrap();
        for _ in 0..2 {
            let answer = say(now, Totals { seq, epoch: ours + 1, ..Totals::default() }).good();
            assert!(Place::said(&answer)["seq"].as_u64().unwrap() > seq);
        }
        assert_eq!(count(site, "server.older_than_clients"), 1);
        // Nobody raises it to where there is no next one.
        let answer = say(now, Totals { seq: (1 << 53) - 1, ..Totals::default() }).good();
        let said = Place::said(&answer)["seq"].as_u64().unwrap();
        assert!(said < (now as u64 + 400 * 86_400) * 1_000_000, "{said}");
        // Nor does a clock of ours that was years ahead.
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let ahead = (now + 2_000 * DAY) * 1_000_000;
            activations::Entity::update_many()
                .col_expr(activations::Column::Seq, Expr::value(ahead))
                .exec(&tx)
                .await
                .unwrap();
            tx.commit().await.unwrap();
        });
        let answer = say(now, Totals::default()).good();
        let said = Place::said(&answer)["seq"].as_u64().unwrap();
        assert!(said < (now as u64 + 400 * 86_400) * 1_000_000, "{said}");
    }

    fn what_no_product_counts_is_refused(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let say = says(site, &shop, &license);
        let now = site.clock.now();
        let report = |rows: usize, kind: &str, lost: u64| {
            let used = |number: usize| Used {
                feature: format!("f{number}"), kind: kind.into(), from: Some(0), used: 1,
            };
            let ledger = Some(Ledger { seq: 1, head: format!("{lost:0>64}") });
            let usage = (0..rows).map(used).collect();
            say(now, Totals { usage, ledger, lost, ..Totals::default() })
        };
        let sentence = report(257, "month", 0).refused(422, "invalid_argument");
        assert!(sentence.contains("sync more often"), "{sentence}");
        report(1, "week", 0).refused(422, "invalid_argument");
        report(1, "month", 1_000_001).refused(422, "invalid_argument");
        assert_eq!(usage(&shop, &license), json!([]));
        report(100, "month", 1).good();
        assert_eq!(usage(&shop, &license).as_array().unwrap().len(), 100);
    }

    fn a_clock_that_was_far_ahead_hides_nothing_that_comes_later(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let say = says(site, &shop, &license);
        let now = site.clock.now();
        let totals = |seq: u64| {
            let ledger = Some(Ledger { seq, head: format!("{seq:0>64}") });
            Totals { ledger, ..Totals::default() }
        };
        say(now + 9_999 * DAY, totals(5)).good();
        site.clock.set(Some(now + 2 * DAY));
        say(now + 2 * DAY, totals(3)).good();
        assert_eq!(count(site, "activation.forked"), 1);
    }

    fn a_plain_report_is_answered_as_the_page_says(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "valid_days": 1 }));
        let caller = site.caller("sync");
        let report = json!({
            "license_serial": license["serial"], "hardware_fingerprint": "abc123def456",
            "app_version": "2.1.0", "features_used": ["pro"], "seats_in_use": 3,
        });
        let answer = caller.post("/api/v1/licenses/sync", report.clone());
        let wanted = json!({
            "status": "ok", "message": null, "server_time": "2026-01-15T10:30:00Z",
        });
        assert_eq!((answer.status, answer.json()), (200, wanted.clone()));
        caller.post("/v1/licenses/sync", report.clone()).good();
        let bare = json!({ "license_serial": license["serial"] });
        assert_eq!(caller.post("/v1/licenses/sync", bare.clone()).json(), wanted);
        let rows = site.wait(async {
            reports::Entity::find().all(site.server.store.read()).await.unwrap()
        });
        let mut rows: Vec<_> = rows.into_iter().map(|row| (row.fingerprint, row.count)).collect();
        rows.sort();
        assert_eq!(rows, [(String::new(), 1), ("abc123def456".into(), 2)]);
        assert_eq!(count(site, "license.sync"), 3);
        let status = |serial: &str| {
            let answer = caller.post("/v1/licenses/sync", json!({ "license_serial": serial }));
            assert_eq!(answer.status, 200);
            let said = answer.json();
            assert_eq!(said["message"].is_null(), said["status"] == "ok", "{said}");
            said["status"].as_str().unwrap().to_string()
        };
        let serial = license["serial"].as_str().unwrap();
        assert_eq!(status("LIC-UNKNOWN-00000000"), "not_found");
        shop.admin.post(&format!("{}/suspend", path(&license)), json!({})).good();
        assert_eq!(status(serial), "suspended");
        site.clock.set(Some(site.clock.now() + 2 * DAY));
        assert_eq!(status(serial), "suspended");
        shop.admin.post(&format!("{}/reinstate", path(&license)), json!({})).good();
        assert_eq!(status(serial), "expired");
        shop.admin.delete(&path(&license)).good();
        assert_eq!(status(serial), "revoked");
        // Of another organization it is unknown, and leaves nothing.
        let before = count(site, "license.sync");
        let other = site.nobody().with_key(&site.organization("Other").1);
        assert_eq!(other.post("/v1/licenses/sync", bare.clone()).good()["status"], "not_found");
        assert_eq!(count(site, "license.sync"), before);
        site.caller("read issue").post("/v1/licenses/sync", bare.clone()).refused(403, "forbidden");
        site.nobody().post("/v1/licenses/sync", bare).refused(401, "unauthorized");
        caller.post("/v1/licenses/sync", json!({})).refused(400, "malformed");
        caller.post("/v1/licenses/sync", json!({ "license_serial": serial, "x": 1 }))
            .refused(400, "malformed");
        for wrong in [
            json!({ "license_serial": serial, "hardware_fingerprint": "x".repeat(257) }),
            json!({ "license_serial": serial, "hardware_fingerprint": "a\u{1}b" }),
            json!({ "license_serial": serial, "seats_in_use": -1 }),
            json!({ "license_serial": serial, "features_used": [""] }),
        ] {
            caller.post("/v1/licenses/sync", wrong).refused(422, "invalid_argument");
        }
    }

    fn a_signed_report_is_counted_once_however_often_it_comes(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({ "terms": { "sync_days": 30 } }));
        let mut place = Place::new(site, &shop, "one");
        place.install(&license);
        place.open().record("exports", 3).unwrap();
        place.open().record_level("users", 7).unwrap();
        let request = place.request("sync", None);
        // The answers to these are lost.
        for _ in 0..3 {
            place.post(&request).good();
        }
        assert_eq!((used(&shop, &license, "exports"), used(&shop, &license, "users")), (3, 7));
        place.pass(site, 60);
        place.open().record("exports", 2).unwrap();
        let answer = place.do_it("sync", None);
        let said = Place::said(&answer);
        assert_eq!((&said["status"], &said["message"]), (&json!("ok"), &Value::Null));
        assert_eq!(said["next_sync_by"], site.clock.now() + 30 * DAY);
        assert_eq!(said["sync_after"], site.clock.now() + DAY);
        // It was activated by that, and what it has is bound to it now.
        assert_eq!(said["activation"], answer["activation_id"]);
        assert_eq!(used(&shop, &license, "exports"), 5);
        // Whoever recorded that cannot use it, neither here nor at the product.
        let late = place.post(&request).good();
        assert!(place.open().apply(late["answer"].as_str().unwrap().as_bytes()).is_err());
        assert_eq!(used(&shop, &license, "exports"), 5);
        let said = Place::said(&place.do_it("sync", None));
        assert_eq!(said["license"], Value::Null, "nothing is due");
        let row = &usage(&shop, &license)[0];
        assert_eq!((&row["kind"], &row["from"]), (&json!("month"), &json!("2026-01-01T00:00:00Z")));
        assert_eq!(count(site, "activation.forked") + count(site, "activation.clone_suspected"), 0);
    }

    fn a_signed_report_needs_no_api_key_and_has_the_plain_members_too(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let place = Place::new(site, &shop, "one");
        place.install(&license);
        let sync = |client: &crate::support::client::Client, serial: Option<&Value>| {
            let mut body = json!({ "request": place.request("sync", None), "app_version": "2" });
            if let Some(serial) = serial {
                body["license_serial"] = serial.clone();
            }
            client.post("/api/v1/licenses/sync", body)
        };
        let answer = sync(&site.nobody(), None).good();
        assert_eq!(answer["status"], "ok");
        place.open().apply(answer["answer"].as_str().unwrap().as_bytes()).unwrap();
        sync(&site.caller("sync"), Some(&license["serial"])).good();
        sync(&site.nobody(), Some(&json!("LIC-OTHER-00000000"))).refused(422, "invalid_argument");
        // A key of somebody else makes it nobody's.
        let other = site.nobody().with_key(&site.organization("Other").1);
        let answer = sync(&other, None).good();
        assert_eq!((&answer["status"], &answer["answer"]), (&json!("not_found"), &Value::Null));
        sync(&site.nobody().with_key("wrong"), None).refused(401, "unauthorized");
        let wrong = json!({ "request": place.request("renewal", None) });
        site.nobody().post("/v1/licenses/sync", wrong).refused(422, "invalid_argument");
        shop.admin.delete(&path(&license)).good();
        let answer = sync(&site.nobody(), None).good();
        assert_eq!(answer["status"], "revoked");
        place.open().apply(answer["answer"].as_str().unwrap().as_bytes()).unwrap();
        assert!(!place.open().allows("exports"));
    }

    fn what_the_vendor_changes_arrives_with_the_next_report(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "features": ["basic"], "terms": { "refresh_days": 10, "token_days": 20 },
        }));
        let mut place = Place::new(site, &shop, "one");
        place.install(&license);
        let first = Place::said(&place.do_it("sync", None));
        assert!(first["license"].is_array());
        assert!(Place::said(&place.do_it("sync", None))["license"].is_null());
        let renew = format!("{}/renew", path(&license));
        shop.admin.post(&renew, json!({ "valid_days": 700 })).good();
        place.pass(site, 60);
        let said = Place::said(&place.do_it("sync", None));
        assert!(said["license"].is_array());
        assert!(Place::said(&place.do_it("sync", None))["license"].is_null());
        // Half of the ten days later it is due again.
        place.pass(site, 5 * DAY - 120);
        assert!(Place::said(&place.do_it("sync", None))["license"].is_null());
        place.pass(site, 120);
        assert!(Place::said(&place.do_it("sync", None))["license"].is_array());
        assert!(place.open().allows("basic"));
    }

    fn whoever_gets_no_machine_is_told_and_keeps_what_it_has(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({ "max_seats": 1 }));
        let one = Place::new(site, &shop, "one");
        let two = Place::new(site, &shop, "two");
        one.install(&license);
        two.install(&license);
        one.do_it("sync", None);
        two.open().record("exports", 4).unwrap();
        let answer = two.do_it("sync", None);
        assert_eq!((&answer["status"], &answer["activation_id"]), (&json!("ok"), &Value::Null));
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("The one machine"), "{message}");
        assert!(two.open().allows("exports"));
        assert_eq!(used(&shop, &license, "exports"), 0);
        // The vendor frees the first: it does not take the machine again unless it is asked to.
        let list = shop.admin.get("/api/v1/activations").good();
        let id = list["activations"][0]["id"].as_str().unwrap().to_string();
        shop.admin.delete(&format!("/api/v1/activations/{id}")).good();
        let answer = one.do_it("sync", None);
        assert_eq!((&answer["status"], &answer["activation_id"]), (&json!("ok"), &Value::Null));
        assert!(answer["message"].as_str().unwrap().contains("deactivated"), "{answer}");
        let answer = two.do_it("sync", None);
        assert!(answer["activation_id"].is_string(), "{answer}");
        // What was counted meanwhile is not lost.
        assert_eq!(used(&shop, &license, "exports"), 4);
        one.ask("renewal", None).refused(409, "conflict");
        one.ask("activation", None).refused(409, "no_machine");
    }

    fn a_copied_installation_is_found_and_nobody_is_locked_out(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let mut one = Place::new(site, &shop, "one");
        one.install(&license);
        one.open().record("exports", 1).unwrap();
        one.do_it("sync", None);
        one.do_it("sync", None);
        let mut two = one.copy();
        for _ in 0..2 {
            one.pass(site, 60);
            one.open().record("exports", 2).unwrap();
            one.do_it("sync", None);
            two.at = one.at;
            two.pass(site, 60);
            two.open().record("exports", 1).unwrap();
            two.do_it("sync", None);
            one.at = two.at;
        }
        assert!(count(site, "activation.clone_suspected") > 0);
        assert!(one.open().allows("exports") && two.open().allows("exports"));
    }

    fn a_machine_that_was_set_back_is_told_of_and_goes_on(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let mut one = Place::new(site, &shop, "one");
        one.install(&license);
        one.do_it("sync", None);
        let snapshot = one.copy();
        for _ in 0..3 {
            one.pass(site, 60);
            one.open().record("exports", 2).unwrap();
            one.do_it("sync", None);
        }
        one.become_again(&snapshot);
        for _ in 0..3 {
            one.pass(site, 60);
            one.open().record("exports", 1).unwrap();
            one.do_it("sync", None);
        }
        assert_eq!(count(site, "activation.forked"), 1);
        assert_eq!(count(site, "activation.clone_suspected"), 0);
        // The highest total counts.
        assert_eq!(used(&shop, &license, "exports"), 6);
    }

    fn a_restored_database_gets_everything_again(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({ "max_machines": 5 }));
        let mut places: Vec<Place> =
            ["one", "two", "three"].map(|name| Place::new(site, &shop, name)).into();
        for place in &places {
            place.install(&license);
        }
        for place in &mut places[..2] {
            place.open().record("exports", 3).unwrap();
            place.do_it("sync", None);
            place.pass(site, 1);
            place.do_it("sync", None);
        }
        let before = everything(site);
        for _ in 0..3 {
            for place in &mut places {
                place.pass(site, 20 * DAY);
                place.open().record("exports", 5).unwrap();
                place.open().record_level("users", 9).unwrap();
                place.do_it("sync", None);
            }
        }
        let wanted = usage(&shop, &license);
        assert!(wanted.as_array().unwrap().len() >= 4, "{wanted}");
        restore(site, &before);
        assert_ne!(usage(&shop, &license), wanted);
        // Nobody does anything about it: they report as ever.
        for _ in 0..2 {
            for place in &mut places {
                place.pass(site, 60);
                place.do_it("sync", None);
            }
        }
        assert_eq!(usage(&shop, &license), wanted);
        let found = count(site, "activation.forked") + count(site, "activation.clone_suspected");
        assert_eq!(found, 0);
    }

    fn usage_is_summed_up_by_period_and_listed_by_page(site: &Site) {
        let shop = Shop::open(site);
        let license = metered(&shop, json!({}));
        let mut places: Vec<Place> =
            ["one", "two"].map(|name| Place::new(site, &shop, name)).into();
        for (at, place) in places.iter_mut().enumerate() {
            place.install(&license);
            for month in 0..3 {
                place.at = site.clock.now() + month * 31 * DAY;
                place.open().record("exports", 10 + at as u64).unwrap();
                place.open().record_level("users", 5 - at as u64).unwrap();
            }
        }
        for place in &places {
            place.do_it("sync", None);
        }
        let all = usage(&shop, &license);
        assert_eq!(all.as_array().unwrap().len(), 6, "{all}");
        let row = json!({
            "feature": "exports", "kind": "month", "from": "2026-03-01T00:00:00Z", "used": 21,
            "activations": 2,
        });
        assert_eq!(all[0], row);
        assert_eq!((&all[1]["feature"], &all[1]["used"]), (&json!("users"), &json!(9)));
        let get = |query: &str| {
            shop.admin.get(&format!("{}/usage?{query}", path(&license)))
        };
        let page = get("page=2&per_page=4").good();
        assert_eq!((&page["total"], &page["usage"]), (&json!(6), &json!([all[4], all[5]])));
        let some = get("feature=exports&from=2026-02-01T00:00:00Z&to=2026-03-01T00:00:00Z").good();
        assert_eq!(some["usage"], json!([all[2]]));
        get("from=yesterday").refused(400, "malformed");
        get("per_page=101").refused(400, "malformed");
        get("cursor=x").refused(400, "malformed");
        let other = site.nobody().with_key(&site.organization("Other").1);
        other.get(&format!("{}/usage", path(&license))).refused(404, "not_found");
    }

    fn many_reports_at_once_are_all_there(site: &Site) {
        let shop = Shop::open(site);
        let licenses: Vec<Value> = (0..4).map(|_| shop.license(json!({}))).collect();
        let caller = site.caller("sync");
        std::thread::scope(|threads| {
            for number in 0..16 {
                let (caller, licenses) = (&caller, &licenses);
                threads.spawn(move || for round in 0..10 {
                    let report = json!({
                        "license_serial": licenses[(number + round) % 4]["serial"],
                        "hardware_fingerprint": format!("machine {}", number % 3),
                    });
                    let answer = caller.post("/v1/licenses/sync", report).good();
                    assert_eq!(answer["status"], "ok");
                });
            }
        });
        let rows = site.wait(async {
            reports::Entity::find().all(site.server.store.read()).await.unwrap()
        });
        assert_eq!(rows.len(), 12);
        assert_eq!(rows.iter().map(|row| row.count).sum::<i64>(), 160);
        assert_eq!(count(site, "license.sync"), 160);
    }
}

type Tables = Vec<(rows::Table, Vec<rows::Row>)>;

/// All rows of the database.
fn everything(site: &Site) -> Tables {
    site.wait(async {
        let moment = site.server.store.snapshot().await.unwrap();
        let mut all = Vec::new();
        for table in rows::tables().unwrap() {
            let mut found: Vec<rows::Row> = Vec::new();
            loop {
                let page = table.page(&moment, found.last()).await.unwrap();
                let last = page.len() < table.at_once();
                found.extend(page);
                if last {
                    break;
                }
            }
            all.push((table, found));
        }
        moment.rollback().await.unwrap();
        all
    })
}

/// What happened to activations and usage since is gone, as if the disk had been.
fn restore(site: &Site, tables: &Tables) {
    site.wait(async {
        let tx = site.server.store.begin().await.unwrap();
        for table in ["usage", "activations"] {
            tx.execute_unprepared(&format!("DELETE FROM {table}")).await.unwrap();
        }
        for (table, rows) in tables {
            if matches!(table.name(), "usage" | "activations") && !rows.is_empty() {
                table.insert(&tx, rows.clone()).await.unwrap();
            }
        }
        tx.commit().await.unwrap();
    });
}
