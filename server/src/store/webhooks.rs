//! Where events are sent.

use sea_orm::entity::prelude::*;

/// A row of `webhooks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub url: String,
    pub description: Option<String>,
    /// Words with spaces between; empty = every kind of event.
    pub kinds: String,
    /// Of one product only.
    pub product_id: Option<Uuid>,
    pub enabled: bool,
    /// Why it is not, where nobody said so.
    pub disabled_why: Option<String>,
    /// The secret and the private key that sign, sealed.
    pub sealed: String,
    /// Those before them, which sign too until [`Model::before_until`].
    pub sealed_before: Option<String>,
    pub before_until: Option<i64>,
    /// Since when nothing arrives.
    pub failing_since: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
