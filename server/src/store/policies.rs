//! Templates of licenses.

use super::page::Page;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect};

/// A row of `policies`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "policies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub product_id: Option<Uuid>,
    pub name: String,
    /// What a license made from it begins with.
    pub template_json: String,
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
    Ok(one.lock_exclusive().one(tx).await?)
}

/// A page of an organization's, of one product if so asked, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Option<Uuid>,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let mut all = Entity::find().filter(Column::OrganizationId.eq(organization));
    if let Some(product) = product {
        all = all.filter(Column::ProductId.eq(product));
    }
    let total = all.clone().count(connection).await?;
    let mut rows = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
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

/// Deletes one.
pub async fn delete(tx: &impl ConnectionTrait, organization: Uuid, id: Uuid) -> Result<()> {
    let one = Entity::delete_by_id(id).filter(Column::OrganizationId.eq(organization));
    one.exec(tx).await?;
    Ok(())
}
