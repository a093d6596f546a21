//! Signs that installations have seen answers which this database knows nothing of: it was
//! restored from an older backup.

use super::words::actor;
use crate::api::{Origin, Server, Shared, Work};
use crate::error::Result;
use crate::store::meta;
use crate::store::products;
use licentia::issue::Request;
use sea_orm::prelude::Uuid;
use serde::Serialize;

/// Microseconds: numbers of answers are no further ahead than this. Installations refuse those of
/// 400 days, and there has to be a next one.
const AHEAD_MAX: i64 = 399 * 86_400 * 1_000_000;

/// The number of the next answer: higher than that of the last one, and than that of the last one
/// which the installation says it has. Where a wrong clock gave out one that is too far ahead, it
/// is the highest that there may be: installations take it with the next key set.
pub fn next_seq(server: &Server, last: i64, request: &Request) -> i64 {
    let most = server.clock.micros().saturating_add(AHEAD_MAX);
    let theirs = request.sync.as_ref().map_or(0, |sync| sync.seq);
    let theirs = i64::try_from(theirs).unwrap_or(i64::MAX);
    server.clock.next(last.max(theirs).min(most))
}

/// Epochs are microseconds since 1970.
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// An installation reports the epoch of its keys. Where that is higher than ours, it refuses what
/// we sign, and an event says so: once for each hour of epochs that are missing.
pub async fn heard(
    server: &Shared,
    product: &products::Model,
    ours: u64,
    request: &Request,
    origin: &Origin,
) -> Result<()> {
    #[derive(Serialize)]
    struct Older {
        product_id: Uuid,
        epoch: u64,
        reported_epoch: i64,
        message: &'static str,
    }
    let theirs = request.sync.as_ref().map_or(0, |sync| sync.epoch);
    let Some(theirs) = i64::try_from(theirs).ok().filter(|_| theirs > ours) else { return Ok(()) };
    // Nobody has signed what is of tomorrow.
    if theirs > server.clock.micros().saturating_add(DAY) {
        return Ok(());
    }
    let name = format!("epoch_heard {}", product.id);
    let is_known =
        |known: Option<i64>| known.is_some_and(|known| theirs < known.saturating_add(HOUR));
    if is_known(meta::number(server.store.read(), &name).await?) {
        return Ok(());
    }
    let mut work = Work::of(server, product.organization_id, &actor(request), origin).await?;
    meta::raise(&work.tx, &name, theirs).await?;
    tracing::warn!(
        product = %product.id, ours, theirs,
        "a client has newer keys than this server: was an older backup restored?"
    );
    let message = "Products have newer keys than this server and refuse its answers: rotate the \
                   key pair";
    let older = Older { product_id: product.id, epoch: ours, reported_epoch: theirs, message };
    work.event("server.older_than_clients", product.id, &older);
    work.finish().await
}
