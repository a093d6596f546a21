//! Signed, versioned documents: key sets and revocation lists.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect};

/// Key sets: their version is the epoch.
pub const KEYS: &str = "keys";

/// Revocation lists.
pub const REVOCATIONS: &str = "revocations";

/// A row of `documents`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub struct Model {
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: Uuid,
    /// keys, revocations.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub token: String,
    /// SHA-256 of the token in base64url.
    pub sha256: String,
    pub created_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Keeps one. Gives the one that is kept under its version: another, where that was there before,
/// so that what was given out once is never another.
pub async fn keep(connection: &impl ConnectionTrait, row: Model) -> Result<Model> {
    let key = (row.product_id, row.kind.clone(), row.version);
    let columns = [Column::ProductId, Column::Kind, Column::Version];
    let insert = Entity::insert(row.clone().into_active_model())
        .on_conflict(OnConflict::columns(columns).do_nothing().to_owned());
    match insert.exec_without_returning(connection).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Entity::find_by_id(key).one(connection).await?.unwrap_or(row))
}

/// One version.
pub async fn get(
    connection: &impl ConnectionTrait,
    product: Uuid,
    kind: &str,
    version: i64,
) -> Result<Option<Model>> {
    let key = (product, kind.to_string(), version);
    Ok(Entity::find_by_id(key).one(connection).await?)
}

/// Deletes the versions before one.
pub async fn drop_older(
    tx: &impl ConnectionTrait,
    product: Uuid,
    kind: &str,
    version: i64,
) -> Result<()> {
    Entity::delete_many()
        .filter(Column::ProductId.eq(product))
        .filter(Column::Kind.eq(kind))
        .filter(Column::Version.lt(version))
        .exec(tx)
        .await?;
    Ok(())
}

/// Version and digest of the newest of a kind that was signed for a product, without the document,
/// which may have megabytes.
pub async fn version(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Uuid,
    kind: &str,
) -> Result<Option<(i64, String)>> {
    let one = Entity::find()
        .select_only()
        .columns([Column::Version, Column::Sha256])
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::ProductId.eq(product))
        .filter(Column::Kind.eq(kind))
        .order_by_desc(Column::Version)
        .limit(1);
    Ok(one.into_tuple().one(connection).await?)
}
