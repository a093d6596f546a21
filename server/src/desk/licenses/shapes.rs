//! What the API tells, as far as pages show it.

use serde::Deserialize;
use serde_json::Value;

/// A page of licenses.
#[derive(Debug, Deserialize)]
pub struct Licenses {
    pub licenses: Vec<License>,
    pub total: u64,
    /// Whether there may be more than that.
    #[serde(default)]
    pub total_is_at_least: bool,
    pub next_cursor: Option<String>,
}

/// A license, or one to be.
#[derive(Clone, Debug, Deserialize)]
pub struct License {
    #[serde(default)]
    pub id: String,
    #[serde(default)]
    pub serial: String,
    pub product_id: String,
    pub product_name: String,
    pub license_type: String,
    pub customer_id: Option<String>,
    pub customer_email: Option<String>,
    pub customer_name: Option<String>,
    pub status: String,
    pub valid_from: String,
    pub valid_until: Option<String>,
    pub entitlements: Vec<Entitlement>,
    pub max_seats: i64,
    pub max_machines: i64,
    pub hardware_binding: Option<Value>,
    pub terms: Terms,
    pub license_key_hint: Option<String>,
    #[serde(default)]
    pub created_at: String,
    #[serde(default)]
    pub updated_at: String,
    pub suspended_at: Option<String>,
    pub revoked_at: Option<String>,
    pub reason: Option<String>,
    #[serde(default)]
    pub turns: Vec<Turn>,
    #[serde(default)]
    pub silence: Silence,
}

impl License {
    /// What the customer is called: by name, address or id.
    pub fn customer(&self) -> &str {
        let known = self.customer_name.as_ref().or(self.customer_email.as_ref());
        known.or(self.customer_id.as_ref()).map_or("no customer", String::as_str)
    }

    /// The address, where something else says what the customer is called.
    pub fn second(&self) -> Option<&str> {
        self.customer_email.as_deref().filter(|_| self.customer_name.is_some())
    }

    /// Whether nothing can be done with it any more.
    pub fn is_revoked(&self) -> bool {
        self.revoked_at.is_some()
    }

    /// Whether it is on hold.
    pub fn is_suspended(&self) -> bool {
        self.revoked_at.is_none() && self.suspended_at.is_some()
    }

    /// Whether seats come and go.
    pub fn is_floating(&self) -> bool {
        self.license_type == "floating"
    }
}

/// What is granted.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Entitlement {
    pub id: String,
    pub name: Option<String>,
    pub meter: Option<String>,
    pub per: Option<String>,
    pub days: Option<u32>,
    pub max: Option<u64>,
    pub over: Option<u32>,
    pub then: Option<String>,
}

/// The terms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Terms {
    pub tier: Option<String>,
    pub description: Option<String>,
    pub support_until: Option<String>,
    pub stages: Stages,
    pub notice: Notice,
    pub refresh_days: Option<u32>,
    pub token_days: Option<u32>,
    pub sync_days: Option<u32>,
    pub borrow_days: Option<u32>,
    pub seat_seconds: Option<u32>,
    pub max_transfers: Option<u32>,
    pub bind: Option<Bind>,
    pub metadata: serde_json::Map<String, Value>,
}

/// What is bound to.
#[derive(Clone, Debug, Deserialize)]
pub struct Bind {
    pub to: String,
}

/// What follows each end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stages {
    pub ended: Option<Stage>,
    pub overdue: Option<Stage>,
    pub suspended: Option<Stage>,
}

/// The first day of each mode.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stage {
    pub warn: Option<u32>,
    pub read_only: Option<u32>,
    pub deny: Option<u32>,
}

/// Days before an end.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Notice {
    pub license: Option<u32>,
    pub token: Option<u32>,
}

/// Something that comes by itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Turn {
    pub at: String,
    pub what: String,
    pub mode: String,
}

/// What days without contact cost.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Silence {
    pub warn_days: Option<i64>,
    pub read_only_days: Option<i64>,
    pub deny_days: Option<i64>,
}

/// How long it goes on where nothing is heard.
#[derive(Clone, Debug, Deserialize)]
pub struct Limit {
    pub works_until: Option<String>,
    pub stops_at: Option<String>,
    pub reason: Option<String>,
}

/// How installations were heard of.
#[derive(Clone, Debug, Deserialize)]
pub struct Heard {
    pub ever: i64,
    pub active: i64,
    pub day: i64,
    pub week: i64,
    pub month: i64,
    pub older: i64,
    pub last_seen_at: Option<String>,
}

/// What comes of a license.
#[derive(Clone, Debug, Deserialize)]
pub struct Outlook {
    pub turns: Vec<Turn>,
    pub silence: Silence,
    pub machines: Heard,
    pub out_of_reach: Option<Limit>,
    pub file: Limit,
    pub older_files: bool,
}

/// A license that was just made, or has a new key.
#[derive(Clone, Debug, Deserialize)]
pub struct Created {
    #[serde(flatten)]
    pub license: License,
    pub license_key: String,
}

/// Something with a name and an id to choose from.
#[derive(Clone, Debug, Deserialize)]
pub struct Named {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub key_pair_id: Option<String>,
}
