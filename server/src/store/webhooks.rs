//! Where events are sent.

use super::deliveries;
use super::page::Page;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect};

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
    /// Why it is not, where nobody said so: what happens waits for it then.
    pub disabled_why: Option<String>,
    /// The secret and the private key that sign, sealed.
    pub sealed: String,
    /// What the private key's signatures are verified with.
    pub public_key: String,
    /// Those before them, which sign too until [`Model::before_until`].
    pub sealed_before: Option<String>,
    pub public_key_before: Option<String>,
    pub before_until: Option<i64>,
    /// Since when nothing arrives.
    pub failing_since: Option<i64>,
    /// Events up to this number ([`events::settled`]) were there before it, and are not for it.
    ///
    /// It is a number and no time: of a second both could be, and where a clock was ahead when the
    /// webhook was made, or is behind on another server of the group, what happens later has an
    /// older time and would be lost.
    ///
    /// [`events::settled`]: super::events::settled
    pub after_event: i64,
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

/// Whichever organization's it is, which nobody else changes until the transaction ends.
pub async fn lock_any(tx: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// A page of an organization's, and how many there are.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    page: Page,
) -> Result<(Vec<Model>, u64)> {
    let all = Entity::find().filter(Column::OrganizationId.eq(organization));
    let total = all.clone().count(connection).await?;
    let mut rows = all.order_by_desc(Column::Id).limit(page.limit).offset(page.offset);
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok((rows.all(connection).await?, total))
}

/// How many an organization has.
pub async fn count(connection: &impl ConnectionTrait, organization: Uuid) -> Result<u64> {
    let all = Entity::find().filter(Column::OrganizationId.eq(organization));
    Ok(all.count(connection).await?)
}

/// Those of some organizations that events go to, or wait for because nobody chose that they do
/// not. They stay until the transaction ends.
pub async fn open(
    tx: &impl ConnectionTrait,
    organizations: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>> {
    let open = Entity::find()
        .filter(Column::OrganizationId.is_in(organizations))
        .filter(Column::Enabled.eq(true).or(Column::DisabledWhy.is_not_null()))
        .order_by_asc(Column::Id)
        .lock(LockType::KeyShare);
    Ok(open.all(tx).await?)
}

/// Those that something can be sent to now, which nobody is sending.
pub async fn due(connection: &impl ConnectionTrait, now: i64) -> Result<Vec<Model>> {
    let due = Query::select()
        .expr(Expr::val(1))
        .from(deliveries::Entity)
        .and_where(
            Expr::col((deliveries::Entity, deliveries::Column::WebhookId))
                .eq(Expr::col((Entity, Column::Id))),
        )
        .and_where(deliveries::is_due(now))
        .limit(1)
        .to_owned();
    let rows = Entity::find().filter(Column::Enabled.eq(true)).filter(Expr::exists(due));
    Ok(rows.order_by_asc(Column::Id).all(connection).await?)
}

/// Adds one.
pub async fn insert(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes all of one that was read under [`lock`].
pub async fn update(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::update(row.into_active_model().reset_all()).exec(tx).await?;
    Ok(())
}

/// Notes whether anything arrives: since when it does not, or that it does.
pub async fn failing(tx: &impl ConnectionTrait, id: Uuid, since: Option<i64>) -> Result<()> {
    let known = match since {
        Some(_) => Column::FailingSince.is_null(),
        None => Column::FailingSince.is_not_null(),
    };
    Entity::update_many()
        .col_expr(Column::FailingSince, Expr::value(since))
        .filter(Column::Id.eq(id))
        .filter(known)
        .exec(tx)
        .await?;
    Ok(())
}

/// Has all of them take every event that waits: numbers begin anew in a new database.
pub async fn after_none(tx: &impl ConnectionTrait) -> Result<()> {
    let all = Entity::update_many().col_expr(Column::AfterEvent, Expr::value(0_i64));
    all.exec(tx).await?;
    Ok(())
}

/// Disables all that are enabled. Gives how many.
pub async fn disable_all(tx: &impl ConnectionTrait, why: &str, now: i64) -> Result<u64> {
    let done = Entity::update_many()
        .col_expr(Column::Enabled, Expr::value(false))
        .col_expr(Column::DisabledWhy, Expr::value(why))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Enabled.eq(true))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

/// Deletes one. Nobody sees its deliveries any more, which [`deliveries::clear_gone`] deletes.
pub async fn delete(tx: &impl ConnectionTrait, row: &Model) -> Result<()> {
    Entity::delete_by_id(row.id).exec(tx).await?;
    Ok(())
}

/// Deletes all of an organization, as [`delete`] does.
pub async fn clear(tx: &impl ConnectionTrait, organization: Uuid) -> Result<()> {
    let all = Entity::find().filter(Column::OrganizationId.eq(organization));
    for row in all.order_by_asc(Column::Id).lock_exclusive().all(tx).await? {
        delete(tx, &row).await?;
    }
    Ok(())
}

/// Whether any still has what signed before, though its time is over.
pub async fn has_outlived(connection: &impl ConnectionTrait, now: i64) -> Result<bool> {
    let one = Entity::find().filter(Column::BeforeUntil.lte(now)).limit(1);
    Ok(one.one(connection).await?.is_some())
}

/// Forgets what signed before, where its time is over.
pub async fn forget_outlived(tx: &impl ConnectionTrait, now: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::SealedBefore, Expr::value(None::<String>))
        .col_expr(Column::PublicKeyBefore, Expr::value(None::<String>))
        .col_expr(Column::BeforeUntil, Expr::value(None::<i64>))
        .filter(Column::BeforeUntil.lte(now))
        .exec(tx)
        .await?;
    Ok(())
}

/// Those after one in the order of their ids, of all organizations.
pub async fn after(connection: &impl ConnectionTrait, id: Uuid, limit: u64) -> Result<Vec<Model>> {
    let rows = Entity::find().filter(Column::Id.gt(id)).order_by_asc(Column::Id).limit(limit);
    Ok(rows.all(connection).await?)
}

/// Keeps what is sealed anew.
pub async fn reseal(
    tx: &impl ConnectionTrait,
    id: Uuid,
    sealed: String,
    before: Option<String>,
) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(sealed))
        .col_expr(Column::SealedBefore, Expr::value(before))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}
