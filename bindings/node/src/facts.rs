//! What JavaScript has to know of a license to answer without entering native code.

use licentia::{License, bounded};
use napi_derive::napi;

/// The facts of a verified license, handed over once. Every one is a member of its own: what is
/// absent would be looked for in `Object.prototype`.
#[napi(object, object_from_js = false, use_nullable = true)]
pub struct Facts {
    /// The payload, as signed.
    pub json: String,
    /// Empty if it has none.
    pub serial: String,
    /// Empty if it names nobody.
    pub customer: String,
    /// Seconds since 1970; null if it has no end.
    pub expires: Option<f64>,
    /// The first second of clock time in force.
    pub from: f64,
    /// The first second after it.
    pub until: f64,
    /// The features it allows while it is in force.
    pub features: Vec<String>,
    /// Their limits, in the same order.
    pub limits: Vec<f64>,
}

impl Facts {
    pub(crate) fn of(license: &License) -> Facts {
        let (from, until) = license.window();
        let (features, limits) =
            license.granted().map(|(id, limit)| (id.to_string(), number(limit))).unzip();
        Facts {
            json: license.json().to_string(),
            serial: license.serial().to_string(),
            customer: license.customer().to_string(),
            expires: license.expires().map(|seconds| seconds as f64),
            from: second(from),
            until: second(until),
            features,
            limits,
        }
    }
}

/// Limits in a license stay below 2^53: a double holds every one of them exactly.
pub(crate) fn number(limit: u64) -> f64 {
    bounded(limit).map_or(f64::INFINITY, |limit| limit as f64)
}

/// The ends of the number line stand for "always" and "never", not for a time.
pub(crate) fn second(at: i64) -> f64 {
    match at {
        i64::MIN => f64::NEG_INFINITY,
        i64::MAX => f64::INFINITY,
        at => at as f64,
    }
}
