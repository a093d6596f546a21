//! Licenses on the desk: found, made, changed, stopped; and whether what is said of that is so.

use super::kit::{Browser, Page, encoded};
use crate::place::Place;
use crate::shop::{Shop, events, path};
use crate::support::Site;
use licentia::{Access, parse_time};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Every page of one license.
const PAGES: [&str; 8] =
    ["", "/change", "/renew", "/suspend", "/reinstate", "/reissue", "/key", "/revoke"];

/// Customers that a page has to escape.
const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>' x='",
    "{{ 7 * 7 }}</title></textarea>",
    "\u{202e}gnp.exe \u{5e9}\u{5dc}\u{5d5}\u{5dd}",
];

fn at(license: &Value) -> String {
    format!("/licenses/{}", license["id"].as_str().unwrap())
}

fn minute(text: &Value) -> String {
    text.as_str().unwrap()[..16].replace('T', " ")
}

/// Does one thing on the page that asks for it.
#[track_caller]
fn press(browser: &mut Browser, license: &Value, what: &str, typed: &[(&str, &str)]) -> Page {
    let action = format!("{}/{what}", at(license));
    let page = browser.open(&action);
    browser.send(&page, &action, typed)
}

/// The last word of a text that stands between two others.
#[track_caller]
fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} in {rest}")).0.to_string()
}

both! {
    fn a_license_is_made_from_what_was_typed(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        let page = admin.open("/licenses");
        page.says("No licenses yet");
        let page = admin.open(&page.link("New license"));
        let mut form = page.form("/licenses/new");
        for (name, value) in [
            ("product_id", shop.id()), ("license_type", "floating"), ("customer_name", "A & B <C>"),
            ("customer_email", "it@ab.example"), ("valid", "days"), ("valid_days", "30"),
            ("max_seats", "5"), ("max_machines", "9"), ("sync_days", "14"), ("ended_deny", "7"),
            ("suspended_then", "never"), ("notice_license", "3"), ("tier", "Gold"),
            ("metadata", "plan = gold\nsites = 3\nx = \"3\""),
        ] {
            form.set(name, value);
        }
        for (name, values) in [
            ("f_id", ["pro", "exports", "", "hosts"]),
            ("f_meter", ["", "month", "day", "distinct"]),
            ("f_max", ["", "9000", "1", "4"]), ("f_over", ["", "10", "", ""]),
            ("f_then", ["", "", "count", "count"]), ("f_days", ["", "", "", "7"]),
            ("f_name", ["Pro", "", "", ""]),
        ] {
            form.remove(name);
            form.fields.extend(values.map(|value| (name.to_string(), value.to_string())));
        }
        // What it will be is said before it is made, and nothing is made by that.
        let before = events(site).len();
        let beside = admin.send_raw("/licenses/preview", &form.encoded()).text();
        for said in ["2026-02-14 10:30", "Floating", "up to 9,000 each month", "2026-02-21"] {
            assert!(beside.contains(said), "{said:?} is not in {beside}");
        }
        let mut asks = form.clone();
        asks.set("do", "preview");
        let page = admin.send_form(&asks);
        page.says("up to 4 different ones in 7 days; past that it counts on");
        assert_eq!(page.form("/licenses/new").value("customer_name"), "A & B <C>");
        assert_eq!(events(site).len(), before);
        let page = admin.send_form(&form);
        page.is(200).hides("<C>").says("A & B <C>").says("this once");
        let made = shop.admin.get("/api/v1/licenses").good()["licenses"][0].clone();
        assert_eq!((&made["max_seats"], &made["max_machines"]), (&json!(5), &json!(9)));
        assert_eq!(made["valid_until"], "2026-02-14T10:30:00Z");
        let granted = json!([
            { "id": "pro", "name": "Pro" },
            { "id": "exports", "meter": "count", "per": "month", "max": 9000, "over": 10 },
            { "id": "hosts", "meter": "distinct", "days": 7, "max": 4, "then": "count" },
        ]);
        assert_eq!(made["entitlements"], granted);
        let terms = json!({
            "tier": "Gold", "sync_days": 14, "notice": { "license": 3 },
            "stages": { "ended": { "deny": 7 }, "suspended": {} },
            "metadata": { "plan": "gold", "sites": 3, "x": "3" },
        });
        assert_eq!(made["terms"], terms);
        // The key that is shown is good, and the page before has it no more than any other.
        let key = between(&page.html(), "class=\"secret\">", "<");
        Place::new(site, &shop, "host").do_it("activation", Some(&key));
        admin.open(&at(&made)).hides(&key);
        // Pressed twice, it is made once, and shows the same key.
        admin.send_form(&form).says(&key);
        assert_eq!(shop.admin.get("/api/v1/licenses").good()["total"], 1);
    }

    fn what_is_refused_is_not_lost(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        let page = admin.open("/licenses/new");
        for (name, value, sentence) in [
            ("max_seats", "many", "whole number"), ("max_seats", "0", "max_seats"),
            ("f_id", "Not An Id", "is no feature"), ("metadata", "no sign", "a line for each"),
            ("ended_read_only", "9", "rise"), ("installation", "x", "malformed"),
            ("valid_from", "never", "valid_from"), ("report", "{}", "fingerprint"),
        ] {
            let mut form = page.form("/licenses/new");
            form.set("product_id", shop.id());
            form.set("customer_name", "Typed <b>once</b>");
            form.set("ended_deny", "5");
            form.set(name, value);
            let again = admin.send_form(&form);
            assert!(matches!(again.answer.status, 400 | 422), "{name}: {}", again.html());
            if sentence != "malformed" {
                assert!(again.alert().contains(sentence), "{name}: {}", again.alert());
            }
            let kept = again.form("/licenses/new");
            assert_eq!(kept.value("customer_name"), "Typed <b>once</b>", "{name}");
            assert_eq!(kept.value(name), value);
            assert_eq!(kept.value("product_id"), shop.id());
        }
        assert_eq!(shop.admin.get("/api/v1/licenses").good()["total"], 0);
        // The text before the form says where it goes on.
        let mut form = page.form("/licenses/new");
        form.set("product_id", shop.id());
        form.set("customer_name", "two\nlines");
        let again = admin.send_form(&form);
        assert!(again.html().contains("href=\"#customer_name\""), "{}", again.alert());
    }

    fn a_form_that_nobody_touched_changes_nothing(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "license_type": "floating", "max_seats": 3, "customer_name": HOSTILE[1],
            "valid_days": 90, "hardware_binding": { "fingerprint": "host" },
            "entitlements": [
                { "id": "m", "name": "M", "meter": "count", "per": "hour", "max": 0, "over": 5 },
                { "id": "d", "meter": "distinct", "days": 3 }, { "id": "l", "meter": "level" },
            ],
            "terms": {
                "tier": "T", "description": "a = b", "support_until": "2026-06-01T01:02:03Z",
                "stages": { "ended": { "warn": 1, "read_only": 2, "deny": 3 }, "overdue": {} },
                "notice": { "license": 5, "token": 1 }, "refresh_days": 2, "token_days": 9,
                "sync_days": 4, "borrow_days": 6, "seat_seconds": 60, "max_transfers": 1,
                "bind": { "to": "machine", "need": 2, "allow_weak": true },
                "metadata": { "a": true, "b": -5, "c": "true", "d": "two\nlines" },
            },
        }));
        let mut admin = Browser::admin(site);
        let before = events(site).len();
        let page = press(&mut admin, &license, "change", &[]);
        page.says("was changed");
        assert_eq!(shop.look(&license)["terms"], license["terms"]);
        assert_eq!(shop.look(&license)["license_blob"], license["license_blob"]);
        assert_eq!(events(site).len(), before, "nothing was changed");
        let typed = [("max_seats", "7"), ("customer_name", "Other"), ("sync_days", "")];
        press(&mut admin, &license, "change", &typed).says("Other");
        let now = shop.look(&license);
        assert_eq!((&now["max_seats"], &now["max_machines"]), (&json!(7), &json!(3)));
        assert_eq!(now["terms"]["sync_days"], Value::Null);
        assert_eq!(now["terms"]["bind"], license["terms"]["bind"]);
        assert_eq!(now["entitlements"], license["entitlements"]);
    }

    fn what_can_be_done_is_done_once_and_told(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "customer_name": "Cust", "valid_days": 30 }));
        let mut admin = Browser::admin(site);
        let page = press(&mut admin, &license, "renew", &[("valid", "days"), ("valid_days", "10")]);
        page.says("was renewed").says("It is good until 2026-02-24 10:30.");
        let page = press(&mut admin, &license, "renew", &[("valid", "days"), ("valid_days", "x")]);
        let form = page.is(422).form(&format!("{}/renew", at(&license)));
        assert_eq!(form.value("valid_days"), "x");
        let page = press(&mut admin, &license, "suspend", &[("reason", "unpaid <b>")]);
        page.says("The license is suspended.").says("Why: unpaid <b>").hides("<b>");
        admin.open(&format!("{}/suspend", at(&license))).says("It is suspended already.");
        press(&mut admin, &license, "reinstate", &[]).says("good again");
        let page = press(&mut admin, &license, "key", &[]);
        let key = between(&page.html(), "class=\"secret\">", "<");
        let place = Place::new(site, &shop, "host");
        place.ask("activation", license["license_key"].as_str()).refused(404, "not_found");
        place.do_it("activation", Some(&key));
        press(&mut admin, &license, "reissue", &[]).says("signed anew");
        let file = admin.ask("GET", &format!("{}/download", at(&license)), None);
        assert!(file.header("content-disposition").unwrap().contains(".lic"));
        let page = press(&mut admin, &license, "revoke", &[("reason", "gone")]);
        page.says("was revoked").says("Revoked on 2026-01-15 10:30, for ever.").says("Why: gone");
        for what in ["/change", "/renew", "/suspend", "/revoke", "/key", "/reissue"] {
            assert!(!page.has_form(&format!("{}{what}", at(&license))), "{what} is offered");
        }
        assert_eq!(shop.look(&license)["reason"], "gone");
        // All of it is in the history, the newest first.
        let text = page.text();
        let history = &text[text.find("History").unwrap()..];
        let place = |word: &str| history.find(word).unwrap_or_else(|| panic!("{word}: {history}"));
        assert!(place("Revoked : gone") < place("Reinstated") && place("Renewed") < place("Made"));
    }

    fn what_is_said_of_a_revocation_is_what_an_installation_does(site: &Site) {
        let shop = Shop::open(site);
        let stages = json!({ "overdue": { "read_only": 2, "deny": 5 }, "ended": { "deny": 9 } });
        let license = shop.license(json!({
            "max_machines": 3, "terms": { "sync_days": 14, "stages": stages },
        }));
        let mut asks = Place::new(site, &shop, "host 1");
        let mut silent = Place::new(site, &shop, "host 2");
        for place in [&asks, &silent] {
            place.do_it("activation", license["license_key"].as_str());
        }
        asks.pass(site, DAY);
        silent.at = asks.at;
        silent.do_it("sync", None);
        let mut admin = Browser::admin(site);
        let page = admin.open(&format!("{}/revoke", at(&license)));
        page.says("2 machines have it activated. Of these 1 was heard of in the last 24 hours");
        page.says("stops with its next contact").says("cannot be undone").says("suspend it");
        let reads = between(&page.text(), "can only read from ", ", and");
        let why = " at the latest: it has to reach the server every 14 days, and 2 days of grace";
        let stops = between(&page.text(), "and stops on ", why);
        let time = |text: &str| parse_time(&format!("{}:00Z", text.replace(' ', "T"))).unwrap();
        press(&mut admin, &license, "revoke", &[]);
        // One asks, and is told.
        assert!(asks.open().allows("basic"));
        asks.do_it("sync", None);
        assert_eq!(asks.open().access("basic"), Access::Deny);
        // The other hears nothing: the page said when.
        let mut does = |at: i64, wanted: Access| {
            silent.at = at;
            assert_eq!(silent.open().access("basic"), wanted, "{}", licentia::rfc3339(at));
        };
        does(time(&reads) - 1, Access::Warn);
        does(time(&reads), Access::ReadOnly);
        does(time(&stops) - 1, Access::ReadOnly);
        does(time(&stops), Access::Deny);
    }

    fn a_license_that_nothing_stops_is_said_to_go_on_for_ever(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "valid_days": 0 }));
        let mut place = Place::new(site, &shop, "host");
        place.do_it("activation", license["license_key"].as_str());
        let mut admin = Browser::admin(site);
        for what in ["revoke", "suspend"] {
            let page = admin.open(&format!("{}/{what}", at(&license)));
            page.says("One that does not ask any more goes on for ever: the license has no end");
            page.says("Somebody who has only the file and never asks goes on for ever");
        }
        let list = format!("/api/v1/products/{}/revocations", shop.id());
        press(&mut admin, &license, "revoke", &[]);
        place.at += 9_000 * DAY;
        assert!(place.open().allows("basic"), "it goes on");
        // The list stops it, as the page says.
        let list = place.nobody.get(&list).body;
        place.open().apply(&list).unwrap();
        assert_eq!(place.open().access("basic"), Access::Deny);
    }

    fn what_is_said_of_a_suspension_is_what_an_installation_does(site: &Site) {
        let shop = Shop::open(site);
        let stages = json!({ "suspended": { "read_only": 3, "deny": 10 } });
        let license = shop.license(json!({ "terms": { "stages": stages } }));
        let mut place = Place::new(site, &shop, "host");
        place.do_it("activation", license["license_key"].as_str());
        let mut admin = Browser::admin(site);
        let page = admin.open(&format!("{}/suspend", at(&license)));
        page.says("It warns; 3 days later what is there can only be read, and 10 days later it ");
        let end = minute(&license["valid_until"]);
        page.says(&format!("stops on {end} at the latest: the license ends"));
        press(&mut admin, &license, "suspend", &[]);
        place.pass(site, DAY);
        assert_eq!(place.open().access("basic"), Access::Allow, "it has not heard of it");
        place.do_it("sync", None);
        let heard = place.at;
        for (days, wanted) in [(0, Access::Warn), (3, Access::ReadOnly), (10, Access::Deny)] {
            place.at = heard + days * DAY;
            assert_eq!(place.open().access("basic"), wanted, "after {days} days");
        }
        // A session ends by itself.
        press(&mut Browser::admin(site), &license, "reinstate", &[]);
        place.pass(site, DAY);
        place.do_it("sync", None);
        assert_eq!(place.open().access("basic"), Access::Allow);
    }

    fn texts_of_customers_are_texts(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        for hostile in HOSTILE {
            let license = shop.license(json!({
                "customer_name": hostile, "customer_id": hostile, "customer_email": hostile,
                "entitlements": [{ "id": "x", "name": hostile }],
                "terms": { "tier": hostile, "metadata": { hostile: hostile } },
            }));
            let suspend = format!("{}/suspend", path(&license));
            shop.admin.post(&suspend, json!({ "reason": hostile })).good();
            let id = at(&license);
            let mut paths: Vec<String> = PAGES.iter().map(|it| format!("{id}{it}")).collect();
            paths.extend(["/licenses".to_string()]);
            for path in paths {
                let page = admin.open(&path);
                page.says(hostile).hides("<script>alert").hides("<img src=x");
                let broken = page.html().contains("}}</title>");
                assert!(!broken, "{path}");
            }
        }
        let long = "n".repeat(255);
        let license = shop.license(json!({ "customer_name": long }));
        admin.open(&at(&license)).says(&long);
        let asked = encoded(&[("status", "<script>alert(1)"), ("product_id", "\"><b>")]);
        let page = admin.get(&format!("/licenses?{asked}"));
        page.is(200).hides("<script>alert").hides("\"><b>");
        assert!(!page.alert().is_empty());
    }

    fn what_is_another_organizations_is_not_there(site: &Site) {
        let (_, key) = site.organization("Other");
        let theirs = Shop::of(site.nobody().with_key(&key), "theirs");
        let license = theirs.license(json!({ "customer_name": "Their secret" }));
        let mut admin = Browser::admin(site);
        admin.open("/licenses").hides("Their secret");
        let nobodys = json!({ "id": "00000000-0000-7000-8000-000000000000" });
        for one in [&license, &nobodys, &json!({ "id": "x" }), &json!({ "id": "..%2Fproducts" })] {
            for page in PAGES.iter().chain(&["/download"]) {
                let page = admin.get(&format!("{}{page}", at(one)));
                page.is(404).hides("Their secret");
            }
            let csrf = admin.open("/licenses").form("/sign-out").value("csrf").to_string();
            for what in PAGES.iter().skip(1) {
                let body = encoded(&[("csrf", &csrf), ("valid_days", "9")]);
                let answer = admin.send_raw(&format!("{}{what}", at(one)), &body);
                assert_eq!(answer.status, 404, "{what}: {}", answer.text());
            }
        }
        assert_eq!(theirs.look(&license), {
            let mut same = license.clone();
            same.as_object_mut().unwrap().remove("license_key");
            same
        });
    }

    fn what_a_key_may_not_do_is_not_offered_and_not_done(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "customer_name": "Cust" }));
        let before = events(site).len();
        for (scopes, may, may_not) in [
            ("read", &[][..], &["New license", "Renew", "Change", "Suspend", "Revoke"][..]),
            ("read issue", &["Renew", "Change", "Replace"][..], &["Suspend", "Revoke"][..]),
            ("read revoke", &["Suspend", "Revoke"][..], &["Renew", "Change", "Replace"][..]),
        ] {
            let mut browser = Browser::with_scopes(site, scopes);
            let list = browser.open("/licenses").html();
            let page = browser.open(&at(&license));
            let html = page.html() + &list;
            for word in may {
                page.link(word);
            }
            for word in may_not {
                assert!(!html.contains(&format!(">{word}</a>")), "{scopes}: {word}");
            }
        }
        let mut reader = Browser::with_scopes(site, "read");
        let csrf = reader.open("/licenses").form("/sign-out").value("csrf").to_string();
        let product = ("product_id", shop.id());
        for what in PAGES.iter().skip(1) {
            let typed = [("csrf", csrf.as_str()), ("valid_days", "9"), ("customer_name", "X")];
            let answer = reader.send_raw(&format!("{}{what}", at(&license)), &encoded(&typed));
            assert_eq!(answer.status, 403, "{what}: {}", answer.text());
        }
        let answer = reader.send_raw("/licenses/new", &encoded(&[("csrf", &csrf), product]));
        assert_eq!(answer.status, 403, "{}", answer.text());
        let none = reader.send_raw("/licenses/new", &encoded(&[product]));
        assert_eq!(none.status, 403, "a form without its token");
        assert_eq!(events(site).len(), before, "nothing was done");
    }

    fn the_list_is_found_in_and_turned(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "second");
        for number in 0..30 {
            shop.license(json!({ "customer_name": format!("Customer {number:02}") }));
        }
        let found = other.license(json!({
            "customer_name": "Nordwind 50%", "customer_email": "IT@Nordwind.example",
        }));
        shop.admin.post(&format!("{}/suspend", path(&found)), json!({})).good();
        let mut admin = Browser::admin(site);
        let page = admin.open("/licenses");
        page.says("31 licenses").says("Customer 29").hides("Customer 05");
        let next = admin.open(&page.link("Next page"));
        next.says("Customer 00").says("Customer 05").hides("Customer 29").hides("Next page");
        admin.open(&next.link("First page")).says("Customer 29");
        let (id, product) = (at(&found), other.id());
        for query in [
            "search=nordwind".to_string(), "search=it%40nord".into(), "status=suspended".into(),
            "search=50%25".into(), format!("product_id={product}"),
            format!("search={}", found["serial"].as_str().unwrap().to_lowercase()),
        ] {
            let page = admin.open(&format!("/licenses?{query}"));
            page.says("1 license").says("Nordwind 50%").hides("Customer 29");
            assert!(page.links().contains(&id), "{query}");
            let csv = page.link("Export CSV");
            assert!(csv.starts_with("/exports/licenses?") && csv.contains(&query), "{csv}");
            let csv = admin.ask("GET", &csv, None);
            assert_eq!((csv.status, csv.text().lines().count()), (200, 2), "{}", csv.text());
        }
        admin.open("/licenses?search=nobody").says("None found");
    }

    fn the_list_shows_what_ends_soon(site: &Site) {
        let shop = Shop::open(site);
        for number in 0..30 {
            let days = 20 + number;
            shop.license(json!({
                "customer_name": format!("Customer {number:02}"), "valid_days": days,
            }));
        }
        let mut admin = Browser::admin(site);
        let mut form = admin.open("/licenses").form("/licenses");
        assert_eq!(form.value("ending_within_days"), "");
        form.set("ending_within_days", "30");
        let at = format!("{}?{}", form.action, form.encoded());
        let page = admin.open(&at);
        page.says("11 licenses").says("Customer 10").hides("Customer 11");
        assert_eq!(page.form("/licenses").value("ending_within_days"), "30");
        let csv = admin.ask("GET", &page.link("Export CSV"), None);
        assert_eq!((csv.status, csv.text().lines().count()), (200, 12), "{}", csv.text());
        // Days that are not offered are kept as they were asked for, also from page to page.
        let page = admin.open("/licenses?ending_within_days=48&status=active");
        page.says("29 licenses").says("Customer 28").hides("Customer 29");
        let page = admin.open(&page.link("Next page"));
        page.says("29 licenses").says("Customer 00").hides("Customer 28").hides("Next page");
        let form = page.form("/licenses");
        assert_eq!((form.value("ending_within_days"), form.value("status")), ("48", "active"));
        let page = admin.open(&page.link("First page"));
        page.says("29 licenses");
        admin.open("/licenses?ending_within_days=7").says("None found").says("Show all");
        for bad in ["0", "3651", "x", "\"><b>"] {
            let asked = encoded(&[("ending_within_days", bad)]);
            let page = admin.open(&format!("/licenses?{asked}"));
            assert!(!page.alert().is_empty(), "{bad}: {}", page.html());
            page.hides("<b>");
            assert_eq!(page.form("/licenses").value("ending_within_days"), bad);
        }
    }
}
