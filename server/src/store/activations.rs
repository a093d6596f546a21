//! Installations that a license is activated on.

use super::page::Page;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Asterisk, CaseStatement, Expr, ExprTrait, Func, OnConflict};
use sea_orm::{
    ConnectionTrait, FromQueryResult, IntoActiveModel, Iterable, QueryOrder, QuerySelect,
};

/// A row of `activations`: one for each installation that ever had the license.
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
    pub token_at: Option<i64>,
    /// The id of the license's own token when it was signed.
    pub token_of: Option<String>,
    /// Of the last answer.
    pub seq: i64,
    /// What is known of its ledger: [`crate::requests::ledger::Known`].
    pub ledger_json: String,
    pub created_at: i64,
    pub last_seen_at: i64,
    /// Since when the machine is free again, and who freed it: client, vendor, replaced.
    pub deactivated_at: Option<i64>,
    pub deactivated_by: Option<String>,
    /// The requests that freed it, so that none frees it twice: words with spaces.
    pub spent: String,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which rows a list is of.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this license.
    pub license: Option<Uuid>,
    /// Of this installation.
    pub installation: Option<Uuid>,
    /// Whose machine has this short id.
    pub machine: Option<String>,
    /// Those that take a machine, or those that do not any more.
    pub active: Option<bool>,
}

/// One of an organization's.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.one(connection).await?)
}

/// That of an installation, taken or free.
pub async fn of(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    license: Uuid,
    installation: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::LicenseId.eq(license))
        .filter(Column::Installation.eq(installation));
    Ok(one.one(connection).await?)
}

/// The same. Nobody else changes it until the transaction ends; whoever locks its license, too, has
/// locked that first.
pub async fn own(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    license: Uuid,
    installation: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::LicenseId.eq(license))
        .filter(Column::Installation.eq(installation))
        .lock_exclusive();
    Ok(one.one(connection).await?)
}

/// The one that an installation was seen with last, whatever the license.
pub async fn last_of(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    installation: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Installation.eq(installation))
        .order_by_desc(Column::LastSeenAt)
        .limit(1);
    Ok(one.one(connection).await?)
}

/// Those of so many pairs of license and installation, in the order of their ids. Nobody else
/// changes them until the transaction ends.
pub async fn lock(connection: &impl ConnectionTrait, pairs: &[(Uuid, Uuid)]) -> Result<Vec<Model>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    // A pair too many does no harm: whoever asked looks for his own.
    let rows = Entity::find()
        .filter(Column::LicenseId.is_in(pairs.iter().map(|(license, _)| *license)))
        .filter(Column::Installation.is_in(pairs.iter().map(|(_, installation)| *installation)))
        .order_by_asc(Column::Id)
        .lock_exclusive();
    Ok(rows.all(connection).await?)
}

/// How many machines a license has given out.
pub async fn count(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    license: Uuid,
) -> Result<u64> {
    Ok(active(organization, license).count(connection).await?)
}

/// Those that take a machine and reported this short id of it, and those that were seen last:
/// at most `most` of each.
pub async fn candidates(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    license: Uuid,
    machine: &str,
    most: u64,
) -> Result<Vec<Model>> {
    let same = active(organization, license)
        .filter(Column::MachineId.eq(machine))
        .order_by_desc(Column::LastSeenAt)
        .limit(most);
    let others = active(organization, license)
        .filter(Column::MachineId.is_not_null())
        .order_by_desc(Column::LastSeenAt)
        .limit(most);
    let mut rows = same.all(connection).await?;
    rows.extend(others.all(connection).await?);
    Ok(rows)
}

/// How those of a license were heard of.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Seen {
    /// Those that ever had it.
    pub ever: i64,
    /// Those that take a machine.
    pub active: i64,
    /// Of these, how many were seen in the last 24 hours, 7 days, 30 days.
    pub day: i64,
    pub week: i64,
    pub month: i64,
    /// Of these, how many were seen last before a change.
    pub older: i64,
    /// When one of those that ever had it was seen last, and when a token was bound to one last.
    pub last_seen_at: Option<i64>,
    pub token_at: Option<i64>,
}

/// How those of a license were heard of, at a time. `changed` = when the license was.
pub async fn seen(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    license: Uuid,
    now: i64,
    changed: i64,
) -> Result<Seen> {
    const DAY: i64 = 86_400;
    let taken = || Column::DeactivatedAt.is_null();
    let since = |days: i64| taken().and(Column::LastSeenAt.gt(now.saturating_sub(days * DAY)));
    let number = |which: Expr| {
        let one = CaseStatement::new().case(which, 1).finally(0);
        // A sum is none where there are no rows, and of no certain type on PostgreSQL.
        Func::coalesce([Expr::from(Func::sum(one)), Expr::val(0)]).cast_as("bigint")
    };
    let all = Entity::find()
        .select_only()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::LicenseId.eq(license))
        .expr_as(Func::count(Expr::col(Asterisk)), "ever")
        .expr_as(number(taken()), "active")
        .expr_as(number(since(1)), "day")
        .expr_as(number(since(7)), "week")
        .expr_as(number(since(30)), "month")
        .expr_as(number(taken().and(Column::LastSeenAt.lt(changed))), "older")
        .expr_as(Func::max(Expr::col(Column::LastSeenAt)), "last_seen_at")
        .expr_as(Func::max(Expr::col(Column::TokenAt)), "token_at");
    Ok(all.into_model().one(connection).await?.unwrap_or_default())
}

fn active(organization: Uuid, license: Uuid) -> Select<Entity> {
    Entity::find()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::LicenseId.eq(license))
        .filter(Column::DeactivatedAt.is_null())
}

fn meant(organization: Uuid, filter: &Filter) -> Select<Entity> {
    let mut all = Entity::find().filter(Column::OrganizationId.eq(organization));
    if let Some(license) = filter.license {
        all = all.filter(Column::LicenseId.eq(license));
    }
    if let Some(installation) = filter.installation {
        all = all.filter(Column::Installation.eq(installation));
    }
    if let Some(machine) = &filter.machine {
        all = all.filter(Column::MachineId.eq(machine.as_str()));
    }
    match filter.active {
        Some(true) => all.filter(Column::DeactivatedAt.is_null()),
        Some(false) => all.filter(Column::DeactivatedAt.is_not_null()),
        None => all,
    }
}

/// The next of those that are meant, the newest first, after one.
pub async fn next(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut rows = meant(organization, filter);
    if let Some(after) = after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok(rows.order_by_desc(Column::Id).limit(limit).all(connection).await?)
}

/// A page of an organization's, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let all = meant(organization, filter);
    let total = all.clone().count(connection).await?;
    let mut rows = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
}

/// Writes one, new or not. Its license is locked.
pub async fn put(connection: &impl ConnectionTrait, row: Model) -> Result<()> {
    let columns = Column::iter().filter(|column| !matches!(column, Column::Id));
    let same = OnConflict::column(Column::Id).update_columns(columns).to_owned();
    Entity::insert(row.into_active_model().reset_all())
        .on_conflict(same)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// Frees the machine of one. Gives whether it was taken.
pub async fn free(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
    by: &str,
    now: i64,
) -> Result<bool> {
    let done = Entity::update_many()
        .col_expr(Column::DeactivatedAt, Expr::value(now))
        .col_expr(Column::DeactivatedBy, Expr::value(by))
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.eq(id))
        .filter(Column::DeactivatedAt.is_null())
        .exec(connection)
        .await?;
    Ok(done.rows_affected > 0)
}

/// Notes what reports have brought, in one statement: of each row the number of the last answer,
/// which never falls, what is known of the ledger, and when it was seen where from. Rows come in
/// the order of their ids, so that two that do this do not wait for each other.
pub async fn report(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let excluded = |column: Column| Expr::col((Alias::new("excluded"), column));
    let mine = Expr::col((Entity, Column::Seq));
    let seq = CaseStatement::new()
        .case(excluded(Column::Seq).gt(mine.clone()), excluded(Column::Seq))
        .finally(mine);
    let update = OnConflict::column(Column::Id)
        .value(Column::Seq, seq)
        .update_columns([
            Column::LedgerJson,
            Column::LastSeenAt,
            Column::Remote,
            Column::Sdk,
            Column::MachineJson,
            Column::MachineId,
        ])
        .to_owned();
    Entity::insert_many(rows.into_iter().map(|row| row.into_active_model().reset_all()))
        .on_conflict(update)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
