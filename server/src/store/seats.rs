//! Floating seats, one row for each that was ever taken.

use sea_orm::entity::prelude::*;

/// A row of `seats`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "seats")]
pub struct Model {
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub license_id: Uuid,
    /// From 1 to the license's `max_seats`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seat: i64,
    /// Of the lease: what heartbeat and release name.
    pub id: Uuid,
    pub holder: String,
    pub installation: Option<Uuid>,
    pub activation_id: Option<Uuid>,
    pub borrowed: bool,
    pub acquired_at: i64,
    pub renewed_at: i64,
    pub expires_at: i64,
    pub released_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
