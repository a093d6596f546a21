//! Who did what, when and from where: a chain that only grows.

use sea_orm::entity::prelude::*;

/// A row of `audit`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub created_at: i64,
    /// The id of an API key, `installation:` and its id, or a word such as `server`.
    pub actor: String,
    pub actor_name: Option<String>,
    /// Such as `license.revoked`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    pub subject_name: Option<String>,
    pub remote: Option<String>,
    pub request_id: Option<String>,
    pub detail_json: String,
    /// The hash of the entry before; of the first: 64 zeros.
    pub previous: String,
    /// SHA-256 in hexadecimal.
    pub hash: String,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
