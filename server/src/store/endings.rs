//! Licenses whose end comes or came, each to be announced once.

use super::licenses::{Column, Entity, Model};
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{ConnectionTrait, QueryOrder, QuerySelect, Select};

/// Nothing was announced of an end.
pub const NOTHING: i64 = 0;
/// That it comes soon.
pub const SOON: i64 = 1;
/// That it came.
pub const OVER: i64 = 2;

/// Some that end in `soon` seconds or earlier, and of which nothing was announced.
pub async fn soon(
    tx: &impl ConnectionTrait,
    now: i64,
    soon: i64,
    limit: u64,
) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(Column::Announced.eq(NOTHING))
        .filter(Column::ValidUntil.gt(now))
        .filter(Column::ValidUntil.lte(now.saturating_add(soon)));
    some(tx, rows, limit).await
}

/// Some that have ended, of which that was not announced.
pub async fn over(tx: &impl ConnectionTrait, now: i64, limit: u64) -> Result<Vec<Model>> {
    let rows = Entity::find()
        .filter(Column::Announced.is_in([NOTHING, SOON]))
        .filter(Column::ValidUntil.lte(now));
    some(tx, rows, limit).await
}

/// Some of which an end was announced that is not theirs any more: they were renewed.
pub async fn renewed(
    tx: &impl ConnectionTrait,
    now: i64,
    soon: i64,
    limit: u64,
) -> Result<Vec<Model>> {
    let over = Column::Announced.eq(OVER).and(Column::ValidUntil.gt(now));
    let later = Column::ValidUntil.gt(now.saturating_add(soon));
    let rows = Entity::find().filter(over.or(Column::Announced.eq(SOON).and(later)));
    some(tx, rows, limit).await
}

/// Takes them, the first that end first, and passes over those that somebody else has.
async fn some(tx: &impl ConnectionTrait, rows: Select<Entity>, limit: u64) -> Result<Vec<Model>> {
    Ok(rows
        .order_by_asc(Column::ValidUntil)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?)
}

/// Notes what was announced of some.
pub async fn announce(tx: &impl ConnectionTrait, rows: &[Model], announced: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Announced, Expr::value(announced))
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(tx)
        .await?;
    Ok(())
}
