//! Activations on the desk: found, looked at, and ended with words that are true.

use super::kit::{Browser, Page};
use super::products::{HOSTILE, by_hand, is_text};
use crate::place::Place;
use crate::shop::{Shop, path};
use crate::support::{BEGIN, Site};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

fn all(site: &Site, query: &str) -> Vec<Value> {
    let all = site.admin().get(&format!("/api/v1/activations{query}")).good();
    assert_eq!(all["total"], all["activations"].as_array().unwrap().len());
    all["activations"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn key(license: &Value) -> &str {
    text(&license["license_key"])
}

both! {
    fn they_are_found_by_license_machine_and_state(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        admin.open("/activations").says("No activations").says("as soon as a customer activates");
        let ann = shop.license(json!({ "customer_name": "Ann", "max_machines": 2 }));
        let bert = shop.license(json!({ "customer_email": "bert@b.example" }));
        let places = ["one", "two"].map(|name| Place::new(site, &shop, name));
        for place in &places {
            place.do_it("activation", Some(key(&ann)));
        }
        Place::new(site, &shop, "three").do_it("activation", Some(key(&bert)));
        places[1].do_it("deactivation", None);
        let rows = all(site, "");
        assert_eq!(rows.len(), 3);
        assert_eq!((&rows[0]["customer"], &rows[2]["customer"]),
            (&json!("bert@b.example"), &json!("Ann")));
        assert_eq!((&rows[0]["serial"], &rows[0]["product_id"]),
            (&bert["serial"], &json!(shop.id())));
        let page = admin.open("/activations");
        page.says("3 activations").says("Ann").says("bert@b.example").says("given back");
        let machine = text(&rows[2]["machine"]);
        let serial = text(&ann["serial"]).to_lowercase();
        for (query, wanted) in [
            (format!("license={serial}"), 2),
            (format!("license={}", text(&ann["id"])), 2),
            (format!("license_id={}", text(&bert["id"])), 1),
            (format!("machine={machine}"), 1),
            (format!("license={serial}&active=true"), 1),
            ("active=false".to_string(), 1),
        ] {
            let page = admin.get(&format!("/activations?{query}"));
            page.is(200).says(&format!("{wanted} activation"));
            // The file has the same.
            let file = admin.ask("GET", &page.link("Export CSV"), None).text();
            assert_eq!(file.lines().count(), 1 + wanted, "{query}: {file}");
        }
        let page = admin.get("/activations?license=LIC-NONE-00000000");
        assert!(page.alert().contains("There is no license LIC-NONE-00000000"), "{}", page.text());
        admin.get("/activations?machine=nothing").says("There are none like this");
        let page = admin.get("/activations?active=maybe");
        assert!(!page.alert().is_empty(), "{}", page.text());
        let installation = text(&rows[1]["installation"]);
        assert_eq!(all(site, &format!("?installation={installation}")), [rows[1].clone()]);
        assert_eq!(all(site, &format!("?machine={machine}")), [rows[2].clone()]);
    }

    fn the_next_page_keeps_what_was_asked_for(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({ "max_machines": 30 }));
        for at in 0..23 {
            Place::new(site, &shop, &format!("m{at}")).do_it("activation", Some(key(&license)));
        }
        let mut admin = Browser::admin(site);
        let page = admin.open("/activations?active=true");
        let more = page.link("Next page");
        assert!(more.contains("active=true"), "{more}");
        let next = admin.get(&more);
        let shown = |page: &Page| {
            let links = page.links();
            links.into_iter().filter(|it| it.starts_with("/activations/")).collect::<Vec<_>>()
        };
        let (first, rest) = (shown(&page), shown(&next));
        assert_eq!((first.len(), rest.len()), (20, 3));
        assert!(!first.iter().any(|it| rest.contains(it)));
    }

    fn one_says_what_is_known_of_it(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "license_type": "node_locked", "valid_days": 30, "customer_name": HOSTILE[0],
            "terms": { "refresh_days": 5, "token_days": 10 },
            "entitlements": [{ "id": "exports", "meter": "count", "per": "month", "max": 100 }],
        }));
        let place = Place::new(site, &shop, "one");
        place.do_it("activation", Some(key(&license)));
        place.open().record("exports", 7).unwrap();
        place.do_it("sync", None);
        let row = all(site, "").remove(0);
        let one = format!("/activations/{}", text(&row["id"]));
        let detail = site.admin().get(&format!("/api/v1{one}")).good();
        assert_eq!(detail["token"]["good_until"], "2026-01-25T10:30:00Z");
        assert_eq!(detail["token"]["renew_by"], "2026-01-25T10:30:00Z");
        assert_eq!(detail["token"]["installation"], false);
        assert_eq!(detail["token"]["machine_needs"], 1);
        assert_eq!(detail["report"]["parts"][0]["kind"], "identity");
        let shown = detail.to_string();
        // A token shows who has the license, and a hash which machine it is.
        for secret in ["jti", "hash", "eyJ"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        let usage = site.admin().get(&format!("/api/v1{one}/usage")).good();
        let used = json!([{ "feature": "exports", "kind": "month",
            "from": "2026-01-01T00:00:00Z", "used": 7, "activations": 1 }]);
        assert_eq!((&usage["usage"], &usage["total"]), (&used, &json!(1)));
        let mut admin = Browser::admin(site);
        let page = admin.open(&one);
        is_text(&page, HOSTILE[0]);
        page.says("2026-01-25 10:30 , without the server").says("licentia/").says("exports");
        page.says("1 of 1 kinds of parts").says("What the host says").says("live");
        page.says(text(&row["installation"])).says(text(&row["public_key"]));
        is_text(&admin.open("/activations"), HOSTILE[0]);
        is_text(&admin.open(&format!("{one}/deactivate")), HOSTILE[0]);
    }

    fn usage_is_that_of_the_one_installation(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "max_machines": 2,
            "entitlements": [{ "id": "exports", "meter": "count", "per": "ever" }],
        }));
        for (name, used) in [("one", 3), ("two", 4)] {
            let place = Place::new(site, &shop, name);
            place.do_it("activation", Some(key(&license)));
            place.open().record("exports", used).unwrap();
            place.do_it("sync", None);
        }
        let rows = all(site, "");
        let used = |at: usize| {
            let path = format!("/api/v1/activations/{}/usage", text(&rows[at]["id"]));
            site.caller("read").get(&path).good()["usage"][0]["used"].clone()
        };
        assert_eq!((used(1), used(0)), (json!(3), json!(4)));
        let both = site.admin().get(&format!("{}/usage", path(&license))).good();
        assert_eq!(both["usage"][0]["used"], 7);
        let none = "/api/v1/activations/019b0000-0000-7000-8000-000000000000/usage";
        site.admin().get(none).refused(404, "not_found");
    }

    fn deactivating_does_what_its_page_says(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({
            "license_type": "floating", "valid_days": 40, "max_machines": 1, "max_seats": 2,
            "terms": { "refresh_days": 10, "token_days": 20, "borrow_days": 5 },
        }));
        let mut place = Place::new(site, &shop, "one");
        place.do_it("activation", Some(key(&license)));
        let installation = all(site, "")[0]["installation"].clone();
        for (holder, days) in [("ann", Value::Null), ("bert", json!(3))] {
            let seat =
                json!({ "holder": holder, "installation": installation, "borrow_days": days });
            site.admin().post(&format!("{}/seats", path(&license)), seat).good();
        }
        let one = format!("/activations/{}", text(&all(site, "")[0]["id"]));
        let mut admin = Browser::admin(site);
        let page = admin.open(&one);
        let page = admin.open(&page.link("Deactivate"));
        page.says("until 2026-02-04 10:30 (UTC)").says("1 floating seat of it comes free");
        page.says("1 seat that it has borrowed stays its own").says("gets no newer file");
        let after = admin.send(&page, &format!("{one}/deactivate"), &[]);
        after.is(200).says("The machine is free for another.").says("freed by you");
        assert!(!after.links().contains(&format!("{one}/deactivate")));
        assert_eq!(all(site, "?active=true"), Vec::<Value>::new());
        let seats = site.admin().get(&format!("{}/seats", path(&license))).good();
        assert_eq!((&seats["total"], &seats["seats"][0]["holder"]), (&json!(1), &json!("bert")));
        // It goes on, also after it has heard of it, until the file ends: and then it does not.
        assert!(place.open().allows("basic"));
        place.pass(site, 19 * DAY);
        let answer = place.ask("sync", None).good();
        assert!(text(&answer["message"]).contains("was deactivated here"), "{answer}");
        assert_eq!(Place::said(&answer)["license"], Value::Null);
        place.open().apply(text(&answer["answer"]).as_bytes()).unwrap();
        assert!(place.open().allows("basic"));
        place.pass(site, BEGIN + 20 * DAY - place.at);
        assert!(!place.open().allows("basic"));
        // Pressed again, there is nothing to do.
        let mut admin = Browser::admin(site);
        admin.open(&format!("{one}/deactivate")).says("free already");
    }

    fn whoever_may_not_is_not_offered_it_and_cannot(site: &Site) {
        let shop = Shop::open(site);
        let license = shop.license(json!({}));
        Place::new(site, &shop, "one").do_it("activation", Some(key(&license)));
        let one = format!("/activations/{}", text(&all(site, "")[0]["id"]));
        let mut reader = Browser::with_scopes(site, "read issue catalog sync");
        let page = reader.open(&one);
        page.hides(">Deactivate<");
        let (body, deed) = (by_hand(&page), format!("{one}/deactivate"));
        assert_eq!(reader.send_raw(&deed, &body).status, 403);
        let mut browser = Browser::with_scopes(site, "read revoke");
        browser.open(&one).says("Deactivate");
        // Without what only the page of the session has, nothing is done.
        assert_eq!(browser.send_raw(&deed, "csrf=x").status, 403);
        assert_eq!(all(site, "?active=true").len(), 1);
        let (_, key) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &key);
        other.open("/activations").says("No activations").hides(text(&license["serial"]));
        other.get(&one).is(404);
        other.get(&deed).is(404);
        let body = by_hand(&other.open("/activations"));
        assert_eq!(other.send_raw(&deed, &body).status, 404);
        let page = other.get(&format!("/activations?license={}", text(&license["id"])));
        assert!(page.alert().contains("There is no license"), "{}", page.text());
        assert_eq!(all(site, "?active=true").len(), 1);
    }
}
