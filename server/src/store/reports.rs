//! The last plain report of each machine.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, CaseStatement, Expr, ExprTrait, OnConflict};
use sea_orm::{ConnectionTrait, IntoActiveModel};

/// A row of `reports`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reports")]
pub struct Model {
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub license_id: Uuid,
    /// As the machine calls itself; empty where it does not.
    #[sea_orm(primary_key, auto_increment = false)]
    pub fingerprint: String,
    pub app_version: Option<String>,
    pub features_json: String,
    pub seats_in_use: Option<i64>,
    /// How often it reported.
    pub count: i64,
    pub created_at: i64,
    pub last_seen_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Notes what machines have reported, in one statement: the last report of each takes the place
/// of the one before it, and `count` is added. There is one row for each machine, and they come
/// in the order of license and fingerprint, so that two that do this do not wait for each other.
pub async fn put(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let excluded = |column: Column| Expr::col((Alias::new("excluded"), column));
    let mine = |column: Column| Expr::col((Entity, column));
    // Whoever's transaction comes later may have been asked earlier.
    let newer = excluded(Column::LastSeenAt).gte(mine(Column::LastSeenAt));
    let newest = |column: Column| {
        CaseStatement::new().case(newer.clone(), excluded(column)).finally(mine(column))
    };
    let mut update = OnConflict::columns([Column::LicenseId, Column::Fingerprint]);
    update.value(Column::Count, mine(Column::Count).add(excluded(Column::Count)));
    for column in [Column::AppVersion, Column::FeaturesJson, Column::SeatsInUse, Column::LastSeenAt]
    {
        update.value(column, newest(column));
    }
    Entity::insert_many(rows.into_iter().map(|row| row.into_active_model().reset_all()))
        .on_conflict(update)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
