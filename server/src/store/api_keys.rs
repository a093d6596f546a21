//! What callers show: kept as a digest.

use super::page::Page;
use super::{meta, organizations};
use crate::api_key::{around, is_same};
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Set};

/// A row of `api_keys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    /// What people know it by; no secret.
    pub hint: String,
    /// SHA-256 in hexadecimal: a key has 256 random bits and needs no slow hash.
    pub digest: String,
    /// Words with spaces between.
    pub scopes: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// Written now and then: see `upkeep`.
    pub last_used_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether it is good at a time.
    pub fn is_good(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// The key with this digest, if it is good now, and whose it is. What is unknown, over or revoked
/// takes the same way and gives the same.
pub async fn find(
    connection: &impl ConnectionTrait,
    digest: &str,
    now: i64,
) -> Result<Option<(Model, organizations::Model)>> {
    let (from, to) = around(digest);
    let near = Entity::find().filter(Column::Digest.gte(from)).filter(Column::Digest.lt(to));
    let near = near.all(connection).await?;
    let key = near.into_iter().find(|key| is_same(&key.digest, digest));
    let Some(key) = key.filter(|key| key.is_good(now)) else { return Ok(None) };
    let organization = organizations::get(connection, key.organization_id).await?;
    Ok(organization.map(|organization| (key, organization)))
}

/// One of an organization's.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.one(connection).await?)
}

/// A page of an organization's, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let all = Entity::find().filter(Column::OrganizationId.eq(organization));
    let total = all.clone().count(connection).await?;
    let mut rows = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Keeps everybody else from revoking keys until the transaction ends.
pub async fn lock(connection: &impl ConnectionTrait) -> Result<()> {
    meta::lock(connection, meta::API_KEYS).await
}

/// Those with a scope that are good and have no end: in the organization, or on the whole server.
/// To be asked under [`lock`].
pub async fn lasting(
    connection: &impl ConnectionTrait,
    organization: Option<Uuid>,
    scope: &str,
) -> Result<Vec<Model>> {
    let lasting = Condition::all()
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.is_null())
        // No scope is a part of another.
        .add(Column::Scopes.contains(scope))
        .add_option(organization.map(|of| Column::OrganizationId.eq(of)));
    Ok(Entity::find().filter(lasting).limit(1000).all(connection).await?)
}

/// Takes one out of use for ever.
pub async fn revoke(connection: &impl ConnectionTrait, id: Uuid, now: i64) -> Result<()> {
    Entity::update_many()
        .set(ActiveModel { revoked_at: Set(Some(now)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(Column::RevokedAt.is_null())
        .exec(connection)
        .await?;
    Ok(())
}

/// Notes when one was used last, unless a later time is noted.
pub async fn used(connection: &impl ConnectionTrait, id: Uuid, at: i64) -> Result<()> {
    let earlier = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(at));
    Entity::update_many()
        .set(ActiveModel { last_used_at: Set(Some(at)), ..Default::default() })
        .filter(Column::Id.eq(id))
        .filter(earlier)
        .exec(connection)
        .await?;
    Ok(())
}

/// Removes all of an organization.
pub async fn clear(connection: &impl ConnectionTrait, organization: Uuid) -> Result<()> {
    Entity::delete_many().filter(Column::OrganizationId.eq(organization)).exec(connection).await?;
    Ok(())
}
