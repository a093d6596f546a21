//! Named sets of signing keys.

use super::page::Page;
use super::products;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Set, Unchanged};

/// A row of `key_pairs`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "key_pairs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    /// Rises with every change of its keys.
    pub epoch: i64,
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
    Ok(one(organization, id).one(connection).await?)
}

/// One that nobody deletes until the transaction ends: for whoever is going to name it.
pub async fn hold(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    Ok(one(organization, id).lock_shared().one(connection).await?)
}

/// One that nobody else changes until the transaction ends.
pub async fn lock(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    Ok(one(organization, id).lock_exclusive().one(connection).await?)
}

fn one(organization: Uuid, id: Uuid) -> Select<Entity> {
    Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization))
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

/// The next of the whole server after one, in the order of their ids.
pub async fn after(connection: &impl ConnectionTrait, id: Uuid, limit: u64) -> Result<Vec<Model>> {
    let pairs = Entity::find().filter(Column::Id.gt(id)).order_by_asc(Column::Id).limit(limit);
    Ok(pairs.all(connection).await?)
}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// Notes that its keys have changed: the epoch, which has risen, and when.
pub async fn keep_epoch(connection: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let row = ActiveModel {
        id: Unchanged(row.id),
        epoch: Set(row.epoch),
        updated_at: Set(row.updated_at),
        ..Default::default()
    };
    Entity::update(row).exec(connection).await?;
    Ok(())
}

/// Notes what it is called, and when that was changed.
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

/// Whether a product uses it.
pub async fn is_used(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<bool> {
    let users = products::Entity::find()
        .filter(products::Column::OrganizationId.eq(organization))
        .filter(products::Column::KeyPairId.eq(id));
    Ok(users.limit(1).one(connection).await?.is_some())
}

/// Removes one.
pub async fn delete(connection: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    Entity::delete_by_id(id).exec(connection).await?;
    Ok(())
}

/// Those with a name, at most two.
pub async fn named(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    name: &str,
) -> Result<Vec<Model>> {
    let some = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Name.eq(name))
        .limit(2);
    Ok(some.all(connection).await?)
}
