//! Floating seats, one row for each that was ever taken.

use super::page::Page;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Select};

/// A row of `seats`. Somebody has the seat before `expires_at`, and nobody from then on.
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

/// Which seats a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of one license.
    pub license: Option<Uuid>,
    /// Those of one holder.
    pub holder: Option<String>,
}

/// One of an organization's, taken or not.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find().filter(Column::Id.eq(id));
    Ok(one.filter(Column::OrganizationId.eq(organization)).one(connection).await?)
}

fn taken_now(organization: Uuid, filter: &Filter, now: i64) -> Select<Entity> {
    let mut all = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::ExpiresAt.gt(now));
    if let Some(license) = filter.license {
        all = all.filter(Column::LicenseId.eq(license));
    }
    if let Some(holder) = &filter.holder {
        all = all.filter(Column::Holder.eq(holder.as_str()));
    }
    all
}

/// The next of those that are taken at `now`, the newest first, after one.
pub async fn next(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    now: i64,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut rows = taken_now(organization, filter, now);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(connection).await?)
}

/// A page of those that are taken at `now`, and how many are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    now: i64,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let all = taken_now(organization, filter, now);
    let total = all.clone().count(connection).await?;
    let mut rows = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
}

/// The seat that a holder had last, taken or not: holders of the same name in two installations
/// are two.
pub async fn of_holder(
    connection: &impl ConnectionTrait,
    license: Uuid,
    holder: &str,
    installation: Option<Uuid>,
) -> Result<Option<Model>> {
    let mut own =
        Entity::find().filter(Column::LicenseId.eq(license)).filter(Column::Holder.eq(holder));
    own = match installation {
        Some(id) => own.filter(Column::Installation.eq(id)),
        None => own.filter(Column::Installation.is_null()),
    };
    Ok(own.order_by_desc(Column::ExpiresAt).limit(1).one(connection).await?)
}

/// Those that an installation has at `now`, in the order of their numbers.
pub async fn of_installation(
    connection: &impl ConnectionTrait,
    license: Uuid,
    installation: Uuid,
    now: i64,
) -> Result<Vec<Model>> {
    let own = Entity::find()
        .filter(Column::LicenseId.eq(license))
        .filter(Column::Installation.eq(installation))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_asc(Column::Seat);
    Ok(own.all(connection).await?)
}

/// How many of a license are taken at `now`.
pub async fn taken(connection: &impl ConnectionTrait, license: Uuid, now: i64) -> Result<i64> {
    let taken = Entity::find()
        .filter(Column::LicenseId.eq(license))
        .filter(Column::ExpiresAt.gt(now))
        .count(connection)
        .await?;
    Ok(i64::try_from(taken).unwrap_or(i64::MAX))
}

/// When the seat comes free that does so after `before` others, at the latest.
pub async fn next_free(
    connection: &impl ConnectionTrait,
    license: Uuid,
    now: i64,
    before: u64,
) -> Result<Option<i64>> {
    let row = Entity::find()
        .filter(Column::LicenseId.eq(license))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_asc(Column::ExpiresAt)
        .offset(before)
        .limit(1)
        .one(connection)
        .await?;
    Ok(row.map(|row| row.expires_at))
}

/// The lowest seat that was taken once and is free at `now`, or the one after the highest. Whoever
/// asks has the license's row, so that nobody else gets the same.
pub async fn lowest_free(
    connection: &impl ConnectionTrait,
    license: Uuid,
    now: i64,
) -> Result<i64> {
    let all = Entity::find().filter(Column::LicenseId.eq(license));
    let free = all.clone().filter(Column::ExpiresAt.lte(now)).order_by_asc(Column::Seat);
    if let Some(row) = free.limit(1).one(connection).await? {
        return Ok(row.seat);
    }
    let highest = all.order_by_desc(Column::Seat).limit(1).one(connection).await?;
    Ok(highest.map_or(1, |row| row.seat.saturating_add(1)))
}

/// Writes a seat: the row of that number, whoever had it before.
pub async fn put(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    let columns = [
        Column::Id,
        Column::Holder,
        Column::Installation,
        Column::ActivationId,
        Column::Borrowed,
        Column::AcquiredAt,
        Column::RenewedAt,
        Column::ExpiresAt,
        Column::ReleasedAt,
    ];
    let taken_over = sea_orm::sea_query::OnConflict::columns([Column::LicenseId, Column::Seat])
        .update_columns(columns)
        .to_owned();
    Entity::insert(row.into_active_model().reset_all())
        .on_conflict(taken_over)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
