//! What happens after a write, and not on its way: events go to whoever is to know them, ends of
//! licenses are announced, lists are signed before anybody asks, and what is old is cleared away.
//! Every server of a group runs it; each piece of work is done by one of them.

use crate::api::Shared;
use crate::api::licenses::License;
use crate::error::Result;
use crate::revocations;
use crate::store::{
    Engine, deliveries, endings, events, idempotency, licenses, meta, organizations, products,
    revoked, sessions, webhooks,
};
use crate::webhooks::fan_out;
use sea_orm::DatabaseTransaction;
use sea_orm::prelude::Uuid;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep};

/// How often it is looked for events.
const EVERY: Duration = Duration::from_secs(1);
/// How long after a failure.
const LATER: Duration = Duration::from_secs(5);
/// How often everything else is done.
const TENDING: Duration = Duration::from_secs(5);

/// Events that are taken, and rows that are written, at a time.
const BATCH: u64 = 500;
/// Batches of one kind of work before the next has its turn.
const BATCHES: usize = 20;
/// Lists that are signed in one turn.
const LISTS: u64 = 10;

const DAY: i64 = 86_400;
/// Seconds before its end in which a license is said to end soon.
pub const SOON: i64 = 7 * DAY;
/// Seconds for which the answer to a repeated request is kept.
const IDEMPOTENCY: i64 = DAY;

/// Work of the group that one server does at a time, and the seconds until the next does it.
pub const TURN: (&str, i64) = ("outbox_turn", 4);

/// Works until it is told to stop, or dropped: what has not ended then, another server does.
pub async fn run(server: Shared, keep_days: u32, mut stop: watch::Receiver<bool>) {
    let outbox = Outbox::new(server, keep_days);
    let mut tended = None;
    while !*stop.borrow() {
        let is_time = tended.is_none_or(|last: Instant| last.elapsed() >= TENDING);
        let done = async {
            if is_time {
                outbox.tend().await?;
            }
            outbox.turn().await
        };
        let pause = match done.await {
            Ok(Turn { more: true, .. }) => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(code = error.code().slug(), "events wait: {error}");
                LATER
            }
        };
        if is_time {
            tended = Some(Instant::now());
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(pause) => {}
        }
    }
}

/// The work.
pub struct Outbox {
    server: Shared,
    keep_days: u32,
    /// Lists that cannot be signed, and their versions.
    unsigned: Mutex<BTreeMap<Uuid, i64>>,
    /// Events that are taken next: fewer where they are large.
    batch: AtomicU64,
}

/// What a turn has done.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// Events that were delivered.
    count: u64,
    /// Whether more may be waiting.
    more: bool,
}

impl Outbox {
    /// Work that keeps what was delivered for so many days after; 0 = for ever.
    pub fn new(server: Shared, keep_days: u32) -> Outbox {
        let (unsigned, batch) = (Mutex::default(), AtomicU64::new(BATCH));
        Outbox { server, keep_days, unsigned, batch }
    }

    /// Delivers the oldest events that wait: to the log, and on their way to webhooks, all in one
    /// transaction. Gives how many.
    pub async fn deliver(&self) -> Result<u64> {
        Ok(self.turn().await?.count)
    }

    async fn turn(&self) -> Result<Turn> {
        let (store, now) = (&self.server.store, self.server.clock.now());
        // Nothing is written while nothing happens.
        if !events::is_waiting(store.read()).await? {
            return Ok(Turn::default());
        }
        let tx = store.begin().await?;
        let batch = self.batch.load(Relaxed);
        let mut taken = events::take(&tx, batch).await?;
        if taken.is_empty() {
            return Ok(Turn::default());
        }
        let all = taken.len();
        taken.truncate(fan_out(&tx, &taken, now).await?);
        let numbers: Vec<i64> = taken.iter().map(|event| event.seq).collect();
        events::delivered(&tx, &numbers, now).await?;
        // Before the end: a line may come twice, and is never missing.
        taken.iter().for_each(log);
        tx.commit().await?;
        let count = u64::try_from(taken.len()).unwrap_or(u64::MAX);
        let is_cut = taken.len() < all;
        let next = if is_cut { count } else { batch.saturating_mul(2) };
        self.batch.store(next.clamp(1, BATCH), Relaxed);
        Ok(Turn { count, more: is_cut || count >= batch })
    }

    /// Does everything else, unless another server of the group is at it.
    pub async fn tend(&self) -> Result<()> {
        if self.has_turn().await? {
            self.announce().await?;
            self.fill_search().await?;
            self.sign_lists().await?;
            self.clear().await?;
        }
        Ok(())
    }

    async fn has_turn(&self) -> Result<bool> {
        // SQLite is one server's alone, and is not written while nothing happens.
        if self.server.store.engine() == Engine::Sqlite {
            return Ok(true);
        }
        let ((name, seconds), now) = (TURN, self.server.clock.now());
        let tx = self.server.store.begin().await?;
        let has = meta::claim(&tx, name, now, now.saturating_add(seconds)).await?;
        tx.commit().await?;
        Ok(has)
    }

    /// Makes the events of licenses that end: each once for each end.
    pub async fn announce(&self) -> Result<()> {
        for step in [Step::Renewed, Step::Over, Step::Soon] {
            for _ in 0..BATCHES {
                if self.announce_some(step).await? < BATCH {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn announce_some(&self, step: Step) -> Result<u64> {
        let now = self.server.clock.now();
        let tx = self.server.store.begin().await?;
        let rows = match step {
            Step::Renewed => endings::renewed(&tx, now, SOON, BATCH).await?,
            Step::Over => endings::over(&tx, now, BATCH).await?,
            Step::Soon => endings::soon(&tx, now, SOON, BATCH).await?,
        };
        if rows.is_empty() {
            return Ok(0);
        }
        let (kind, announced) = match step {
            Step::Renewed => (None, endings::NOTHING),
            Step::Over => (Some("license.expired"), endings::OVER),
            Step::Soon => (Some("license.expiring_soon"), endings::SOON),
        };
        if let Some(kind) = kind {
            events::insert(&tx, ends(&tx, kind, &rows, now).await?).await?;
        }
        endings::announce(&tx, &rows, announced).await?;
        tx.commit().await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    /// Writes what licenses are found by where an older version did not.
    pub async fn fill_search(&self) -> Result<()> {
        let store = &self.server.store;
        for _ in 0..BATCHES {
            // Nothing is written while nothing happens.
            if !licenses::is_unsearched(store.read()).await? {
                break;
            }
            let tx = store.begin().await?;
            let done = licenses::fill_search(&tx, BATCH).await?;
            tx.commit().await?;
            if done < BATCH {
                break;
            }
        }
        Ok(())
    }

    /// Signs revocation lists that have changed, so that what products are told of them is new.
    pub async fn sign_lists(&self) -> Result<()> {
        let store = self.server.store.read();
        let mut unsigned = self.unsigned.lock().await;
        for product in revoked::unsigned(store, LISTS).await? {
            let (id, version) = (product.id, product.revocations_version);
            if unsigned.get(&id) == Some(&version) {
                continue;
            }
            let organization = organizations::get(store, product.organization_id).await?;
            let Some(organization) = organization else { continue };
            if let Err(error) = revocations::current(&self.server, &organization, &product).await {
                let code = error.code().slug();
                tracing::warn!(product = %id, code, "a revocation list is not signed: {error}");
                // What may be tried again says when.
                if error.retry().is_none() {
                    unsigned.insert(id, version);
                }
            }
        }
        Ok(())
    }

    /// Deletes what is left of webhooks that were deleted.
    async fn clear_gone(&self) -> Result<()> {
        let store = &self.server.store;
        for _ in 0..BATCHES {
            let Some(webhook) = deliveries::gone(store.read()).await? else { break };
            let tx = store.begin().await?;
            deliveries::clear_gone(&tx, webhook, BATCH).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Deletes what is too old to be asked for, and what signs no more.
    pub async fn clear(&self) -> Result<()> {
        let (store, now) = (&self.server.store, self.server.clock.now());
        for _ in 0..BATCHES {
            let tx = store.begin().await?;
            let answers = idempotency::clear(&tx, now.saturating_sub(IDEMPOTENCY), BATCH).await?;
            let done = answers.max(sessions::clear(&tx, now, BATCH).await?);
            tx.commit().await?;
            if done < BATCH {
                break;
            }
        }
        self.clear_gone().await?;
        if webhooks::has_outlived(store.read(), now).await? {
            let tx = store.begin().await?;
            webhooks::forget_outlived(&tx, now).await?;
            tx.commit().await?;
        }
        if self.keep_days == 0 {
            return Ok(());
        }
        let before = now.saturating_sub(i64::from(self.keep_days).saturating_mul(DAY));
        for _ in 0..BATCHES {
            let tx = store.begin().await?;
            let done = events::clear(&tx, before, BATCH).await?;
            // What waits has not ended, however old it is; unless nobody asks for it.
            let done = done.max(deliveries::clear(&tx, before, BATCH).await?);
            let done = done.max(deliveries::clear_unasked(&tx, before, BATCH).await?);
            tx.commit().await?;
            if done < BATCH {
                break;
            }
        }
        Ok(())
    }
}

/// A line for an event, without what is told of it.
fn log(event: &events::Model) {
    tracing::info!(
        id = event.name(),
        kind = event.kind,
        organization = %event.organization_id,
        subject = event.subject,
        "event"
    );
}

/// What is announced of the end of a license.
#[derive(Clone, Copy, Debug)]
enum Step {
    Renewed,
    Over,
    Soon,
}

/// The events of licenses that end. Of a revoked one there is nothing to tell.
async fn ends(
    tx: &DatabaseTransaction,
    kind: &str,
    rows: &[licenses::Model],
    now: i64,
) -> Result<Vec<events::Model>> {
    let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.product_id).collect();
    let products = products::by_ids(tx, ids).await?;
    let mut made = Vec::new();
    for row in rows.iter().filter(|row| row.revoked_at.is_none()) {
        let Some(product) = products.iter().find(|product| product.id == row.product_id) else {
            continue;
        };
        // One that cannot be read does not keep the others waiting.
        let data = License::of(row, product, now).ok();
        let data = data.and_then(|license| serde_json::to_string(&license).ok());
        let data = data.unwrap_or_else(|| "{}".to_string());
        made.push(events::Model {
            seq: 0,
            id: Uuid::now_v7(),
            organization_id: row.organization_id,
            kind: kind.to_string(),
            subject: row.id.to_string(),
            data_json: data,
            actor: "server".to_string(),
            request_id: None,
            created_at: now,
            claimed_until: None,
            delivered_at: None,
        });
    }
    Ok(made)
}
