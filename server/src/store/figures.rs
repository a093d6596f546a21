//! What charts are drawn from: one number for each day.

use sea_orm::entity::prelude::*;

/// A row of `figures`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "figures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Such as `licenses_active`, `syncs`, `usage`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub metric: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: Uuid,
    /// Of usage: the feature; otherwise empty.
    #[sea_orm(primary_key, auto_increment = false)]
    pub label: String,
    /// Its first second (UTC).
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i64,
    pub value: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
