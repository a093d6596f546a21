//! Lists as files for spreadsheets: whole, however long, and however slowly they are taken.

use crate::shop::{Shop, path};
use crate::support::client::{self, Client};
use crate::support::dice::times;
use crate::support::real::Real;
use crate::support::{BEGIN, Site};
use licentia_server::store::{Store, licenses};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::time::Duration;

type Table = Vec<BTreeMap<String, String>>;

/// A table as a program reads it.
fn table(admin: &Client, what: &str) -> Table {
    let answer = admin.get(&format!("/api/v1/exports/{what}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    rows(&answer.body)
}

fn rows(csv: &[u8]) -> Table {
    let mut reader = csv::Reader::from_reader(csv);
    let names = reader.headers().unwrap().clone();
    let row = |row: csv::StringRecord| {
        names.iter().map(str::to_string).zip(row.iter().map(str::to_string)).collect()
    };
    reader.records().map(|it| row(it.unwrap())).collect()
}

fn column<'a>(table: &'a Table, name: &str) -> Vec<&'a str> {
    table.iter().map(|row| row[name].as_str()).collect()
}

/// Many copies of a license, with long texts.
async fn copies(store: &Store, organization: Uuid, of: Uuid, count: usize) {
    let mut row = licenses::get(store.read(), organization, of).await.unwrap().unwrap();
    row.reason = Some("because ".repeat(60));
    for part in (0..count).collect::<Vec<_>>().chunks(5_000) {
        let tx = store.begin().await.unwrap();
        for at in part {
            row.id = Uuid::now_v7();
            row.serial = format!("COPY-{}", row.id.simple());
            row.key_digest = Some(format!("digest {}", row.id));
            row.customer_name = Some(format!("Customer {at}, \"of many\""));
            licenses::insert(&tx, row.clone()).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

both! {
    fn a_table_has_each_row_and_its_texts_as_they_are(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let hostile =
            ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "'quoted", "-5", "\"a\", b"];
        let sold: Vec<Value> = hostile
            .iter()
            .map(|name| shop.license(json!({"customer_name": name, "customer_id": "c;1"})))
            .collect();
        let all = table(admin, "licenses");
        let mut names = column(&all, "customer_name");
        names.reverse();
        let guarded =
            ["'=cmd|' /C calc'!A0", "'+1+1", "'-1+1", "'@SUM(1)", "''quoted", "-5", "\"a\", b"];
        assert_eq!(names, guarded);
        let row = all.last().unwrap();
        for name in ["id", "serial", "product_id", "product_code", "status", "valid_until"] {
            assert_eq!(sold[0][name].as_str().unwrap(), row[name], "{name}");
        }
        assert_eq!((row["features"].as_str(), row["max_seats"].as_str()), ("basic help", "1"));
        assert_eq!((row["revoked_at"].as_str(), row["customer_email"].as_str()), ("", ""));
        assert!(!row.contains_key("license_blob") && !row.contains_key("hardware_binding"));
        admin.delete(&path(&sold[2])).good();
        assert_eq!(table(admin, "licenses?status=revoked").len(), 1);
        assert_eq!(table(admin, "licenses?search=SUM").len(), 1);
        assert_eq!(table(admin, "licenses?customer_id=c1").len(), 0);
        assert_eq!(table(admin, &format!("licenses?product_id={}", shop.id())).len(), 7);
        let answer = admin.get("/api/v1/exports/licenses");
        let name = "attachment; filename=\"licenses-2026-01-15.csv\"";
        assert_eq!(answer.header("content-disposition"), Some(name));
        assert_eq!(answer.header("etag"), None);
        let bad = ["licenses?page=1", "licenses?status=gone", "usage?from=x", "events?kind=a%20b"];
        for what in bad {
            admin.get(&format!("/api/v1/exports/{what}")).refused(400, "malformed");
        }
        let (_, other) = site.organization("Other");
        assert!(table(&site.nobody().with_key(&other), "licenses").is_empty());
        site.caller("issue sync").get("/api/v1/exports/licenses").refused(403, "forbidden");
    }

    fn what_else_there_is_has_its_table(site: &Site) {
        let shop = Shop::open(site);
        let admin = &shop.admin;
        let license = shop.license(json!({"max_seats": 5, "max_machines": 5}));
        let ids = |path: &str, list: &str| {
            let all = admin.get(&format!("/api/v1/{path}?per_page=100")).good();
            let id = |one: &Value| one["id"].as_str().unwrap().to_string();
            all[list].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
        };
        for machine in ["a", "b"] {
            let place = crate::place::Place::new(site, &shop, machine);
            place.install(&license);
            place.do_it("activation", None);
            let seat = json!({"holder": format!("={machine}")});
            admin.post(&format!("{}/seats", path(&license)), seat).good();
        }
        for what in ["activations", "seats", "events"] {
            let found = table(admin, what);
            assert!(found.len() >= 2, "{what}");
            assert_eq!(column(&found, "id"), ids(what, what), "{what}");
        }
        let seats = table(admin, "seats?holder=%3Da");
        assert_eq!(column(&seats, "holder"), ["'=a"]);
        let events = table(admin, "events?kind=license.created");
        let data: Value = serde_json::from_str(&events[0]["data"]).unwrap();
        assert_eq!(data["serial"], license["serial"]);
        assert_eq!(table(admin, "deliveries").len(), 0);
        let audit = table(admin, "audit");
        let of = column(&audit, "action");
        assert_eq!(of.iter().filter(|it| **it == "data.exported").count(), 7, "{of:?}");
    }

    fn usage_is_that_of_the_lists(site: &Site) {
        use licentia_server::store::usage::{Model, put};
        let shop = Shop::open(site);
        let sold: Vec<Value> = (0..120).map(|_| shop.license(json!({}))).collect();
        let id = |license: &Value| license["id"].as_str().unwrap().parse::<Uuid>().unwrap();
        let mut rows = Vec::new();
        for (at, license) in sold.iter().enumerate() {
            for period in 0..3 {
                let feature = if at % 2 == 0 { "pages" } else { "calls" };
                rows.push(Model {
                    organization_id: site.organization,
                    license_id: id(license),
                    activation_id: Uuid::from_u128(at as u128 + 1),
                    feature: feature.to_string(),
                    kind: "month".to_string(),
                    period: BEGIN + period,
                    lost: 0,
                    used: 10 + at as i64,
                    updated_at: BEGIN,
                });
            }
        }
        site.wait(put(site.server.store.read(), rows)).unwrap();
        let all = table(&shop.admin, "usage");
        assert_eq!(all.len(), 360);
        let one = |license: &Value| {
            let listed = shop.admin.get(&format!("{}/usage", path(license))).good();
            let used = |sum: &Value| sum["used"].as_i64().unwrap().to_string();
            listed["usage"].as_array().unwrap().iter().map(used).collect::<Vec<_>>()
        };
        for license in [&sold[0], &sold[119]] {
            let of = license["id"].as_str().unwrap();
            let rows = all.iter().filter(|row| row["license_id"] == of);
            let used: Vec<&str> = rows.map(|row| row["used"].as_str()).collect();
            assert_eq!(used, one(license));
        }
        // Pages of which nothing is meant are no end.
        let last = sold.iter().max_by_key(|license| id(license)).unwrap();
        assert_eq!(table(&shop.admin, "usage?feature=pages").len(), 180);
        assert_eq!(table(&shop.admin, "usage?feature=none").len(), 0);
        let other = Shop::of(site.admin(), "other");
        assert_eq!(table(&shop.admin, &format!("usage?product_id={}", shop.id())).len(), 360);
        assert_eq!(table(&shop.admin, &format!("usage?product_id={}", other.id())).len(), 0);
        assert!(all.iter().any(|row| row["license_id"] == last["id"].as_str().unwrap()));
    }

    fn what_comes_meanwhile_moves_nothing(site: &Site) {
        let shop = Shop::open(site);
        let one = shop.license(json!({}));
        let of = one["id"].as_str().unwrap().parse().unwrap();
        let store = &site.server.store;
        site.wait(copies(store, site.organization, of, 20_000));
        let mut stream = shop.admin.send("GET", "/api/v1/exports/licenses", None).unwrap();
        let mut bytes = vec![0; 100_000];
        stream.read_exact(&mut bytes).unwrap();
        // It is on its way, and the database is nobody's meanwhile.
        site.wait(copies(store, site.organization, of, 700));
        let gone = licenses::Entity::delete_many();
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        let serial = licenses::Column::CustomerName.eq("Customer 3, \"of many\"");
        site.wait(gone.filter(serial).exec(store.read())).unwrap();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = client::parse(&bytes).expect("a whole answer");
        let all = rows(&answer.body);
        let mut ids = column(&all, "id");
        let count = ids.len();
        assert!((20_000..=20_001).contains(&count), "{count}");
        assert!(ids.is_sorted_by(|one, next| one > next), "the newest first, each once");
        assert_eq!(ids.pop(), one["id"].as_str());
    }
}

/// Kibibytes of memory that this process has.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A server with so many licenses.
fn shop_of(count: usize) -> (Real, usize) {
    let real = Real::with(|config| config.limits.body = Duration::from_secs(1));
    let admin = real.admin();
    let pair = admin.post("/api/v1/key-pairs", json!({"name": "a"})).good();
    let product = json!({"name": "A", "code": "a", "key_pair_id": pair["id"]});
    let product = admin.post("/api/v1/products", product).good();
    let license = admin.post("/api/v1/licenses", json!({"product_id": product["id"]})).good();
    let id: Uuid = license["id"].as_str().unwrap().parse().unwrap();
    let store = real.serving().server().store.clone();
    real.wait(async {
        let row = licenses::anywhere(store.read(), id).await.unwrap().unwrap();
        copies(&store, row.organization_id, id, count).await;
    });
    (real, count + 1)
}

#[test]
fn a_long_table_takes_no_memory_and_whoever_stops_holds_nothing() {
    let (real, count) = shop_of(times(25_000).min(1_000_000));
    let admin = real.admin();
    let before = memory();
    let mut stream = admin.send("GET", "/api/v1/exports/licenses", None).unwrap();
    let (mut lines, mut bytes, mut most) = (0, 0, 0);
    let mut piece = vec![0; 1 << 16];
    let mut last = Vec::new();
    loop {
        let read = stream.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        lines += piece[..read].windows(7).filter(|it| it == b"because").count();
        bytes += read;
        most = most.max(memory());
        last = piece[..read].to_vec();
    }
    assert!(last.ends_with(b"0\r\n\r\n"), "it has an end");
    // Where two pieces meet one may be missed.
    assert!(lines > (count - 1) * 59, "{lines}");
    assert!(bytes > count * 700, "{bytes}");
    let grown = most.saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB more for {bytes} bytes");
    println!("tried: an export of {count} rows, {bytes} bytes, {grown} KiB more in memory");

    // Somebody who takes nothing is left, somebody who goes away is forgotten.
    let mut stalled = admin.send("GET", "/api/v1/exports/licenses", None).unwrap();
    for _ in 0..20 {
        let mut gone = admin.send("GET", "/api/v1/exports/licenses", None).unwrap();
        gone.read_exact(&mut piece[..1_000]).unwrap();
    }
    let store = real.serving().server().store.clone();
    // Nobody holds the database: all of its log can be brought into its file.
    std::thread::sleep(Duration::from_secs(4));
    admin.get("/api/v1/licenses").good();
    let busy = real.wait(async {
        use sea_orm::{ConnectionTrait, DbBackend, Statement};
        let sql = Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
        let row = store.read().query_one_raw(sql).await.unwrap().unwrap();
        row.try_get_by_index::<i32>(0).unwrap()
    });
    assert_eq!(busy, 0, "somebody reads");
    let mut rest = Vec::new();
    let _ = stalled.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "it was left, and sees it: {} bytes", rest.len());
    assert!(rest.len() < bytes, "{} bytes", rest.len());
    let _ = stalled.write_all(b"GET / HTTP/1.1\r\n\r\n");
}
