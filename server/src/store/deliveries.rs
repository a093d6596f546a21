//! Events on their way to webhooks, and what became of each.

use super::page::Page;
use super::webhooks;
use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{
    Alias, Expr, ExprTrait, LockBehavior, LockType, OnConflict, Order, Query, SelectStatement,
};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Statement};

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
/// Bytes of bodies in one statement, and those of one row more.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Adds some. An event that is on its way to a webhook already is not so twice.
pub async fn insert(tx: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    let (mut some, mut bytes) = (Vec::new(), 0_usize);
    for row in rows {
        bytes = bytes.saturating_add(row.body.len());
        some.push(row);
        if some.len() >= AT_ONCE || bytes >= BYTES_AT_ONCE {
            bytes = 0;
            insert_some(tx, std::mem::take(&mut some)).await?;
        }
    }
    match some.is_empty() {
        true => Ok(()),
        false => insert_some(tx, some).await,
    }
}

async fn insert_some(tx: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    let none = OnConflict::columns([Column::WebhookId, Column::EventId]).do_nothing().to_owned();
    let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
    Entity::insert_many(rows).on_conflict(none).exec_without_returning(tx).await?;
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

/// That its webhook is there. What is left of one that was deleted is nobody's any more, and waits
/// for [`clear_gone`].
fn has_webhook() -> Expr {
    let all = Query::select().column(webhooks::Column::Id).from(webhooks::Entity).to_owned();
    Column::WebhookId.in_subquery(all)
}

/// A page of an organization's, the newest first.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    page: Page,
) -> Result<Vec<Model>> {
    let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
    rows = rows.filter(has_webhook());
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
    let one = one.filter(has_webhook());
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
    let one = Entity::find_by_id(id).filter(Column::ClaimedUntil.eq(until)).filter(has_webhook());
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

/// Sends some of a webhook again that were tried for the last time, the oldest first. Gives how
/// many, and whether there are more.
pub async fn revive(
    tx: &impl ConnectionTrait,
    webhook: Uuid,
    now: i64,
    limit: u64,
) -> Result<(u64, bool)> {
    let dead = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::WebhookId.eq(webhook))
        .and_where(Column::State.eq(DEAD))
        .order_by(Column::Id, Order::Asc)
        .limit(limit)
        .to_owned();
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(WAITING))
        .col_expr(Column::Tries, Expr::value(0_i64))
        .col_expr(Column::NextAt, Expr::value(now))
        .col_expr(Column::FinishedAt, Expr::value(None::<i64>))
        .filter(Column::Id.in_subquery(dead))
        .exec(tx)
        .await?;
    let more = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::WebhookId.eq(webhook))
        .and_where(Column::State.eq(DEAD))
        .limit(1)
        .to_owned();
    Ok((done.rows_affected, tx.query_one(&more).await?.is_some()))
}

/// The webhooks that deliveries are for, one by one along the index; of them those that are gone.
const GONE: &str = "WITH RECURSIVE known(id) AS (\
    SELECT webhook_id FROM (SELECT webhook_id FROM deliveries ORDER BY webhook_id LIMIT 1) AS one \
    UNION ALL SELECT (SELECT webhook_id FROM deliveries WHERE webhook_id > known.id \
    ORDER BY webhook_id LIMIT 1) FROM known WHERE known.id IS NOT NULL) \
    SELECT id FROM known WHERE known.id IS NOT NULL \
    AND NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = known.id) LIMIT 1";

/// A webhook that was deleted, and has deliveries still.
pub async fn gone(connection: &impl ConnectionTrait) -> Result<Option<Uuid>> {
    let found = Statement::from_string(connection.get_database_backend(), GONE);
    let row = connection.query_one_raw(found).await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?)
}

/// Deletes some deliveries of a webhook, which [`gone`] gave. Gives how many.
pub async fn clear_gone(tx: &impl ConnectionTrait, webhook: Uuid, limit: u64) -> Result<u64> {
    let some = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::WebhookId.eq(webhook))
        .order_by(Column::Id, Order::Asc)
        .limit(limit)
        .to_owned();
    let cleared = Entity::delete_many().filter(Column::Id.in_subquery(some)).exec(tx).await?;
    Ok(cleared.rows_affected)
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

/// Deletes some that were made before a time and wait for webhooks that the server disabled: nobody
/// has asked for them since. Gives how many.
pub async fn clear_unasked(tx: &impl ConnectionTrait, before: i64, limit: u64) -> Result<u64> {
    let disabled = Query::select()
        .column(webhooks::Column::Id)
        .from(webhooks::Entity)
        .and_where(webhooks::Column::Enabled.eq(false))
        .and_where(webhooks::Column::DisabledWhy.is_not_null())
        .to_owned();
    let old = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::State.eq(WAITING))
        .and_where(Column::CreatedAt.lt(before))
        .and_where(Column::WebhookId.in_subquery(disabled))
        .limit(limit)
        .to_owned();
    let cleared = Entity::delete_many().filter(Column::Id.in_subquery(old)).exec(tx).await?;
    Ok(cleared.rows_affected)
}

/// Deliveries that are counted: more are as many.
const COUNT_MAX: u64 = 100_000;

/// How it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// How many wait that are to be sent: at most 100,000.
    pub waiting: u64,
    /// Since when the oldest of them does, in seconds since 1970.
    pub oldest: Option<i64>,
    /// How many were tried for the last time: at most 100,000.
    pub dead: u64,
}

/// How it stands now, on the whole server. What waits for a webhook that is disabled is not
/// counted.
pub async fn standing(connection: &impl ConnectionTrait) -> Result<Standing> {
    let all = Query::select().column(webhooks::Column::Id).from(webhooks::Entity).to_owned();
    let mut open = all.clone();
    open.and_where(webhooks::Column::Enabled.eq(true));
    let oldest = connection.query_one(&oldest()).await?;
    let oldest = oldest.map(|row| row.try_get("", "created_at")).transpose()?;
    let waiting = count(connection, WAITING, open).await?;
    Ok(Standing { waiting, oldest, dead: count(connection, DEAD, all).await? })
}

/// Counts those in a state that are for some webhooks: in an index alone.
async fn count(
    connection: &impl ConnectionTrait,
    state: &str,
    webhooks: SelectStatement,
) -> Result<u64> {
    let some = Query::select()
        .expr(Expr::val(1))
        .from(Entity)
        .and_where(Column::State.eq(state))
        .and_where(Column::WebhookId.in_subquery(webhooks))
        .limit(COUNT_MAX)
        .to_owned();
    let count = Query::select()
        .expr_as(Expr::cust("COUNT(*)"), "count")
        .from_subquery(some, "some")
        .to_owned();
    let row = connection.query_one(&count).await?;
    let count = row.map(|row| row.try_get::<i64>("", "count")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The one that waits the longest: ids are in the order of their time, and each webhook has one
/// that is the smallest.
fn oldest() -> SelectStatement {
    let waits = Alias::new("waits");
    let column = |column: Column| Expr::col((waits.clone(), column));
    let first = Query::select()
        .expr(column(Column::Id))
        .from_as(Entity, waits.clone())
        .and_where(column(Column::State).eq(WAITING))
        .and_where(
            column(Column::WebhookId).eq(Expr::col((webhooks::Entity, webhooks::Column::Id))),
        )
        .order_by((waits.clone(), Column::Id), Order::Asc)
        .limit(1)
        .to_owned();
    let firsts = Query::select()
        .expr(Expr::SubQuery(None, Box::new(first.into())))
        .from(webhooks::Entity)
        .and_where(webhooks::Column::Enabled.eq(true))
        .to_owned();
    Query::select()
        .column(Column::CreatedAt)
        .from(Entity)
        .and_where(Column::Id.in_subquery(firsts))
        .order_by(Column::Id, Order::Asc)
        .limit(1)
        .to_owned()
}

/// Sends now what waits until after a time, which is further away than anything is put off; and
/// gives back what was taken: for a clock that was ahead.
pub async fn recede(tx: &impl ConnectionTrait, now: i64, latest: i64) -> Result<()> {
    release_all(tx).await?;
    Entity::update_many()
        .col_expr(Column::NextAt, Expr::value(now))
        .filter(Column::State.eq(WAITING))
        .filter(Column::NextAt.gt(latest))
        .exec(tx)
        .await?;
    Ok(())
}
