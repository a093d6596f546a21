//! What is sent, what becomes of each answer, and for how long it is tried.

use super::receiver::{Receiver, Reply};
use super::{Post, id, text};
use crate::shop::events;
use crate::support::{BEGIN, Site};
use licentia_server::store::deliveries;
use licentia_server::webhooks::schedule::DELAYS;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: i64 = 86_400;

/// A webhook of one kind of event.
fn narrow(post: &Post, to: &Receiver) -> Value {
    post.webhook(to, json!({ "events": ["product.created"] }))
}

both! {
    fn what_is_sent_says_what_happened_and_is_signed_in_both_ways(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let webhook = narrow(&post, &to);
        post.happen("p", 1);
        post.send();
        let event = post.get("/api/v1/events?kind=product.created")["events"][0].clone();
        let got = to.got();
        assert_eq!((got.len(), got[0].path.as_str()), (1, "/hook"));
        let body = got[0].json();
        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 4, "{names:?}");
        assert_eq!((&body["id"], &body["type"]), (&event["id"], &json!("product.created")));
        assert_eq!(body["created_at"], "2026-01-15T10:30:00Z");
        assert_eq!(body["data"], event["data"]);
        assert_eq!(got[0].id(), text(&event, "id"));
        assert_eq!(got[0].header("webhook-timestamp"), BEGIN.to_string());
        assert_eq!(got[0].header("content-type"), "application/json");
        assert!(got[0].header("user-agent").contains("licentia"));
        let signature = got[0].header("webhook-signature");
        assert!(signature.starts_with("v1,") && signature.contains(" v1a,"), "{signature}");
        assert!(got[0].is_signed(text(&webhook, "secret")));
        assert!(got[0].is_signed(text(&webhook, "public_key")));
        let delivery = post.delivery(&post.deliveries(&webhook, "")[0]);
        assert_eq!((&delivery["state"], &delivery["tries"]), (&json!("delivered"), &json!(1)));
        assert_eq!(delivery["body"], String::from_utf8(got[0].body.clone()).unwrap());
        assert_eq!(delivery["attempts"][0]["status"], 200);
        assert_eq!(delivery["attempts"][0]["excerpt"], "said 200");
        assert_eq!((&delivery["next_at"], &delivery["last_error"]), (&Value::Null, &Value::Null));
        post.send();
        assert_eq!(to.count(), 1);
        assert_eq!((post.counted("delivered"), post.counted("failed")), (1, 0));
    }

    fn what_fails_is_tried_ten_times_over_three_days_and_is_dead_then(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::with(|_| Reply::status(500));
        let webhook = narrow(&post, &to);
        post.happen("p", 1);
        post.send();
        assert_eq!(to.count(), 1, "the first at once");
        assert_eq!(post.look(&webhook)["failing_since"], "2026-01-15T10:30:00Z");
        for (failures, delay) in DELAYS.into_iter().enumerate() {
            let delivery = &post.deliveries(&webhook, "")[0];
            assert_eq!(delivery["state"], "waiting");
            assert_eq!(delivery["tries"], failures + 1);
            let next = licentia::parse_time(text(delivery, "next_at")).unwrap();
            let now = site.clock.now();
            let wait = next - now;
            assert!((delay..=delay + delay / 10).contains(&wait), "{failures}: {wait}");
            site.clock.set(Some(next - 1));
            post.send();
            assert_eq!(to.count(), failures + 1);
            site.clock.set(Some(next));
            post.send();
            assert_eq!(to.count(), failures + 2);
        }
        let dead = post.deliveries(&webhook, "&state=dead").remove(0);
        assert_eq!((&dead["tries"], &dead["next_at"]), (&json!(10), &Value::Null));
        assert_eq!((&dead["last_status"], dead["last_error"].is_string()), (&json!(500), true));
        site.clock.set(Some(site.clock.now() + 9 * DAY));
        post.send();
        assert_eq!(to.count(), 10, "nothing more");
        let got = to.got();
        assert!(got.iter().all(|it| it.id() == got[0].id() && it.body == got[0].body));
        let times: BTreeSet<&str> = got.iter().map(|it| it.header("webhook-timestamp")).collect();
        assert_eq!(times.len(), 10, "each has its own time");
        for by in ["secret", "public_key"] {
            assert!(got.iter().all(|it| it.is_signed(text(&webhook, by))), "{by}");
        }
        assert_eq!(post.delivery(&dead)["attempts"].as_array().unwrap().len(), 10);
        assert_eq!((post.counted("failed"), post.counted("dead")), (9, 1));
        // By hand it begins anew, with the same id and the same body.
        to.answer(|_| Reply::status(204));
        let resend = format!("/api/v1/deliveries/{}/resend", id(&dead));
        let resent = post.admin.post(&resend, json!({})).good();
        assert_eq!((&resent["state"], &resent["tries"]), (&json!("waiting"), &json!(0)));
        post.send();
        assert_eq!(post.delivery(&dead)["state"], "delivered");
        assert_eq!(post.delivery(&dead)["attempts"].as_array().unwrap().len(), 11);
        let last = to.got().pop().unwrap();
        assert_eq!((last.id(), &last.body), (got[0].id(), &got[0].body));
        assert_eq!(post.look(&webhook)["failing_since"], Value::Null);
    }

    fn every_answer_but_2xx_is_a_failure_and_no_redirect_is_followed(site: &Site) {
        let post = Post::new(site);
        let (to, elsewhere) = (Receiver::new(), Receiver::new());
        let webhook = narrow(&post, &to);
        let redirect = format!("Location: {}", elsewhere.url());
        let replies: Vec<(Reply, Option<u16>)> = vec![
            (Reply::with(301, &redirect), Some(301)),
            (Reply::with(307, &redirect), Some(307)),
            (Reply::status(304), Some(304)),
            (Reply::status(400), Some(400)),
            (Reply::status(404), Some(404)),
            (Reply::status(500), Some(500)),
            (Reply::Close, None),
            (Reply::Half, None),
        ];
        for (number, (reply, status)) in replies.into_iter().enumerate() {
            to.answer(move |_| reply.clone());
            post.happen(&format!("p{number}x"), 1);
            post.send();
            let delivery = post.delivery(&post.deliveries(&webhook, "")[0]);
            let one = &delivery["attempts"][0];
            assert_eq!((&delivery["state"], &one["status"]), (&json!("waiting"), &json!(status)));
            assert!(one["error"].as_str().is_some_and(|it| !it.is_empty()), "{one}");
        }
        for (number, status) in [200, 201, 202, 204, 299].into_iter().enumerate() {
            to.answer(move |_| Reply::status(status));
            post.happen(&format!("good{number}x"), 1);
            post.send();
            assert_eq!(post.deliveries(&webhook, "")[0]["state"], "delivered", "{status}");
        }
        assert_eq!(elsewhere.count(), 0);
    }

    fn who_asks_to_wait_is_left_alone_so_long(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let webhook = narrow(&post, &to);
        let asked = [
            (429, "120", 120), (503, "90", 90), (503, "1", 5), (429, "999999", DAY),
            (500, "120", 5), (503, "-5", 5), (429, "soon", 5),
        ];
        for (number, (status, seconds, least)) in asked.into_iter().enumerate() {
            to.answer(move |_| Reply::with(status, &format!("Retry-After: {seconds}")));
            post.happen(&format!("p{number}x"), 1);
            post.send();
            let delivery = &post.deliveries(&webhook, "")[0];
            let wait = licentia::parse_time(text(delivery, "next_at")).unwrap() - BEGIN;
            assert!((least..=least + least / 10).contains(&wait), "{status} {seconds}: {wait}");
        }
    }

    fn an_endpoint_that_is_gone_is_disabled_and_says_why(site: &Site) {
        let post = Post::new(site);
        let (to, good) = (Receiver::with(|_| Reply::status(410)), Receiver::new());
        let webhook = narrow(&post, &to);
        let other = post.webhook(&good, json!({ "events": ["webhook.disabled"] }));
        post.happen("p", 1);
        post.send();
        let row = post.look(&webhook);
        assert_eq!((&row["enabled"], row["disabled_reason"].is_string()), (&json!(false), true));
        assert!(text(&row, "disabled_reason").contains("410"), "{row}");
        assert_eq!(post.deliveries(&webhook, "")[0]["state"], "dead");
        post.happen("q", 1);
        site.clock.set(Some(BEGIN + 1));
        post.send();
        assert_eq!(to.count(), 1, "it gets no more");
        assert_eq!(post.deliveries(&webhook, "&state=waiting").len(), 1, "what happens waits");
        let data = good.got()[0].json()["data"].clone();
        assert_eq!(data["id"], webhook["id"], "others learn of it");
        let url = text(&webhook, "url");
        assert_eq!(Some(text(&data, "url")), url.strip_suffix("/hook"), "and not how to get in");
        let noted = post.get("/api/v1/audit?action=webhook.disabled")["entries"].clone();
        assert_eq!(noted.as_array().map(Vec::len), Some(1), "{noted}");
        assert_eq!((&noted[0]["actor"], &noted[0]["subject"]), (&json!("server"), &webhook["id"]));
        assert!(text(&noted[0]["detail"], "disabled_reason").contains("410"), "{noted}");
        assert_eq!(post.deliveries(&other, "").len(), 1);
        post.act(&webhook, "test", json!({})).refused(409, "conflict");
        post.act(&webhook, "resend-dead", json!({})).refused(409, "conflict");
        let resend = format!("/api/v1/deliveries/{}/resend", id(&post.deliveries(&webhook, "")[0]));
        post.admin.post(&resend, json!({})).refused(409, "conflict");
        let path = format!("/api/v1/webhooks/{}", id(&webhook));
        let enabled = post.admin.put(&path, json!({ "enabled": true })).good();
        assert_eq!(enabled["disabled_reason"], Value::Null);
        assert_eq!(enabled["failing_since"], Value::Null);
        to.answer(|_| Reply::status(200));
        post.send();
        assert_eq!(to.count(), 2, "what waited is sent");
        assert_eq!(to.got()[1].json()["data"]["code"], "q0");
        assert_eq!(post.act(&webhook, "resend-dead", json!({})).good()["resent"], 1);
        post.send();
        assert_eq!(to.count(), 3);
        assert_eq!(post.deliveries(&webhook, "&state=delivered").len(), 2);
    }

    fn nothing_waits_for_ever_for_an_endpoint_that_is_gone(site: &Site) {
        let post = Post::new(site);
        let (to, away) = (Receiver::with(|_| Reply::status(410)), Receiver::new());
        let webhook = narrow(&post, &to);
        let by_hand = narrow(&post, &away);
        post.happen("p", 1);
        post.fan_out();
        let disable = |of: &Value| {
            let path = format!("/api/v1/webhooks/{}", id(of));
            post.admin.put(&path, json!({ "enabled": false })).good()
        };
        disable(&by_hand);
        post.send();
        post.happen("q", 1);
        post.send();
        let waiting = |of: &Value| post.deliveries(of, "&state=waiting").len();
        assert_eq!((waiting(&webhook), waiting(&by_hand)), (1, 1));
        let clear = |at: i64| {
            site.clock.set(Some(BEGIN + at));
            site.wait(post.outbox.clear()).unwrap();
            (waiting(&webhook), waiting(&by_hand))
        };
        assert_eq!(clear(10 * DAY), (1, 1));
        assert_eq!(clear(10 * DAY + 1), (0, 1), "nobody has asked for it");
        // Who says so gets nothing more, whoever said so before.
        assert_eq!(disable(&webhook)["disabled_reason"], Value::Null);
        post.happen("r", 1);
        post.send();
        assert_eq!(waiting(&webhook), 0);
    }

    fn what_waits_for_a_disabled_webhook_is_sent_when_it_is_enabled(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let webhook = narrow(&post, &to);
        post.happen("p", 2);
        post.fan_out();
        let path = format!("/api/v1/webhooks/{}", id(&webhook));
        post.admin.put(&path, json!({ "enabled": false })).good();
        post.happen("q", 1);
        post.send();
        assert_eq!(to.count(), 0);
        post.admin.put(&path, json!({ "enabled": true })).good();
        post.send();
        assert_eq!(to.count(), 2, "what happened meanwhile is not kept for it");
    }

    fn a_test_is_sent_whatever_a_webhook_takes(site: &Site) {
        let post = Post::new(site);
        let (to, other) = (Receiver::new(), Receiver::new());
        let webhook = post.webhook(&to, json!({ "events": ["license.revoked"] }));
        post.webhook(&other, json!({}));
        post.send();
        let before = other.count();
        let made = post.act(&webhook, "test", json!({}));
        let delivery = made.good();
        assert_eq!((made.status, &delivery["kind"]), (201, &json!("webhook.test")));
        let place = format!("/api/v1/deliveries/{}", id(&delivery));
        assert_eq!(made.header("location"), Some(&*place));
        post.send();
        let got = to.got();
        assert_eq!((got.len(), &got[0].json()["type"]), (1, &json!("webhook.test")));
        assert!(got[0].is_signed(text(&webhook, "secret")));
        assert_eq!(other.count(), before, "it is for nobody else");
        assert_eq!(post.delivery(&delivery)["state"], "delivered");
        assert_eq!(events(site).last().map(String::as_str), Some("webhook.test"));
    }

    fn what_ended_is_cleared_away_and_what_waits_is_not(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let webhook = narrow(&post, &to);
        post.happen("p", 2);
        post.send();
        to.answer(|_| Reply::status(500));
        post.happen("q", 1);
        post.send();
        let clear = |at: i64| {
            site.clock.set(Some(BEGIN + at));
            site.wait(post.outbox.clear()).unwrap();
            post.deliveries(&webhook, "").len()
        };
        assert_eq!(clear(10 * DAY), 3);
        assert_eq!(clear(10 * DAY + 1), 1, "the event is gone, its delivery waits");
        assert!(post.get("/api/v1/events?kind=product.created")["events"][0].is_null());
        to.answer(|_| Reply::status(200));
        post.send();
        let last = to.got().pop().unwrap().json();
        assert_eq!(last["type"], "product.created");
        assert_eq!(last["data"]["code"], "q0");
    }

    fn what_is_on_its_way_to_a_deleted_webhook_is_gone(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::with(|_| Reply::Hang(Duration::from_millis(300)));
        let webhook = narrow(&post, &to);
        post.happen("p", 3);
        post.fan_out();
        let path = format!("/api/v1/webhooks/{}", id(&webhook));
        // While some of them are being sent.
        site.wait(async {
            let mut dispatcher = post.dispatcher();
            dispatcher.step().await.unwrap();
            let admin = post.admin.clone();
            tokio::task::spawn_blocking(move || admin.delete(&path).good()).await.unwrap();
            dispatcher.settle().await.unwrap();
        });
        site.wait(post.outbox.clear()).unwrap();
        let left = deliveries::Entity::find().count(post.server.store.read());
        assert_eq!(site.wait(async { left.await.unwrap() }), 0);
        assert_eq!(post.counted("failed"), 0, "what is gone did not fail");
    }

    fn deliveries_are_listed_by_pages_webhooks_states_kinds_and_subjects(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let kinds = json!({ "events": ["product.created", "product.deleted"] });
        let webhook = post.webhook(&to, kinds);
        let other = narrow(&post, &to);
        post.happen("p", 5);
        post.send();
        let product = post.get("/api/v1/products?per_page=1")["products"][0].clone();
        post.admin.delete(&format!("/api/v1/products/{}", id(&product))).good();
        post.fan_out();
        let names = |query: &str| -> (Vec<Value>, Value) {
            let page = post.get(&format!("/api/v1/deliveries?{query}"));
            let ids = page["deliveries"].as_array().unwrap().iter().map(|it| it["id"].clone());
            (ids.collect(), page["next_cursor"].clone())
        };
        let (all, end) = names("per_page=100");
        assert_eq!((all.len(), end), (11, Value::Null));
        let (first, next) = names("per_page=4");
        let (second, _) = names(&format!("per_page=7&cursor={}", next.as_str().unwrap()));
        assert_eq!([first, second].concat(), all);
        let count = |query: &str| names(&format!("per_page=100&{query}")).0.len();
        assert_eq!(count(&format!("webhook_id={}", id(&other))), 5);
        assert_eq!(count("state=waiting"), 1);
        assert_eq!((count("state=delivered"), count("state=dead")), (10, 0));
        assert_eq!(count("kind=product.deleted"), 1);
        assert_eq!(count(&format!("subject={}", id(&product))), 3);
        assert_eq!(count(&format!("subject={}&kind=product.created", id(&product))), 2);
        assert_eq!(post.deliveries(&webhook, "&state=waiting").len(), 1);
        for wrong in
            ["state=gone", "kind=", "subject=a%20b", "per_page=101", "cursor=x", "page=1"]
        {
            post.admin.get(&format!("/api/v1/deliveries?{wrong}")).refused(400, "malformed");
        }
        let (_, key) = site.organization("Other");
        let them = post.admin.with_key(&key);
        assert_eq!(them.get("/api/v1/deliveries").good()["deliveries"], json!([]));
        for path in [
            format!("/api/v1/deliveries/{}", all[0].as_str().unwrap()),
            format!("/api/v1/webhooks/{}/deliveries", id(&webhook)),
        ] {
            them.get(&path).refused(404, "not_found");
        }
        let standing = deliveries::standing(post.server.store.read());
        let standing = site.wait(async { standing.await.unwrap() });
        assert_eq!((standing.waiting, standing.oldest, standing.dead), (1, Some(BEGIN), 0));
    }
}
