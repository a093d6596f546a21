//! What is sent and answered: the members of the Licenses API. Times are seconds since 1970.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /licenses/sync`.
#[derive(Deserialize)]
pub struct Sync {
    /// Which license.
    pub license_serial: String,
    /// The machine.
    pub hardware_fingerprint: String,
    /// Its version.
    pub app_version: Option<String>,
    /// What is in use.
    pub features_used: Vec<String>,
    /// How many seats are.
    pub seats_in_use: Option<i64>,
}

/// Its answer.
#[derive(Serialize)]
pub struct Synced {
    /// ok, or why not.
    pub status: &'static str,
    /// Nothing.
    pub message: Option<String>,
    /// Now.
    pub server_time: i64,
}

/// A license, as lists and `GET /licenses/:id` show it.
#[derive(sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub id: Uuid,
    /// Its product.
    pub product_id: Uuid,
    /// Its name.
    pub serial: String,
    /// The customer.
    pub customer_id: Option<String>,
    /// Their address.
    pub customer_email: Option<String>,
    /// The first second.
    pub valid_from: i64,
    /// The first second after it.
    pub valid_until: Option<i64>,
    /// An array.
    pub features_json: String,
    /// How many.
    pub max_seats: i64,
    /// When it was made.
    pub created_at: i64,
    /// When it was withdrawn.
    pub revoked_at: Option<i64>,
    /// When it was put on hold.
    pub suspended_at: Option<i64>,
}

impl Row {
    /// In a word.
    pub fn status(&self, now: i64) -> &'static str {
        status(self.revoked_at, self.suspended_at, self.valid_until, now)
    }

    /// As JSON.
    pub fn json(&self, now: i64) -> serde_json::Value {
        let features: serde_json::Value =
            serde_json::from_str(&self.features_json).unwrap_or_default();
        serde_json::json!({
            "id": self.id, "product_id": self.product_id, "serial": self.serial,
            "customer_id": self.customer_id, "customer_email": self.customer_email,
            "status": self.status(now), "valid_from": self.valid_from,
            "valid_until": self.valid_until, "features": features, "max_seats": self.max_seats,
            "created_at": self.created_at, "revoked_at": self.revoked_at,
        })
    }
}

/// A license in a word.
pub fn status(
    revoked_at: Option<i64>,
    suspended_at: Option<i64>,
    valid_until: Option<i64>,
    now: i64,
) -> &'static str {
    match (revoked_at, suspended_at, valid_until) {
        (Some(_), _, _) => "revoked",
        (_, Some(_), _) => "suspended",
        (_, _, Some(until)) if until <= now => "expired",
        _ => "active",
    }
}

/// `GET /licenses`.
#[derive(Deserialize)]
pub struct Query {
    /// From 1.
    pub page: Option<i64>,
    /// Part of an address.
    pub customer_email: Option<String>,
    /// active.
    pub status: Option<String>,
}

/// `POST /licenses/check-revocation`.
#[derive(Deserialize)]
pub struct Check {
    /// Which licenses.
    pub serials: Vec<String>,
}

/// `POST /licenses/verify`.
#[derive(Deserialize)]
pub struct Verify {
    /// base64 of the file.
    pub license_blob: String,
}

/// `POST /licenses/:id/seats`.
#[derive(Deserialize)]
pub struct Holder {
    /// Who wants one.
    pub holder: String,
}
