//! Sends what is due, and notes what became of it. Every server of a group does; each delivery is
//! sent by one at a time, and what a server took and did not end comes free by itself.
//!
//! An endpoint that is slow or gone has a few places of its own, and takes none of another's.

use super::secrets::signing;
use super::tries::{self, Try};
use super::{Sent, place, schedule};
use crate::api::Shared;
use crate::audit;
use crate::error::{Code, Error, Result};
use crate::metrics::{Metrics, Outcome};
use crate::store::{Engine, deliveries, events, webhooks};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use sea_orm::DatabaseTransaction;
use sea_orm::prelude::Uuid;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{sleep, timeout};

/// How often it is looked for what is due.
const EVERY: Duration = Duration::from_secs(1);
/// How long after a failure of the database.
const LATER: Duration = Duration::from_secs(5);
/// How long what is being sent is waited for at the end.
const LAST: Duration = Duration::from_secs(5);

/// Seconds in which a server has to have sent what it took: four times as long as an answer may
/// take. Then another does.
pub const CLAIM: i64 = 60;

/// Sent at a time to one endpoint, and to one that failed last.
const OF_ONE: usize = 8;
const OF_A_FAILING: usize = 1;
/// Sent at a time for one organization.
const OF_AN_ORGANIZATION: usize = 64;
/// Sent at a time to all, and to all that failed last.
const OF_ALL: usize = 256;
const OF_THE_FAILING: usize = 128;

/// What is being sent.
#[derive(Clone, Debug)]
struct Flight {
    delivery: Uuid,
    organization: Uuid,
    webhook: Uuid,
    url: String,
    /// Until when it is ours.
    until: i64,
    /// When it was sent.
    at: i64,
    failing: bool,
}

/// What became of it.
#[derive(Debug)]
struct Landed {
    flight: Flight,
    sent: Sent,
    /// Why it could not be sent at all.
    refused: Option<Error>,
}

/// Who sends. Dropped, it ends at once, and what it was sending is sent again.
pub struct Dispatcher {
    server: Shared,
    metrics: Arc<Metrics>,
    tasks: JoinSet<Option<Sent>>,
    flights: HashMap<Id, Flight>,
    /// What was not tried, to be given back.
    untried: Vec<Flight>,
    /// What is not noted yet.
    landed: Vec<Landed>,
    round: usize,
}

/// Works until it is told to stop; then what is being sent has a few seconds to end.
pub async fn run(server: Shared, metrics: Arc<Metrics>, mut stop: watch::Receiver<bool>) {
    if let Err(error) = begin(&server).await {
        tracing::warn!(code = error.code().slug(), "what was being sent waits: {error}");
    }
    let mut dispatcher = Dispatcher::new(server, metrics);
    while !*stop.borrow() {
        let pause = match dispatcher.step().await {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(code = error.code().slug(), "webhooks wait: {error}");
                // It is no use to send what cannot be noted.
                tokio::select! {
                    _ = stop.wait_for(|stop| *stop) => break,
                    () = sleep(LATER) => continue,
                }
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(ended) = dispatcher.tasks.join_next_with_id() => dispatcher.land(ended),
            () = sleep(pause) => {}
        }
    }
    dispatcher.end().await;
}

/// What the server before this one was sending when it was killed is sent at once, where there is
/// no other that could be at it.
async fn begin(server: &Shared) -> Result<()> {
    if server.store.engine() != Engine::Sqlite {
        return Ok(());
    }
    let tx = server.store.begin().await?;
    deliveries::release_all(&tx).await?;
    tx.commit().await?;
    Ok(())
}

impl Dispatcher {
    /// One that sends nothing yet.
    pub fn new(server: Shared, metrics: Arc<Metrics>) -> Dispatcher {
        let (tasks, flights) = (JoinSet::new(), HashMap::new());
        let (untried, landed) = (Vec::new(), Vec::new());
        Dispatcher { server, metrics, tasks, flights, untried, landed, round: 0 }
    }

    /// Notes what has ended, and begins to send what is due.
    pub async fn step(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.land(ended);
        }
        let (server, now) = (Arc::clone(&self.server), self.server.clock.now());
        let due = webhooks::due(server.store.read(), now).await?;
        let due = self.shares(due);
        // Nothing is written while nothing happens.
        if due.is_empty() && self.landed.is_empty() && self.untried.is_empty() {
            return Ok(());
        }
        let tx = server.store.begin().await?;
        let noted = note(&tx, &self.landed, now).await?;
        for flight in &self.untried {
            deliveries::release(&tx, flight.delivery, flight.until).await?;
        }
        let until = now.saturating_add(CLAIM);
        let mut taken = Vec::new();
        for (webhook, limit) in due {
            let rows = deliveries::claim(&tx, webhook.id, now, until, limit).await?;
            taken.push((webhook, rows));
        }
        let noted = noted.write(&tx).await?;
        tx.commit().await?;
        self.landed.clear();
        self.untried.clear();
        noted.into_iter().for_each(|outcome| self.metrics.delivery(outcome));
        for (webhook, rows) in taken {
            for row in rows {
                self.send(&webhook, row, until);
            }
        }
        Ok(())
    }

    /// Sends until nothing is due and nothing on its way.
    pub async fn settle(&mut self) -> Result<()> {
        loop {
            self.step().await?;
            match self.tasks.join_next_with_id().await {
                Some(ended) => self.land(ended),
                None if self.landed.is_empty() && self.untried.is_empty() => return Ok(()),
                None => {}
            }
        }
    }

    /// How many each webhook may have sent now, in turns, those that work first.
    fn shares(&mut self, mut due: Vec<webhooks::Model>) -> Vec<(webhooks::Model, u64)> {
        let mut of_one: HashMap<Uuid, usize> = HashMap::new();
        let mut of_an_organization: HashMap<Uuid, usize> = HashMap::new();
        let (mut all, mut failing) = (self.flights.len(), 0);
        for flight in self.flights.values() {
            *of_an_organization.entry(flight.organization).or_default() += 1;
            *of_one.entry(flight.webhook).or_default() += 1;
            failing += usize::from(flight.failing);
        }
        self.round = self.round.wrapping_add(1);
        if !due.is_empty() {
            let turn = self.round % due.len();
            due.rotate_left(turn);
        }
        due.sort_by_key(|row| row.failing_since.is_some());
        let mut shares = Vec::new();
        for row in due {
            let is_failing = row.failing_since.is_some();
            let has = of_one.get(&row.id).copied().unwrap_or_default();
            let most = if is_failing { OF_A_FAILING } else { OF_ONE };
            let of_its = of_an_organization.entry(row.organization_id).or_default();
            let mut share = most.saturating_sub(has).min(OF_ALL.saturating_sub(all));
            share = share.min(OF_AN_ORGANIZATION.saturating_sub(*of_its));
            if is_failing {
                share = share.min(OF_THE_FAILING.saturating_sub(failing));
                failing += share;
            }
            all += share;
            *of_its += share;
            if share > 0 {
                shares.push((row, u64::try_from(share).unwrap_or(1)));
            }
        }
        shares
    }

    /// Begins to send one.
    fn send(&mut self, webhook: &webhooks::Model, row: deliveries::Model, until: i64) {
        let flight = Flight {
            delivery: row.id,
            organization: webhook.organization_id,
            webhook: webhook.id,
            url: webhook.url.clone(),
            until,
            at: self.server.clock.now(),
            failing: webhook.failing_since.is_some(),
        };
        let headers = match self.headers(webhook, &row, flight.at) {
            Ok(headers) => headers,
            Err(error) if error.code() == Code::Setup => {
                // It is not the fault of the endpoint: it waits until it comes free.
                tracing::warn!(webhook = %webhook.id, "a webhook is not signed: {error}");
                return;
            }
            Err(error) => {
                let landed = Landed { flight, sent: Sent::default(), refused: Some(error) };
                return self.landed.push(landed);
            }
        };
        let (sender, url) = (self.server.webhooks.clone(), webhook.url.clone());
        let of = webhook.organization_id;
        let task = async move { sender.post(of, &url, headers, row.body.into()).await };
        self.flights.insert(self.tasks.spawn(task).id(), flight);
    }

    /// What goes with a body: its id, the time of this try, and the signatures of both.
    fn headers(
        &self,
        webhook: &webhooks::Model,
        row: &deliveries::Model,
        at: i64,
    ) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let keys = signing(self.server.signer.vault(), webhook, at)?;
        let id = format!("evt_{}", row.event_id.simple());
        let signature = licentia::webhook::sign(&keys, &id, at, row.body.as_bytes())?;
        let value = |text: String| {
            let wrong = |_| Error::new(Code::Internal, "A header cannot be sent");
            HeaderValue::try_from(text).map_err(wrong)
        };
        Ok(vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("webhook-id"), value(id)?),
            (HeaderName::from_static("webhook-timestamp"), value(at.to_string())?),
            (HeaderName::from_static("webhook-signature"), value(signature)?),
        ])
    }

    /// Keeps what became of one, to be noted.
    fn land(&mut self, ended: std::result::Result<(Id, Option<Sent>), JoinError>) {
        match ended {
            Ok((id, sent)) => {
                let Some(flight) = self.flights.remove(&id) else { return };
                match sent {
                    Some(sent) => self.landed.push(Landed { flight, sent, refused: None }),
                    None => self.untried.push(flight),
                }
            }
            // What was not sent to its end comes free by itself.
            Err(error) => drop(self.flights.remove(&error.id())),
        }
    }

    /// Takes nothing more, waits a little for what is being sent, and gives the rest back.
    async fn end(mut self) {
        let waiting = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.land(ended);
            }
        };
        let _ = timeout(LAST, waiting).await;
        self.tasks.abort_all();
        let noted = async {
            let tx = self.server.store.begin().await?;
            let noted = note(&tx, &self.landed, self.server.clock.now()).await?;
            for flight in self.flights.values().chain(&self.untried) {
                deliveries::release(&tx, flight.delivery, flight.until).await?;
            }
            let noted = noted.write(&tx).await?;
            tx.commit().await?;
            Ok::<_, Error>(noted)
        };
        if self.landed.is_empty() && self.flights.is_empty() && self.untried.is_empty() {
            return;
        }
        match timeout(LAST, noted).await {
            Ok(Ok(noted)) => noted.into_iter().for_each(|it| self.metrics.delivery(it)),
            Ok(Err(_)) | Err(_) => tracing::warn!("what was sent last is sent again"),
        }
    }
}

/// What was noted, but for the audit log.
#[derive(Default)]
struct Noted {
    /// How each of them went.
    outcomes: Vec<Outcome>,
    entries: Vec<audit::Entry>,
}

impl Noted {
    /// Adds to the audit log: the last thing before the transaction is committed. Gives how each
    /// of them went.
    async fn write(mut self, tx: &DatabaseTransaction) -> Result<Vec<Outcome>> {
        // In one order, so that two that do this do not wait for each other.
        self.entries.sort_by_key(|entry| entry.organization);
        for entry in self.entries {
            audit::append(tx, entry).await?;
        }
        Ok(self.outcomes)
    }
}

/// Notes what became of some.
async fn note(tx: &DatabaseTransaction, landed: &[Landed], now: i64) -> Result<Noted> {
    let mut noted = Noted::default();
    // Webhooks before deliveries and each in its order, as everybody takes them.
    let mut latest: BTreeMap<Uuid, bool> = BTreeMap::new();
    let mut gone: BTreeMap<Uuid, &Flight> = BTreeMap::new();
    for Landed { flight, sent, .. } in landed {
        latest.insert(flight.webhook, sent.is_delivered());
        if sent.status == Some(GONE) {
            gone.insert(flight.webhook, flight);
        }
    }
    for (id, arrived) in latest {
        webhooks::failing(tx, id, (!arrived).then_some(now)).await?;
        if let Some(flight) = gone.get(&id) {
            noted.entries.extend(disable(tx, flight, now).await?);
        }
    }
    let mut landed: Vec<&Landed> = landed.iter().collect();
    landed.sort_by_key(|landed| landed.flight.delivery);
    for Landed { flight, sent, refused } in landed {
        // It was deleted, or took too long and is another's.
        let Some(mut row) = deliveries::mine(tx, flight.delivery, flight.until).await? else {
            continue;
        };
        noted.outcomes.push(ended(&mut row, flight, sent, refused.as_ref(), now));
        deliveries::update(tx, row).await?;
    }
    Ok(noted)
}

/// The status that says: never again (RFC 9110, section 15.5.11).
const GONE: u16 = 410;

/// Writes what became of a try into its row.
fn ended(
    row: &mut deliveries::Model,
    flight: &Flight,
    sent: &Sent,
    refused: Option<&Error>,
    now: i64,
) -> Outcome {
    let is_delivered = sent.is_delivered();
    let error = match (refused, sent.error, sent.status) {
        (Some(error), ..) => Some(error.detail().to_string()),
        (None, Some(failure), _) => Some(failure.to_string()),
        (None, None, Some(status)) if !is_delivered => Some(said(status)),
        _ => None,
    };
    let one = Try {
        at: flight.at,
        status: sent.status,
        error,
        milliseconds: sent.millis,
        excerpt: sent.excerpt.clone(),
    };
    row.tries_json = tries::add(&row.tries_json, one);
    row.tries = row.tries.saturating_add(1);
    row.claimed_until = None;
    let asked = sent.retry_after.filter(|_| matches!(sent.status, Some(429 | 503)));
    let delay = schedule::delay(row.tries, row.id, asked);
    let (state, outcome) = match delay {
        _ if is_delivered => (deliveries::DELIVERED, Outcome::Delivered),
        Some(delay) if sent.status != Some(GONE) => {
            row.next_at = Some(now.saturating_add(delay));
            return Outcome::Failed;
        }
        _ => (deliveries::DEAD, Outcome::Dead),
    };
    row.state = state.to_string();
    row.next_at = None;
    row.finished_at = Some(now);
    outcome
}

fn said(status: u16) -> String {
    match status {
        300..=399 => format!("The endpoint answered {status}: redirects are not followed"),
        GONE => format!("The endpoint answered {GONE}: it wants no more"),
        _ => format!("The endpoint answered {status}, and not 2xx"),
    }
}

/// Disables a webhook whose endpoint is gone, unless it leads elsewhere by now. What happens goes
/// on waiting for it. Gives what the audit log says of it.
async fn disable(
    tx: &DatabaseTransaction,
    flight: &Flight,
    now: i64,
) -> Result<Option<audit::Entry>> {
    let Some(mut row) = webhooks::lock_any(tx, flight.webhook).await? else { return Ok(None) };
    if !row.enabled || row.url != flight.url {
        return Ok(None);
    }
    let why = format!("The endpoint answered {GONE} (Gone): it wants no more events");
    row.enabled = false;
    row.disabled_why = Some(why.clone());
    row.updated_at = now;
    let data = json!({ "id": row.id, "url": place::origin(&row.url), "disabled_reason": why });
    let (name, mut detail) = audit::telling(&data);
    detail.insert("disabled_reason".to_string(), why.into());
    let entry = audit::Entry {
        subject: row.id.to_string(),
        subject_name: name,
        detail: detail.into(),
        ..audit::Entry::by("server", "webhook.disabled", row.organization_id, now)
    };
    let event = events::Model {
        seq: 0,
        id: Uuid::now_v7(),
        organization_id: row.organization_id,
        kind: "webhook.disabled".to_string(),
        subject: row.id.to_string(),
        data_json: data.to_string(),
        actor: "server".to_string(),
        request_id: None,
        created_at: now,
        claimed_until: None,
        delivered_at: None,
    };
    tracing::warn!(webhook = %row.id, "a webhook is disabled: its endpoint is gone");
    webhooks::update(tx, row).await?;
    events::insert(tx, vec![event]).await?;
    Ok(Some(entry))
}
