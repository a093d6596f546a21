//! Events on their way to webhooks, and what became of each.

use super::page::Page;
use super::webhooks;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict, Order, Query};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect};

/// It was not sent yet, or is tried again.
pub const WAITING: &str = "waiting";
/// It was taken.
pub const DELIVERED: &str = "delivered";
/// It was tried for the last time.
pub const DEAD: &str = "dead";

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

/// Rows in one statement: each has fourteen values, and SQLite takes 32,766.
const AT_ONCE: usize = 1_000;

/// Adds some. An event that is on its way to a webhook already is not so twice.
pub async fn insert(tx: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    for rows in rows.chunks(AT_ONCE) {
        let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
        let none =
            OnConflict::columns([Column::WebhookId, Column::EventId]).do_nothing().to_owned();
        Entity::insert_many(rows).on_conflict(none).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// Which deliveries a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// To one webhook.
    pub webhook: Option<Uuid>,
    /// In one state.
    pub state: Option<&'static str>,
    /// Of one kind of event.
    pub kind: Option<String>,
    /// About one thing.
    pub subject: Option<String>,
}

/// A page of an organization's, the newest first.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<Vec<Model>> {
    let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
    if let Some(webhook) = filter.webhook {
        rows = rows.filter(Column::WebhookId.eq(webhook));
    }
    if let Some(state) = filter.state {
        rows = rows.filter(Column::State.eq(state));
    }
    if let Some(kind) = &filter.kind {
        rows = rows.filter(Column::Kind.eq(kind.as_str()));
    }
    if let Some(subject) = &filter.subject {
        rows = rows.filter(Column::Subject.eq(subject.as_str()));
    }
    if let Some(after) = page.after {
        rows = rows.filter(Column::Id.lt(after));
    }
    Ok(rows.order_by_desc(Column::Id).limit(page.limit).all(connection).await?)
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

/// To be sent at a time, and by nobody else.
pub(super) fn is_due(now: i64) -> Expr {
    let column = |column: Column| Expr::col((Entity, column));
    let free = column(Column::ClaimedUntil).is_null().or(column(Column::ClaimedUntil).lte(now));
    column(Column::NextAt).lte(now).and(free)
}

/// Takes some that one webhook waits for the longest, and that no other server is taking, to send
/// them before `until`.
pub async fn claim(
    tx: &impl ConnectionTrait,
    webhook: Uuid,
    now: i64,
    until: i64,
    limit: u64,
) -> Result<Vec<Model>> {
    // SQLite has one writer, and takes no notice of the lock.
    let rows = Entity::find()
        .filter(Column::WebhookId.eq(webhook))
        .filter(is_due(now))
        .order_by_asc(Column::NextAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(tx)
        .await?;
    if rows.is_empty() {
        return Ok(rows);
    }
    Entity::update_many()
        .col_expr(Column::ClaimedUntil, Expr::value(until))
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .exec(tx)
        .await?;
    Ok(rows)
}

/// One that this server has claimed until a time, which nobody else changes until the transaction
/// ends; `None` where it is gone, or another's by now.
pub async fn mine(tx: &impl ConnectionTrait, id: Uuid, until: i64) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::ClaimedUntil.eq(until));
    Ok(one.lock_exclusive().one(tx).await?)
}

/// One of an organization's, which nobody else changes until the transaction ends.
pub async fn lock(
    tx: &impl ConnectionTrait,
    organization: Uuid,
    id: Uuid,
) -> Result<Option<Model>> {
    let one = Entity::find_by_id(id).filter(Column::OrganizationId.eq(organization));
    Ok(one.lock_exclusive().one(tx).await?)
}

/// Writes all of one that was read under [`lock`] or [`mine`].
pub async fn update(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::update(row.into_active_model().reset_all()).exec(tx).await?;
    Ok(())
}

/// Gives back what was taken and not sent: any server may take it.
pub async fn release(tx: &impl ConnectionTrait, id: Uuid, until: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::ClaimedUntil, Expr::value(None::<i64>))
        .filter(Column::Id.eq(id))
        .filter(Column::ClaimedUntil.eq(until))
        .exec(tx)
        .await?;
    Ok(())
}

/// Gives back whatever was taken: for the only server of a database, which has begun anew.
pub async fn release_all(tx: &impl ConnectionTrait) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::ClaimedUntil, Expr::value(None::<i64>))
        .filter(Column::ClaimedUntil.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Sends all of a webhook again that were tried for the last time. Gives how many.
pub async fn revive(tx: &impl ConnectionTrait, webhook: Uuid, now: i64) -> Result<u64> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(WAITING))
        .col_expr(Column::Tries, Expr::value(0_i64))
        .col_expr(Column::NextAt, Expr::value(now))
        .col_expr(Column::FinishedAt, Expr::value(None::<i64>))
        .filter(Column::WebhookId.eq(webhook))
        .filter(Column::State.eq(DEAD))
        .exec(tx)
        .await?;
    Ok(done.rows_affected)
}

/// Deletes all of a webhook.
pub(super) async fn clear_of(tx: &impl ConnectionTrait, webhook: Uuid) -> Result<()> {
    Entity::delete_many().filter(Column::WebhookId.eq(webhook)).exec(tx).await?;
    Ok(())
}

/// Deletes some of those that ended before a time, one way or the other. Gives how many.
pub async fn clear(tx: &impl ConnectionTrait, before: i64, limit: u64) -> Result<u64> {
    let old = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::FinishedAt.lt(before))
        .order_by(Column::FinishedAt, Order::Asc)
        .limit(limit)
        .to_owned();
    let cleared = Entity::delete_many().filter(Column::Id.in_subquery(old)).exec(tx).await?;
    Ok(cleared.rows_affected)
}

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many wait that are to be sent.
    pub waiting: u64,
    /// Since when the oldest of them does, in seconds since 1970.
    pub oldest: Option<i64>,
    /// How many were tried for the last time.
    pub dead: u64,
}

/// How it stands now, on the whole server. What waits for a webhook that is disabled is not
/// counted.
pub async fn standing(connection: &impl ConnectionTrait) -> Result<Standing> {
    let open = Query::select()
        .column(webhooks::Column::Id)
        .from(webhooks::Entity)
        .and_where(webhooks::Column::Enabled.eq(true))
        .to_owned();
    let waiting = Query::select()
        .expr_as(Expr::col(Column::Id).count(), "rows")
        .expr_as(Expr::col(Column::CreatedAt).min(), "oldest")
        .from(Entity)
        .and_where(Column::State.eq(WAITING))
        .and_where(Column::WebhookId.in_subquery(open))
        .to_owned();
    let row = connection.query_one(&waiting).await?;
    let (mut count, mut oldest) = (0_i64, None);
    if let Some(row) = row {
        count = row.try_get("", "rows")?;
        oldest = row.try_get("", "oldest")?;
    }
    let dead = Entity::find().filter(Column::State.eq(DEAD)).count(connection).await?;
    Ok(Standing { waiting: u64::try_from(count).unwrap_or_default(), oldest, dead })
}
