//! Installations that a license is activated on.

use sea_orm::entity::prelude::*;

/// A row of `activations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub license_id: Uuid,
    /// The id of the installation.
    pub installation: Uuid,
    /// The pinned key: `ed25519:` and 43 characters.
    pub public_key: String,
    /// The machine report of the request, and its short id.
    pub machine_json: Option<String>,
    pub machine_id: Option<String>,
    pub sdk: Option<String>,
    pub remote: Option<String>,
    /// The token that is bound to it; empty where the license binds nowhere.
    pub token: Option<String>,
    pub token_id: Option<String>,
    /// Of the last answer.
    pub seq: i64,
    /// How much of its ledger is here.
    pub ledger_seq: i64,
    pub ledger_head: String,
    pub ledger_lost: i64,
    pub created_at: i64,
    pub last_seen_at: i64,
    pub deactivated_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
