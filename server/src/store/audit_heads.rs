//! Where the audit log of each organization ends: what the next entry is chained to.

use crate::error::{Code, Error, Result};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, IntoActiveModel, QuerySelect};

/// A row of `audit_heads`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_heads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Of the last entry; 0 = there is none.
    pub seq: i64,
    /// Of the last entry; of none: 64 zeros.
    pub hash: String,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// That of an organization.
pub async fn get(connection: &impl ConnectionTrait, organization: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(organization).one(connection).await?)
}

/// Of which organizations there are any.
pub async fn ids(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let ids = Entity::find().select_only().column(Column::OrganizationId);
    Ok(ids.into_tuple().all(connection).await?)
}

/// That of an organization, which nobody else moves until the transaction ends. `none` is put where
/// there is none yet.
pub async fn lock(tx: &impl ConnectionTrait, none: Model) -> Result<Model> {
    // SQLite has one writer, and takes no notice.
    let find = || Entity::find_by_id(none.organization_id).lock_exclusive();
    if let Some(head) = find().one(tx).await? {
        return Ok(head);
    }
    let there = OnConflict::column(Column::OrganizationId).do_nothing().to_owned();
    Entity::insert(none.clone().into_active_model())
        .on_conflict(there)
        .exec_without_returning(tx)
        .await?;
    let missing = || Error::new(Code::Internal, "The head of the audit log is missing");
    find().one(tx).await?.ok_or_else(missing)
}

/// Moves one that is locked.
pub async fn set(tx: &impl ConnectionTrait, head: Model) -> Result<()> {
    Entity::update(head.into_active_model().reset_all()).exec_without_returning(tx).await?;
    Ok(())
}
