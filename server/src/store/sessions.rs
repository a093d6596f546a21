//! Who is signed in to the desk.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, IntoActiveModel};

/// A row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// SHA-256 of what the cookie holds, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub organization_id: Uuid,
    pub api_key_id: Uuid,
    pub remote: Option<String>,
    pub created_at: i64,
    pub last_seen_at: i64,
    pub expires_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds one.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(connection).await?;
    Ok(())
}

/// One that is not over at a time.
pub async fn get(
    connection: &impl ConnectionTrait,
    digest: &str,
    now: i64,
) -> Result<Option<Model>> {
    let found = Entity::find_by_id(digest).filter(Column::ExpiresAt.gt(now));
    Ok(found.one(connection).await?)
}

/// Notes that one is in use, and until when it is good now.
pub async fn seen(
    connection: &impl ConnectionTrait,
    digest: &str,
    now: i64,
    expires_at: i64,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::LastSeenAt, Expr::value(now))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Digest.eq(digest))
        .exec(connection)
        .await?;
    Ok(())
}

/// Ends one.
pub async fn delete(connection: &impl ConnectionTrait, digest: &str) -> Result<()> {
    Entity::delete_by_id(digest).exec(connection).await?;
    Ok(())
}

/// Ends all.
pub async fn delete_all(connection: &impl ConnectionTrait) -> Result<()> {
    Entity::delete_many().exec(connection).await?;
    Ok(())
}

/// Deletes some of those that were over before a time. Gives how many.
pub async fn clear(connection: &impl ConnectionTrait, before: i64, limit: u64) -> Result<u64> {
    let old = Query::select()
        .column(Column::Digest)
        .from(Entity)
        .and_where(Column::ExpiresAt.lt(before))
        .limit(limit)
        .to_owned();
    let cleared =
        Entity::delete_many().filter(Column::Digest.in_subquery(old)).exec(connection).await?;
    Ok(cleared.rows_affected)
}
