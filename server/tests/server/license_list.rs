//! Lists of licenses: filters, pages, cursors.

use crate::shop::{Shop, path};
use crate::support::client::Client;
use crate::support::{BEGIN, Site};
use licentia_server::store::licenses;
use serde_json::{Value, json};
use uuid::Uuid;

const DAY: i64 = 86_400;

/// The serial numbers of a list, and its total.
fn found(admin: &Client, query: &str) -> (Vec<String>, u64) {
    let list = admin.get(&format!("/v1/licenses?{query}")).good();
    let serial = |license: &Value| license["serial"].as_str().unwrap().to_string();
    let serials = list["licenses"].as_array().unwrap().iter().map(serial).collect();
    (serials, list["total"].as_u64().unwrap())
}

fn serials(licenses: &[&Value]) -> Vec<String> {
    licenses.iter().map(|license| license["serial"].as_str().unwrap().to_string()).collect()
}

both! {
    fn a_filter_finds_what_it_says(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let other = Shop::of(site.admin(), "other");
        let a = shop.license(json!({"customer_email": "Jo.Doe@Example.com", "customer_id": "c1"}));
        let b = shop.license(json!({"customer_email": "100%_sure@b.example", "customer_id": "c2"}));
        let c = other.license(json!({"customer_email": "ÄNNE@example.com", "customer_id": "c1"}));
        let d = shop.license(json!({}));
        for (query, expected) in [
            ("", vec![&d, &c, &b, &a]),
            ("customer_email=example.COM", vec![&c, &a]),
            ("customer_email=jo.doe@example.com", vec![&a]),
            ("customer_email=JO.DOE", vec![&a]),
            ("customer_email=%25", vec![&b]),
            ("customer_email=_", vec![&b]),
            ("customer_email=o%25e", vec![]),
            ("customer_email=j_", vec![]),
            ("customer_email=%5C", vec![]),
            ("customer_email=%C3%A4nne", vec![&c]),
            ("customer_email=%27%20OR%201%3D1", vec![]),
            ("customer_email=", vec![&d, &c, &b, &a]),
            ("customer_id=c1", vec![&c, &a]),
            ("customer_id=C1", vec![]),
            (&format!("serial={}", b["serial"].as_str().unwrap()), vec![&b]),
            (&format!("product_id={}", other.id()), vec![&c]),
            (&format!("product_id={}&customer_id=c1", shop.id()), vec![&a]),
            ("product_id=0192f0aa-0000-7000-8000-000000000000", vec![]),
        ] {
            let expected = serials(&expected);
            let total = expected.len() as u64;
            assert_eq!(found(admin, query), (expected, total), "{query}");
        }
    }

    fn a_search_finds_what_somebody_remembers(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let other = Shop::of(site.admin(), "other");
        let a = shop.license(json!({"customer_email": "Jo.Doe@Example.com", "customer_id": "c1",
            "customer_name": "Jörg ÄRGER & Sons"}));
        let b = shop.license(json!({"customer_email": "100%_sure@b.example"}));
        let c = other.license(json!({"customer_name": "Doe, Jane", "customer_id": "EXAMPLE"}));
        let d = shop.license(json!({"customer_name": format!("{}end", "x".repeat(150))}));
        let of = |license: &Value, name: &str| license[name].as_str().unwrap().to_string();
        let product = other.id();
        for (query, expected) in [
            ("search=", vec![&d, &c, &b, &a]),
            ("search=%20%20", vec![&d, &c, &b, &a]),
            ("search=doe", vec![&c, &a]),
            ("search=DOE%20example", vec![&c, &a]),
            ("search=doe%20jane", vec![&c]),
            ("search=%20jane%20%20doe%20", vec![&c]),
            ("search=doe%20nobody", vec![]),
            ("search=%C3%A4rger", vec![&a]),
            ("search=%C3%84RGER", vec![&a]),
            ("search=0%25_s", vec![&b]),
            ("search=%25", vec![&b]),
            ("search=_", vec![&b]),
            ("search=%5C", vec![]),
            ("search=xxxx", vec![&d]),
            // Of each text the beginning is searched in.
            ("search=xend", vec![]),
            ("search=%27%20OR%201%3D1", vec![]),
            (&format!("search={}", of(&a, "id")), vec![&a]),
            (&format!("search={}", of(&b, "serial")), vec![&b]),
            (&format!("search={}", of(&b, "serial").to_lowercase()), vec![&b]),
            (&format!("search={}", of(&c, "license_key_hint").to_lowercase()), vec![&c]),
            (&format!("search=doe&product_id={product}"), vec![&c]),
            (&format!("search={}&product_id={product}", of(&a, "serial")), vec![]),
            ("search=doe&status=expired", vec![]),
            ("search=doe&customer_id=c1", vec![&a]),
        ] {
            let expected = serials(&expected);
            let total = expected.len() as u64;
            assert_eq!(found(admin, query), (expected, total), "{query}");
        }
        let change = json!({"customer_name": "Somebody Else"});
        admin.put(&path(&c), change).good();
        assert_eq!(found(admin, "search=jane").1, 0);
        assert_eq!(found(admin, "search=somebody").1, 1);
        for bad in [&"a".repeat(201), "%00", "a%00b"] {
            admin.get(&format!("/v1/licenses?search={bad}")).refused(400, "malformed");
        }
        let (_, key) = site.organization("Other");
        assert_eq!(found(&site.nobody().with_key(&key), "search=doe").1, 0);
    }

    fn of_many_that_are_found_the_total_does_not_lie(site: &Site) {
        let shop = Shop::open(site);
        let one = shop.license(json!({"customer_name": "first"}));
        let id = one["id"].as_str().unwrap().parse().unwrap();
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let mut copy = licenses::get(&tx, site.organization, id).await.unwrap().unwrap();
            for n in 0..10_050 {
                copy.id = Uuid::now_v7();
                copy.serial = format!("COPY-{n}");
                copy.key_digest = Some(format!("{n}"));
                copy.customer_name = Some(if n < 1_500 { "some" } else { "many" }.to_string());
                licenses::insert(&tx, copy.clone()).await.unwrap();
            }
            tx.commit().await.unwrap();
        });
        let total = |query: &str| {
            let list = shop.admin.get(&format!("/v1/licenses?{query}")).good();
            let at_least = list["total_is_at_least"].as_bool().unwrap();
            (list["total"].as_u64().unwrap(), at_least)
        };
        assert_eq!(total("search=copy"), (10_000, true));
        assert_eq!(total("search=many"), (8_550, false));
        assert_eq!(total("search=some"), (1_500, false));
        assert_eq!(total("search=some&page=50"), (1_500, false));
        assert_eq!(total("search=first"), (1, false));
        assert_eq!(total(""), (10_051, false));
        // Pages go on to the end, and have each once.
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = format!("/v1/licenses?search=some&per_page=100{cursor}");
            let list = shop.admin.get(&query).good();
            all.extend(list["licenses"].as_array().unwrap().iter().map(|it| it["id"].to_string()));
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(all.len(), 1_500);
        assert!(all.is_sorted_by(|one, next| one > next));
        let page = shop.admin.get("/v1/licenses?search=some&per_page=100&page=15").good();
        assert_eq!(page["licenses"][99]["id"].to_string(), all[1_499]);
    }

    fn of_many_each_status_is_counted_exactly(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "other");
        let one = shop.license(json!({"customer_id": "c1"}));
        let id = one["id"].as_str().unwrap().parse().unwrap();
        let now = site.clock.now();
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let row = licenses::get(&tx, site.organization, id).await.unwrap().unwrap();
            for n in 0..6_600_i64 {
                let mut copy = row.clone();
                copy.id = Uuid::now_v7();
                copy.serial = format!("COPY-{n}");
                copy.key_digest = Some(format!("{n}"));
                // Of every eleven three are active, three ended (one this second); two
                // are suspended and three revoked, whatever else they are.
                copy.valid_until = match n % 11 {
                    0 | 1 | 6 | 8 => None,
                    3 => Some(now),
                    2 | 7 | 9 => Some(now + DAY),
                    _ => Some(now - DAY),
                };
                copy.suspended_at = [6, 7, 10].contains(&(n % 11)).then_some(now - 5);
                copy.revoked_at = [8, 9, 10].contains(&(n % 11)).then_some(now - 3);
                licenses::insert(&tx, copy).await.unwrap();
            }
            tx.commit().await.unwrap();
        });
        for (status, count) in
            [("active", 1_801), ("expired", 1_800), ("suspended", 1_200), ("revoked", 1_800)]
        {
            let query = format!("status={status}");
            let (some, total) = found(&shop.admin, &format!("{query}&per_page=100&page=11"));
            assert_eq!((some.len(), total), (100, count), "{status}");
            let of_product = |shop: &Shop| format!("{query}&product_id={}", shop.id());
            assert_eq!(found(&shop.admin, &of_product(&shop)).1, count, "{status}");
            assert_eq!(found(&shop.admin, &of_product(&other)).1, 0, "{status}");
            let of_customer = format!("{query}&customer_id=nobody");
            assert_eq!(found(&shop.admin, &of_customer).1, 0, "{status}");
        }
        let query = "status=active&customer_id=c1";
        assert_eq!(found(&shop.admin, query).1, 1_801, "by another index");
    }

    fn a_status_is_that_of_the_moment(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let act = |license: &Value, what: &str| {
            admin.post(&format!("{}/{what}", path(license)), json!({})).good();
        };
        let forever = shop.license(json!({"valid_days": 0}));
        let long = shop.license(json!({"valid_days": 100}));
        let short = shop.license(json!({"valid_days": 10}));
        let held = shop.license(json!({"valid_days": 10}));
        act(&held, "suspend");
        let gone = shop.license(json!({"valid_days": 10}));
        act(&gone, "suspend");
        admin.delete(&path(&gone)).good();
        let list = |status: &str| found(admin, &format!("status={status}")).0;
        let check = |active: &[&Value], expired: &[&Value]| {
            assert_eq!(list("active"), serials(active));
            assert_eq!(list("expired"), serials(expired));
            assert_eq!(list("suspended"), serials(&[&held]));
            assert_eq!(list("revoked"), serials(&[&gone]));
        };
        check(&[&short, &long, &forever], &[]);
        site.clock.set(Some(BEGIN + 10 * DAY - 1));
        check(&[&short, &long, &forever], &[]);
        site.clock.set(Some(BEGIN + 10 * DAY));
        check(&[&long, &forever], &[&short]);
        let all = admin.get("/v1/licenses").good();
        let status = |n: usize| all["licenses"][n]["status"].as_str().unwrap().to_string();
        let statuses: Vec<String> = (0..5).map(status).collect();
        assert_eq!(statuses, ["revoked", "suspended", "expired", "active", "active"]);
    }

    fn what_ends_soon_is_active_and_has_an_end_within_the_days(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "other");
        let admin = &shop.admin;
        let until = |after: i64| {
            let end = licentia::rfc3339(BEGIN + after);
            shop.license(json!({"valid_until": end, "customer_id": "c1"}))
        };
        let second = until(1);
        let day = until(DAY);
        let later = until(DAY + 1);
        let week = other.license(json!({"valid_days": 7}));
        let years = until(3650 * DAY);
        let beyond = until(3650 * DAY + 1);
        let forever = shop.license(json!({"valid_days": 0}));
        let (held, gone) = (until(DAY), until(DAY));
        admin.post(&format!("{}/suspend", path(&held)), json!({})).good();
        admin.delete(&path(&gone)).good();
        let within = |query: &str| {
            let query = format!("ending_within_days={query}");
            let csv = admin.get(&format!("/v1/exports/licenses?{query}")).text();
            let (found, total) = found(admin, &query);
            assert_eq!((found.len() as u64, csv.lines().count()), (total, found.len() + 1));
            assert!(found.iter().all(|serial| csv.contains(serial)), "{csv}");
            found
        };
        let product = other.id();
        for (query, expected) in [
            ("1", vec![&day, &second]),
            ("2", vec![&later, &day, &second]),
            ("7", vec![&week, &later, &day, &second]),
            ("3650", vec![&years, &week, &later, &day, &second]),
            ("7&status=active", vec![&week, &later, &day, &second]),
            ("7&status=suspended", vec![]),
            ("7&status=expired", vec![]),
            ("7&status=revoked", vec![]),
            ("6&customer_id=c1", vec![&later, &day, &second]),
            ("7&customer_id=nobody", vec![]),
            (&format!("7&product_id={product}"), vec![&week]),
            (&format!("6&product_id={product}"), vec![]),
            (&format!("1&search={}", day["serial"].as_str().unwrap()), vec![&day]),
            (&format!("1&search={}", week["serial"].as_str().unwrap()), vec![]),
        ] {
            assert_eq!(within(query), serials(&expected), "{query}");
        }
        // The overview counts the same.
        let overview = admin.get("/v1/reports/overview").good();
        assert_eq!(overview["ending"]["days_7"], 4);
        // What has ended by now is not to end any more: in the second of its end it has.
        site.clock.set(Some(BEGIN + 1));
        assert_eq!(within("1"), serials(&[&later, &day]));
        site.clock.set(Some(BEGIN + DAY + 1));
        assert_eq!(within("3650"), serials(&[&beyond, &years, &week]));
        assert_eq!(shop.look(&forever)["status"], "active");
        let not = "ending_within_days is a whole number from 1 to 3650";
        for bad in ["0", "-1", "3651", "9223372036854775807"] {
            for list in ["licenses", "exports/licenses"] {
                let answer = admin.get(&format!("/v1/{list}?ending_within_days={bad}"));
                assert!(answer.text().contains(not), "{bad}: {}", answer.text());
                answer.refused(400, "malformed");
            }
        }
        for bad in ["", "x", "1.5", "7d", "99999999999999999999", "1&ending_within_days=2"] {
            let path = format!("/v1/licenses?ending_within_days={bad}");
            admin.get(&path).refused(400, "malformed");
        }
        let (_, key) = site.organization("Other");
        assert_eq!(found(&site.nobody().with_key(&key), "ending_within_days=3650").1, 0);
    }

    fn of_many_that_end_soon_each_page_is_the_same(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "other");
        let one = shop.license(json!({}));
        let id = one["id"].as_str().unwrap().parse().unwrap();
        let now = site.clock.now();
        // Of three, one ends within a day, one within a week, and one is on hold.
        let expected = site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let mut copy = licenses::get(&tx, site.organization, id).await.unwrap().unwrap();
            let mut expected = (Vec::new(), Vec::new());
            for n in 0..16_500_i64 {
                copy.id = Uuid::now_v7();
                copy.serial = format!("COPY-{n}");
                copy.key_digest = Some(format!("{n}"));
                copy.valid_until = Some(if n % 3 == 0 { now + DAY } else { now + 7 * DAY });
                copy.suspended_at = (n % 3 == 2).then_some(now);
                licenses::insert(&tx, copy.clone()).await.unwrap();
                if n % 3 == 0 {
                    expected.0.insert(0, copy.serial.clone());
                }
                if n % 3 != 2 {
                    expected.1.insert(0, copy.serial.clone());
                }
            }
            tx.commit().await.unwrap();
            expected
        });
        // Of few they are found by their end, of many from the newest on.
        for (days, all) in [(1, &expected.0), (7, &expected.1)] {
            let count = all.len() as u64;
            let page = |query: &str| {
                let query = format!("ending_within_days={days}&per_page=100{query}");
                found(&shop.admin, &query)
            };
            for of in ["", "&status=active", &format!("&product_id={}", shop.id())] {
                for n in [0, 1, all.len() / 100 - 1] {
                    let some = all[n * 100..][..100].to_vec();
                    assert_eq!(page(&format!("{of}&page={}", n + 1)), (some, count), "{n} {of}");
                }
                assert_eq!(page(&format!("{of}&page=1000")), (Vec::new(), count));
            }
            for of in ["&status=suspended".into(), format!("&product_id={}", other.id())] {
                assert_eq!(page(&of), (Vec::new(), 0), "{of}");
            }
            let path = format!("/v1/licenses?ending_within_days={days}&per_page=100&page=2");
            let next = shop.admin.get(&path).good();
            let next = format!("&cursor={}", next["next_cursor"].as_str().unwrap());
            assert_eq!(page(&next), (all[200..300].to_vec(), count));
        }
    }

    fn pages_have_each_license_once(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let sold: Vec<Value> = (0..23).map(|_| shop.license(json!({}))).collect();
        let newest: Vec<&Value> = sold.iter().rev().collect();
        let expected = serials(&newest);
        // Twenty where nobody says how many.
        assert_eq!(found(admin, ""), (expected[..20].to_vec(), 23));
        assert_eq!(found(admin, "page=2"), (expected[20..].to_vec(), 23));
        assert_eq!(found(admin, "page=3&per_page=5"), (expected[10..15].to_vec(), 23));
        assert_eq!(found(admin, "page=1000000&per_page=100"), (vec![], 23));
        assert_eq!(found(admin, "per_page=100").0, expected);
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let list = admin.get(&format!("/v1/licenses?per_page=7{cursor}")).good();
            let serial = |license: &Value| license["serial"].as_str().unwrap().to_string();
            all.extend(list["licenses"].as_array().unwrap().iter().map(serial));
            // What comes meanwhile moves nothing.
            shop.license(json!({}));
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(all, expected);
        for bad in [
            "page=0",
            "page=-1",
            "page=x",
            "page=1.5",
            "page=99999999999999999999",
            "per_page=0",
            "per_page=101",
            "per_page=",
            "cursor=x",
            "page=1&cursor=AZvA9w8-dK-u2mGdGdJb0A",
            "status=gone",
            "status=not_found",
            "status=Active",
            "product_id=myapp",
            "colour=red",
            "customer_email=%00",
            "serial=a%00b",
            "page=1&page=2",
        ] {
            admin.get(&format!("/v1/licenses?{bad}")).refused(400, "malformed");
        }
    }

    fn of_many_each_page_is_the_same_from_either_end(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let one = shop.license(json!({"customer_email": "a@b.example"}));
        let id = one["id"].as_str().unwrap().parse().unwrap();
        let ids = site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let row = licenses::get(&tx, site.organization, id).await.unwrap().unwrap();
            let mut ids = vec![id];
            for n in 0..1_234 {
                let mut copy = row.clone();
                copy.id = Uuid::now_v7();
                copy.serial = format!("COPY-{n}");
                copy.key_digest = Some(format!("{n}"));
                copy.suspended_at = (n % 100 == 0).then_some(BEGIN);
                copy.valid_until = (n % 2 == 0).then_some(BEGIN);
                ids.insert(0, copy.id);
                licenses::insert(&tx, copy).await.unwrap();
            }
            tx.commit().await.unwrap();
            ids.iter().map(ToString::to_string).collect::<Vec<_>>()
        });
        let page = |query: &str| {
            let list = admin.get(&format!("/v1/licenses?per_page=100&{query}")).good();
            let id = |license: &Value| license["id"].as_str().unwrap().to_string();
            let found: Vec<String> = list["licenses"].as_array().unwrap().iter().map(id).collect();
            (found, list["total"].as_u64().unwrap())
        };
        for (n, expected) in ids.chunks(100).enumerate() {
            for filter in ["", "&customer_email=B.ex", &format!("&product_id={}", shop.id())] {
                let found = page(&format!("page={}{filter}", n + 1));
                assert_eq!(found, (expected.to_vec(), 1_235), "{n} {filter}");
            }
        }
        assert_eq!(page("page=14"), (vec![], 1_235));
        // One of the copies in a hundred is on hold, and the others are even or odd.
        let total = |status: &str| page(&format!("status={status}")).1;
        let totals = ["suspended", "expired", "active", "revoked"].map(total);
        assert_eq!(totals, [13, 604, 618, 0]);
        let (last, _) = page("page=7&status=active");
        assert_eq!((last.len(), last.last()), (18, ids.last()));
        let list = admin.get("/v1/licenses?per_page=100&page=6").good();
        let next = list["next_cursor"].as_str().unwrap();
        assert_eq!(page(&format!("cursor={next}")), (ids[600..700].to_vec(), 1_235));
    }
}
