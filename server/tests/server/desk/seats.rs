//! Seats on the desk.

use super::kit::{Browser, Page};
use super::products::{HOSTILE, by_hand, is_text};
use crate::shop::{Shop, path};
use crate::support::Site;
use serde_json::{Value, json};

fn floating(shop: &Shop) -> Value {
    shop.license(json!({
        "license_type": "floating", "max_seats": 3, "valid_days": 30, "customer_name": "Ann Ltd",
        "terms": { "seat_seconds": 60, "borrow_days": 5 },
    }))
}

fn take(site: &Site, license: &Value, holder: &str, days: Value) -> Value {
    let seat = json!({ "holder": holder, "borrow_days": days });
    site.caller("sync").post(&format!("{}/seats", path(license)), seat).good()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn free(seat: &Value) -> String {
    format!("/seats/{}/free", text(&seat["id"]))
}

fn offered(page: &Page) -> Vec<String> {
    page.links().into_iter().filter(|link| link.ends_with("/free")).collect()
}

both! {
    fn who_has_which_is_seen_until_when(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        admin.open("/seats").says("No seat is taken");
        let (license, other) = (floating(&shop), floating(&shop));
        let first = take(site, &license, "ann@desk 1", Value::Null);
        take(site, &license, HOSTILE[0], json!(2));
        take(site, &other, "zoe", Value::Null);
        let page = admin.open("/seats");
        is_text(&page, HOSTILE[0]);
        page.says("3 seats are taken now").says("ann@desk 1").says("Ann Ltd").says("borrowed");
        page.says("2026-01-15 10:31").says("2026-01-17 10:30");
        assert_eq!(offered(&page).len(), 3);
        let listed = site.admin().get("/api/v1/seats").good();
        assert_eq!((&listed["seats"][0]["serial"], &listed["seats"][0]["customer"]),
            (&other["serial"], &json!("Ann Ltd")));
        let one = site.admin().get(&format!("/api/v1/seats/{}", text(&first["id"]))).good();
        assert_eq!((&one["serial"], &one["product_id"]), (&license["serial"], &json!(shop.id())));
        let serial = text(&license["serial"]).to_lowercase();
        for (query, wanted) in [
            (format!("license={serial}"), "2 seats are taken"),
            (format!("license_id={}", text(&other["id"])), "1 seat is taken"),
            ("holder=ann%40desk+1".to_string(), "1 seat is taken"),
            (format!("license={serial}&holder=zoe"), "There are none like this now"),
        ] {
            admin.get(&format!("/seats?{query}")).is(200).says(wanted);
        }
        let page = admin.get("/seats?holder=zoe");
        let file = admin.ask("GET", &page.link("Export CSV"), None).text();
        assert!(file.contains("zoe") && !file.contains("ann@desk"), "{file}");
        let page = admin.get(&format!("/seats?holder={}", "x".repeat(129)));
        assert!(page.alert().contains("holder has 1 to 128 bytes"), "{}", page.text());
        // Who is gone has none any more.
        site.clock.set(Some(site.clock.now() + 61));
        admin.open("/seats").says("1 seat is taken now").hides("ann@desk 1");
    }

    fn freeing_does_what_its_page_says(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop);
        let seat = take(site, &license, HOSTILE[1], json!(2));
        let mut admin = Browser::admin(site);
        let page = admin.open("/seats");
        let page = admin.open(&offered(&page)[0]);
        is_text(&page, HOSTILE[1]);
        page.says("is good until 2026-01-17 10:30").says("one more user than seats");
        let list = admin.send(&page, &free(&seat), &[]);
        list.is(200).says("The seat is free for another.").says("No seat is taken");
        // The next heartbeat is refused, and whoever asks anew has one.
        let own = format!("/api/v1/seats/{}", text(&seat["id"]));
        site.caller("sync").put(&own, json!({})).refused(404, "not_found");
        let anew = take(site, &license, HOSTILE[1], Value::Null);
        assert_eq!(anew["seat"], 1);
        let page = admin.open(&free(&anew));
        page.says("floating until").hides("one more user than seats");
        site.clock.set(Some(site.clock.now() + 61));
        admin.open(&free(&anew)).says("Nobody has seat 1");
        admin.send(&page, &free(&anew), &[]).is(200);
    }

    fn whoever_may_not_is_not_offered_it_and_cannot(site: &Site) {
        let shop = Shop::open(site);
        let license = floating(&shop);
        let seat = take(site, &license, "ann", Value::Null);
        let mut reader = Browser::with_scopes(site, "read sync issue catalog");
        let page = reader.open("/seats");
        assert_eq!(offered(&page), Vec::<String>::new());
        assert_eq!(reader.send_raw(&free(&seat), &by_hand(&page)).status, 403);
        let (_, key) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &key);
        let page = other.open("/seats");
        page.hides("ann").hides(text(&license["serial"]));
        other.get(&free(&seat)).is(404);
        assert_eq!(other.send_raw(&free(&seat), &by_hand(&page)).status, 404);
        let seats = site.admin().get(&format!("{}/seats", path(&license))).good();
        assert_eq!(seats["total"], 1);
    }
}
