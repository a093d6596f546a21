//! Products.

use super::page::Page;
use crate::error::{Code, Error, Result};
use crate::store::{licenses, policies};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel, QueryOrder, QuerySelect};

/// A row of `products`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "products")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub organization_id: Uuid,
    pub name: String,
    pub code: String,
    pub description: Option<String>,
    pub default_features_json: String,
    pub default_valid_days: i64,
    pub key_pair_id: Option<Uuid>,
    /// Rises with every revocation: max(previous + 1, now in microseconds).
    pub revocations_version: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One of an organization's.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.one(connection).await?)
}

/// Those with these ids, whichever organizations' they are.
pub async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>> {
    Ok(Entity::find().filter(Column::Id.is_in(ids)).all(connection).await?)
}

/// The organization and the id of each.
pub async fn all(connection: &impl ConnectionTrait) -> Result<Vec<(Uuid, Uuid)>> {
    let all = Entity::find().select_only().columns([Column::OrganizationId, Column::Id]);
    Ok(all.into_tuple().all(connection).await?)
}

/// Whichever organization's it is: what is published of a product needs no API key.
pub async fn any(connection: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).one(connection).await?)
}

/// A page of an organization's, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    key_pair: Option<Uuid>,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let mut all = Entity::find().filter(Column::OrganizationId.eq(organization));
    if let Some(pair) = key_pair {
        all = all.filter(Column::KeyPairId.eq(pair));
    }
    let total = all.clone().count(connection).await?;
    let mut rows = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
}

/// One of an organization's, which nobody else changes until the transaction ends.
pub async fn lock(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    // SQLite has one writer, and takes no notice.
    Ok(one.lock_exclusive().one(tx).await?)
}

/// One of an organization's, which stays until the transaction ends.
pub async fn hold(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.lock(LockType::KeyShare).one(tx).await?)
}

/// One of an organization's, which nobody else changes until the transaction ends, though they may
/// make licenses of it.
pub async fn turn(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.lock(LockType::NoKeyUpdate).one(tx).await?)
}

/// The one with a code.
pub async fn by_code(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    code: &str,
) -> Result<Option<Model>> {
    let one = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Code.eq(code));
    Ok(one.one(connection).await?)
}

/// Those of an organization with these ids.
pub async fn some(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>> {
    let some = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(ids));
    Ok(some.all(connection).await?)
}

/// How many licenses one has, revoked ones too.
pub async fn licenses(connection: &impl ConnectionTrait, row: &Model) -> Result<u64> {
    let all = licenses::Entity::find()
        .filter(licenses::Column::OrganizationId.eq(row.organization_id))
        .filter(licenses::Column::ProductId.eq(row.id));
    Ok(all.count(connection).await?)
}

/// Adds one. Fails with `conflict`, naming the code, where there is one with it.
pub async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    let code = row.code.clone();
    let inserted = Entity::insert(row.into_active_model()).exec_without_returning(connection).await;
    inserted.map(drop).map_err(|error| taken(error, &code))
}

/// Writes all of one that was read under [`lock`]. Fails as [`insert`] does.
pub async fn update(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    let code = row.code.clone();
    let updated = Entity::update(row.into_active_model().reset_all()).exec(tx).await;
    updated.map(drop).map_err(|error| taken(error, &code))
}

/// Deletes one that has no licenses, and its policies.
pub async fn delete(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    policies::Entity::delete_many()
        .filter(policies::Column::OrganizationId.eq(row.organization_id))
        .filter(policies::Column::ProductId.eq(row.id))
        .exec(tx)
        .await?;
    let one = Entity::delete_by_id(row.id).filter(Column::OrganizationId.eq(row.organization_id));
    one.exec(tx).await?;
    Ok(())
}

fn taken(error: DbErr, code: &str) -> Error {
    let error = Error::from(error);
    match error.code() {
        Code::Conflict => {
            let what = format!("There is a product with the code {code} already: choose another");
            Error::new(Code::Conflict, what)
        }
        _ => error,
    }
}
