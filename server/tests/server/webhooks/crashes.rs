//! Ten thousand events, servers that crash in the middle, consumers that fail: nothing is lost, and
//! what comes again is the same.

use super::receiver::{Got, Receiver, Reply};
use super::{Post, text};
use crate::support::dice::{Dice, seed, times};
use crate::support::{BEGIN, Site};
use licentia_server::outbox::Outbox;
use licentia_server::store::{deliveries, events};
use licentia_server::webhooks::dispatch::{CLAIM, Dispatcher};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

/// Events of which one transaction makes several.
const AT_ONCE: usize = 50;

/// Places where a server that makes deliveries of events waits for something, and more.
const PLACES: usize = 40;

/// A consumer that fails three times of ten: an error, a closed connection, half an answer, or an
/// answer that comes late.
fn unreliable(seed: u64) -> Receiver {
    let dice = Mutex::new(Dice(seed));
    Receiver::with(move |_| {
        let mut dice = dice.lock().unwrap();
        if !dice.chance(30) {
            return Reply::status(200);
        }
        match dice.below(6) {
            0 => Reply::Close,
            1 => Reply::Half,
            2 => Reply::Slow(Duration::from_millis(20)),
            3 => Reply::with(503, "Retry-After: 2"),
            4 => Reply::with(302, "Location: http://127.0.0.1:9/"),
            _ => Reply::status(500),
        }
    })
}

/// Events of which some are about what the webhook takes: the names of those that it takes.
fn happen(site: &Site, count: usize, dice: &mut Dice) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    let mut rows = Vec::new();
    for number in 0..count {
        let kind = if dice.chance(10) { "product.updated" } else { "product.created" };
        let row = events::Model {
            seq: 0,
            id: Uuid::now_v7(),
            organization_id: site.organization,
            kind: kind.into(),
            subject: Uuid::now_v7().to_string(),
            data_json: json!({ "number": number, "name": "Größe \"1\"\n" }).to_string(),
            actor: "test".into(),
            request_id: None,
            created_at: site.clock.now(),
            claimed_until: None,
            delivered_at: None,
        };
        if kind == "product.created" {
            taken.insert(row.name());
        }
        rows.push(row);
    }
    site.wait(async {
        for rows in rows.chunks(AT_ONCE) {
            let tx = site.server.store.begin().await.unwrap();
            events::insert(&tx, rows.to_vec()).await.unwrap();
            tx.commit().await.unwrap();
        }
    });
    taken
}

/// When a server is dropped, in the middle of whatever it does.
#[derive(Clone, Copy)]
enum End {
    /// After so long.
    After(Duration),
    /// The next time that it waits for something, after so many times: every place where it could
    /// be killed has its turn, also those where it is for a moment only.
    At(usize),
}

/// A server that works until its end.
async fn live(post: &Post<'_>, end: End) {
    let (server, metrics) = (Arc::clone(&post.server), Arc::clone(&post.metrics));
    let mut work = Box::pin(async move {
        let outbox = Outbox::new(Arc::clone(&server), 0);
        let mut dispatcher = Dispatcher::new(server, metrics);
        loop {
            let some = outbox.deliver().await;
            let sent = dispatcher.step().await;
            // What a server that was dropped leaves behind may be in the way for a moment.
            if some.is_err() || sent.is_err() || some.is_ok_and(|count| count == 0) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    match end {
        End::After(time) => {
            let work = tokio::spawn(work);
            tokio::time::sleep(time).await;
            work.abort();
            assert!(work.await.unwrap_err().is_cancelled());
        }
        End::At(mut left) => {
            poll_fn(|context| {
                let ended: Poll<()> = work.as_mut().poll(context);
                left = left.saturating_sub(1);
                if left == 0 { Poll::Ready(()) } else { ended }
            })
            .await;
        }
    }
}

/// What arrived, by its id: how often. Every one is signed in both ways, and is as it was before.
fn judged(got: &[Got], secret: &str, public_key: &str) -> BTreeMap<String, usize> {
    let mut bodies: BTreeMap<&str, &[u8]> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for one in got {
        assert_eq!(one.json()["id"], one.id());
        assert!(one.is_signed(secret) && one.is_signed(public_key), "{:?}", one.headers);
        let first = bodies.entry(one.id()).or_insert(&one.body);
        assert_eq!(*first, one.body, "{} is another when it comes again", one.id());
        *counts.entry(one.id().to_string()).or_default() += 1;
    }
    counts
}

fn left(post: &Post) -> u64 {
    let waiting = deliveries::Column::State.ne(deliveries::DELIVERED);
    let left = deliveries::Entity::find().filter(waiting).count(post.server.store.read());
    post.site.wait(async { left.await.unwrap() })
}

fn nothing_is_lost(site: &Site, count: usize) {
    let seed = seed();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let post = Post::new(site);
    let to = unreliable(seed);
    let webhook = post.webhook(&to, json!({ "events": ["product.created"] }));
    let (mut wanted, mut crashes) = (BTreeSet::new(), 0);
    let mut made = 0;
    let (mut rounds, mut lives) = (0, 0);
    while made < count || left(&post) > 0 {
        if made < count {
            let some = (count / 20).max(1).min(count - made);
            wanted.extend(happen(site, some, &mut dice));
            made += some;
        }
        for _ in 0..4 {
            site.wait(live(&post, End::At(1 + lives % PLACES)));
            lives += 1;
        }
        let time = Duration::from_millis(5 + dice.below(120) as u64);
        site.wait(live(&post, End::After(time)));
        crashes += 5;
        // What it took comes free, and what failed is due before long.
        let hours = if made < count { 0 } else { dice.below(20) as i64 * 3600 };
        site.clock.set(Some(site.clock.now() + CLAIM + hours));
        // Somebody looks after what is dead.
        if rounds % 10 == 9 {
            post.act(&webhook, "resend-dead", json!({})).good();
        }
        rounds += 1;
        assert!(rounds < 100 + count, "it does not end: {} are left", left(&post));
    }
    let got = to.got();
    let counts = judged(&got, text(&webhook, "secret"), text(&webhook, "public_key"));
    let arrived: BTreeSet<String> = counts.keys().cloned().collect();
    assert_eq!(arrived, wanted, "what arrived is what happened");
    let again: usize = counts.values().map(|count| count - 1).sum();
    assert!(again > wanted.len() / 10 && crashes > 10, "{again} repeats, {crashes} crashes");
    assert!(site.clock.now() > BEGIN);
    println!(
        "tried: {count} events, {} for the webhook, on {}: {crashes} crashes, {} arrivals, {again} \
         of them again with the same id and body, 0 lost",
        wanted.len(),
        post.server.store.engine().name(),
        got.len(),
    );
}

/// A tenth of what there is time for otherwise.
#[test]
fn nothing_is_lost_on_sqlite() {
    nothing_is_lost(&Site::sqlite(), times(1000));
}

/// The same, of which a test has half.
#[test]
fn nothing_is_lost_on_postgresql() {
    Site::postgres().iter().for_each(|site| nothing_is_lost(site, times(500)));
}
