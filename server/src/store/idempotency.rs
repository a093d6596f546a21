//! Answers that a repeated request gets again.

use crate::error::{Code, Error, Result};
use sea_orm::ActiveValue::{Set, Unchanged};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{OnConflict, Order, Query};
use sea_orm::{Condition, ConnectionTrait, IntoActiveModel, QueryOrder, QuerySelect};

/// A row of `idempotency`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// SHA-256 of who asked and the key they sent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    /// SHA-256 of method, path and body.
    pub request: String,
    pub status: i32,
    pub headers_json: String,
    pub body: String,
    pub created_at: i64,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Takes the place for an answer. Gives the row of whoever took it before, and waits for theirs
/// while they are at it.
pub async fn claim(connection: &impl ConnectionTrait, row: Model) -> Result<Option<Model>> {
    let (organization, digest) = (row.organization_id, row.digest.clone());
    let columns = [Column::OrganizationId, Column::Digest];
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await;
    if matches!(inserted, Ok(1)) {
        return Ok(None);
    }
    match inserted {
        Ok(_) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error.into()),
    }
    let earlier = Entity::find_by_id((organization, digest)).one(connection).await?;
    // It may be cleared away at this moment: then it is too old to be repeated.
    earlier.map(Some).ok_or_else(|| Error::new(Code::Busy, "Try again").retry_after(1))
}

/// Keeps the answer.
pub async fn keep(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    digest: &str,
    status: i32,
    headers: String,
    body: String,
) -> Result<()> {
    let row = ActiveModel {
        organization_id: Unchanged(organization),
        digest: Unchanged(digest.to_string()),
        status: Set(status),
        headers_json: Set(headers),
        body: Set(body),
        ..Default::default()
    };
    Entity::update(row).exec(connection).await?;
    Ok(())
}

/// Deletes some that were begun before a time. Gives how many.
pub async fn clear(tx: &impl ConnectionTrait, before: i64, limit: u64) -> Result<u64> {
    let old = Query::select()
        .column(Column::Digest)
        .from(Entity)
        .and_where(Column::CreatedAt.lt(before))
        .order_by(Column::CreatedAt, Order::Asc)
        .limit(limit)
        .to_owned();
    let cleared = Entity::delete_many()
        .filter(Column::CreatedAt.lt(before))
        .filter(Column::Digest.in_subquery(old))
        .exec(tx)
        .await?;
    Ok(cleared.rows_affected)
}

/// The next of the whole server after one, in the order of their keys.
pub async fn after(
    connection: &impl ConnectionTrait,
    last: Option<(Uuid, String)>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut rows = Entity::find();
    if let Some((organization, digest)) = last {
        let same = Condition::all()
            .add(Column::OrganizationId.eq(organization))
            .add(Column::Digest.gt(digest));
        rows = rows.filter(Condition::any().add(Column::OrganizationId.gt(organization)).add(same));
    }
    let rows = rows.order_by_asc(Column::OrganizationId).order_by_asc(Column::Digest);
    Ok(rows.limit(limit).all(connection).await?)
}

/// Writes the sealed body of one.
pub async fn reseal(connection: &impl ConnectionTrait, row: &Model, body: String) -> Result<()> {
    let row = ActiveModel {
        organization_id: Unchanged(row.organization_id),
        digest: Unchanged(row.digest.clone()),
        body: Set(body),
        ..Default::default()
    };
    Entity::update(row).exec(connection).await?;
    Ok(())
}
