//! Licenses.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QuerySelect};

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

/// One of an organization's.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.one(connection).await?)
}

/// One of an organization's, which nobody else changes until the transaction ends.
pub async fn lock(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    // SQLite has one writer, and takes no notice.
    Ok(one.lock_exclusive().one(tx).await?)
}

/// The one with a serial number.
pub async fn by_serial(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    serial: &str,
) -> Result<Option<Model>> {
    let one = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Serial.eq(serial));
    Ok(one.one(connection).await?)
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Writes all of one that was read under [`lock`].
pub async fn update(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::update(row.into_active_model().reset_all()).exec(tx).await?;
    Ok(())
}
