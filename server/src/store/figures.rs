//! What charts are drawn from: one number for each day.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Func, OnConflict, Order, Query};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryResult};

/// A row of `figures`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "figures")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Such as `licenses_active`, `syncs`, `usage`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub metric: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: Uuid,
    /// Of usage: the feature and what is counted; otherwise empty.
    #[sea_orm(primary_key, auto_increment = false)]
    pub label: String,
    /// Its first second (UTC).
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i64,
    pub value: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Rows in one statement: each has seven values, and SQLite takes 32,766.
const AT_ONCE: usize = 1_000;

/// What becomes of a number that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is replaced.
    Set,
    /// It is added to.
    Add,
    /// The higher one stays.
    Raise,
    /// It stays.
    Fill,
}

/// Writes numbers. Each key is there once. What is as it was is not written.
pub async fn put(tx: &impl ConnectionTrait, rows: Vec<Model>, put: Put) -> Result<()> {
    let excluded = |column: Column| Expr::col((Alias::new("excluded"), column));
    let mine = |column: Column| Expr::col((Entity, column));
    let key =
        [Column::OrganizationId, Column::Metric, Column::ProductId, Column::Label, Column::Day];
    let mut known = OnConflict::columns(key);
    let (new, old) = (excluded(Column::Value), mine(Column::Value));
    match put {
        Put::Set => known.update_columns([Column::Value]).action_and_where(new.ne(old)),
        Put::Raise => known.update_columns([Column::Value]).action_and_where(new.gt(old)),
        Put::Add => known.value(Column::Value, old.add(new)),
        Put::Fill => known.do_nothing(),
    };
    if put != Put::Fill {
        known.value(Column::UpdatedAt, excluded(Column::UpdatedAt));
    }
    for rows in rows.chunks(AT_ONCE) {
        let rows = rows.iter().map(|row| row.clone().into_active_model().reset_all());
        let insert = Entity::insert_many(rows).on_conflict(known.clone());
        match insert.exec_without_returning(tx).await {
            Ok(_) | Err(DbErr::RecordNotInserted) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Which numbers are meant.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    pub organization: Uuid,
    pub metric: &'a str,
    /// Of one product; `None` = of all.
    pub product: Option<Uuid>,
    /// Of days that begin then or later.
    pub from: i64,
    /// Of days that begin before.
    pub to: i64,
}

impl Which<'_> {
    fn select(&self) -> sea_orm::sea_query::SelectStatement {
        let mut rows = Query::select();
        rows.from(Entity)
            .and_where(Expr::col(Column::OrganizationId).eq(self.organization))
            .and_where(Expr::col(Column::Metric).eq(self.metric))
            .and_where(Expr::col(Column::Day).gte(self.from))
            .and_where(Expr::col(Column::Day).lt(self.to));
        if let Some(product) = self.product {
            rows.and_where(Expr::col(Column::ProductId).eq(product));
        }
        rows
    }
}

/// A sum that is never too large for its type; beyond 2^53 it is not exact.
fn sum() -> Expr {
    let value = Expr::col(Column::Value).cast_as(Alias::new("double precision"));
    Expr::from(Func::sum(value))
}

/// The sum of a column that [`sum`] made.
pub(super) fn whole(row: &QueryResult, name: &str) -> Result<i64, DbErr> {
    // Rounded already: a sum of integers. What is too large becomes the largest.
    #[allow(clippy::cast_possible_truncation)]
    let sum = row.try_get::<Option<f64>>("", name)?.unwrap_or_default() as i64;
    Ok(sum)
}

/// Days, in their order, and the numbers of all products that are meant together.
pub async fn days(connection: &impl ConnectionTrait, which: Which<'_>) -> Result<Vec<(i64, i64)>> {
    let mut rows = which.select();
    rows.column(Column::Day)
        .expr_as(sum(), Alias::new("sum"))
        .group_by_columns([Column::Day])
        .order_by(Column::Day, Order::Asc);
    let rows = connection.query_all(&rows).await?;
    let day = |row: &QueryResult| Ok((row.try_get("", "day")?, whole(row, "sum")?));
    Ok(rows.iter().map(day).collect::<Result<_, DbErr>>()?)
}

/// The number of each product that is meant, of all days together.
pub async fn products(
    connection: &impl ConnectionTrait,
    which: Which<'_>,
) -> Result<Vec<(Uuid, i64)>> {
    let mut rows = which.select();
    rows.column(Column::ProductId)
        .expr_as(sum(), Alias::new("sum"))
        .group_by_columns([Column::ProductId]);
    let rows = connection.query_all(&rows).await?;
    let product = |row: &QueryResult| Ok((row.try_get("", "product_id")?, whole(row, "sum")?));
    Ok(rows.iter().map(product).collect::<Result<_, DbErr>>()?)
}

/// Of each label that is meant: the sum of all days, and the highest day.
pub async fn labels(
    connection: &impl ConnectionTrait,
    which: Which<'_>,
) -> Result<Vec<(String, i64, i64)>> {
    let mut by_day = which.select();
    by_day
        .columns([Column::Label, Column::Day])
        .expr_as(sum(), Alias::new("sum"))
        .group_by_columns([Column::Label, Column::Day]);
    let sum = Expr::col(Alias::new("sum"));
    let mut rows = Query::select();
    rows.column(Column::Label)
        .expr_as(Func::sum(sum.clone()), Alias::new("sum"))
        .expr_as(sum.max(), Alias::new("most"))
        .from_subquery(by_day, Alias::new("by_day"))
        .group_by_columns([Column::Label])
        .order_by(Column::Label, Order::Asc);
    let rows = connection.query_all(&rows).await?;
    let label = |row: &QueryResult| {
        Ok((row.try_get("", "label")?, whole(row, "sum")?, whole(row, "most")?))
    };
    Ok(rows.iter().map(label).collect::<Result<_, DbErr>>()?)
}

/// Days, in their order, and the numbers of one label.
pub async fn of_label(
    connection: &impl ConnectionTrait,
    which: Which<'_>,
    label: &str,
) -> Result<Vec<(i64, i64)>> {
    let mut rows = which.select();
    rows.column(Column::Day)
        .expr_as(sum(), Alias::new("sum"))
        .and_where(Expr::col(Column::Label).eq(label))
        .group_by_columns([Column::Day])
        .order_by(Column::Day, Order::Asc);
    let rows = connection.query_all(&rows).await?;
    let day = |row: &QueryResult| Ok((row.try_get("", "day")?, whole(row, "sum")?));
    Ok(rows.iter().map(day).collect::<Result<_, DbErr>>()?)
}

/// Deletes what a metric has of before a time, whoever's it is.
pub async fn clear(tx: &impl ConnectionTrait, metric: &str, before: i64) -> Result<()> {
    Entity::delete_many()
        .filter(Column::Metric.eq(metric))
        .filter(Column::Day.lt(before))
        .exec(tx)
        .await?;
    Ok(())
}

/// Deletes what there is of days that begin at a time or later, whoever's it is.
pub async fn clear_from(tx: &impl ConnectionTrait, day: i64) -> Result<()> {
    Entity::delete_many().filter(Column::Day.gte(day)).exec(tx).await?;
    Ok(())
}

/// Deletes what there is of an organization.
pub async fn forget(tx: &impl ConnectionTrait, organization: Uuid) -> Result<()> {
    Entity::delete_many().filter(Column::OrganizationId.eq(organization)).exec(tx).await?;
    Ok(())
}
