//! New keys, by hand: new signing keys in the place of the old ones, or another master key.

use crate::api::{Answer, KeyPair, Origin, Shared, Stop, Work, answer_label};
use crate::audit;
use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Code, Error, Result};
use crate::key_pair::Desk;
use crate::master_key::{self, Next};
use crate::outbox;
use crate::reports;
use crate::store::{
    Store, deliveries, figures, idempotency, key_pairs, meta, migrations, signing_keys, webhooks,
};
use crate::vault::{Vault, key_label};
use crate::webhooks::schedule;
use crate::webhooks::secrets::label as webhook_label;
use sea_orm::ConnectionTrait;
use sea_orm::prelude::Uuid;
use std::path::PathBuf;

/// Rows that are read at a time.
const PAGE: u64 = 200;

/// A key pair that was to be rotated.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The pair, as it is now.
    pub pair: key_pairs::Model,
    /// Why it was not; `None` = it was.
    pub refused: Option<Error>,
}

/// Rotates the keys of one key pair, or of all on the server. Servers may go on meanwhile.
///
/// Fails with `not_found` for a pair that is none, and with `conflict` for one that cannot be
/// rotated; of all, those are told of.
pub async fn signing(server: &Shared, pair: Option<Uuid>) -> Result<Vec<Rotated>> {
    let mut rotated = Vec::new();
    let mut last = Uuid::nil();
    loop {
        let pairs = key_pairs::after(server.store.read(), last, PAGE).await?;
        let Some(end) = pairs.last().map(|pair| pair.id) else { break };
        last = end;
        for found in pairs.into_iter().filter(|found| pair.is_none_or(|id| id == found.id)) {
            match one(server, &found).await {
                Ok(pair) => rotated.push(Rotated { pair, refused: None }),
                Err(error) if pair.is_none() && error.code() == Code::Conflict => {
                    rotated.push(Rotated { pair: found, refused: Some(error) });
                }
                Err(error) => return Err(error),
            }
        }
    }
    match pair {
        Some(_) if rotated.is_empty() => Err(Error::not_found("key pair")),
        _ => Ok(rotated),
    }
}

async fn one(server: &Shared, pair: &key_pairs::Model) -> Result<key_pairs::Model> {
    let nobody = Origin::default();
    let work = Work::of(server, pair.organization_id, "server", &nobody).await?;
    let mut work = work.by_hand();
    let vault = server.signer.vault();
    let desk = Desk { tx: &work.tx, vault, clock: &server.clock, now: work.now };
    let mut of = desk.lock(pair.organization_id, pair.id).await?;
    desk.rotate(&mut of).await?;
    work.event("key_pair.rotated", pair.id, &KeyPair::of(&of.pair, &of.keys));
    match work.commit(Answer::empty()).await {
        Ok(_) | Err(Stop::Again(_)) => Ok(of.pair),
        Err(Stop::Refused(error)) => Err(error),
    }
}

/// What was sealed with another master key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Private keys.
    pub keys: u64,
    /// Webhooks: what signs for them.
    pub webhooks: u64,
    /// Answers that are kept for whoever asks again.
    pub answers: u64,
    /// The file with the new key; `None` = it was brought along.
    pub file: Option<PathBuf>,
}

/// Seals everything with a new master key, all or nothing. The servers of this database have to be
/// stopped: they have the old key. The new one is made in the file of the old one; or it is
/// `given`, where the old one was brought along.
///
/// Fails with `setup` where the old key is not the one of the database.
pub async fn master(config: &Config, store: &Store, given: Option<&str>) -> Result<Resealed> {
    let old = master_key::open_existing(config, store).await?;
    let next = Next::make(config, given)?;
    match reseal(store, &old, &next.vault).await {
        Ok(mut resealed) => {
            resealed.file = next.done()?;
            // What the old key opens is not to stay behind. It is done even where that fails.
            if let Err(error) = store.scrub().await {
                tracing::warn!(error = error.detail(), "what the old key sealed is not wiped");
            }
            Ok(resealed)
        }
        Err(error) => {
            // Unless the database may have it all the same.
            if master_key::check(store, &old).await.is_ok() {
                next.drop();
            }
            Err(error)
        }
    }
}

async fn reseal(store: &Store, old: &Vault, new: &Vault) -> Result<Resealed> {
    let tx = store.begin().await?;
    migrations::lock(&tx).await?;
    master_key::check_within(&tx, old).await?;
    let mut done = Resealed::default();
    let mut last = Uuid::nil();
    loop {
        let keys = signing_keys::after(&tx, last, PAGE).await?;
        let Some(end) = keys.last().map(|key| key.id) else { break };
        for key in keys {
            let sealed = anew(old, new, &key_label(&key.kid), &key.sealed)?;
            signing_keys::reseal(&tx, key.id, sealed).await?;
            done.keys += 1;
        }
        last = end;
    }
    done.webhooks = reseal_webhooks(&tx, old, new).await?;
    let mut last = None;
    loop {
        let answers = idempotency::after(&tx, last, PAGE).await?;
        let Some(end) = answers.last() else { break };
        last = Some((end.organization_id, end.digest.clone()));
        for answer in &answers {
            let sealed = anew(old, new, &answer_label(&answer.digest), &answer.body)?;
            idempotency::reseal(&tx, answer, sealed).await?;
            done.answers += 1;
        }
    }
    master_key::know_next(&tx, new).await?;
    note(&tx, "server.master_key_replaced").await?;
    tx.commit().await?;
    Ok(done)
}

async fn reseal_webhooks(tx: &impl ConnectionTrait, old: &Vault, new: &Vault) -> Result<u64> {
    let (mut done, mut last) = (0, Uuid::nil());
    loop {
        let rows = webhooks::after(tx, last, PAGE).await?;
        let Some(end) = rows.last().map(|row| row.id) else { return Ok(done) };
        for row in rows {
            let label = webhook_label(row.id);
            let sealed = anew(old, new, &label, &row.sealed)?;
            let before = row.sealed_before.as_deref();
            let before = before.map(|before| anew(old, new, &label, before)).transpose()?;
            webhooks::reseal(tx, row.id, sealed, before).await?;
            done += 1;
        }
        last = end;
    }
}

fn anew(old: &Vault, new: &Vault, label: &str, sealed: &str) -> Result<String> {
    new.seal(label, &old.open(label, sealed)?)
}

/// Forgets when something was signed last, and what else waits for a time that the clock had: for
/// one that was ahead, and is right `now`. The servers of this database have to be stopped: they
/// remember it.
pub async fn forget_clock(store: &Store, now: i64) -> Result<()> {
    let tx = store.begin().await?;
    meta::remove(&tx, meta::SIGNED_AT).await?;
    for name in reports::TIMES.into_iter().chain([outbox::TURN.0]) {
        meta::remove_later(&tx, name, now).await?;
    }
    figures::clear_from(&tx, reports::day_of(now).saturating_add(reports::DAY)).await?;
    deliveries::recede(&tx, now, now.saturating_add(schedule::LONGEST)).await?;
    note(&tx, "server.clock_forgotten").await?;
    tx.commit().await?;
    Ok(())
}

/// Notes for everybody what was done with the server.
async fn note(tx: &impl ConnectionTrait, action: &str) -> Result<()> {
    let entry = audit::Entry::by("command", action, Uuid::nil(), Clock::default().now());
    audit::append_to_all(tx, entry).await
}
