//! The vendors on this server.

use super::page::Page;
use super::{key_pairs, licenses, policies, products};
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Set, Unchanged};

/// A row of `organizations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    /// The `iss` of what it signs.
    pub issuer: String,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One.
pub async fn get(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(connection).await?)
}

/// One that nobody else changes until the transaction ends.
pub async fn lock(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(connection).await?)
}

/// A page of all, and how many there are.
pub async fn list(connection: &impl ConnectionTrait, page: Page) -> Result<(Vec<Model>, u64)> {
    let total = Entity::find().count(connection).await?;
    let mut rows = Entity::find().order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
}

/// Whether there is any.
pub async fn is_any(connection: &impl ConnectionTrait) -> Result<bool> {
    Ok(Entity::find().limit(1).one(connection).await?.is_some())
}

/// The ids of all, in their order.
pub async fn ids(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let ids = Entity::find().select_only().column(Column::Id).order_by_asc(Column::Id);
    Ok(ids.into_tuple().all(connection).await?)
}

/// The one that was there first.
pub async fn first(connection: &impl ConnectionTrait) -> Result<Option<Model>> {
    Ok(Entity::find().order_by_asc(Column::Id).limit(1).one(connection).await?)
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Gives one another name.
pub async fn rename(connection: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let row = ActiveModel {
        id: Unchanged(row.id),
        name: Set(row.name.clone()),
        updated_at: Set(row.updated_at),
        ..Default::default()
    };
    Entity::update(row).exec(connection).await?;
    Ok(())
}

/// What an organization still has that would be lost with it; `None` = nothing.
pub async fn has(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<&'static str>> {
    let products = products::Entity::find().filter(products::Column::OrganizationId.eq(id));
    let licenses = licenses::Entity::find().filter(licenses::Column::OrganizationId.eq(id));
    let policies = policies::Entity::find().filter(policies::Column::OrganizationId.eq(id));
    let pairs = key_pairs::Entity::find().filter(key_pairs::Column::OrganizationId.eq(id));
    Ok(if licenses.limit(1).one(connection).await?.is_some() {
        Some("licenses")
    } else if products.limit(1).one(connection).await?.is_some() {
        Some("products")
    } else if policies.limit(1).one(connection).await?.is_some() {
        Some("policies")
    } else if pairs.limit(1).one(connection).await?.is_some() {
        Some("key pairs")
    } else {
        None
    })
}

/// Removes one.
pub async fn delete(connection: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    Entity::delete_by_id(id).exec(connection).await?;
    Ok(())
}
