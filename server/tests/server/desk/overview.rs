//! The first page.

use super::kit::{Browser, Page, attribute, tags};
use crate::shop::{Shop, path};
use crate::support::Site;
use crate::webhooks::receiver::{Receiver, Reply};
use crate::webhooks::{Post, id};
use serde_json::{Value, json};

/// What a tile says.
#[track_caller]
fn tile(page: &Page, name: &str) -> String {
    let text = page.text();
    let (_, after) = text.split_once(name).unwrap_or_else(|| panic!("no {name}: {text}"));
    after.split_whitespace().next().unwrap().to_string()
}

fn reckon(site: &Site) {
    site.wait(licentia_server::reports::refresh(&site.server)).unwrap();
}

/// What the charts of a page are drawn from, by their titles.
fn charts(page: &Page) -> Vec<(String, Value)> {
    let html = page.html();
    let figure = |(tag, rest): (&str, &str)| {
        let data = attribute(tag, "data-chart")?;
        let title = rest.split_once("<figcaption>")?.1.split('<').next()?.trim().to_string();
        Some((title, serde_json::from_str(&data).unwrap()))
    };
    tags(&html, "figure").filter_map(figure).collect()
}

both! {
    fn whoever_begins_is_told_where(site: &Site) {
        let mut admin = Browser::admin(site);
        let page = admin.open("/");
        page.says("First steps").says("Make a key pair").says("desk.signed_in");
        assert_eq!(tile(&page, "Active licenses"), "0");
        assert!(charts(&page).is_empty());
        Shop::open(site);
        let page = admin.open("/");
        assert_eq!(page.text().matches("done").count(), 2);
    }

    fn the_numbers_are_those_of_the_licenses(site: &Site) {
        let shop = Shop::open(site);
        let other = Shop::of(site.admin(), "other");
        for days in [3, 20, 60, 300] {
            shop.license(json!({ "valid_days": days, "max_seats": 10 }));
        }
        other.license(json!({}));
        let suspended = shop.license(json!({}));
        let revoked = shop.license(json!({}));
        shop.admin.post(&format!("{}/suspend", path(&suspended)), json!({})).good();
        shop.admin.delete(&path(&revoked)).good();
        reckon(site);
        let mut admin = Browser::admin(site);
        let page = admin.open("/");
        page.hides("First steps").says("of 7 in all, 1 suspended").says("license.revoked");
        assert_eq!(tile(&page, "Active licenses"), "5");
        assert_eq!(tile(&page, "End within 30 days"), "2");
        page.says("of 41 granted").says("By product");
        // What ends soon leads to just these.
        for (link, count, days) in [
            ("2", "2 licenses", 30), ("1 within 7 days", "1 license", 7),
            ("3 within 90", "3 licenses", 90), ("1 license ends within 7 days", "1 license", 7),
        ] {
            let to = page.link(link);
            assert_eq!(to, format!("/licenses?ending_within_days={days}"));
            admin.open(&to).says(count).hides("None found");
        }
        let page = admin.open(&format!("/?product_id={}&days=30", other.id()));
        assert_eq!(tile(&page, "Active licenses"), "1");
        page.hides("By product");
        let link = format!("/licenses?product_id={}&status=active", other.id());
        assert!(page.links().contains(&link), "{:?}", page.links());
        let page_of = admin.open(&format!("/?product_id={}", shop.id()));
        for link in ["2", "1 within 7 days", "1 license ends within 7 days"] {
            let to = page_of.link(link);
            assert!(to.contains(&format!("product_id={}&ending", shop.id())), "{to}");
        }
        let form = page.form("/");
        assert_eq!((form.value("product_id"), form.value("days")), (other.id(), "30"));
        admin.get("/?product_id=x").is(400);
        admin.get("/?product_id=01a204a1-2e78-7608-858e-76bd7f9ba543").is(404);
    }

    fn charts_have_their_numbers_in_tables(site: &Site) {
        let shop = Shop::open(site);
        shop.license(json!({ "valid_days": 10 }));
        shop.license(json!({ "valid_days": 10 }));
        reckon(site);
        let mut admin = Browser::admin(site);
        for (days, points) in [("30", 30), ("90", 90), ("365", 53), ("7", 90)] {
            let page = admin.open(&format!("/?days={days}"));
            let all = charts(&page);
            let titles: Vec<&str> = all.iter().map(|(title, _)| title.as_str()).collect();
            assert_eq!(titles.len(), 6, "{titles:?}");
            let active = &all.iter().find(|(title, _)| title == "Active licenses").unwrap().1;
            assert_eq!(active["days"].as_array().unwrap().len(), points, "{days}");
            assert_eq!(active["series"][0]["values"][points - 1], 2);
            let ends = &all.iter().find(|(title, _)| title == "Licenses that end").unwrap().1;
            assert_eq!(ends["series"][0]["values"][10], 2);
            let html = page.html();
            assert!(html.contains("<th scope=\"row\">2026-01-25</th><td class=\"number\">2</td>"));
        }
    }

    fn what_needs_a_look_is_told(site: &Site) {
        let (post, to) = (Post::new(site), Receiver::with(|_| Reply::status(500)));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        let keyless = json!({ "name": "<b>Keyless</b>", "code": "keyless" });
        site.admin().post("/api/v1/products", keyless).good();
        let mut admin = Browser::admin(site);
        let page = admin.open("/");
        page.says("<b>Keyless</b> has no key pair").hides("<b>").hides("Nothing has arrived at");
        for _ in 0..12 {
            post.send();
            site.clock.set(Some(site.clock.now() + 7 * 86_400));
        }
        let mut admin = Browser::admin(site);
        let page = admin.open("/");
        page.says("Nothing has arrived at").says("1 delivery was tried for the last time");
        assert_eq!(tile(&page, "Webhook deliveries"), "1");
        let dead = format!("/webhooks/{}?state=dead", id(&webhook));
        assert!(page.links().contains(&dead), "{:?}", page.links());
        admin.open(&dead).says("product.created");
        let (_, key) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &key);
        other.open("/").hides("Keyless").hides("Needs a look").hides("127.0.0.1");
    }
}
