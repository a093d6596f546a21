//! Usage: totals by meter and period.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{
    Alias, CaseStatement, Expr, ExprTrait, Func, OnConflict, Order, Query, SelectStatement,
};
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder, QueryResult, QuerySelect, QueryTrait};

/// Rows that one statement writes: a database takes only so many values at a time.
const AT_ONCE: usize = 1_000;

/// A row of `usage`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage")]
pub struct Model {
    pub organization_id: Uuid,
    pub license_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub activation_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub feature: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// The first second of the period; -1 = of all that were too many to keep.
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: i64,
    /// How often the ledger had been lost when it was counted.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lost: i64,
    pub used: i64,
    pub updated_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What all installations of a license have used of a feature in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub feature: String,
    pub kind: String,
    pub period: i64,
    pub used: i64,
    /// How many installations that is.
    pub activations: i64,
}

/// Which sums are meant.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this activation alone.
    pub activation: Option<Uuid>,
    pub feature: Option<String>,
    /// Periods that begin then or later.
    pub from: Option<i64>,
    /// Periods that begin before.
    pub to: Option<i64>,
}

/// Notes totals. One that is not higher than what is known changes nothing, so it does not matter
/// how often and in which order they come. There is one row for each key, and they come in the
/// order of their keys, so that two that do this do not wait for each other.
pub async fn put(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<()> {
    let excluded = |column: Column| Expr::col((Alias::new("excluded"), column));
    let mine = |column: Column| Expr::col((Entity, column));
    let more = excluded(Column::Used).gt(mine(Column::Used));
    let key = [Column::ActivationId, Column::Feature, Column::Kind, Column::Period, Column::Lost];
    let mut update = OnConflict::columns(key);
    for column in [Column::Used, Column::UpdatedAt] {
        let case = CaseStatement::new().case(more.clone(), excluded(column)).finally(mine(column));
        update.value(column, case);
    }
    for rows in rows.chunks(AT_ONCE) {
        let rows = rows.iter().map(|row| row.clone().into_active_model().reset_all());
        Entity::insert_many(rows)
            .on_conflict(update.clone())
            .exec_without_returning(connection)
            .await?;
    }
    Ok(())
}

/// What a license has come to, the newest period first: a page of it, and how many sums there are.
///
/// What was counted before a ledger was lost and after it adds up; of levels and keys, whose
/// totals are the highest of a month, the higher one counts.
pub async fn sums(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    license: Uuid,
    filter: &Filter,
    (limit, offset): (u64, u64),
) -> Result<(Vec<Sum>, u64)> {
    let mut sums = summed(organization, &[license], filter);
    let all = Query::select()
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("count"))
        .from_subquery(sums.clone(), Alias::new("sums"))
        .to_owned();
    let total = connection.query_one(&all).await?;
    let total = total.map(|row| row.try_get::<i64>("", "count")).transpose()?.unwrap_or_default();
    let rows = connection.query_all(sums.limit(limit).offset(offset)).await?;
    let rows: Vec<Sum> = rows.iter().map(sum).collect::<Result<_, DbErr>>()?;
    Ok((rows, u64::try_from(total).unwrap_or_default()))
}

/// What the next licenses after one have come to, by license: of as many as have used anything, of
/// a product or of all, and the last of them.
pub async fn next(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    product: Option<Uuid>,
    filter: &Filter,
    (after, licenses): (Option<Uuid>, u64),
) -> Result<(Vec<(Uuid, Sum)>, Option<Uuid>)> {
    let mut ids = Entity::find()
        .select_only()
        .column(Column::LicenseId)
        .distinct()
        .filter(Column::OrganizationId.eq(organization));
    if let Some(after) = after {
        ids = ids.filter(Column::LicenseId.gt(after));
    }
    if let Some(product) = product {
        let of = super::licenses::Entity::find()
            .select_only()
            .column(super::licenses::Column::Id)
            .filter(super::licenses::Column::OrganizationId.eq(organization))
            .filter(super::licenses::Column::ProductId.eq(product));
        ids = ids.filter(Column::LicenseId.in_subquery(of.into_query()));
    }
    let ids = ids.order_by_asc(Column::LicenseId).limit(licenses).into_tuple();
    let ids: Vec<Uuid> = ids.all(connection).await?;
    let last = ids.last().copied();
    if last.is_none() {
        return Ok((Vec::new(), None));
    }
    let rows = connection.query_all(&summed(organization, &ids, filter)).await?;
    let of = |row: &QueryResult| Ok((row.try_get("", "license_id")?, sum(row)?));
    Ok((rows.iter().map(of).collect::<Result<_, DbErr>>()?, last))
}

/// The sums of some licenses, the newest period of each first.
fn summed(organization: Uuid, licenses: &[Uuid], filter: &Filter) -> SelectStatement {
    // Beyond 2^53 a sum is not exact, and never too large for its type.
    let real = Alias::new("double precision");
    let used = Expr::col(Column::Used);
    let each = CaseStatement::new()
        .case(Expr::col(Column::Kind).is_in(["level", "distinct"]), used.clone().max())
        .finally(Expr::from(Func::sum(used.cast_as(real.clone()))).cast_as(Alias::new("bigint")));
    let of = [Column::LicenseId, Column::Feature, Column::Kind, Column::Period];
    let mut by_activation = Query::select();
    by_activation
        .columns(of)
        .expr_as(each, Alias::new("used"))
        .from(Entity)
        .and_where(Expr::col(Column::OrganizationId).eq(organization))
        .and_where(Expr::col(Column::LicenseId).is_in(licenses.iter().copied()))
        .group_by_columns([Column::ActivationId])
        .group_by_columns(of);
    if let Some(activation) = filter.activation {
        by_activation.and_where(Expr::col(Column::ActivationId).eq(activation));
    }
    if let Some(feature) = &filter.feature {
        by_activation.and_where(Expr::col(Column::Feature).eq(feature.as_str()));
    }
    if let Some(from) = filter.from {
        by_activation.and_where(Expr::col(Column::Period).gte(from));
    }
    if let Some(to) = filter.to {
        by_activation.and_where(Expr::col(Column::Period).lt(to));
    }
    let sum = Func::sum(Expr::col(Alias::new("used")).cast_as(real));
    let mut sums = Query::select();
    sums.columns(of)
        .expr_as(sum, Alias::new("sum"))
        .expr_as(Expr::cust("COUNT(*)"), Alias::new("activations"))
        .from_subquery(by_activation, Alias::new("by_activation"))
        .group_by_columns(of)
        .order_by(Column::LicenseId, Order::Asc)
        .order_by(Column::Period, Order::Desc)
        .order_by(Column::Feature, Order::Asc)
        .order_by(Column::Kind, Order::Asc);
    sums
}

fn sum(row: &QueryResult) -> Result<Sum, DbErr> {
    // Rounded already: a sum of integers.
    #[allow(clippy::cast_possible_truncation)]
    let used = row.try_get::<f64>("", "sum")? as i64;
    Ok(Sum {
        feature: row.try_get("", "feature")?,
        kind: row.try_get("", "kind")?,
        period: row.try_get("", "period")?,
        used,
        activations: row.try_get("", "activations")?,
    })
}
