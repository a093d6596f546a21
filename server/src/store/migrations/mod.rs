//! How the schema came to be: each step once, in order, all that are missing in one transaction.

mod m0001_schema;
mod m0002_desk;

use super::{Store, rows};
use crate::error::{Code, Error, Result};
use sea_orm::EntityTrait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use sea_orm_migration::prelude::*;
use sea_orm_migration::seaql_migrations;

/// What servers that start at the same time wait for on PostgreSQL: any number, always the same.
const ADVISORY_LOCK: i64 = 0x6c69_6365_6e74_6961;

/// The steps.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_schema::Migration), Box::new(m0002_desk::Migration)]
    }
}

/// Brings the schema up to this version. One server does it, others that start meanwhile wait.
///
/// Fails with `schema` for one that a newer version made, or that somebody took apart.
pub async fn migrate(store: &Store) -> Result<()> {
    let transaction = store.begin().await?;
    lock(&transaction).await?;
    if exists(&transaction).await? {
        check(&transaction).await?;
    }
    up(&transaction, None).await?;
    rows::check(&transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// Waits for other servers that change the schema, and keeps them out until the transaction ends.
pub async fn lock(transaction: &DatabaseTransaction) -> Result<()> {
    let backend = transaction.get_database_backend();
    if backend == DbBackend::Postgres {
        Store::patient(transaction).await?;
        let sql = "SELECT pg_advisory_xact_lock($1)";
        let lock = Statement::from_sql_and_values(backend, sql, [ADVISORY_LOCK.into()]);
        transaction.execute_raw(lock).await?;
    }
    Ok(())
}

/// Whether there is a schema. Fails with `schema` for tables without a note of how they were made.
pub async fn exists(transaction: &DatabaseTransaction) -> Result<bool> {
    let manager = SchemaManager::new(transaction);
    if manager.has_table("seaql_migrations").await? {
        return Ok(true);
    }
    if manager.has_table("organizations").await? {
        return Err(Error::new(
            Code::Schema,
            "The database has tables, but no note of how they were made: name an empty one, or \
                    restore a backup",
        ));
    }
    Ok(false)
}

/// Does so many of the steps that are missing; all of them without a number.
pub async fn up(transaction: &DatabaseTransaction, steps: Option<u32>) -> Result<()> {
    Ok(Migrator::up(transaction, steps).await?)
}

/// The names of the steps of this version, in their order.
pub fn known() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_string()).collect()
}

/// The names of the steps that were done here, in their order.
pub async fn applied(connection: &impl ConnectionTrait) -> Result<Vec<String>> {
    let applied = seaql_migrations::Entity::find().all(connection).await?;
    let mut applied: Vec<String> = applied.into_iter().map(|step| step.version).collect();
    applied.sort();
    Ok(applied)
}

/// Fails unless what was done is the beginning of what this version does.
pub async fn check(connection: &impl ConnectionTrait) -> Result<()> {
    let (applied, known) = (applied(connection).await?, known());
    if let Some(newer) = applied.iter().find(|step| !known.contains(step)) {
        let what = format!(
            "A newer version made the database ({newer:.40} is not known here): start that version"
        );
        return Err(Error::new(Code::Schema, what));
    }
    if !known.starts_with(&applied) {
        return Err(Error::new(
            Code::Schema,
            "A step in the middle of the schema is missing: restore a backup",
        ));
    }
    Ok(())
}
