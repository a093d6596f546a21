//! Reports: every number against a slow, plain recount of the rows, day after day.

mod rows;
mod vendor;

use crate::shop::{Shop, path};
use crate::support::client::Client;
use crate::support::{BEGIN, MASTER_KEY, Site, dice};
use licentia::rfc3339;
use licentia_server::api::{self, Server, Shared};
use licentia_server::reports::{refresh, refresh_all};
use licentia_server::store::figures::{self, Put};
use licentia_server::store::licenses;
use licentia_server::vault::Vault;
use rows::Rows;
use sea_orm::EntityTrait;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use vendor::Vendor;
use zeroize::Zeroizing;

const DAY: i64 = 86_400;

/// 2026-01-15, and what a test calls the day that is so many later.
fn date(days: i64) -> String {
    rfc3339(BEGIN + days * DAY)[..10].to_string()
}

fn day_of(at: i64) -> i64 {
    at.div_euclid(DAY) * DAY
}

fn reckon(site: &Site) {
    site.wait(refresh(&site.server)).unwrap();
}

/// The numbers of a metric, from one day to another.
fn series(
    client: &Client,
    metric: &str,
    product: Option<Uuid>,
    (from, to): (i64, i64),
) -> Vec<Option<i64>> {
    let of = product.map_or(String::new(), |id| format!("&product_id={id}"));
    let (from, to) = (&rfc3339(from)[..10], &rfc3339(to)[..10]);
    let query = format!("/api/v1/reports/series?metric={metric}&from={from}&to={to}{of}");
    let told = client.get(&query).good();
    assert_eq!(told["days"][0], from, "{told}");
    let values = told["values"].as_array().unwrap();
    assert_eq!(values.len(), told["days"].as_array().unwrap().len());
    values.iter().map(Value::as_i64).collect()
}

/// All figures, but for when they were written.
fn kept(site: &Site) -> Vec<figures::Model> {
    let all = figures::Entity::find();
    let mut all = site.wait(async { all.all(site.server.store.read()).await.unwrap() });
    all.sort_by(|one, other| {
        let key = |row: &figures::Model| {
            (row.organization_id, row.metric.clone(), row.product_id, row.label.clone(), row.day)
        };
        key(one).cmp(&key(other))
    });
    all
}

/// What the overview says, beside the rows.
fn check_overview(client: &Client, rows: &Rows, product: Option<Uuid>, now: i64) {
    let of = product.map_or(String::new(), |id| format!("?product_id={id}"));
    let told = client.get(&format!("/api/v1/reports/overview{of}")).good();
    let number = |path: &str| told.pointer(path).and_then(Value::as_u64).unwrap() as usize;
    for status in ["active", "suspended", "expired", "revoked"] {
        let path = format!("/licenses/{status}");
        assert_eq!(number(&path), rows.with_status(status, now), "{status}: {told}");
    }
    assert_eq!(number("/licenses/total"), rows.licenses.len());
    for days in [7, 30, 90] {
        let ends = |row: &&licenses::Model| {
            let until = row.valid_until.unwrap_or(i64::MAX);
            row.revoked_at.is_none()
                && row.suspended_at.is_none()
                && until > now
                && until <= now + days * DAY
        };
        let ending = rows.licenses.iter().filter(ends).count();
        assert_eq!(number(&format!("/ending/days_{days}")), ending, "{days}: {told}");
    }
    let new = rows.licenses.iter().filter(|row| row.created_at >= now - 30 * DAY).count();
    assert_eq!(number("/created_30_days"), new);
    let figures = rows.figures(now);
    assert_eq!(told["activations"], figures["activations"]);
    assert_eq!(told["seats"]["in_use"], figures["seats_in_use"]);
    assert_eq!(told["seats"]["granted"], figures["seats_granted"]);
    assert_eq!(told["syncs"]["today"], figures["syncs"]);
    let since = |hours: i64| {
        let first = now.div_euclid(3600) * 3600 - (hours - 1) * 3600;
        rows.syncs.iter().filter(|row| row.created_at >= first).count()
    };
    assert_eq!(number("/syncs/hours_24"), since(24), "{told}");
    assert_eq!(number("/syncs/days_7"), since(168), "{told}");
    let products = told["products"].as_array().unwrap();
    let sum: i64 = products.iter().map(|it| it["licenses"]["total"].as_i64().unwrap()).sum();
    assert_eq!(sum, rows.licenses.len() as i64, "{told}");
    assert!(products.iter().all(|it| product.is_none_or(|id| it["product_id"] == id.to_string())));
}

/// What is said of usage, beside the rows; and of each license.
fn check_usage(client: &Client, rows: &Rows, product: Option<Uuid>) {
    let of = product.map_or(String::new(), |id| format!("&product_id={id}"));
    let days = format!("from={}&to={}", date(-60), date(100));
    let wanted = rows.used();
    let list = client.get(&format!("/api/v1/reports/usage?{days}{of}")).good();
    let meters = list["meters"].as_array().unwrap();
    let names: BTreeSet<_> = wanted.keys().map(|it| (&it.0, &it.1)).collect();
    assert_eq!(meters.len(), names.len(), "{list}");
    for (feature, kind) in names {
        let told = format!("/api/v1/reports/usage?{days}{of}&feature={feature}");
        let told = client.get(&told).good();
        let mut meters = told["meters"].as_array().unwrap().iter();
        let meter = meters.find(|it| it["kind"] == kind.as_str()).unwrap();
        check_meter(meter, feature, kind, &wanted);
        let same = |it: &&Value| it["feature"] == meter["feature"] && it["kind"] == meter["kind"];
        let listed = list["meters"].as_array().unwrap().iter().find(same).unwrap();
        assert_eq!(listed["used"], meter["used"]);
        assert!(listed.get("days").is_none());
    }
}

fn check_meter(
    meter: &Value,
    feature: &str,
    kind: &str,
    wanted: &BTreeMap<(String, String, i64), i64>,
) {
    let wanted: BTreeMap<i64, i64> = wanted
        .iter()
        .filter(|((one, other, _), _)| one == feature && other == kind)
        .map(|((_, _, period), used)| (*period, *used))
        .collect();
    let used: i64 = match ["level", "distinct"].contains(&kind) {
        true => *wanted.values().max().unwrap(),
        false => wanted.values().sum(),
    };
    assert_eq!(meter["used"], used, "{feature} {kind}: {meter}");
    if kind == "ever" {
        return;
    }
    let days = meter["days"].as_array().unwrap().iter().map(|day| day.as_str().unwrap());
    let days: Vec<i64> = days.map(|day| licentia::parse_time(day).unwrap()).collect();
    assert!(days.is_sorted());
    let values = meter["values"].as_array().unwrap().iter().map(|it| it.as_i64().unwrap());
    let told: BTreeMap<i64, i64> = days.into_iter().zip(values).filter(|it| it.1 > 0).collect();
    assert_eq!(told, wanted, "{feature} {kind}");
}

/// The lines of a report as CSV, without its head.
fn sheet(client: &Client, query: &str, head: &str) -> Vec<Vec<String>> {
    let answer = client.get(&format!("/api/v1/reports/{query}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = answer.header("content-disposition").unwrap();
    assert!(name.starts_with("attachment; filename=") && name.ends_with(".csv\""), "{name}");
    let text = answer.text();
    let mut lines = text.split("\r\n").map(|line| line.split(',').map(String::from).collect());
    assert_eq!(lines.next(), Some(head.split(',').map(String::from).collect::<Vec<_>>()));
    lines.filter(|line: &Vec<String>| line.len() > 1).collect()
}

/// The same numbers, in a table.
fn check_sheets(client: &Client) {
    let told = client.get("/api/v1/reports/series?metric=licenses_created").good();
    let lines = sheet(client, "series?metric=licenses_created&format=csv", "day,licenses_created");
    assert_eq!(lines.len(), 90);
    for (at, line) in lines.iter().enumerate() {
        assert_eq!(
            (&told["days"][at], told["values"][at].to_string()),
            (&json!(line[0]), line[1].clone())
        );
    }
    let told = client.get("/api/v1/reports/overview").good();
    let lines = sheet(client, "overview?format=csv", "metric,value");
    let value = |name: &str| lines.iter().find(|line| line[0] == name).unwrap()[1].clone();
    assert_eq!(value("licenses_active"), told["licenses"]["active"].to_string());
    assert_eq!(value("syncs_7_days"), told["syncs"]["days_7"].to_string());
    let told = client.get("/api/v1/reports/expiring?days=9").good();
    let lines = sheet(client, "expiring?days=9&format=csv", "day,ending,not_renewed");
    assert_eq!(lines.len(), 17, "today is one of both");
    assert_eq!(lines[8][0], told["ending"]["days"][0].as_str().unwrap());
    assert_eq!(lines[8][1], told["ending"]["licenses"][0].to_string());
    assert_eq!(lines[8][2], told["not_renewed"]["licenses"][8].to_string());
    assert_eq!((&*lines[0][1], &*lines[16][2]), ("", ""));
    let told = client.get("/api/v1/reports/usage").good();
    let lines = sheet(client, "usage?format=csv", "feature,kind,used");
    let used = |meter: &Value| {
        vec![text(&meter["feature"]), text(&meter["kind"]), meter["used"].to_string()]
    };
    let wanted: Vec<_> = told["meters"].as_array().unwrap().iter().map(used).collect();
    assert_eq!(lines, wanted);
    for line in sheet(client, "usage?format=csv&feature=calls", "feature,kind,used,day") {
        assert!(line[0] == "calls" && line[3].len() == 10, "{line:?}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_string()
}

/// How many licenses end on each day, to come and gone.
fn check_expiring(client: &Client, rows: &Rows, product: Option<Uuid>, now: i64) {
    let of = product.map_or(String::new(), |id| format!("&product_id={id}"));
    let told = client.get(&format!("/api/v1/reports/expiring?days=45{of}")).good();
    for (name, past) in [("ending", false), ("not_renewed", true)] {
        let first = if past { day_of(now) - 44 * DAY } else { day_of(now) };
        let mut sum = 0;
        for number in 0..45 {
            let day = first + number * DAY;
            let ends = |row: &&licenses::Model| {
                let until = row.valid_until.unwrap_or(i64::MAX);
                let free = row.revoked_at.is_none() && row.suspended_at.is_none();
                free && day_of(until) == day && (until <= now) == past
            };
            let ends = rows.licenses.iter().filter(ends).count();
            let at = usize::try_from(number).unwrap();
            assert_eq!(told[name]["days"][at], &rfc3339(day)[..10]);
            assert_eq!(told[name]["licenses"][at], ends, "{name} {number}: {told}");
            sum += ends;
        }
        assert_eq!(told[name]["total"], sum);
    }
}

both! {
    fn every_number_is_that_of_the_rows(site: &Site) {
        let seed = dice::seed();
        let (other, key) = site.organization("Other");
        let mut ours = Vendor::new(site, &site.key, seed);
        let mut theirs = Vendor::new(site, &key, seed + 1);
        let mut wanted: BTreeMap<(Uuid, Option<Uuid>), Vec<_>> = BTreeMap::new();
        let mut peaks: BTreeMap<(Uuid, Uuid, i64), i64> = BTreeMap::new();
        let count = dice::times(12) as i64;
        let first = site.clock.now();
        for day in 0..count {
            for hour in [0, 7, 13] {
                let at = day_of(first) + day * DAY + hour * 3600 + ours.dice.below(3600) as i64;
                site.clock.set(Some(at.max(site.clock.now())));
                ours.work(false);
                theirs.work(false);
                reckon(site);
                let now = site.clock.now();
                for (organization, of) in [(site.organization, &ours), (other, &theirs)] {
                    for number in [0, 1] {
                        let product = of.product(number);
                        let rows = Rows::read(site, organization).of(Some(product));
                        let seats = rows.seats_in_use(now) as i64;
                        let peak = peaks.entry((organization, product, day)).or_default();
                        *peak = seats.max(*peak);
                    }
                }
            }
            let now = site.clock.now();
            for (organization, of) in [(site.organization, &ours), (other, &theirs)] {
                for product in [None, Some(of.product(0)), Some(of.product(1))] {
                    let rows = Rows::read(site, organization).of(product);
                    wanted.entry((organization, product)).or_default().push(rows.figures(now));
                    check_overview(of.admin(), &rows, product, now);
                    check_expiring(of.admin(), &rows, product, now);
                    check_usage(of.admin(), &rows, product);
                }
            }
        }
        let last = site.clock.now();
        let of = BTreeMap::from([(site.organization, &ours), (other, &theirs)]);
        for ((organization, product), days) in wanted {
            let client = of[&organization].admin();
            for metric in days[0].keys() {
                let told = series(client, metric, product, (first, last));
                let wanted: Vec<_> = days.iter().map(|day| Some(day[metric])).collect();
                assert_eq!(told, wanted, "seed {seed}: {metric} of {product:?}");
            }
            let Some(product) = product else { continue };
            let told = series(client, "seats_peak", Some(product), (first, last));
            let wanted: Vec<_> =
                (0..count).map(|day| Some(peaks[&(organization, product, day)])).collect();
            assert_eq!(told, wanted, "seed {seed}: peaks");
        }
        check_sheets(ours.admin());
        // Nothing changes where nothing happens, and when it was written neither.
        let before = kept(site);
        reckon(site);
        site.wait(refresh_all(&site.server)).unwrap();
        assert_eq!(kept(site), before);
    }

    fn days_without_a_server_are_filled_from_the_rows(site: &Site) {
        let mut vendor = Vendor::new(site, &site.key, dice::seed());
        let first = site.clock.now();
        let mut wanted = Vec::new();
        for day in 0..15 {
            for hour in [1, 23] {
                let at = day_of(first) + day * DAY + hour * 3600;
                site.clock.set(Some(at.max(site.clock.now())));
                vendor.work(true);
            }
            // A day is as it was when it ended.
            let now = day_of(first) + day * DAY + DAY - 1;
            wanted.push(Rows::read(site, site.organization).figures(now));
        }
        let last = day_of(first) + 15 * DAY;
        site.clock.set(Some(last));
        let look = |metric: &str| series(vendor.admin(), metric, None, (first, last - DAY));
        assert_eq!(look("licenses_active"), [None; 15], "nobody looked yet");
        reckon(site);
        for metric in
            ["licenses_active", "licenses_created", "licenses_revoked", "activations_new"]
        {
            let wanted: Vec<_> = wanted.iter().map(|day| Some(day[metric])).collect();
            let told = look(metric);
            // Before the first license there is nothing to tell.
            let told: Vec<_> = told.into_iter().map(|it| it.or(Some(0))).collect();
            assert_eq!(told, wanted, "{metric}");
        }
        // Who has looked is not corrected by who looks later.
        let before = look("licenses_active");
        for license in vendor.licenses.clone() {
            vendor.admin().delete(&path(&license));
        }
        site.clock.set(Some(last + 3 * DAY));
        reckon(site);
        assert_eq!(look("licenses_active"), before);
        let after = series(vendor.admin(), "licenses_active", None, (last + DAY, last + 2 * DAY));
        assert_eq!(after, [Some(0), Some(0)]);
    }

    fn of_many_licenses_it_is_told_what_was_reckoned_last(site: &Site) {
        let shop = Shop::open(site);
        shop.license(json!({ "max_seats": 3 }));
        reckon(site);
        let then = rfc3339(site.clock.now());
        let look = || shop.admin.get("/api/v1/reports/overview").good();
        // Active licenses, and the seats that they grant.
        let (one, two) = ((&json!(1), &json!(3)), (&json!(2), &json!(6)));
        site.clock.set(Some(site.clock.now() + 9));
        shop.license(json!({ "max_seats": 3 }));
        let told = look();
        assert_eq!((&told["licenses"]["active"], &told["seats"]["granted"]), two);
        assert_eq!(told["as_of"], rfc3339(site.clock.now()), "of few, it is as it is");
        site.wait(async {
            let tx = site.server.store.begin().await.unwrap();
            let many = figures::Model {
                organization_id: site.organization,
                metric: "licenses_expired".into(),
                product_id: shop.id().parse().unwrap(),
                label: String::new(),
                day: day_of(site.clock.now()),
                value: 20_001,
                updated_at: 0,
            };
            figures::put(&tx, vec![many], Put::Set).await.unwrap();
            tx.commit().await.unwrap();
        });
        let told = look();
        assert_eq!(told["as_of"], then, "{told}");
        assert_eq!((&told["licenses"]["active"], &told["seats"]["granted"]), one);
        assert_eq!(told["licenses"]["total"], 20_002);
        assert_eq!(told["created_30_days"], 2, "what an index has is always as it is");
    }

    fn who_has_nothing_is_told_so(site: &Site) {
        let admin = site.admin();
        for reckoned in [false, true] {
            if reckoned {
                reckon(site);
            }
            let told = admin.get("/api/v1/reports/overview").good();
            assert_eq!(told["licenses"]["total"], 0, "{told}");
            assert_eq!((&told["products"], &told["syncs"]["days_7"]), (&json!([]), &json!(0)));
            let told = admin.get("/api/v1/reports/series").good();
            assert_eq!(told["metric"], "licenses_active");
            assert_eq!(told["values"], json!(vec![Value::Null; 90]));
            assert_eq!(told["as_of"].is_null(), !reckoned, "{told}");
            let told = admin.get("/api/v1/reports/series?metric=syncs").good();
            assert_eq!(told["values"], json!(vec![0; 90]));
            let told = admin.get("/api/v1/reports/expiring").good();
            assert_eq!(told["ending"]["licenses"], json!(vec![0; 90]));
            assert_eq!(admin.get("/api/v1/reports/usage").good()["meters"], json!([]));
        }
    }

    fn what_cannot_be_asked_is_told(site: &Site) {
        let (admin, (_, other)) = (site.admin(), site.organization("Other"));
        let theirs = Shop::of(site.nobody().with_key(&other), "theirs");
        let shop = Shop::open(site);
        let license = theirs.license(json!({}));
        for report in ["overview", "series", "expiring", "usage"] {
            let path = format!("/api/v1/reports/{report}");
            let of = format!("{path}?product_id={}", theirs.id());
            admin.get(&of).refused(404, "not_found");
            admin.get(&format!("{path}?product_id={}", shop.id())).good();
            admin.get(&format!("{path}?product_id=x")).refused(400, "malformed");
            admin.get(&format!("{path}?other=1")).refused(400, "malformed");
            site.caller("sync issue revoke catalog").get(&path).refused(403, "forbidden");
            site.caller("read").get(&path).good();
            site.nobody().get(&path).refused(401, "unauthorized");
        }
        let of = format!("/api/v1/reports/usage?license_id={}", license["id"].as_str().unwrap());
        admin.get(&of).refused(404, "not_found");
        for wrong in [
            "series?metric=licenses", "series?from=2026-01-16", "series?from=yesterday",
            "series?from=2020-01-01", "series?to=2026-02-30", "expiring?days=0",
            "expiring?days=801", "usage?from=2026-01-15T00:00:00Z", "usage?to=9999-12-31&from=1",
        ] {
            admin.get(&format!("/api/v1/reports/{wrong}")).refused(400, "malformed");
        }
    }

    fn years_of_many_products_are_filled_in_full(site: &Site) {
        let (days, count) = (1_100, 5);
        site.clock.set(Some(BEGIN - days * DAY));
        for number in 0..count {
            let shop = Shop::of(site.admin(), &format!("app{number}"));
            shop.license(json!({ "license_type": "perpetual" }));
        }
        // The server comes years later: more rows than one transaction has.
        site.clock.set(Some(BEGIN));
        site.wait(refresh_all(&site.server)).unwrap();
        let word = "licenses_active";
        let filled = kept(site).into_iter().filter(|row| row.metric == word && row.value == 1);
        assert_eq!(filled.count() as i64, count * (days + 1));
    }

    fn a_report_at_midnight_is_of_the_day_that_begins(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let report = json!({ "license_serial": license["serial"] });
        let midnight = day_of(site.clock.now()) + DAY;
        for (at, count) in [(midnight - 1, 2), (midnight, 3), (midnight + DAY - 1, 1)] {
            site.clock.set(Some(at));
            for _ in 0..count {
                shop.admin.post("/api/v1/licenses/sync", report.clone()).good();
            }
        }
        reckon(site);
        let told = series(&shop.admin, "syncs", None, (midnight - DAY, midnight + DAY));
        assert_eq!(told, [Some(2), Some(4), None], "a day that is to come is not known");
        let told = shop.admin.get("/api/v1/reports/overview").good();
        let syncs = &told["syncs"];
        assert_eq!((&syncs["today"], &syncs["hours_24"]), (&json!(4), &json!(4)), "{told}");
        assert_eq!(syncs["days_7"], 6);
        // Hours are forgotten after a week, days are not.
        site.clock.set(Some(midnight + 20 * DAY));
        reckon(site);
        let left = kept(site).into_iter().filter(|row| row.metric == "syncs_by_hour").count();
        assert_eq!(left, 0);
        let told = series(&shop.admin, "syncs", None, (midnight - DAY, midnight));
        assert_eq!(told, [Some(2), Some(4)]);
    }
}

/// Another server on the same database.
fn second(site: &Site) -> (Shared, SocketAddr) {
    site.wait(async {
        let vault = Vault::new(&Zeroizing::new(MASTER_KEY));
        let store = site.database().open().await;
        let server = Arc::new(Server::new(store, vault, site.clock.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = api::router(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (server, address)
    })
}

#[test]
fn two_servers_count_together() {
    let Some(site) = Site::postgres() else { return };
    let shop = Shop::open(&site);
    let license = shop.license(json!({}));
    let report = json!({ "license_serial": license["serial"] });
    let (second, address) = second(&site);
    for (server, count) in [(site.address, 3), (address, 4)] {
        for _ in 0..count {
            let client = shop.admin.at(server);
            client.post("/api/v1/licenses/sync", report.clone()).good();
        }
    }
    site.wait(async {
        let (one, other) = tokio::join!(refresh(&site.server), refresh(&second));
        one.and(other).unwrap();
        refresh(&second).await.unwrap();
    });
    let now = site.clock.now();
    assert_eq!(series(&shop.admin, "syncs", None, (now, now)), [Some(7)]);
    assert_eq!(series(&shop.admin, "licenses_active", None, (now, now)), [Some(1)]);
    assert_eq!(series(&shop.admin, "licenses_created", None, (now, now)), [Some(1)]);
}
