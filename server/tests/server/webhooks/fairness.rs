//! Nobody waits for another's endpoint, and nothing is sent twice at a time.

use super::receiver::{Receiver, Reply};
use super::{Post, id, text};
use crate::support::{BEGIN, Site};
use licentia_server::store::Engine;
use licentia_server::webhooks::dispatch::{self, CLAIM};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

both! {
    fn an_endpoint_that_hangs_holds_nobody_up(site: &Site) {
        let post = Post::new(site);
        let hanging = Receiver::with(|_| Reply::Hang(Duration::from_secs(60)));
        let good = Receiver::new();
        // Those that hang are there first, and have as much to get.
        for _ in 0..3 {
            post.webhook(&hanging, json!({ "events": ["product.created"] }));
        }
        post.webhook(&good, json!({ "events": ["product.created"] }));
        post.happen("p", 40);
        post.fan_out();
        let (stop, stopping) = watch::channel(false);
        let (server, metrics) = (Arc::clone(&post.server), Arc::clone(&post.metrics));
        let work = dispatch::run(server, metrics, stopping);
        let running = site.spawn(work);
        good.wait_for(40);
        assert!(hanging.most() <= 3 * 8, "{} at a time", hanging.most());
        assert_eq!(hanging.count(), hanging.most(), "not one of them has ended");
        stop.send(true).unwrap();
        site.wait(running).unwrap();
        assert_eq!((good.count(), post.counted("delivered")), (40, 40));
        // What was being sent was given back, and is not counted as tried.
        hanging.answer(|_| Reply::status(200));
        post.send();
        let tries = post.get("/api/v1/deliveries?per_page=100")["deliveries"].clone();
        assert!(tries.as_array().unwrap().iter().all(|it| it["tries"] == 1), "{tries}");
        assert_eq!(post.counted("delivered"), 160);
    }

    fn one_that_failed_has_one_place_until_it_works_again(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::with(|_| Reply::status(500));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        post.happen("p", 1);
        post.send();
        to.answer(|_| Reply::Slow(Duration::from_millis(50)));
        post.happen("q", 6);
        post.fan_out();
        site.wait(async {
            let mut dispatcher = post.dispatcher();
            dispatcher.step().await.unwrap();
            dispatcher.step().await.unwrap();
            while to.count() < 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(to.most(), 1, "one at a time");
        site.clock.set(Some(BEGIN + CLAIM));
        post.send();
        assert!(post.look(&webhook)["failing_since"].is_null());
        assert!(post.deliveries(&webhook, "").iter().all(|it| it["state"] == "delivered"));
    }

    fn two_servers_never_send_one_at_the_same_time(site: &Site) {
        if site.server.store.engine() == Engine::Sqlite {
            return;
        }
        let (one, two) = (Post::new(site), Post::new(site));
        let to = Receiver::with(|_| Reply::Slow(Duration::from_millis(5)));
        let webhook = one.webhook(&to, json!({ "events": ["product.created"] }));
        one.happen("p", 120);
        one.fan_out();
        site.wait(async {
            let (mut first, mut second) = (one.dispatcher(), two.dispatcher());
            // Each takes some before either has done all.
            first.step().await.unwrap();
            second.step().await.unwrap();
            let (first, second) = tokio::join!(
                tokio::spawn(async move { first.settle().await.unwrap() }),
                tokio::spawn(async move { second.settle().await.unwrap() }),
            );
            first.and(second).unwrap();
        });
        one.send();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for got in to.got() {
            *counts.entry(got.id().to_string()).or_default() += 1;
        }
        assert_eq!(counts.len(), 120);
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
        let (first, second) = (one.counted("delivered"), two.counted("delivered"));
        assert!(first > 0 && second > 0, "both have worked: {first} and {second}");
        assert_eq!(one.deliveries(&webhook, "&state=waiting").len(), 0);
    }

    fn what_a_server_took_and_lost_comes_free(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::with(|_| Reply::Hang(Duration::from_millis(200)));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        post.happen("p", 3);
        post.fan_out();
        site.wait(async {
            let mut dispatcher = post.dispatcher();
            dispatcher.step().await.unwrap();
            tokio::task::yield_now().await;
            // It is killed here.
        });
        to.answer(|_| Reply::status(200));
        site.clock.set(Some(BEGIN + CLAIM - 1));
        post.send();
        // What was on its way when it was killed may arrive even now: what is noted counts.
        assert_eq!(post.counted("delivered"), 0, "it may still be at it");
        site.clock.set(Some(BEGIN + CLAIM));
        post.send();
        let all = post.deliveries(&webhook, "");
        assert!(all.iter().all(|it| it["state"] == "delivered" && it["tries"] == 1), "{all:?}");
        let delivery = post.delivery(&all[0]);
        assert!(text(&delivery, "body").contains(text(&delivery, "event_id")), "{}", id(&delivery));
    }
}
