//! Licenses that are revoked and not here: a list that was signed before a backup was restored
//! names them. Revocation is for ever.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, IntoActiveModel};

/// A row of `withdrawn`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "withdrawn")]
pub struct Model {
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: Uuid,
    /// The id in the license.
    #[sea_orm(primary_key, auto_increment = false)]
    pub license_id: Uuid,
    pub created_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// When one was noted, if it is among them: seconds since 1970.
pub async fn since(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Uuid,
    license: Uuid,
) -> Result<Option<i64>> {
    let one =
        Entity::find_by_id((product, license)).filter(Column::OrganizationId.eq(organization));
    Ok(one.one(connection).await?.map(|row| row.created_at))
}

/// Adds those that are not among them.
pub async fn add(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let known = OnConflict::columns([Column::ProductId, Column::LicenseId]).do_nothing().to_owned();
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
    let added = Entity::insert_many(rows).on_conflict(known).exec_without_returning(connection);
    match added.await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
