//! Usage: totals by meter and period.

use sea_orm::entity::prelude::*;

/// A row of `usage`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage")]
pub struct Model {
    pub organization_id: Uuid,
    pub license_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub activation_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub feature: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The first second of the period; -1 = of all that were too many to keep.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: i64,
    /// How often the ledger had been lost when it was counted.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lost: i64,
    pub used: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
