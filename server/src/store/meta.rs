//! Facts about the whole store.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, Set};

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
