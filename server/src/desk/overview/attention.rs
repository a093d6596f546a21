//! What somebody should look at.

use super::super::choices::Product;
use super::super::client::query;
use super::super::events::{Event, Events};
use super::super::numbers::counted;
use super::super::session::Visit;
use super::super::webhooks::{Deliveries, Webhook};
use super::super::{Desk, when};
use super::report::Overview;
use serde::Deserialize;

/// Events of this kind are looked at for so many seconds.
const LATELY: i64 = 30 * 86_400;

/// Kinds of events that somebody should know of, and what each says.
const KINDS: [(&str, &str, &str); 3] = [
    ("activation.clone_suspected", "An installation seems to be a copy of another", "look"),
    ("activation.forked", "An installation reports from two places by turns", "look"),
    ("server.older_than_clients", "Programs know what this server has forgotten", "bad"),
];

/// Of many of one sort, so many are told.
const FEW: usize = 3;

/// One thing to look at.
#[derive(Debug, PartialEq, Eq)]
pub struct Item {
    /// How it looks: `bad` or `look`.
    pub look: &'static str,
    /// One word for it.
    pub word: &'static str,
    /// One sentence.
    pub text: String,
    /// Where to go, below the first page.
    pub to: String,
}

/// What there is besides the overview.
#[derive(Default)]
pub struct Seen {
    pub webhooks: Vec<Webhook>,
    pub dead: Deliveries,
    pub late: usize,
    pub events: Vec<Event>,
    pub has_key_pair: bool,
}

#[derive(Default, Deserialize)]
struct Webhooks {
    webhooks: Vec<Webhook>,
}

#[derive(Default, Deserialize)]
struct Total {
    total: u64,
}

/// Looks at what may need somebody. What cannot be seen is left out: the page is there anyway.
pub async fn seen(desk: &Desk, visit: &Visit) -> Seen {
    let get = desk.client.get::<Webhooks>(visit, "/webhooks?per_page=100");
    let webhooks = get.await.unwrap_or_default().webhooks;
    let of = |state: &str| format!("/deliveries?per_page=100&state={state}");
    let (mut dead, mut late) = (Deliveries::default(), 0);
    if !webhooks.is_empty() {
        dead = desk.client.get(visit, &of("dead")).await.unwrap_or_default();
        let waiting: Deliveries = desk.client.get(visit, &of("waiting")).await.unwrap_or_default();
        late = waiting.deliveries.iter().filter(|it| it.tries > 0).count();
    }
    let since = when::exact(desk.server.clock.now().saturating_sub(LATELY));
    let mut events = Vec::new();
    for (kind, ..) in KINDS {
        let path = format!("/events{}", query([("kind", kind), ("per_page", "20")]));
        let found: Events = desk.client.get(visit, &path).await.unwrap_or_default();
        // Times are written so that they sort.
        events.extend(found.events.into_iter().filter(|event| event.created_at >= since));
    }
    let pairs: Total = desk.client.get(visit, "/key-pairs?per_page=1").await.unwrap_or_default();
    Seen { webhooks, dead, late, events, has_key_pair: pairs.total > 0 }
}

/// All of it, the worst first. What ends is of one product where one was asked for.
pub fn items(it: &Overview, seen: &Seen, products: &[Product], product: &str) -> Vec<Item> {
    let mut all = Vec::new();
    let mut add = |look, word, text: String, to: String| all.push(Item { look, word, text, to });
    for webhook in &seen.webhooks {
        let to = format!("webhooks/{}", webhook.id);
        if let (true, Some(at)) = (webhook.enabled, &webhook.failing_since) {
            let text = format!("Nothing has arrived at {} since {}", webhook.url, when::minute(at));
            add("bad", "Webhook", text, to);
        } else if webhook.disabled_reason.is_some() {
            let text = format!("The server disabled the webhook to {}", webhook.url);
            add("bad", "Webhook", text, to);
        }
    }
    if let Some(first) = seen.dead.deliveries.first() {
        let more = if seen.dead.next_cursor.is_some() { " or more" } else { "" };
        let count = i64::try_from(seen.dead.deliveries.len()).unwrap_or_default();
        let text = match (count, more) {
            (1, "") => "1 delivery was tried for the last time".to_string(),
            _ => format!("{count} deliveries{more} were tried for the last time"),
        };
        add("bad", "Deliveries", text, format!("webhooks/{}?state=dead", first.webhook_id));
    }
    for (kind, text, look) in KINDS {
        let mut events = seen.events.iter().filter(|event| event.kind == kind);
        let Some(last) = events.next() else { continue };
        let text = match events.count() {
            0 => format!("{text} ({})", when::day(&last.created_at)),
            more => format!("{text} ({}, and {more} more lately)", when::day(&last.created_at)),
        };
        add(look, "Events", text, format!("events{}", query([("kind", kind)])));
    }
    let keyless: Vec<&Product> = products.iter().filter(|it| it.key_pair_id.is_none()).collect();
    for product in keyless.iter().take(FEW) {
        let text = format!("{} has no key pair: it can have no licenses", product.name);
        add("look", "Product", text, format!("products/{}", product.id));
    }
    if keyless.len() > FEW {
        let more = keyless.len().saturating_sub(FEW);
        let text = format!("{more} more products have no key pair");
        add("look", "Product", text, "products".to_string());
    }
    if it.ending.days_7 > 0 {
        let what = counted(it.ending.days_7, "license ends", "licenses end");
        let which = query([("product_id", product), ("ending_within_days", "7")]);
        add("look", "Licenses", format!("{what} within 7 days"), format!("licenses{which}"));
    }
    all.sort_by_key(|item| item.look != "bad");
    all
}
