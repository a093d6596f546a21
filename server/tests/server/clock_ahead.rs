//! After a clock that was ahead, everything goes on.

use crate::shop::Shop;
use crate::support::{BEGIN, Site};
use crate::webhooks::receiver::{Receiver, Reply};
use crate::webhooks::{Post, text};
use licentia::rfc3339;
use licentia_server::operations::rotate;
use licentia_server::reports::{TIMES, refresh, refresh_all};
use licentia_server::store::{figures, meta};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

const DAY: i64 = 86_400;
const AHEAD: i64 = BEGIN + 400 * DAY;

/// When figures were reckoned last.
fn as_of(site: &Site) -> Value {
    site.admin().get("/api/v1/reports/series?metric=licenses_active").good()["as_of"].clone()
}

/// Figures of days that have not come.
fn of_tomorrow(site: &Site) -> u64 {
    let later = figures::Column::Day.gte((BEGIN / DAY + 1) * DAY);
    let later = figures::Entity::find().filter(later);
    site.wait(async { later.count(site.server.store.read()).await.unwrap() })
}

both! {
    fn figures_and_webhooks_go_on_after_a_clock_that_was_ahead(site: &Site) {
        let shop = Shop::open(site);
        shop.license(json!({ "license_type": "subscription", "max_seats": 2 }));
        let post = Post::new(site);
        post.fan_out();
        let to = Receiver::with(|_| Reply::status(500));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        site.clock.set(Some(AHEAD));
        site.wait(refresh_all(&site.server)).unwrap();
        assert_eq!(as_of(site), rfc3339(AHEAD));
        assert!(of_tomorrow(site) > 0);
        let store = &site.server.store;
        site.wait(async {
            let tx = store.begin().await.unwrap();
            for name in ["figures_turn", "figures_usage_turn", "outbox_turn"] {
                assert!(meta::claim(&tx, name, AHEAD, AHEAD + 55).await.unwrap());
            }
            tx.commit().await.unwrap();
        });
        post.happen("p", 1);
        post.send();
        assert_eq!((to.count(), post.deliveries(&webhook, "&state=waiting").len()), (1, 1));
        // The clock is set right.
        let now = BEGIN + 60;
        site.clock.set(Some(now));
        to.answer(|_| Reply::status(200));
        post.send();
        assert_eq!(to.count(), 1, "it waits for a time that is far away");
        site.wait(refresh(&site.server)).unwrap();
        assert_eq!(as_of(site), rfc3339(now), "figures are as new as they are");
        site.wait(rotate::forget_clock(store, now)).unwrap();
        for name in TIMES.into_iter().chain(["outbox_turn"]) {
            let at = site.wait(meta::number(store.read(), name)).unwrap();
            assert!(at.is_none_or(|at| at <= now), "{name}: {at:?}");
        }
        assert_eq!(of_tomorrow(site), 0);
        site.wait(refresh(&site.server)).unwrap();
        assert_eq!((as_of(site), of_tomorrow(site)), (json!(rfc3339(now)), 0));
        let overview = site.admin().get("/api/v1/reports/overview").good();
        assert_eq!(overview["licenses"]["active"], 1, "{overview}");
        post.send();
        assert_eq!(to.count(), 2);
        assert_eq!(text(&post.deliveries(&webhook, "")[0], "state"), "delivered");
    }

    fn what_waits_as_it_should_is_not_hurried_by_it(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::with(|_| Reply::status(500));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        post.happen("p", 1);
        post.send();
        let before = post.deliveries(&webhook, "");
        site.wait(rotate::forget_clock(&site.server.store, BEGIN)).unwrap();
        assert_eq!(post.deliveries(&webhook, ""), before);
    }
}
