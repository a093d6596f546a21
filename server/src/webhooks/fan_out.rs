//! An event becomes a delivery for every webhook that wants it.

use super::kinds;
use crate::error::Result;
use crate::store::{deliveries, events, licenses, webhooks};
use licentia::rfc3339;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of bodies in one turn, for all webhooks together, and those of one event more.
const BYTES_MAX: usize = 8 << 20;

/// Makes the deliveries of the first of some events: one for each webhook that takes the event,
/// together with whatever else the transaction does. Gives how many events those are: at least
/// one, and the rest waits for its turn.
pub async fn fan_out(
    tx: &impl ConnectionTrait,
    events: &[events::Model],
    now: i64,
) -> Result<usize> {
    let organizations: BTreeSet<Uuid> = events.iter().map(|event| event.organization_id).collect();
    let open = webhooks::open(tx, organizations).await?;
    if open.is_empty() {
        return Ok(events.len());
    }
    let products = match open.iter().any(|row| row.product_id.is_some()) {
        true => products(tx, events).await?,
        false => BTreeMap::new(),
    };
    let (mut rows, mut bytes, mut done) = (Vec::new(), 0_usize, 0);
    for event in events {
        if bytes >= BYTES_MAX {
            break;
        }
        done += 1;
        let product = products.get(&event.seq).copied();
        let takers = open.iter().filter(|webhook| takes(webhook, event, product));
        let takers: Vec<_> = takers.collect();
        if takers.is_empty() || event.kind == kinds::TEST {
            continue;
        }
        let body = body(event);
        bytes = bytes.saturating_add(body.len().saturating_mul(takers.len()));
        let bodies = std::iter::repeat_n(body, takers.len());
        rows.extend(takers.into_iter().zip(bodies).map(|(to, body)| row(to, event, body, now)));
    }
    deliveries::insert(tx, rows).await?;
    Ok(done)
}

/// Whether a webhook wants an event, which is about this product: one that came after it was made.
fn takes(webhook: &webhooks::Model, event: &events::Model, product: Option<Uuid>) -> bool {
    let kinds = &webhook.kinds;
    webhook.organization_id == event.organization_id
        && webhook.after_event < event.seq
        && (kinds.is_empty() || kinds.split(' ').any(|kind| kind == event.kind))
        && (webhook.product_id.is_none() || webhook.product_id == product)
}

/// An event on its way to a webhook.
pub fn row(
    webhook: &webhooks::Model,
    event: &events::Model,
    body: String,
    now: i64,
) -> deliveries::Model {
    deliveries::Model {
        id: Uuid::now_v7(),
        organization_id: event.organization_id,
        webhook_id: webhook.id,
        event_id: event.id,
        kind: event.kind.clone(),
        subject: event.subject.clone(),
        body,
        state: deliveries::WAITING.to_string(),
        tries: 0,
        tries_json: "[]".to_string(),
        next_at: Some(now),
        claimed_until: None,
        created_at: now,
        finished_at: None,
    }
}

/// What is sent of an event: its id, type, time and data.
pub fn body(event: &events::Model) -> String {
    let data = if event.data_json.is_empty() { "{}" } else { &event.data_json };
    let text = |text: &str| Value::from(text).to_string();
    format!(
        r#"{{"id":{},"type":{},"created_at":{},"data":{data}}}"#,
        text(&event.name()),
        text(&event.kind),
        text(&rfc3339(event.created_at)),
    )
}

/// The products that events are about, by the events' numbers: that of a license where it is about
/// one. Some are about none.
async fn products(
    tx: &impl ConnectionTrait,
    events: &[events::Model],
) -> Result<BTreeMap<i64, Uuid>> {
    let (mut found, mut by_license) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let data: Value = serde_json::from_str(&event.data_json).unwrap_or_else(|_| json!({}));
        let id = |name: &str| data.get(name).and_then(Value::as_str).and_then(parse);
        let of = event.kind.split('.').next();
        let product = match of {
            Some("product") => parse(&event.subject),
            _ => id("product_id"),
        };
        let license = match of {
            Some("license") => parse(&event.subject),
            _ => id("license_id"),
        };
        match (product, license) {
            (Some(product), _) => drop(found.insert(event.seq, product)),
            (None, Some(license)) => drop(by_license.insert(event.seq, license)),
            (None, None) => {}
        }
    }
    let ids: BTreeSet<Uuid> = by_license.values().copied().collect();
    let rows = licenses::all_anywhere(tx, ids.into_iter().collect()).await?;
    let of: BTreeMap<Uuid, Uuid> = rows.iter().map(|row| (row.id, row.product_id)).collect();
    let known = |(seq, license)| of.get(&license).map(|product| (seq, *product));
    found.extend(by_license.into_iter().filter_map(known));
    Ok(found)
}

fn parse(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}
