//! What one turn, one request and one organization may take of what all share.

use super::receiver::{Receiver, Reply};
use super::{Post, id};
use crate::support::{BEGIN, Site};
use axum::body::Bytes;
use licentia_server::store::{deliveries, events};
use licentia_server::webhooks::{Failure, Found, Guard, Resolve, Sender};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// What a name is waited for.
const PATIENCE: Duration = Duration::from_millis(300);

/// Names that end in `silent.example` are asked for ever; all others lead to this machine.
struct Silent;

impl Resolve for Silent {
    fn resolve<'a>(&'a self, name: &'a str) -> Found<'a> {
        match name.ends_with("silent.example") {
            true => Box::pin(pending()),
            false => Box::pin(async { Ok(vec!["127.0.0.1".parse().unwrap()]) }),
        }
    }
}

fn sender() -> Sender {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()], false);
    Sender::new(guard).with_names(Arc::new(Silent)).with_patience(PATIENCE)
}

/// So many lookups that never end.
async fn occupy(sender: &Sender, organization: Uuid, count: usize) {
    let mut asking = Vec::new();
    for number in 0..count {
        let (sender, url) = (sender.clone(), format!("http://{number}.silent.example/"));
        let task = async move { sender.post(organization, &url, vec![], Bytes::new()).await };
        asking.push(tokio::spawn(task));
    }
    for one in asking {
        let sent = one.await.unwrap().expect("there is a place");
        assert_eq!(sent.error, Some(Failure::Timeout));
    }
}

fn delivery(webhook: &Value, of: Uuid, state: &str) -> deliveries::Model {
    let is_dead = state == deliveries::DEAD;
    deliveries::Model {
        id: Uuid::now_v7(),
        organization_id: of,
        webhook_id: id(webhook).parse().unwrap(),
        event_id: Uuid::now_v7(),
        kind: "product.created".into(),
        subject: Uuid::now_v7().to_string(),
        body: "{}".into(),
        state: state.into(),
        tries: 10,
        tries_json: "[]".into(),
        next_at: (!is_dead).then_some(BEGIN),
        claimed_until: None,
        created_at: BEGIN,
        finished_at: is_dead.then_some(BEGIN),
    }
}

fn fill(post: &Post, webhook: &Value, state: &str, count: usize) {
    let of = post.site.organization;
    let rows = (0..count).map(|_| delivery(webhook, of, state)).collect();
    post.site.wait(async {
        let tx = post.server.store.begin().await.unwrap();
        deliveries::insert(&tx, rows).await.unwrap();
        tx.commit().await.unwrap();
    });
}

fn rows(post: &Post) -> u64 {
    let all = deliveries::Entity::find().count(post.server.store.read());
    post.site.wait(async { all.await.unwrap() })
}

both! {
    fn a_turn_takes_as_many_events_as_fit(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        for _ in 0..4 {
            post.webhook(&to, json!({ "events": ["product.created"] }));
        }
        post.fan_out();
        let event = |_| events::Model {
            seq: 0,
            id: Uuid::now_v7(),
            organization_id: site.organization,
            kind: "product.created".into(),
            subject: "x".into(),
            data_json: json!({ "text": "x".repeat(60_000) }).to_string(),
            actor: "server".into(),
            request_id: None,
            created_at: BEGIN,
            claimed_until: None,
            delivered_at: None,
        };
        let all: Vec<events::Model> = (0..80).map(event).collect();
        let ids: BTreeSet<Uuid> = all.iter().map(|event| event.id).collect();
        let turns = site.wait(async {
            let tx = post.server.store.begin().await.unwrap();
            events::insert(&tx, all).await.unwrap();
            tx.commit().await.unwrap();
            let mut turns = Vec::new();
            loop {
                match post.outbox.deliver().await.unwrap() {
                    0 => break turns,
                    count => turns.push(count),
                }
            }
        });
        // 8 MiB, at 240 kB each.
        assert_eq!(turns, [35, 35, 10]);
        let made = deliveries::Entity::find().all(post.server.store.read());
        let made = site.wait(async { made.await.unwrap() });
        assert_eq!(made.len(), 320);
        assert_eq!(made.iter().map(|row| row.event_id).collect::<BTreeSet<_>>(), ids);
    }

    fn what_is_left_of_a_deleted_webhook_is_nobodys_and_goes_bit_by_bit(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let make = |()| post.webhook(&to, json!({ "events": ["product.created"] }));
        let [gone, other] = [(); 2].map(make);
        fill(&post, &gone, deliveries::DEAD, 400);
        fill(&post, &gone, deliveries::WAITING, 300);
        fill(&post, &other, deliveries::DEAD, 2);
        let one = post.deliveries(&gone, "").remove(0);
        post.admin.delete(&format!("/api/v1/webhooks/{}", id(&gone))).good();
        assert_eq!(rows(&post), 702, "a request does not wait for all that");
        let path = format!("/api/v1/deliveries/{}", id(&one));
        post.admin.get(&path).refused(404, "not_found");
        post.admin.post(&format!("{path}/resend"), json!({})).refused(404, "not_found");
        for query in ["", &format!("&webhook_id={}", id(&gone)), "&state=dead"] {
            let listed = post.get(&format!("/api/v1/deliveries?per_page=100{query}"));
            let listed = listed["deliveries"].as_array().unwrap().clone();
            assert!(listed.iter().all(|it| it["webhook_id"] == other["id"]), "{query}");
        }
        let standing = deliveries::standing(post.server.store.read());
        let standing = site.wait(async { standing.await.unwrap() });
        assert_eq!((standing.waiting, standing.oldest, standing.dead), (0, None, 2));
        post.send();
        assert_eq!(to.count(), 0, "it is not sent");
        site.wait(async {
            let left = deliveries::gone(post.server.store.read()).await.unwrap();
            assert_eq!(left.map(|id| id.to_string()).as_deref(), Some(id(&gone)));
            post.outbox.clear().await.unwrap();
            assert_eq!(deliveries::gone(post.server.store.read()).await.unwrap(), None);
        });
        assert_eq!((rows(&post), post.deliveries(&other, "").len()), (2, 2));
    }

    fn a_thousand_dead_are_sent_again_at_a_time(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::new();
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        fill(&post, &webhook, deliveries::DEAD, 1_200);
        let resent = || post.act(&webhook, "resend-dead", json!({})).good();
        let oldest = deliveries::Entity::find().filter(deliveries::Column::State.eq("dead"));
        assert_eq!(resent(), json!({ "resent": 1_000, "more": true }));
        let left = site.wait(async { oldest.count(post.server.store.read()).await.unwrap() });
        assert_eq!(left, 200);
        assert_eq!(resent(), json!({ "resent": 200, "more": false }));
        assert_eq!(resent(), json!({ "resent": 0, "more": false }));
    }

    fn an_organization_has_a_share_of_what_is_sent_at_a_time(site: &Site) {
        let post = Post::new(site);
        let hanging = Receiver::with(|_| Reply::Hang(Duration::from_secs(60)));
        let good = Receiver::new();
        for _ in 0..10 {
            post.webhook(&hanging, json!({ "events": ["product.created"] }));
        }
        let (_, key) = site.organization("Other");
        let them = post.admin.with_key(&key);
        post.happen("p", 10);
        let body = json!({ "url": good.url(), "events": ["product.created"] });
        them.post("/api/v1/webhooks", body).good();
        them.post("/api/v1/products", json!({ "name": "P", "code": "p" })).good();
        post.fan_out();
        let claimed = deliveries::Column::ClaimedUntil.is_not_null();
        let ours = deliveries::Column::OrganizationId.eq(site.organization);
        let taken = deliveries::Entity::find().filter(claimed).filter(ours);
        let taken = site.wait(async {
            let mut dispatcher = post.dispatcher();
            for _ in 0..3 {
                dispatcher.step().await.unwrap();
            }
            while good.count() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            taken.count(post.server.store.read()).await.unwrap()
        });
        assert_eq!(taken, 64, "and ten of ours had eight places each");
    }

    fn who_cannot_look_a_name_up_has_not_tried(site: &Site) {
        let post = Post::sending(site, sender());
        let to = Receiver::new();
        let url = format!("http://hooks.example:{}/", to.address.port());
        let webhook = json!({ "url": url, "events": ["product.created"] });
        let webhook = post.admin.post("/api/v1/webhooks", webhook).good();
        let (_, key) = site.organization("Other");
        let them = post.admin.with_key(&key);
        let body = json!({ "url": url, "events": ["product.created"] });
        them.post("/api/v1/webhooks", body).good();
        post.happen("p", 1);
        them.post("/api/v1/products", json!({ "name": "P", "code": "p" })).good();
        post.fan_out();
        site.wait(async {
            occupy(&post.server.webhooks, site.organization, 8).await;
            let mut dispatcher = post.dispatcher();
            dispatcher.step().await.unwrap();
            tokio::time::sleep(PATIENCE * 3).await;
            dispatcher.step().await.unwrap();
        });
        assert_eq!(to.count(), 1, "the other organization's");
        let ours = post.deliveries(&webhook, "").remove(0);
        assert_eq!((&ours["state"], &ours["tries"]), (&json!("waiting"), &json!(0)), "{ours}");
        assert!(post.look(&webhook)["failing_since"].is_null());
        assert_eq!((post.counted("failed"), post.counted("delivered")), (0, 1));
    }

    fn another_url_does_not_give_places_back(site: &Site) {
        let post = Post::new(site);
        let to = Receiver::with(|_| Reply::status(500));
        let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
        post.happen("p", 1);
        post.send();
        let path = format!("/api/v1/webhooks/{}", id(&webhook));
        let change = |change: Value| post.admin.put(&path, change).good()["failing_since"].clone();
        assert!(change(json!({ "url": format!("{}/other", to.url()) })).is_string());
        change(json!({ "enabled": false }));
        assert!(change(json!({ "enabled": true })).is_null());
    }
}

#[test]
fn names_that_are_silent_take_no_lookups_of_another_organization() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (sender, to) = (sender(), Receiver::new());
        let [one, other] = [Uuid::now_v7(), Uuid::now_v7()];
        // One after the other, as tries are: nobody waits any more, and they go on.
        occupy(&sender, one, 4).await;
        occupy(&sender, one, 4).await;
        let named = format!("http://hooks.example:{}/", to.address.port());
        let post =
            async |of, url: &str| sender.post(of, url, vec![], Bytes::from_static(b"{}")).await;
        assert_eq!(post(one, &named).await, None, "nothing was tried");
        assert!(post(one, &to.url()).await.is_some_and(|sent| sent.error.is_none()), "no name");
        let sent = post(other, &named).await.unwrap();
        assert_eq!((sent.status, to.count()), (Some(200), 2));
    });
}
