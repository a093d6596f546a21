//! Who did what, when and from where: a chain that only grows. The database refuses to change or to
//! delete a row, whoever asks.

use crate::error::Result;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{ConnectionTrait, DbBackend, IntoActiveModel, QueryOrder, QuerySelect, Select};

/// A row of `audit`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// From 1, without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub created_at: i64,
    /// The id of an API key, or a word such as `server`.
    pub actor: String,
    pub actor_name: Option<String>,
    /// Such as `license.revoked`.
    pub action: String,
    /// The id of what it was done to.
    pub subject: String,
    pub subject_name: Option<String>,
    pub remote: Option<String>,
    pub request_id: Option<String>,
    pub detail_json: String,
    /// The hash of the entry before; of the first: 64 zeros.
    pub previous: String,
    /// SHA-256 in hexadecimal.
    pub hash: String,
}

/// Rows are joined by hand where they are.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Adds one.
pub async fn insert(tx: &impl ConnectionTrait, row: Model) -> Result<()> {
    Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
    Ok(())
}

/// Which entries are meant: those that meet everything that is there.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By this one.
    pub actor: Option<String>,
    /// Of this kind.
    pub action: Option<String>,
    /// Done to this.
    pub subject: Option<String>,
    /// At that time or later.
    pub from: Option<i64>,
    /// Before that time.
    pub to: Option<i64>,
    /// With this in the name of who did it or of what it was done to, in lower case.
    pub search: Option<String>,
    /// With a lower number than this.
    pub before: Option<i64>,
}

/// An organization's, the newest first.
pub async fn list(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<Model>> {
    let newest = of(organization, filter).order_by_desc(Column::Seq);
    Ok(newest.limit(limit).all(connection).await?)
}

/// The next of those that are meant after a number, in their order.
pub async fn meant(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    filter: &Filter,
    after: Option<i64>,
    limit: u64,
) -> Result<Vec<Model>> {
    let mut some = of(organization, filter);
    if let Some(after) = after {
        some = some.filter(Column::Seq.gt(after));
    }
    Ok(some.order_by_asc(Column::Seq).limit(limit).all(connection).await?)
}

fn of(organization: Uuid, filter: &Filter) -> Select<Entity> {
    let mut some = Entity::find().filter(Column::OrganizationId.eq(organization));
    let equal = [
        (Column::Actor, &filter.actor),
        (Column::Action, &filter.action),
        (Column::Subject, &filter.subject),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            some = some.filter(column.eq(value.as_str()));
        }
    }
    if let Some(from) = filter.from {
        some = some.filter(Column::CreatedAt.gte(from));
    }
    if let Some(to) = filter.to {
        some = some.filter(Column::CreatedAt.lt(to));
    }
    if let Some(part) = &filter.search {
        let like = LikeExpr::new(format!("%{}%", super::licenses::literal(part))).escape('\\');
        let within = |column: Column| Expr::expr(Func::lower(Expr::col(column))).like(like.clone());
        some = some.filter(within(Column::SubjectName).or(within(Column::ActorName)));
    }
    if let Some(before) = filter.before {
        some = some.filter(Column::Seq.lt(before));
    }
    some
}

/// One of an organization's.
pub async fn get(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    seq: i64,
) -> Result<Option<Model>> {
    Ok(Entity::find_by_id((organization, seq)).one(connection).await?)
}

/// Of which organizations there are any.
pub async fn organizations(connection: &impl ConnectionTrait) -> Result<Vec<Uuid>> {
    let ids = Entity::find().select_only().column(Column::OrganizationId).distinct();
    Ok(ids.into_tuple().all(connection).await?)
}

/// The next of an organization's after a number, in their order; all from the first without one.
pub async fn next(
    connection: &impl ConnectionTrait,
    organization: Uuid,
    after: Option<i64>,
    limit: u64,
) -> Result<Vec<Model>> {
    meant(connection, organization, &Filter::default(), after, limit).await
}

/// Has the database refuse what is not adding.
const CLOSE_SQLITE: [&str; 2] = [
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN \
     SELECT RAISE(ABORT, 'the audit log only grows'); END",
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN \
     SELECT RAISE(ABORT, 'the audit log only grows'); END",
];

/// The same.
const CLOSE_POSTGRES: [&str; 3] = [
    "CREATE OR REPLACE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN RAISE EXCEPTION 'the audit log only grows'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit \
     FOR EACH ROW EXECUTE FUNCTION audit_only_grows()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit \
     FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()",
];

/// Takes that away.
const OPEN_SQLITE: [&str; 2] =
    ["DROP TRIGGER IF EXISTS audit_no_update", "DROP TRIGGER IF EXISTS audit_no_delete"];

/// The same.
const OPEN_POSTGRES: [&str; 2] = [
    "DROP TRIGGER IF EXISTS audit_no_change ON audit",
    "DROP TRIGGER IF EXISTS audit_no_truncate ON audit",
];

/// From now on the table only grows.
pub async fn close(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let all: &[&str] = match connection.get_database_backend() {
        DbBackend::Postgres => &CLOSE_POSTGRES,
        _ => &CLOSE_SQLITE,
    };
    for sql in all {
        connection.execute_unprepared(sql).await?;
    }
    Ok(())
}

/// The table may be emptied until it is closed again: when a backup takes the place of everything.
pub async fn open(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let all: &[&str] = match connection.get_database_backend() {
        DbBackend::Postgres => &OPEN_POSTGRES,
        _ => &OPEN_SQLITE,
    };
    for sql in all {
        connection.execute_unprepared(sql).await?;
    }
    Ok(())
}
