//! What changed: the outbox.

use crate::error::Result;
use sea_orm::ActiveValue::NotSet;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, LockBehavior, LockType, Order, Query};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect, Select};

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub id: Uuid,
    pub organization_id: Uuid,
    /// Such as `license.created`.
    pub kind: String,
    /// What it is about: an id.
    pub subject: String,
    pub data_json: String,
    /// Who did it: the id of an API key, of an activation, or a word.
    pub actor: String,
    pub request_id: Option<String>,
    pub created_at: i64,
    /// Of earlier versions, which delivered without a transaction.
    pub claimed_until: Option<i64>,
    pub delivered_at: Option<i64>,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows in one statement: each has eleven values, and SQLite takes 32,766.
const AT_ONCE: usize = 1_000;

/// Adds what changed.
pub async fn insert(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    for rows in rows.chunks(AT_ONCE) {
        let rows = rows.iter().cloned().map(|row| {
            let mut row = row.into_active_model().reset_all();
            row.seq = NotSet;
            row
        });
        Entity::insert_many(rows).exec_without_returning(connection).await?;
    }
    Ok(())
}

impl Model {
    /// What it is called outside: the same however often it is delivered.
    pub fn name(&self) -> String {
        format!("evt_{}", self.id.simple())
    }
}

/// Which events a list has.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one kind.
    pub kind: Option<String>,
    /// About one thing.
    pub subject: Option<String>,
    /// Before this one.
    pub before: Option<i64>,
}

/// An organization's, the newest first.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut rows = Entity::find().filter(Column::OrganizationId.eq(organization));
    if let Some(kind) = &filter.kind {
        rows = rows.filter(Column::Kind.eq(kind.as_str()));
    }
    if let Some(subject) = &filter.subject {
        rows = rows.filter(Column::Subject.eq(subject.as_str()));
    }
    if let Some(before) = filter.before {
        rows = rows.filter(Column::Seq.lt(before));
    }
    Ok(rows.order_by_desc(Column::Seq).limit(limit).all(connection).await?)
}

/// So many of the newest events are looked at for one that is missing.
const UNSETTLED: u64 = 100;

/// A number up to which every event is there, as far as it can be told.
///
/// Numbers are given while a transaction goes on: on PostgreSQL one may end after others that have
/// higher numbers. So it is the number before the first that is missing among the newest: what is
/// still on its way is not taken for what was there before.
pub async fn settled(connection: &impl ConnectionTrait) -> Result<i64> {
    let newest = Entity::find()
        .select_only()
        .column(Column::Seq)
        .order_by_desc(Column::Seq)
        .limit(UNSETTLED)
        .into_tuple();
    let newest: Vec<i64> = newest.all(connection).await?;
    let mut rising = newest.into_iter().rev();
    let mut last = rising.next().unwrap_or_default();
    for seq in rising {
        if seq != last.saturating_add(1) {
            break;
        }
        last = seq;
    }
    Ok(last)
}

/// Not delivered, the oldest first.
fn waiting(limit: u64) -> Select<Entity> {
    Entity::find().filter(Column::DeliveredAt.is_null()).order_by_asc(Column::Seq).limit(limit)
}

/// Whether any is waiting.
pub async fn is_waiting(connection: &impl ConnectionTrait) -> Result<bool> {
    Ok(waiting(1).one(connection).await?.is_some())
}

/// Takes the oldest that wait, and that no other server is taking, until the transaction ends.
pub async fn take(tx: &impl ConnectionTrait, limit: u64) -> Result<Vec<Model>> {
    // SQLite has one writer, and takes no notice of the lock.
    let rows = waiting(limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    Ok(rows.all(tx).await?)
}

/// Notes that some were delivered.
pub async fn delivered(tx: &impl ConnectionTrait, events: &[i64], now: i64) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::DeliveredAt, Expr::value(now))
        .filter(Column::Seq.is_in(events.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes some of those that were delivered before a time. Gives how many.
pub async fn clear(tx: &impl ConnectionTrait, before: i64, limit: u64) -> Result<u64> {
    let old = Query::select()
        .column(Column::Seq)
        .from(Entity)
        .and_where(Column::DeliveredAt.lt(before))
        .order_by(Column::DeliveredAt, Order::Asc)
        .limit(limit)
        .to_owned();
    let cleared = Entity::delete_many().filter(Column::Seq.in_subquery(old)).exec(tx).await?;
    Ok(cleared.rows_affected)
}
