//! Webhooks as a resource: what they can be, and who may know what.

use super::receiver::Receiver;
use super::{Post, id, text};
use crate::shop::{Shop, events, path};
use crate::support::{BEGIN, Site};
use licentia_server::webhooks::kinds::KINDS;
use serde_json::{Value, json};

both! {
    fn a_webhook_is_made_changed_and_deleted(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let made = post.webhook(&to, json!({ "description": "billing" }));
        assert!(text(&made, "secret").starts_with("whsec_"));
        assert!(text(&made, "public_key").starts_with("whpk_"));
        assert_eq!((&made["events"], &made["enabled"]), (&json!([]), &json!(true)));
        let mut shown = made.clone();
        shown.as_object_mut().unwrap().remove("secret");
        assert_eq!(post.look(&made), shown, "the secret is shown once");
        assert_eq!(post.get("/api/v1/webhooks")["webhooks"], json!([shown]));
        let path = format!("/api/v1/webhooks/{}", id(&made));
        // Nothing that is given is nothing that changes, and no event.
        let before = events(site).len();
        assert_eq!(post.admin.put(&path, json!({ "enabled": true })).good(), shown);
        assert_eq!(events(site).len(), before);
        let change = json!({ "events": ["license.created"], "description": null });
        let changed = post.admin.put(&path, change).good();
        assert_eq!(changed["events"], json!(["license.created"]));
        assert_eq!((&changed["description"], &changed["url"]), (&Value::Null, &made["url"]));
        let all = post.admin.put(&path, json!({ "events": null })).good();
        assert_eq!(all["events"], json!([]));
        post.admin.delete(&path).good();
        post.admin.get(&path).refused(404, "not_found");
        post.admin.delete(&path).refused(404, "not_found");
        let kinds = events(site).split_off(before);
        assert_eq!(kinds, ["webhook.updated", "webhook.updated", "webhook.deleted"]);
    }

    fn what_no_webhook_can_be_is_refused(site: &Site) {
        // As it is by default: nothing of a network of ours.
        let admin = site.admin();
        let good = "https://hooks.example.com/licentia";
        for url in ["http://127.0.0.1/", "https://169.254.169.254/", "ftp://a.example/", "", "x"] {
            admin.post("/api/v1/webhooks", json!({ "url": url })).refused(422, "invalid_argument");
        }
        let long = format!("{good}/{}", "a".repeat(2048));
        for wrong in [
            json!({ "url": long }),
            json!({ "url": good, "events": ["license.made"] }),
            json!({ "url": good, "events": ["webhook.test"] }),
            json!({ "url": good, "events": ["license.created", "license.created"] }),
            json!({ "url": good, "events": ["license.created license.sync"] }),
            json!({ "url": good, "events": [""] }),
            json!({ "url": good, "product_id": "00000000-0000-0000-0000-000000000001" }),
            json!({ "url": good, "description": "a".repeat(4097) }),
        ] {
            admin.post("/api/v1/webhooks", wrong).refused(422, "invalid_argument");
        }
        for wrong in [json!({}), json!({ "url": good, "secret": "whsec_AAAA" })] {
            admin.post("/api/v1/webhooks", wrong).refused(400, "malformed");
        }
        let body = json!({ "url": good, "events": ["nothing"] });
        let said = admin.post("/api/v1/webhooks", body).refused(422, "invalid_argument");
        assert!(said.contains("license.expiring_soon") && said.contains("nothing"), "{said}");
        assert_eq!(admin.get("/api/v1/webhooks").good()["total"], 0);
        let made = admin.post("/api/v1/webhooks", json!({ "url": good })).good();
        let path = format!("/api/v1/webhooks/{}", id(&made));
        for wrong in [
            json!({ "url": "https://[::1]/" }),
            json!({ "events": ["nothing"] }),
            json!({ "product_id": "00000000-0000-0000-0000-000000000001" }),
        ] {
            admin.put(&path, wrong).refused(422, "invalid_argument");
        }
        admin.put(&path, json!({ "url": null })).refused(400, "malformed");
        let rotate = format!("{path}/rotate-secret");
        for wrong in [-1, 604_801] {
            let body = json!({ "overlap_seconds": wrong });
            admin.post(&rotate, body).refused(422, "invalid_argument");
        }
        assert_eq!(admin.get(&path).good()["url"], good);
    }

    fn what_is_not_allowed_any_more_can_be_disabled_and_not_enabled(site: &Site) {
        let post = Post::new(site);
        let (to, shop) = (Receiver::new(), Shop::of(post.admin.clone(), "one"));
        let made = post.webhook(&to, json!({ "product_id": shop.product["id"] }));
        post.admin.delete(&format!("/api/v1/products/{}", shop.id())).good();
        // A server that sends to nothing of ours.
        let (admin, path) = (site.admin(), format!("/api/v1/webhooks/{}", id(&made)));
        let changed = admin.put(&path, json!({ "description": "old" })).good();
        assert_eq!((&changed["description"], &changed["url"]), (&json!("old"), &made["url"]));
        admin.put(&path, json!({ "enabled": false })).good();
        let on = json!({ "enabled": true });
        let said = admin.put(&path, on.clone()).refused(422, "invalid_argument");
        assert!(!said.contains("product_id"), "{said}");
        let other = "https://hooks.example.com/";
        admin.put(&path, json!({ "url": "http://10.0.0.1/" })).refused(422, "invalid_argument");
        admin.put(&path, json!({ "url": other })).good();
        let said = admin.put(&path, on.clone()).refused(422, "invalid_argument");
        assert!(said.contains("product_id"), "{said}");
        assert_eq!(admin.get(&path).good()["enabled"], false);
        admin.put(&path, json!({ "product_id": null, "enabled": true })).good();
    }

    fn an_organization_has_twenty_at_most(site: &Site) {
        let admin = site.admin();
        let make = || admin.post("/api/v1/webhooks", json!({ "url": "https://a.example.com/" }));
        let made: Vec<Value> = (0..18).map(|_| make().good()).collect();
        // Two of four that come at once are one too many.
        let answers: Vec<u16> = std::thread::scope(|threads| {
            let all: Vec<_> = (0..4).map(|_| threads.spawn(|| make().status)).collect();
            all.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 201).count(), 2, "{answers:?}");
        let said = make().refused(409, "conflict");
        assert!(said.contains("20"), "{said}");
        let (_, key) = site.organization("Other");
        let other = site.nobody().with_key(&key);
        other.post("/api/v1/webhooks", json!({ "url": "https://a.example.com/" })).good();
        admin.delete(&format!("/api/v1/webhooks/{}", id(&made[0]))).good();
        make().good();
    }

    fn what_was_there_before_a_webhook_is_not_for_it(site: &Site) {
        let post = Post::new(site);
        let (old_to, new_to) = (Receiver::new(), Receiver::new());
        let of = json!({ "events": ["product.created"] });
        let old = post.webhook(&old_to, of.clone());
        // Nothing of this second was fanned out yet.
        post.happen("before", 2);
        let new = post.webhook(&new_to, of);
        post.happen("after", 1);
        // A clock that was ahead: what happens now has an older time than the webhook.
        site.clock.set(Some(BEGIN - 3_600));
        post.happen("later", 1);
        post.fan_out();
        let codes = |webhook: &Value| {
            let all = post.deliveries(webhook, "");
            let code = |it: &Value| {
                let body: Value = serde_json::from_str(text(&post.delivery(it), "body")).unwrap();
                text(&body["data"], "code").to_string()
            };
            let mut all: Vec<String> = all.iter().map(code).collect();
            all.sort();
            all
        };
        assert_eq!(codes(&old), ["after0", "before0", "before1", "later0"]);
        assert_eq!(codes(&new), ["after0", "later0"]);
    }

    fn what_was_on_its_way_when_a_webhook_was_made_is_for_it(site: &Site) {
        use licentia_server::store::{Engine, events};
        let post = Post::new(site);
        post.happen("p", 1);
        if post.server.store.engine() == Engine::Sqlite {
            return; // One writes after the other.
        }
        let to = Receiver::new();
        let tx = site.wait(site.server.store.begin()).unwrap();
        let every = events::Filter::default();
        let newest = events::list(&tx, site.organization, &every, 1);
        let mut event = site.wait(newest).unwrap().remove(0);
        (event.id, event.subject) = (uuid::Uuid::now_v7(), "late".to_string());
        site.wait(events::insert(&tx, vec![event])).unwrap();
        // Others end before it, with higher numbers.
        post.happen("q", 1);
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        site.wait(tx.commit()).unwrap();
        post.fan_out();
        let got = post.deliveries(&webhook, "");
        assert!(got.iter().any(|it| it["subject"] == "late"), "{got:?}");
    }

    fn only_what_a_webhook_takes_is_on_its_way_to_it(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let shop = Shop::of(post.admin.clone(), "one");
        let other = Shop::of(post.admin.clone(), "two");
        post.fan_out();
        let all = post.webhook(&to, json!({}));
        let some = json!({ "events": ["license.created", "license.revoked"] });
        let some = post.webhook(&to, some);
        let of_one = post.webhook(&to, json!({ "product_id": shop.product["id"] }));
        let off = post.webhook(&to, json!({ "enabled": false }));
        let (_, key) = site.organization("Other");
        let them = post.admin.with_key(&key);
        let theirs = json!({ "url": to.url() });
        let theirs = them.post("/api/v1/webhooks", theirs).good();
        post.fan_out();
        let count = |of: &Value| post.deliveries(of, "").len();
        let before = [&all, &some, &of_one].map(count);
        let license = shop.license(json!({}));
        let strange = other.license(json!({}));
        for license in [&license, &strange] {
            let seats = format!("{}/seats", path(license));
            post.admin.post(&seats, json!({ "holder": "ann" })).good();
        }
        post.admin.delete(&path(&license)).good();
        post.admin.put(&format!("/api/v1/products/{}", shop.id()), json!({ "name": "X" })).good();
        post.admin.put(&format!("/api/v1/products/{}", other.id()), json!({ "name": "X" })).good();
        post.fan_out();
        let kinds = |of: &Value, before: usize| -> Vec<String> {
            let mut all = post.deliveries(of, "");
            all.truncate(all.len() - before);
            all.iter().rev().map(|it| text(it, "kind").to_string()).collect()
        };
        let wanted = ["license.created", "license.created", "license.revoked"];
        assert_eq!(kinds(&some, before[1]), wanted);
        let own = kinds(&of_one, before[2]);
        // Of a license, of a seat of it, of the product itself.
        assert_eq!(own.len(), 4 + usize::from(own.contains(&"seat.released".into())), "{own:?}");
        for kind in ["license.created", "seat.acquired", "license.revoked", "product.updated"] {
            assert_eq!(own.iter().filter(|it| *it == kind).count(), 1, "{own:?}");
        }
        assert_eq!(kinds(&all, before[0]).iter().filter(|it| *it == "seat.acquired").count(), 2);
        assert_eq!(count(&off), 0, "a disabled one gets nothing");
        let path = format!("/api/v1/webhooks/{}/deliveries", id(&theirs));
        let theirs = them.get(&path).good();
        let theirs = theirs["deliveries"].as_array().unwrap();
        assert!(theirs.iter().all(|it| it["kind"] == "webhook.created"), "{theirs:?}");
    }

    fn every_kind_can_be_asked_for(site: &Site) {
        let listed = site.admin().get("/api/v1/event-kinds").good();
        let listed = listed["event_kinds"].as_array().unwrap().clone();
        assert_eq!(listed.len(), KINDS.len());
        for of_the_seed in [
            "license.created", "license.revoked", "license.expired", "license.expiring_soon",
            "license.activated", "license.sync", "product.created", "product.updated",
            "product.deleted",
        ] {
            assert!(listed.iter().any(|it| it["kind"] == of_the_seed), "{of_the_seed}");
        }
        let all: Vec<&Value> = listed.iter().map(|it| &it["kind"]).collect();
        let body = json!({ "url": "https://a.example.com/", "events": all });
        let made = site.admin().post("/api/v1/webhooks", body).good();
        assert_eq!(made["events"].as_array().unwrap().len(), KINDS.len());
    }

    fn a_key_that_reads_sees_no_secret_and_changes_nothing(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let made = post.webhook(&to, json!({}));
        let path = format!("/api/v1/webhooks/{}", id(&made));
        post.act(&made, "test", json!({})).good();
        post.admin.put(&path, json!({ "url": format!("{}?t=a", to.url()) })).good();
        let reader = post.admin.with_key(&site.api_key(site.organization, "read"));
        let mut told = String::new();
        let deliveries = format!("{path}/deliveries");
        for read in
            ["/api/v1/webhooks", &path, &deliveries, "/api/v1/deliveries", "/api/v1/events"]
        {
            told += &reader.get(read).good().to_string();
        }
        // A path and a query let somebody in, too.
        assert!(!told.contains("/hook") && !told.contains("t=a"), "{told}");
        let origin = to.url().replace("/hook", "");
        assert_eq!(text(&reader.get(&path).good(), "url"), format!("{origin}/…"));
        assert_eq!(text(&post.look(&made), "url"), format!("{origin}/hook?t=a"));
        assert!(!told.contains("whsec_") && !told.contains("whsk_"), "{told}");
        reader.put(&path, json!({ "enabled": false })).refused(403, "forbidden");
        reader.delete(&path).refused(403, "forbidden");
        for what in ["test", "rotate-secret", "resend-dead"] {
            reader.post(&format!("{path}/{what}"), json!({})).refused(403, "forbidden");
        }
        assert_eq!(post.look(&made)["enabled"], true);
    }

    fn an_organization_goes_with_its_webhooks(site: &Site) {
        let operator = site.caller("admin operator");
        let (theirs, key) = site.organization("Other");
        let them = site.nobody().with_key(&key);
        let made = them.post("/api/v1/webhooks", json!({ "url": "https://a.example.com/" })).good();
        them.post(&format!("/api/v1/webhooks/{}/test", id(&made)), json!({})).good();
        operator.delete(&format!("/api/v1/organizations/{theirs}")).good();
        site.wait(Post::new(site).outbox.clear()).unwrap();
        use licentia_server::store::{deliveries, webhooks};
        use sea_orm::{EntityTrait, PaginatorTrait};
        let store = site.server.store.read();
        let left = site.wait(async {
            let webhooks = webhooks::Entity::find().count(store).await.unwrap();
            (webhooks, deliveries::Entity::find().count(store).await.unwrap())
        });
        assert_eq!(left, (0, 0));
    }

    fn old_and_new_sign_together_while_one_follows_the_other(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let made = post.webhook(&to, json!({ "events": ["product.created"] }));
        let first = (text(&made, "secret").to_string(), text(&made, "public_key").to_string());
        let next = post.act(&made, "rotate-secret", json!({})).good();
        let second = (text(&next, "secret").to_string(), text(&next, "public_key").to_string());
        assert!(first.0 != second.0 && first.1 != second.1);
        assert_eq!(next["previous_public_key"], first.1);
        let send = |at: i64, name: &str| {
            site.clock.set(Some(BEGIN + at));
            post.happen(name, 1);
            post.send();
            let got = to.got().pop().unwrap();
            let by = [&first.0, &first.1, &second.0, &second.1].map(|by| got.is_signed(by));
            let count = got.header("webhook-signature").split(' ').count();
            (by, count)
        };
        assert_eq!(send(86_399, "a"), ([true; 4], 4));
        assert_eq!(send(86_400, "b"), ([false, false, true, true], 2));
        // What signs no more is not kept either.
        site.wait(post.outbox.clear()).unwrap();
        let row = row(&post, &made);
        assert_eq!((row.sealed_before, row.public_key_before), (None, None));
        assert_eq!(row.before_until, None);
        assert_eq!(post.look(&made)["previous_public_key"], Value::Null);
        // At once, where it is asked for.
        let third = post.act(&made, "rotate-secret", json!({ "overlap_seconds": 0 })).good();
        assert_eq!(third["previous_public_key"], Value::Null);
        let (by, count) = send(86_401, "c");
        assert_eq!((by, count), ([false; 4], 2));
        assert!(to.got().pop().unwrap().is_signed(text(&third, "secret")));
    }
}

fn row(post: &Post, webhook: &Value) -> licentia_server::store::webhooks::Model {
    let (read, of) = (post.server.store.read(), post.site.organization);
    let id = id(webhook).parse().unwrap();
    let row = licentia_server::store::webhooks::get(read, of, id);
    post.site.wait(async { row.await.unwrap().unwrap() })
}
