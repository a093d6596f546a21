//! Usage on the desk.

use super::kit::{Browser, attribute, tags};
use crate::shop::Shop;
use crate::support::{BEGIN, Site};
use licentia_server::store::figures::{self, Put};
use licentia_server::store::usage;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// Notes what was used of a meter on days before today.
fn used(site: &Site, product: &str, label: &str, days: &[(i64, i64)]) {
    let row = |(ago, value): &(i64, i64)| figures::Model {
        organization_id: site.organization,
        metric: "usage".into(),
        product_id: Uuid::parse_str(product).unwrap(),
        label: label.into(),
        day: (BEGIN - ago * DAY) / DAY * DAY,
        value: *value,
        updated_at: BEGIN,
    };
    let rows = days.iter().map(row).collect();
    site.wait(async {
        let tx = site.server.store.begin().await.unwrap();
        figures::put(&tx, rows, Put::Set).await.unwrap();
        tx.commit().await.unwrap();
    });
}

both! {
    fn meters_are_listed_and_one_is_drawn(site: &Site) {
        let (shop, other) = (Shop::open(site), Shop::of(site.admin(), "other"));
        let mut admin = Browser::admin(site);
        admin.open("/usage").says("Nothing was used");
        used(site, shop.id(), "exports day", &[(0, 1_200), (1, 34), (40, 5)]);
        used(site, shop.id(), "hosts level", &[(14, 7)]);
        used(site, other.id(), "<b>scans</b> day", &[(2, 9)]);
        let page = admin.open("/usage");
        page.says("1,239").says("the highest level of each month").says("7 at most").hides("<b>");
        let page = admin.open("/usage?feature=exports&days=30");
        page.says("1,234").hides("1,239");
        let html = page.html();
        let figure = tags(&html, "figure").next().unwrap().0;
        let data = attribute(figure, "data-chart").unwrap();
        let data: Value = serde_json::from_str(&data).unwrap();
        let values = data["series"][0]["values"].as_array().unwrap();
        assert_eq!((values.len(), &values[29], &values[28]), (30, &1_200.into(), &34.into()));
        let page = admin.open(&format!("/usage?product_id={}", other.id()));
        page.says("<b>scans</b>").hides("hosts");
        assert_eq!(page.form("/usage").value("feature"), "<b>scans</b>");
        let page = admin.open("/usage?feature=none");
        page.says("none has nothing over time");
        assert_eq!(page.form("/usage").value("feature"), "none");
        let long = "x".repeat(65);
        let page = admin.open(&format!("/usage?feature={long}"));
        assert!(!page.alert().is_empty());
        let (_, key) = site.organization("Other");
        Browser::of(site.nobody(), &key).open("/usage").says("Nothing was used");
    }

    fn the_file_has_what_the_page_has(site: &Site) {
        let (shop, other) = (Shop::open(site), Shop::of(site.admin(), "other"));
        let (one, two) = (shop.license(json!({})), other.license(json!({})));
        let row = |license: &Value, feature: &str, ago: i64| usage::Model {
            organization_id: site.organization,
            license_id: license["id"].as_str().unwrap().parse().unwrap(),
            activation_id: Uuid::from_u128(1),
            feature: feature.to_string(),
            kind: "day".to_string(),
            period: (BEGIN - ago * DAY) / DAY * DAY,
            lost: 0,
            used: 1,
            updated_at: BEGIN,
        };
        let rows = vec![row(&one, "exports", 1), row(&one, "exports", 60), row(&two, "scans", 2)];
        site.wait(usage::put(site.server.store.read(), rows)).unwrap();
        let mut admin = Browser::admin(site);
        for (query, count, has) in [
            (String::new(), 3, ["exports", "scans"]),
            ("?days=30".into(), 2, ["exports", "scans"]),
            (format!("?product_id={}", shop.id()), 2, ["exports", "exports"]),
            (format!("?product_id={}&days=30", shop.id()), 1, ["exports", "exports"]),
            (format!("?product_id={}", other.id()), 1, ["scans", "scans"]),
        ] {
            let page = admin.open(&format!("/usage{query}"));
            let file = admin.ask("GET", &page.link("Export as CSV"), None);
            let text = file.text();
            assert_eq!((file.status, text.lines().count()), (200, count + 1), "{query}: {text}");
            assert!(has.iter().all(|feature| text.contains(feature)), "{query}: {text}");
        }
    }
}
