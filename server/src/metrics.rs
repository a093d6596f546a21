//! What is counted, as Prometheus reads it.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the text is called.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Methods that have a name of their own; every other is `other`.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Seconds that requests are sorted by.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    connections: Gauge,
    refused: Counter,
    limited: Family<By, Counter>,
    deliveries: Family<Went, Counter>,
    standing: Arc<Mutex<Standing>>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct By {
    by: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Went {
    outcome: &'static str,
}

/// How a try to deliver something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Delivered,
    /// It is tried again.
    Failed,
    /// It was the last try.
    Dead,
}

impl Outcome {
    const ALL: [Outcome; 3] = [Outcome::Delivered, Outcome::Failed, Outcome::Dead];

    const fn word(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Failed => "failed",
            Outcome::Dead => "dead",
        }
    }
}

/// What holds at the moment of asking.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Whether the server is ready.
    pub ready: bool,
    /// Connections to the database that are open, and those of them that nobody uses.
    pub pool: Option<(u32, u32)>,
    /// Events that wait to be delivered, and the seconds that the oldest has waited.
    pub outbox: Option<(u64, u64)>,
    /// Deliveries to webhooks that wait, the seconds that the oldest has waited, and those that
    /// were tried for the last time.
    pub deliveries: Option<(u64, u64, u64)>,
    /// Documents that were signed since the start.
    pub signed: u64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// Nothing was counted yet.
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("licentia_server");
        let requests = Family::<Request, Counter>::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let durations: Family<Route, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(BUCKETS));
        registry.register_with_unit(
            "request_duration",
            "How long they took",
            Unit::Seconds,
            durations.clone(),
        );
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let refused = Counter::default();
        registry.register(
            "refused_connections",
            "Connections that sent no whole request",
            refused.clone(),
        );
        let limited = Family::<By, Counter>::default();
        registry.register(
            "rate_limited",
            "Requests that were too many: of one key, of one address, with wrong keys",
            limited.clone(),
        );
        let deliveries = Family::<Went, Counter>::default();
        registry.register(
            "webhook_deliveries",
            "Tries to deliver an event to a webhook, by how they went",
            deliveries.clone(),
        );
        // So that a rise from nothing is seen.
        for outcome in Outcome::ALL {
            drop(deliveries.get_or_create(&Went { outcome: outcome.word() }));
        }
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs", build);
        let standing = Arc::new(Mutex::new(Standing::default()));
        registry.register_collector(Box::new(Asked(Arc::clone(&standing))));
        Metrics {
            registry,
            requests,
            durations,
            connections,
            refused,
            limited,
            deliveries,
            standing,
        }
    }

    /// Counts a request. `route` is the pattern of its path.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        let known = METHODS.iter().find(|known| **known == method);
        let method = known.copied().unwrap_or("other");
        let request = Request { route: route.to_string(), method, status };
        self.requests.get_or_create(&request).inc();
        let route = Route { route: route.to_string() };
        self.durations.get_or_create(&route).observe(took.as_secs_f64());
    }

    /// Counts what was no request.
    pub fn refused(&self) {
        self.refused.inc();
    }

    /// Counts a request that was one too many: `by` is `key`, `address` or `wrong_key`.
    pub fn limited(&self, by: &'static str) {
        self.limited.get_or_create(&By { by }).inc();
    }

    /// Counts a try to deliver something.
    pub fn delivery(&self, outcome: Outcome) {
        self.deliveries.get_or_create(&Went { outcome: outcome.word() }).inc();
    }

    /// Open connections.
    pub fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// The page, with what holds now.
    pub fn page(&self, standing: Standing) -> String {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        let mut page = String::new();
        // Writing to a text does not fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

/// Puts what was asked for on the page.
#[derive(Debug)]
struct Asked(Arc<Mutex<Standing>>);

impl Collector for Asked {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("ready", "1 where it is ready", now.ready.into())?;
        if let Some((open, idle)) = now.pool {
            gauge("database_connections", "Connections to the database", open.into())?;
            gauge("database_connections_idle", "Those that nobody uses", idle.into())?;
        }
        if let Some((count, age)) = now.outbox {
            gauge("outbox_events", "Events that wait to be delivered", count)?;
            gauge("outbox_age_seconds", "How long the oldest has waited", age)?;
        }
        if let Some((waiting, age, dead)) = now.deliveries {
            gauge("webhooks_waiting", "Deliveries to webhooks that wait", waiting)?;
            gauge("webhooks_waiting_age_seconds", "How long the oldest has waited", age)?;
            gauge("webhooks_dead", "Deliveries that were tried for the last time", dead)?;
        }
        let signed = ConstCounter::new(now.signed);
        let help = "Documents that were signed";
        signed.encode(encoder.encode_descriptor("signed", help, None, signed.metric_type())?)
    }
}
