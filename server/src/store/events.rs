//! What changed: the outbox.

use crate::error::Result;
use sea_orm::ActiveValue::NotSet;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel};

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub id: Uuid,
    pub organization_id: Uuid,
    /// Such as `license.created`.
    pub kind: String,
    /// What it is about: an id.
    pub subject: String,
    pub data_json: String,
    /// Who did it: the id of an API key, of an activation, or a word.
    pub actor: String,
    pub request_id: Option<String>,
    pub created_at: i64,
    /// Until when one server is delivering it.
    pub claimed_until: Option<i64>,
    pub delivered_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds what changed, in one statement.
pub async fn insert(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = rows.into_iter().map(|row| {
        let mut row = row.into_active_model().reset_all();
        row.seq = NotSet;
        row
    });
    Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}
