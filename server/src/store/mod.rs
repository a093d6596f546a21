//! The database: every statement there is, a file for each table.

// What a column is, its name says where nothing else does.
#![allow(missing_docs)]

pub mod activations;
pub mod api_keys;
pub mod audit;
pub mod audit_heads;
pub mod deliveries;
pub mod documents;
pub mod endings;
pub mod events;
pub mod figures;
pub mod forever;
pub mod idempotency;
pub mod key_pairs;
mod license_filter;
pub mod licenses;
pub mod meta;
pub mod migrations;
pub mod organizations;
pub mod page;
pub mod policies;
pub mod products;
pub mod reckon;
pub mod reports;
pub mod revoked;
pub mod rows;
pub mod seats;
pub mod sessions;
pub mod signing_keys;
pub mod standing;
pub mod status;
pub mod usage;
pub mod webhooks;
pub mod withdrawn;

use crate::error::{Code, Error, Result};
use sea_orm::sqlx::Connection;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend,
    IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait,
};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for its turn before the caller is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that only read, on SQLite.
const READERS: u32 = 4;

/// Connections to PostgreSQL.
const CONNECTIONS: u32 = 16;

/// Connections more for what takes long and only reads, on SQLite and to PostgreSQL: however much
/// of it there is, the others are free for what somebody waits for.
const SLOW: u32 = 2;

/// A connection that nobody used for so long is tried before it is used: asking each time would
/// double the way.
const IDLE: Duration = Duration::from_secs(1);

/// What PostgreSQL does with a connection: a server that lost its power keeps others from a row for
/// a minute or two, and not for hours.
const SESSION: [(&str, &str); 5] = [
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file, for one server.
    Sqlite,
    /// A database that several servers share.
    Postgres,
}

impl Engine {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        }
    }
}

/// An open database. SQLite has one writer, so it gets one connection that writes.
#[derive(Clone)]
pub struct Store {
    engine: Engine,
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    slow: DatabaseConnection,
}

impl Store {
    /// Opens a file, and makes it if there is none. What is committed survives a loss of power.
    pub async fn sqlite(path: &Path) -> Result<Store> {
        let path = path.to_str().ok_or_else(|| Error::new(Code::Setup, "a path is not UTF-8"))?;
        let options = |connections: u32| {
            let mut options = ConnectOptions::new(format!("sqlite://{path}?mode=rwc"));
            options
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(PATIENCE)
                .idle_timeout(None::<Duration>)
                .max_lifetime(None::<Duration>)
                .test_before_acquire(false)
                .sqlx_logging(false)
                .map_sqlx_sqlite_opts(|sqlite| {
                    sqlite
                        .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
                        .synchronous(sea_orm::sqlx::sqlite::SqliteSynchronous::Full)
                        .busy_timeout(PATIENCE)
                        .foreign_keys(true)
                        .statement_cache_capacity(256)
                })
                .map_sqlx_sqlite_before_acquire(|connection, _| {
                    // A full disk makes SQLite undo a transaction by itself. What sqlx has not
                    // noticed would swallow every later commit: such a connection is closed.
                    Box::pin(async move {
                        // One that is being undone is done with when it answers.
                        if connection.is_in_transaction() {
                            connection.ping().await?;
                        }
                        Ok(!connection.is_in_transaction())
                    })
                });
            options
        };
        let writer = Database::connect(options(1)).await?;
        let reader = Database::connect(options(READERS)).await?;
        let slow = Database::connect(later(options(SLOW))).await?;
        Ok(Store { engine: Engine::Sqlite, writer, reader, slow })
    }

    /// Connects to a PostgreSQL database: `postgres://user:password@host/name`.
    pub async fn postgres(url: &str) -> Result<Store> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(CONNECTIONS)
            .min_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_timeout(PATIENCE)
            .test_before_acquire_if_idle_for(IDLE)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|postgres| postgres.options(SESSION));
        let mut slow = options.clone();
        slow.max_connections(SLOW);
        let writer = Database::connect(options).await?;
        let slow = Database::connect(later(slow)).await?;
        Ok(Store { engine: Engine::Postgres, reader: writer.clone(), writer, slow })
    }

    /// Which database it is.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Where one statement that only reads goes.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Where a statement that only reads goes if it may take long: it waits for its like, and
    /// nothing else waits for it.
    pub fn slow(&self) -> &DatabaseConnection {
        &self.slow
    }

    /// Begins what is committed together. On SQLite nobody else writes until it ends.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Begins to read everything as it is at this moment, whatever is written meanwhile.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction> {
        self.moment(&self.reader).await
    }

    /// The same, to read much.
    pub async fn slow_snapshot(&self) -> Result<DatabaseTransaction> {
        self.moment(&self.slow).await
    }

    async fn moment(&self, connections: &DatabaseConnection) -> Result<DatabaseTransaction> {
        let isolation = (self.engine == Engine::Postgres).then_some(IsolationLevel::RepeatableRead);
        let options =
            TransactionOptions { isolation_level: isolation, ..TransactionOptions::default() };
        Ok(connections.begin_with_options(options).await?)
    }

    /// Lets a transaction wait for others as long as they take, and rest for an hour: a backup, a
    /// restore, a new schema.
    pub async fn patient(transaction: &DatabaseTransaction) -> Result<()> {
        if transaction.get_database_backend() == DbBackend::Postgres {
            let patient = "SET LOCAL lock_timeout = 0; \
                           SET LOCAL idle_in_transaction_session_timeout = '1h'";
            transaction.execute_unprepared(patient).await?;
        }
        Ok(())
    }

    /// Leaves nothing in the file of what was overwritten or deleted. PostgreSQL does that by
    /// itself, in its time.
    pub async fn scrub(&self) -> Result<()> {
        if self.engine == Engine::Sqlite {
            self.writer.execute_unprepared("VACUUM").await?;
            self.writer.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    /// Ends all connections.
    pub async fn close(self) {
        let _ = self.slow.close().await;
        let _ = self.reader.close().await;
        let _ = self.writer.close().await;
    }
}

/// Connections that are made when they are needed.
fn later(mut options: ConnectOptions) -> ConnectOptions {
    options.min_connections(0).connect_lazy(true);
    options
}
