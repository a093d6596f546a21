//! Events on the desk, and files of them.

use super::kit::Browser;
use crate::shop::Shop;
use crate::support::Site;
use serde_json::json;

both! {
    fn events_are_listed_and_filtered(site: &Site) {
        let mut admin = Browser::admin(site);
        admin.open("/events").says("No events");
        let shop = Shop::open(site);
        let license = shop.license(json!({ "customer_id": "<b>\"c\"</b>" }));
        let (id, serial) = (license["id"].as_str().unwrap(), license["serial"].as_str().unwrap());
        let page = admin.open("/events");
        page.says("license.created").says("product.created").says(serial).hides("<b>");
        assert!(page.links().contains(&format!("/licenses/{id}")));
        assert!(page.links().contains(&format!("/products/{}", shop.id())));
        page.says("<b>\\\"c\\\"</b>");
        let page = admin.open("/events?kind=license.created");
        page.says(serial).hides("<code>product.created");
        assert_eq!(page.form("/events").value("kind"), "license.created");
        let page = admin.open(&format!("/events?subject={}", shop.id()));
        page.says("product.created").hides("<code>license.created");
        admin.open("/events?kind=license.revoked").says("There are none of this kind");
    }

    fn a_filter_that_is_none_is_told_and_kept(site: &Site) {
        Shop::open(site);
        let mut admin = Browser::admin(site);
        let page = admin.open("/events?kind=a%20b&subject=%3Cb%3E");
        assert!(page.alert().contains("without spaces"), "{}", page.alert());
        assert_eq!(page.form("/events").value("kind"), "a b");
        assert_eq!(page.form("/events").value("subject"), "<b>");
        page.hides("<b>");
    }

    fn pages_follow_each_other_with_their_filters(site: &Site) {
        let shop = Shop::open(site);
        for _ in 0..21 {
            shop.license(json!({}));
        }
        let mut admin = Browser::admin(site);
        let first = admin.open("/events?kind=license.created");
        let next = first.link("Next page");
        assert!(next.starts_with("/events?kind=license.created&cursor="), "{next}");
        let second = admin.open(&next);
        let count = |html: &str| html.matches("<code>license.created</code>").count();
        assert_eq!((count(&first.html()), count(&second.html())), (20, 1));
        assert_eq!(second.link("First page"), "/events?kind=license.created");
    }

    fn files_are_made_of_lists(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        let serial = license["serial"].as_str().unwrap();
        let mut admin = Browser::admin(site);
        for list in ["licenses", "activations", "seats", "usage", "events", "audit", "deliveries"] {
            let file = admin.ask("GET", &format!("/exports/{list}"), None);
            assert_eq!(file.status, 200, "{list}: {}", file.text());
            assert!(file.header("content-type").unwrap().starts_with("text/csv"), "{list}");
            let named = file.header("content-disposition").unwrap();
            assert!(named.starts_with("attachment") && named.contains(list), "{named}");
        }
        let page = admin.open("/events?kind=license.created");
        let file = admin.ask("GET", &page.link("Export as CSV"), None);
        assert_eq!(file.text().trim().lines().count(), 2, "{}", file.text());
        assert!(file.text().contains(serial));
        admin.get("/exports/keys").is(404);
        admin.get("/exports/..%2Fapi-keys").is(404);
        admin.get("/exports/events?kind=a%20b").is(400).says("without spaces");
        let (_, key) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &key);
        let file = other.ask("GET", "/exports/licenses", None);
        assert!(!file.text().contains(serial));
        let nobody = Browser::new(site.nobody()).ask("GET", "/exports/licenses", None);
        assert_eq!(nobody.status, 303);
    }
}
