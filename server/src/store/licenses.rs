//! Licenses.

use sea_orm::entity::prelude::*;

/// A row of `licenses`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "licenses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub product_id: Uuid,
    pub policy_id: Option<Uuid>,
    pub serial: String,
    pub license_type: String,
    pub customer_id: Option<String>,
    pub customer_email: Option<String>,
    /// In lower case, to search in.
    pub customer_email_lower: Option<String>,
    pub customer_name: Option<String>,
    pub valid_from: i64,
    pub valid_until: Option<i64>,
    /// Features as in the format: an array of objects.
    pub features_json: String,
    pub max_seats: i64,
    pub max_machines: Option<i64>,
    /// As it was given.
    pub hardware_binding_json: Option<String>,
    /// Stages, notice, refresh and contact days, borrowing, transfers, metadata.
    pub terms_json: String,
    /// The newest token, its jti and when it was signed.
    pub token: String,
    pub token_id: String,
    pub token_at: i64,
    /// SHA-256 of the license key in hexadecimal, and its last group.
    pub key_digest: Option<String>,
    pub key_hint: Option<String>,
    pub suspended_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub reason: Option<String>,
    /// Written first by whoever gives out machines or seats: the row is their lock.
    pub turn: i64,
    pub transfers: i64,
    pub last_sync_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
