//! Signing keys, their private halves sealed.

use super::key_pairs;
use crate::error::Result;
use crate::key_pair;
use licentia::{KeyState, Role};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Set, Unchanged};

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

impl Model {
    /// Whether it may sign for a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.split(' ').any(|word| word == role.word())
    }

    /// What it may sign.
    pub fn roles(&self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.has(*role)).collect()
    }

    /// Whether it is in use.
    pub fn state(&self) -> KeyState {
        match self.state.as_str() {
            "active" => KeyState::Active,
            "retired" => KeyState::Retired,
            _ => KeyState::Compromised,
        }
    }
}

/// The newest active key of a pair for a role, and the epoch of the pair. A key that is a root as
/// well signs only where there is no other.
pub async fn active(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    pair: Uuid,
    role: Role,
) -> Result<Option<(Model, i64)>> {
    // The keys first: an epoch that is newer than the key is right, one that is older is not.
    let keys = of_pair(connection, organization, pair).await?;
    let key = key_pair::active(&keys, role).cloned();
    let pair = key_pairs::get(connection, organization, pair).await?;
    Ok(key.zip(pair).map(|(key, pair)| (key, pair.epoch)))
}

/// All keys of a pair, in the order in which they were made.
pub async fn of_pair(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    pair: Uuid,
) -> Result<Vec<Model>> {
    let keys = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::KeyPairId.eq(pair))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id);
    Ok(keys.all(connection).await?)
}

/// All keys of some pairs, in the order in which they were made.
pub async fn of_pairs(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    pairs: Vec<Uuid>,
) -> Result<Vec<Model>> {
    let keys = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::KeyPairId.is_in(pairs))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id);
    Ok(keys.all(connection).await?)
}

/// The key of an organization with this name.
pub async fn named(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    kid: &str,
) -> Result<Option<Model>> {
    let key =
        Entity::find().filter(Column::OrganizationId.eq(organization)).filter(Column::Kid.eq(kid));
    Ok(key.one(connection).await?)
}

/// Adds some.
pub async fn insert(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
    Entity::insert_many(rows).exec_without_returning(connection).await?;
    Ok(())
}

/// Writes the state of one, and since when.
pub async fn keep_state(connection: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let row = ActiveModel {
        id: Unchanged(row.id),
        state: Set(row.state.clone()),
        retired_at: Set(row.retired_at),
        compromised_at: Set(row.compromised_at),
        ..Default::default()
    };
    Entity::update(row).exec(connection).await?;
    Ok(())
}

/// The next keys of the whole server after one, in the order of their ids.
pub async fn after(connection: &impl ConnectionTrait, id: Uuid, limit: u64) -> Result<Vec<Model>> {
    let keys = Entity::find().filter(Column::Id.gt(id)).order_by_asc(Column::Id).limit(limit);
    Ok(keys.all(connection).await?)
}

/// Writes the sealed private half of one.
pub async fn reseal(connection: &impl ConnectionTrait, id: Uuid, sealed: String) -> Result<()> {
    let row = ActiveModel { id: Unchanged(id), sealed: Set(sealed), ..Default::default() };
    Entity::update(row).exec(connection).await?;
    Ok(())
}

/// Removes those of a pair.
pub async fn clear(connection: &impl ConnectionTrait, pair: Uuid) -> Result<()> {
    Entity::delete_many().filter(Column::KeyPairId.eq(pair)).exec(connection).await?;
    Ok(())
}
