//! What callers show: kept as a digest.

use super::organizations;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel};

/// A row of `api_keys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    /// The last characters, for people.
    pub hint: String,
    /// SHA-256 in hexadecimal: a key has 256 random bits and needs no slow hash.
    pub digest: String,
    /// Words with spaces between.
    pub scopes: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub last_used_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The key with this digest, and whose it is.
pub async fn find(
    connection: &impl ConnectionTrait,
    digest: &str,
) -> Result<Option<(Model, organizations::Model)>> {
    let key = Entity::find().filter(Column::Digest.eq(digest)).one(connection).await?;
    let Some(key) = key else { return Ok(None) };
    let organization =
        organizations::Entity::find_by_id(key.organization_id).one(connection).await?;
    Ok(organization.map(|organization| (key, organization)))
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}
