//! Events on their way to webhooks, and what became of each.

use sea_orm::entity::prelude::*;

/// A row of `deliveries`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub webhook_id: Uuid,
    pub event_id: Uuid,
    pub kind: String,
    pub subject: String,
    /// What is sent, byte for byte the same each time.
    pub body: String,
    /// waiting, delivered, dead.
    pub state: String,
    /// How often it was tried since somebody last asked for it.
    pub tries: i64,
    /// Each try: an array.
    pub tries_json: String,
    pub next_at: Option<i64>,
    /// Until when one server is sending it.
    pub claimed_until: Option<i64>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
