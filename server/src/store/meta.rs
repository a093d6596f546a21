//! Facts about the whole store.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait, OnConflict};
use sea_orm::{ConnectionTrait, QuerySelect, Set};

/// A row of `meta`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "meta")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: String,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The value of a fact; `None` = it is not known.
pub async fn get(connection: &impl ConnectionTrait, name: &str) -> Result<Option<String>> {
    let row = Entity::find_by_id(name).one(connection).await?;
    Ok(row.map(|row| row.value))
}

/// Notes a fact that is not known yet. Gives whether it was not: another server that notes the
/// same one at the same time waits for this one.
pub async fn add(connection: &impl ConnectionTrait, name: &str, value: String) -> Result<bool> {
    let row = ActiveModel { name: Set(name.to_string()), value: Set(value) };
    let none = OnConflict::column(Column::Name).do_nothing().to_owned();
    let done = Entity::insert(row).on_conflict(none).exec_without_returning(connection).await?;
    Ok(done > 0)
}

/// The row that is locked by whoever revokes API keys.
pub const API_KEYS: &str = "api_keys";

/// The latest time at which something was signed, in seconds since 1970.
pub const SIGNED_AT: &str = "signed_at";

/// The first organization: its id. It is made once.
pub const FIRST: &str = "first_organization";

/// Waits for everybody else who locked a name, and keeps them out until the transaction ends.
pub async fn lock(connection: &impl ConnectionTrait, name: &str) -> Result<()> {
    add(connection, name, String::new()).await?;
    Entity::find_by_id(name).lock_exclusive().one(connection).await?;
    Ok(())
}

/// A number that only rises; `None` = it is not known.
pub async fn number(connection: &impl ConnectionTrait, name: &str) -> Result<Option<i64>> {
    Ok(get(connection, name).await?.and_then(|value| value.parse().ok()))
}

/// Raises a number that is not negative, unless it is higher.
pub async fn raise(connection: &impl ConnectionTrait, name: &str, number: i64) -> Result<()> {
    // Of one length, so that the order of the texts is that of the numbers.
    let value = format!("{:019}", Ord::max(number, 0));
    let row = ActiveModel { name: Set(name.to_string()), value: Set(value.clone()) };
    let raise = OnConflict::column(Column::Name)
        .update_column(Column::Value)
        .action_and_where(Expr::col((Entity, Column::Value)).lt(value))
        .to_owned();
    match Entity::insert(row).on_conflict(raise).exec_without_returning(connection).await {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Changes or notes a fact.
pub async fn set(connection: &impl ConnectionTrait, name: &str, value: String) -> Result<()> {
    let row = ActiveModel { name: Set(name.to_string()), value: Set(value) };
    let change = OnConflict::column(Column::Name).update_column(Column::Value).to_owned();
    Entity::insert(row).on_conflict(change).exec_without_returning(connection).await?;
    Ok(())
}

/// Forgets a fact.
pub async fn remove(connection: &impl ConnectionTrait, name: &str) -> Result<()> {
    Entity::delete_by_id(name).exec(connection).await?;
    Ok(())
}

/// Forgets a fact that is a time, where it is after another.
pub async fn remove_later(connection: &impl ConnectionTrait, name: &str, than: i64) -> Result<()> {
    if number(connection, name).await?.is_some_and(|at| at > than) {
        remove(connection, name).await?;
    }
    Ok(())
}

/// Takes a turn that one server of the group has at a time, from now until a time; gives whether
/// it was free. Whoever dies loses it then.
pub async fn claim(
    connection: &impl ConnectionTrait,
    name: &str,
    now: i64,
    until: i64,
) -> Result<bool> {
    let value = |at: i64| format!("{:019}", Ord::max(at, 0));
    let row = ActiveModel { name: Set(name.to_string()), value: Set(value(until)) };
    let free = OnConflict::column(Column::Name)
        .update_column(Column::Value)
        .action_and_where(Expr::col((Entity, Column::Value)).lte(value(now)))
        .to_owned();
    match Entity::insert(row).on_conflict(free).exec_without_returning(connection).await {
        Ok(done) => Ok(done > 0),
        Err(DbErr::RecordNotInserted) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
