//! Licenses as answers.

use super::grant::{Entitlement, LicenseType};
use crate::binding::HardwareBinding;
use crate::error::Result;
use crate::outlook::{Dates, Silence, Turn};
use crate::store::status::Status;
use crate::store::{licenses, products};
use crate::terms::Terms;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::rfc3339;
use sea_orm::prelude::Uuid;
use serde::Serialize;
use utoipa::ToSchema;

/// A license.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct License {
    id: Uuid,
    product_id: Uuid,
    product_name: String,
    product_code: String,
    /// A name for people, never a credential.
    serial: String,
    #[schema(value_type = LicenseType)]
    license_type: String,
    policy_id: Option<Uuid>,
    customer_id: Option<String>,
    customer_email: Option<String>,
    customer_name: Option<String>,
    status: Status,
    #[schema(format = DateTime)]
    valid_from: String,
    /// Null = without end.
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    /// The ids of what is enabled.
    features: Vec<String>,
    /// The same in full.
    entitlements: Vec<Entitlement>,
    max_seats: i64,
    max_machines: i64,
    hardware_binding: Option<HardwareBinding>,
    terms: Terms,
    /// The last group of the license key.
    license_key_hint: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    #[schema(format = DateTime)]
    suspended_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// Why it was revoked or suspended.
    reason: Option<String>,
}

/// A license and its file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LicenseWithBlob {
    #[serde(flatten)]
    license: License,
    /// The license file in base64.
    license_blob: String,
}

/// A license that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedLicense {
    #[serde(flatten)]
    license: LicenseWithBlob,
    /// The key that a product takes in exchange for a license. It is shown this once.
    license_key: String,
}

/// A license that there is not, as it would be made now: what [`License`] says but for what each
/// new one has of its own.
#[derive(Debug, Serialize, ToSchema)]
pub struct LicensePreview {
    product_id: Uuid,
    product_name: String,
    product_code: String,
    #[schema(value_type = LicenseType)]
    license_type: String,
    policy_id: Option<Uuid>,
    customer_id: Option<String>,
    customer_email: Option<String>,
    customer_name: Option<String>,
    status: Status,
    #[schema(format = DateTime)]
    valid_from: String,
    /// Null = without end.
    #[schema(format = DateTime)]
    valid_until: Option<String>,
    /// The ids of what is enabled.
    features: Vec<String>,
    /// The same in full.
    entitlements: Vec<Entitlement>,
    max_seats: i64,
    max_machines: i64,
    hardware_binding: Option<HardwareBinding>,
    terms: Terms,
    /// What comes by itself, the first first.
    turns: Vec<Turn>,
    /// What days without contact cost.
    silence: Silence,
}

/// A page of licenses.
#[derive(Debug, Serialize, ToSchema)]
pub struct Licenses {
    pub licenses: Vec<License>,
    /// How many there are on all pages.
    pub total: u64,
    /// Whether there may be more than `total`: of many that a text is searched in, no more than
    /// about 10,000 are counted.
    pub total_is_at_least: bool,
    /// For the next page; null after the last.
    pub next_cursor: Option<String>,
}

impl License {
    /// That of a row of a product at a time.
    pub fn of(row: &licenses::Model, product: &products::Model, now: i64) -> Result<License> {
        let features = row.features()?;
        Ok(License {
            id: row.id,
            product_id: product.id,
            product_name: product.name.clone(),
            product_code: product.code.clone(),
            serial: row.serial.clone(),
            license_type: row.license_type.clone(),
            policy_id: row.policy_id,
            customer_id: row.customer_id.clone(),
            customer_email: row.customer_email.clone(),
            customer_name: row.customer_name.clone(),
            status: Status::of(row, now),
            valid_from: rfc3339(row.valid_from),
            valid_until: row.valid_until.map(rfc3339),
            features: features.iter().map(|feature| feature.id.clone()).collect(),
            entitlements: features.into_iter().map(Entitlement::from).collect(),
            max_seats: row.max_seats,
            max_machines: row.machines(),
            hardware_binding: row.hardware_binding()?,
            terms: row.terms()?,
            license_key_hint: row.key_hint.clone(),
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
            suspended_at: row.suspended_at.map(rfc3339),
            revoked_at: row.revoked_at.map(rfc3339),
            reason: row.reason.clone(),
        })
    }

    /// With its file.
    pub fn with_blob(self, row: &licenses::Model) -> LicenseWithBlob {
        LicenseWithBlob { license: self, license_blob: STANDARD.encode(&row.token) }
    }
}

impl LicensePreview {
    /// That of a row that is not kept.
    pub fn of(row: &licenses::Model, product: &products::Model, now: i64) -> Result<Self> {
        let of = License::of(row, product, now)?;
        let dates = Dates { from: row.valid_from, until: row.valid_until, terms: &of.terms };
        let (turns, silence) = (dates.turns(), dates.silence());
        Ok(LicensePreview {
            product_id: of.product_id,
            product_name: of.product_name,
            product_code: of.product_code,
            license_type: of.license_type,
            policy_id: of.policy_id,
            customer_id: of.customer_id,
            customer_email: of.customer_email,
            customer_name: of.customer_name,
            status: of.status,
            valid_from: of.valid_from,
            valid_until: of.valid_until,
            features: of.features,
            entitlements: of.entitlements,
            max_seats: of.max_seats,
            max_machines: of.max_machines,
            hardware_binding: of.hardware_binding,
            terms: of.terms,
            turns,
            silence,
        })
    }
}

impl LicenseWithBlob {
    /// With its key, which is shown this once.
    pub fn with_key(self, license_key: String) -> CreatedLicense {
        CreatedLicense { license: self, license_key }
    }
}
