//! Whether the server lives, is ready, and what it has counted: for whoever watches it.

use super::Shared;
use crate::config;
use crate::error::Error;
use crate::master_key;
use crate::metrics::{self, Metrics, Standing};
use crate::store::{deliveries, standing};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer of it is good: whoever asks without end asks it no more often.
const FRESH: Duration = Duration::from_secs(1);

const TEXT: &str = "text/plain; charset=utf-8";

/// Marks a request from this machine that came through no proxy.
#[derive(Clone, Copy, Debug)]
pub struct FromHere;

/// What is asked.
pub struct Health {
    server: Shared,
    metrics: Arc<Metrics>,
    readers: config::Metrics,
    is_stopping: AtomicBool,
    latest: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Health {
    /// Of this server.
    pub fn new(server: Shared, metrics: Arc<Metrics>, readers: config::Metrics) -> Health {
        let (is_stopping, latest) = (AtomicBool::new(false), Mutex::default());
        Health { server, metrics, readers, is_stopping, latest }
    }

    /// It is not ready from now on: whoever hands out requests hands them to others.
    pub fn stops(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Whether it can answer everything, or why not.
    async fn ready(&self) -> Result<(), &'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err("the server is stopping");
        }
        let mut latest = self.latest.lock().await;
        if let Some((at, found)) = *latest
            && at.elapsed() < FRESH
        {
            return found;
        }
        let found = timeout(PATIENCE, self.look()).await;
        let found = found.unwrap_or(Err("the database does not answer"));
        *latest = Some((Instant::now(), found));
        found
    }

    async fn look(&self) -> Result<(), &'static str> {
        let store = &self.server.store;
        let silent = |_: Error| "the database does not answer";
        if !standing::is_current(store).await.map_err(silent)? {
            return Err("the database lacks a migration of this version");
        }
        let opened = master_key::check(store, self.server.signer.vault()).await;
        opened.map_err(|_| "the master key does not open the keys of the database")
    }

    async fn standing(&self) -> Standing {
        let store = &self.server.store;
        let outbox = timeout(PATIENCE, standing::outbox(store)).await;
        let deliveries = timeout(PATIENCE, deliveries::standing(store.read())).await;
        let now = self.server.clock.now();
        let age = |since: Option<i64>| {
            since.map_or(0, |since| u64::try_from(now.saturating_sub(since)).unwrap_or(0))
        };
        Standing {
            ready: self.ready().await.is_ok(),
            pool: Some(standing::pool(store)),
            outbox: outbox.ok().and_then(Result::ok).map(|(count, since)| (count, age(since))),
            deliveries: deliveries
                .ok()
                .and_then(Result::ok)
                .map(|found| (found.waiting, age(found.oldest), found.dead)),
            signed: self.server.signer.count(),
        }
    }
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn routes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(async || text(StatusCode::OK, "ok\n".to_string())))
        .route("/readyz", get(readyz))
        .route("/metrics", get(page))
        .with_state(health)
}

async fn readyz(State(health): State<Arc<Health>>) -> Response {
    match health.ready().await {
        Ok(()) => text(StatusCode::OK, "ok\n".to_string()),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn page(State(health): State<Arc<Health>>, here: Option<Extension<FromHere>>) -> Response {
    let may = match health.readers {
        config::Metrics::Off => false,
        config::Metrics::Local => here.is_some(),
        config::Metrics::All => true,
    };
    if !may {
        return super::problem::no_such_path().await.into_response();
    }
    let page = health.metrics.page(health.standing().await);
    let kind = [(CONTENT_TYPE, metrics::MEDIA_TYPE), (CACHE_CONTROL, "no-store")];
    (kind, page).into_response()
}

fn text(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, TEXT), (CACHE_CONTROL, "no-store")], body).into_response()
}

/// Whether a path is one of these.
pub fn is_path(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// Marks a request as one from this machine.
pub fn mark(extensions: &mut Extensions) {
    extensions.insert(FromHere);
}
