//! What is counted, as Prometheus reads it.

use licentia::Installation;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What the text is called.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Methods that have a name of their own; every other is `other`.
const METHODS: &[&str] = &["GET", "HEAD", "POST", "DELETE"];

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    connections: Gauge,
    refused: Counter,
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

/// What holds, found out when it is asked for.
struct Standing(Arc<Installation>);

impl Metrics {
    pub fn new(installation: &Arc<Installation>, product: &str, key: &str) -> Metrics {
        let mut registry = Registry::with_prefix("licentia_agent");
        let requests = Family::<Request, Counter>::default();
        registry.register("requests", "Requests that were answered", requests.clone());
        let durations: Family<Route, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| {
                Histogram::new([0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0])
            });
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
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_string()),
            ("product", product.to_string()),
            ("product_key", key.to_string()),
        ]);
        registry.register("build", "What runs", build);
        registry.register_collector(Box::new(Standing(Arc::clone(installation))));
        Metrics { registry, requests, durations, connections, refused }
    }

    /// Counts a request. `route` is one of a few.
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

    pub fn connections(&self) -> &Gauge {
        &self.connections
    }

    /// The page. Looks at the folder of the installation.
    pub fn text(&self) -> String {
        let mut page = String::new();
        // Writing to a text does not fail.
        let _ = text::encode(&mut page, &self.registry);
        page
    }
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Standing")
    }
}

impl Collector for Standing {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let status = self.0.status(None).unwrap_or_default();
        let status: Value = serde_json::from_str(&status).unwrap_or_default();
        let is = |value: &Value| i64::from(value.as_bool() == Some(true));
        let mut gauge = |name: &str, help: &str, value: i64| {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge("license_in_force", "1 where a license is in force", is(&status["in_force"]))?;
        let access = match status["access"].as_str() {
            Some("allow") => 3,
            Some("warn") => 2,
            Some("read_only") => 1,
            _ => 0,
        };
        gauge(
            "access",
            "What may be done: 3 all, 2 all with a warning, 1 reading, 0 none",
            access,
        )?;
        gauge("state_ok", "1 where the folder can be used", is(&status["state"]["ok"]))?;
        let warnings = status["warnings"].as_array().map_or(0, Vec::len);
        gauge("warnings", "What to know", i64::try_from(warnings).unwrap_or(i64::MAX))?;
        if let (Some(at), Some(next)) = (status["at"].as_i64(), status["next_change_at"].as_i64()) {
            let left = next.saturating_sub(at);
            gauge("next_change_seconds", "Until what holds changes by itself", left)?;
        }
        Ok(())
    }
}
