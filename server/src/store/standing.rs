//! How the database is at the moment: for whoever watches the server.

use super::{Engine, Store, events, migrations};
use crate::error::Result;
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};

/// Events that are counted: more are as many.
const COUNT_MAX: u64 = 100_000;

/// Whether every step of this version was done. There may be more: servers are replaced one by
/// one.
pub async fn is_current(store: &Store) -> Result<bool> {
    let applied = migrations::applied(store.read()).await?;
    Ok(migrations::known().iter().all(|step| applied.contains(step)))
}

/// Events that wait to be delivered, and since when the oldest does (seconds since 1970).
pub async fn outbox(store: &Store) -> Result<(u64, Option<i64>)> {
    let waiting = events::Column::DeliveredAt.is_null();
    let oldest = events::Entity::find()
        .filter(waiting.clone())
        .order_by_asc(events::Column::Seq)
        .limit(1)
        .one(store.read())
        .await?;
    let some = Query::select()
        .expr(Expr::val(1))
        .from(events::Entity)
        .and_where(waiting)
        .limit(COUNT_MAX)
        .to_owned();
    let count = Query::select()
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("count"))
        .from_subquery(some, Alias::new("waiting"))
        .to_owned();
    let row = store.read().query_one(&count).await?;
    let count = row.map(|row| row.try_get::<i64>("", "count")).transpose()?.unwrap_or_default();
    Ok((u64::try_from(count).unwrap_or_default(), oldest.map(|event| event.created_at)))
}

/// Connections that are open, and those of them that nobody uses.
pub fn pool(store: &Store) -> (u32, u32) {
    let count = |connections: &DatabaseConnection| {
        let (size, idle) = match store.engine() {
            Engine::Postgres => {
                let pool = connections.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            Engine::Sqlite => {
                let pool = connections.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        (size, u32::try_from(idle).unwrap_or(u32::MAX))
    };
    let ((open, idle), (slow, slow_idle)) = (count(store.read()), count(store.slow()));
    (open.saturating_add(slow), idle.saturating_add(slow_idle))
}
