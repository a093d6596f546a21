//! Signing keys, their private halves sealed.

use super::key_pairs;
use crate::error::Result;
use licentia::Role;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, QueryOrder};

/// A row of `signing_keys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub key_pair_id: Uuid,
    pub kid: String,
    /// `ed25519:` and 43 characters.
    pub public_key: String,
    /// Words with spaces between: root, license, server.
    pub roles: String,
    /// active, retired, compromised.
    pub state: String,
    /// The private half, under the master key.
    pub sealed: String,
    pub created_at: i64,
    pub retired_at: Option<i64>,
    pub compromised_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The newest active key of a pair for a role, and the epoch of the pair.
pub async fn active(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    pair: Uuid,
    role: Role,
) -> Result<Option<(Model, i64)>> {
    let pair = key_pairs::Entity::find_by_id(pair)
        .filter(key_pairs::Column::OrganizationId.eq(organization))
        .one(connection)
        .await?;
    let Some(pair) = pair else { return Ok(None) };
    let keys = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::KeyPairId.eq(pair.id))
        .filter(Column::State.eq("active"))
        .order_by_desc(Column::Id)
        .all(connection)
        .await?;
    let has = |key: &Model| key.roles.split(' ').any(|word| word == role.word());
    Ok(keys.into_iter().find(has).map(|key| (key, pair.epoch)))
}
