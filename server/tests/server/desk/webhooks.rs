//! Webhooks and their deliveries on the desk.

use super::kit::{Browser, Page};
use crate::shop::{Shop, events};
use crate::support::Site;
use crate::webhooks::receiver::{Receiver, Reply};
use crate::webhooks::{Post, id, text};
use serde_json::{Value, json};

const URL: &str = "https://hooks.example.com/licentia";

/// Longer than anything is tried.
const WEEK: i64 = 7 * 86_400;

/// Makes one with the form. Gives the page that has the secret.
fn make(admin: &mut Browser, url: &str) -> Page {
    let page = admin.open("/webhooks/new");
    admin.send(&page, "/webhooks/new", &[("url", url), ("description", "Billing")])
}

/// The secret that a page shows.
#[track_caller]
fn secret(page: &Page) -> String {
    let html = page.html();
    let (_, after) = html.split_once("id=\"secret\">").unwrap_or_else(|| panic!("{html}"));
    after.split_once('<').unwrap().0.to_string()
}

fn all(site: &Site) -> Vec<Value> {
    site.admin().get("/api/v1/webhooks").good()["webhooks"].as_array().unwrap().clone()
}

/// What a form of the page sends as the kinds of events.
fn chosen(page: &Page, action: &str) -> Vec<String> {
    let fields = page.form(action).fields.into_iter();
    fields.filter(|(name, _)| name == "events").map(|(_, value)| value).collect()
}

both! {
    fn one_is_made_and_its_secret_is_shown_once(site: &Site) {
        let mut admin = Browser::admin(site);
        admin.open("/webhooks").says("No webhooks yet");
        let page = admin.open("/webhooks/new");
        page.says("license.revoked").says("A license was revoked, for ever");
        let mut form = page.form("/webhooks/new");
        form.set("url", URL);
        form.set("which", "some");
        form.fields.push(("events".into(), "license.created".into()));
        form.fields.push(("events".into(), "license.revoked".into()));
        let shown = admin.send_form(&form);
        shown.is(200).says("shown this once").says("webhook-signature");
        assert_eq!(shown.answer.header("cache-control"), Some("no-store"));
        let (first, webhook) = (secret(&shown), all(site).remove(0));
        assert!(first.starts_with("whsec_"), "{first}");
        assert_eq!(webhook["url"], URL);
        assert_eq!(webhook["events"], json!(["license.created", "license.revoked"]));
        // Pressed twice, there is one, and the secret is not lost.
        assert_eq!(secret(&admin.send_form(&form)), first);
        assert_eq!(all(site).len(), 1);
        // After that nobody sees it.
        let one = format!("/webhooks/{}", id(&webhook));
        for path in [one.as_str(), "/webhooks", "/events", "/audit", "/audit/1"] {
            admin.open(path).hides(&first["whsec_".len()..]);
        }
        admin.open(&one).says(URL).says("license.revoked").says("enabled");
        admin.open("/webhooks").says(URL).says("license.created and 1 more").says("none yet");
    }

    fn what_is_refused_is_still_in_the_form(site: &Site) {
        let shop = Shop::open(site);
        let mut admin = Browser::admin(site);
        let page = admin.open("/webhooks/new");
        let mut form = page.form("/webhooks/new");
        form.set("description", "<b>\"Billing\"</b>");
        form.set("product_id", shop.id());
        form.set("which", "some");
        form.fields.push(("events".into(), "seat.acquired".into()));
        for url in ["http://hooks.example.com/", "https://127.0.0.1/", "https://[::1]/", "x", ""] {
            form.set("url", url);
            let again = admin.send_form(&form);
            again.is(422).hides("<b>");
            assert!(!again.alert().is_empty(), "{url}");
            let kept = again.form("/webhooks/new");
            assert_eq!((kept.value("url"), kept.value("product_id")), (url, shop.id()));
            assert_eq!(kept.value("description"), "<b>\"Billing\"</b>");
            assert_eq!(kept.value("which"), "some");
            assert_eq!(chosen(&again, "/webhooks/new"), ["seat.acquired"]);
            assert_ne!(kept.value("once"), form.value("once"), "it is another request");
        }
        form.set("url", URL);
        form.remove("events");
        let again = admin.send_form(&form);
        assert!(again.alert().contains("at least one kind"), "{}", again.alert());
        assert_eq!(all(site).len(), 0);
        admin.open("/webhooks").says("No webhooks yet");
    }

    fn one_is_changed_and_disabled_and_enabled(site: &Site) {
        let mut admin = Browser::admin(site);
        make(&mut admin, URL);
        let one = format!("/webhooks/{}", id(&all(site)[0]));
        let edit = format!("{one}/edit");
        let page = admin.open(&edit);
        assert_eq!(page.form(&edit).value("url"), URL);
        assert_eq!(page.form(&edit).value("which"), "all");
        let typed = [("which", "some"), ("events", "license.sync"), ("description", "<i>x")];
        let page = admin.send(&page, &edit, &typed);
        page.is(200).says("The webhook was changed").says("license.sync").hides("<i>");
        let page = admin.open(&edit);
        assert_eq!(chosen(&page, &edit), ["license.sync"]);
        assert_eq!(all(site)[0]["description"], "<i>x");
        let enabled = format!("{one}/enabled");
        let page = admin.open(&one);
        let page = admin.send(&page, &enabled, &[("enabled", "no")]);
        page.says("The webhook is disabled").says("Nothing is sent while");
        assert!(!page.has_form(&format!("{one}/test")), "nothing can be sent");
        assert_eq!(all(site)[0]["enabled"], false);
        let page = admin.send(&page, &enabled, &[("enabled", "yes")]);
        page.says("The webhook is enabled");
        assert_eq!(all(site)[0]["enabled"], true);
    }

    fn the_secret_is_rotated(site: &Site) {
        let mut admin = Browser::admin(site);
        let first = secret(&make(&mut admin, URL));
        let one = format!("/webhooks/{}", id(&all(site)[0]));
        let rotate = format!("{one}/rotate");
        let page = admin.open(&rotate);
        page.says("beside the old one");
        let shown = admin.send(&page, &rotate, &[("overlap_seconds", "3600")]);
        shown.is(200).says("2026-01-15 11:30 the old secret signs beside this one");
        let second = secret(&shown);
        assert!(second.starts_with("whsec_") && second != first);
        admin.open(&one).says("Until 2026-01-15 11:30").hides(&second);
        let page = admin.open(&rotate);
        page.says("was rotated lately");
        for wrong in ["604801", "-1", "x"] {
            let again = admin.send(&page, &rotate, &[("overlap_seconds", wrong), ("once", wrong)]);
            assert!(!again.alert().is_empty(), "{wrong}");
        }
        let shown = admin.send(&page, &rotate, &[("overlap_seconds", "0")]);
        shown.says("The old secret signs nothing any more");
    }

    fn a_delivery_is_followed_to_its_end_and_sent_again(site: &Site) {
        let (post, to) = (Post::new(site), Receiver::with(|_| Reply::status(503)));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        let one = format!("/webhooks/{}", id(&webhook));
        post.happen("a", 1);
        post.send();
        let mut admin = Browser::admin(site);
        admin.open("/webhooks").says("failing").says("2026-01-15 10:30").says("503");
        let page = admin.open(&one);
        page.says("nothing has arrived since").says("1 delivery waiting").says("tried again");
        assert!(!page.has_form(&format!("{one}/resend-dead")), "none is dead");
        let delivery = format!("/deliveries/{}", id(&post.deliveries(&webhook, "")[0]));
        let page = admin.open(&delivery);
        page.says("said 503").says("\"type\": \"product.created\"").says("Next try");
        let again = format!("{delivery}/resend");
        let page = admin.send(&page, &again, &[]);
        page.is(200).says("It is sent again");
        for _ in 0..12 {
            post.send();
            site.clock.set(Some(site.clock.now() + WEEK));
        }
        let mut admin = Browser::admin(site);
        let page = admin.open(&one);
        page.says("1 delivery dead");
        let tries = to.count();
        admin.open(&format!("{one}?state=dead")).says("product.created");
        admin.open(&format!("{one}?state=delivered")).says("None is like that");
        admin.open(&format!("{one}?kind=license.created")).says("None is like that");
        let odd = admin.get(&format!("{one}?state=odd"));
        assert!(!odd.alert().is_empty());
        to.answer(|_| Reply::status(200));
        let resend = format!("{one}/resend-dead");
        let form = page.form(&resend);
        admin.send_form(&form).says("All dead deliveries are sent again");
        post.send();
        assert_eq!(to.count(), tries + 1);
        let got = to.got();
        assert!(got.iter().all(|it| it.id() == got[0].id()), "it is the same each time");
        admin.open(&delivery).says("delivered").says("said 200");
        admin.open(&one).says("enabled").hides("nothing has arrived");
        let form = admin.open(&format!("{one}?done=resent")).has_form(&resend);
        assert!(!form, "nothing is dead");
    }

    fn a_test_is_sent(site: &Site) {
        let (post, to) = (Post::new(site), Receiver::new());
        let webhook = post.webhook(&to, json!({ "events": ["license.revoked"] }));
        let mut admin = Browser::admin(site);
        let one = format!("/webhooks/{}", id(&webhook));
        let page = admin.open(&one);
        let form = page.form(&format!("{one}/test"));
        let first = admin.send_form(&form);
        first.says("A test is on its way").says("webhook.test");
        let second = admin.send_form(&form);
        assert_eq!(first.at, second.at, "pressed twice, it is one test");
        post.send();
        assert_eq!(to.count(), 1);
        assert!(to.got()[0].is_signed(text(&webhook, "secret")));
        admin.open(&first.at).says("delivered");
        // One that was disabled meanwhile sends none.
        let body = json!({ "enabled": false });
        post.admin.put(&format!("/api/v1/webhooks/{}", id(&webhook)), body).good();
        let form = page.form(&format!("{one}/test"));
        let mut form = form;
        form.set("once", "other");
        let again = admin.send_form(&form);
        again.is(422);
        assert!(again.alert().contains("enable it first"), "{}", again.alert());
    }

    fn it_is_deleted_after_a_word_of_what_is_lost(site: &Site) {
        let (post, to) = (Post::new(site), Receiver::with(|_| Reply::status(500)));
        let webhook = post.webhook(&to, json!({}));
        post.happen("a", 2);
        post.fan_out();
        let mut admin = Browser::admin(site);
        let one = format!("/webhooks/{}", id(&webhook));
        let delete = format!("{one}/delete");
        let page = admin.open(&delete);
        page.says("3 deliveries that wait for it will never arrive");
        assert_eq!(all(site).len(), 1, "looking deletes nothing");
        let page = admin.send(&page, &delete, &[]);
        page.says("The webhook was deleted").says("No webhooks yet");
        assert_eq!(all(site).len(), 0);
        admin.get(&one).is(404).says("Not found");
        assert!(events(site).contains(&"webhook.deleted".to_string()));
    }

    fn who_may_only_read_changes_nothing(site: &Site) {
        let mut admin = Browser::admin(site);
        make(&mut admin, URL);
        let one = format!("/webhooks/{}", id(&all(site)[0]));
        let mut reader = Browser::with_scopes(site, "read issue");
        let list = reader.open("/webhooks");
        // The path lets somebody in.
        list.says("https://hooks.example.com/…");
        assert!(!list.links().contains(&"/webhooks/new".to_string()));
        let page = reader.open(&one);
        for what in ["test", "enabled", "resend-dead"] {
            assert!(!page.has_form(&format!("{one}/{what}")), "{what}");
        }
        for what in ["edit", "rotate", "delete"] {
            let path = format!("{one}/{what}");
            assert!(!page.links().contains(&path), "{what}");
            // Whoever knows the address fares no better.
            let ask = reader.open(&path);
            let sent = reader.send(&ask, &path, &[]);
            sent.is(403).says("forbidden");
        }
        let page = reader.open("/webhooks/new");
        reader.send(&page, "/webhooks/new", &[("url", "https://a.example/")]).is(403);
        assert_eq!(all(site).len(), 1);
        assert_eq!(all(site)[0]["previous_until"], Value::Null);
    }

    fn nobody_sees_those_of_another_organization(site: &Site) {
        let (post, to) = (Post::new(site), Receiver::new());
        let webhook = post.webhook(&to, json!({ "description": "Ours" }));
        post.act(&webhook, "test", json!({})).good();
        let delivery = id(&post.deliveries(&webhook, "")[0]).to_string();
        let (_, key) = site.organization("Other");
        let mut other = Browser::of(site.nobody(), &key);
        other.open("/webhooks").says("No webhooks yet").hides("Ours");
        for path in [
            format!("/webhooks/{}", id(&webhook)),
            format!("/webhooks/{}/edit", id(&webhook)),
            format!("/webhooks/{}/rotate", id(&webhook)),
            format!("/webhooks/{}/delete", id(&webhook)),
            format!("/deliveries/{delivery}"),
            "/webhooks/x".to_string(),
            "/webhooks/..%2fproducts".to_string(),
            "/deliveries/x%3fa".to_string(),
        ] {
            other.get(&path).is(404).hides("Ours");
        }
        let own = other.open("/webhooks/new");
        let mut form = own.form("/webhooks/new");
        for action in ["test", "delete", "rotate", "enabled", "resend-dead"] {
            form.action = format!("/webhooks/{}/{action}", id(&webhook));
            other.send_form(&form).is(404);
        }
        form.action = format!("/deliveries/{delivery}/resend");
        other.send_form(&form).is(404);
        assert_eq!(post.look(&webhook)["enabled"], true);
    }
}
