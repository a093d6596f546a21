//! How a schema comes to be: once, whole, or not at all, and never by guessing.

use crate::backup::license;
use crate::support::{Database, Site, runtime};
use licentia_server::error::{Code, Result};
use licentia_server::outbox::Outbox;
use licentia_server::store::licenses::{self, Filter};
use licentia_server::store::page::Page;
use licentia_server::store::{Store, migrations, rows};
use sea_orm::ActiveValue::NotSet;
use sea_orm::prelude::Uuid;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel, Statement,
};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Databases of each engine that is here, without a schema.
fn empty() -> Vec<Database> {
    [Some(Database::sqlite()), Database::postgres()].into_iter().flatten().collect()
}

/// How the tables are made, in words of the database.
async fn made(store: &Store) -> Vec<String> {
    let backend = store.read().get_database_backend();
    let sql = match backend {
        sea_orm::DbBackend::Sqlite => "SELECT sql AS said FROM sqlite_master WHERE sql NOT NULL",
        _ => {
            "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable) AS said \
             FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
        }
    };
    let rows = store.read().query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    let mut said: Vec<String> = rows.iter().map(|row| row.try_get("", "said").unwrap()).collect();
    said.sort();
    said
}

async fn execute(store: &Store, sql: &str) {
    store.read().execute_unprepared(sql).await.unwrap();
}

/// Tries to start on it, which changes nothing. Gives the sentence.
async fn refused(store: &Store) -> String {
    let before = made(store).await;
    let error = migrations::migrate(store).await.unwrap_err();
    assert_eq!(error.code(), Code::Schema, "{error}");
    assert_eq!(made(store).await, before);
    error.detail().to_string()
}

#[test]
fn nobody_waits_for_hours_but_who_changes_the_schema() {
    let Some(database) = Database::postgres() else { return };
    runtime().block_on(async {
        let store = database.open().await;
        let shown = async |tx: &DatabaseTransaction, name: &str| {
            let show = Statement::from_string(DbBackend::Postgres, format!("SHOW {name}"));
            let row = tx.query_one_raw(show).await.unwrap().unwrap();
            row.try_get_by_index::<String>(0).unwrap()
        };
        let tx = store.begin().await.unwrap();
        let idle = "idle_in_transaction_session_timeout";
        assert_eq!(shown(&tx, "lock_timeout").await, "10s");
        assert_eq!(shown(&tx, idle).await, "1min");
        assert_eq!(shown(&tx, "tcp_keepalives_idle").await, "30");
        migrations::lock(&tx).await.unwrap();
        assert_eq!(shown(&tx, "lock_timeout").await, "0");
        assert_eq!(shown(&tx, idle).await, "1h");
        tx.rollback().await.unwrap();
        let tx = store.begin().await.unwrap();
        assert_eq!(shown(&tx, "lock_timeout").await, "10s");
        drop(tx);
        store.close().await;
    });
}

#[test]
fn servers_that_start_at_once_make_one_schema() {
    for database in empty() {
        let runtime = runtime();
        runtime.block_on(async {
            let mut starting = Vec::new();
            for _ in 0..6 {
                let store = database.open().await;
                starting.push(tokio::spawn(async move {
                    let migrated = migrations::migrate(&store).await;
                    store.close().await;
                    migrated
                }));
            }
            for start in starting {
                assert_eq!(start.await.unwrap(), Ok(()));
            }
            let store = database.open().await;
            assert_eq!(migrations::applied(store.read()).await.unwrap(), migrations::known());
            store.close().await;
        });
    }
}

/// The schema as a start makes it that nothing disturbs.
async fn whole(like: &Database) -> Vec<String> {
    let fresh = another(like);
    let store = fresh.open().await;
    migrations::migrate(&store).await.unwrap();
    let whole = made(&store).await;
    store.close().await;
    whole
}

/// An empty database of the same engine.
fn another(like: &Database) -> Database {
    match like {
        Database::Sqlite(_) => Database::sqlite(),
        Database::Postgres(..) => Database::postgres().unwrap(),
    }
}

/// A future that is given up after so many steps; `None` = it was.
async fn steps<T>(work: impl Future<Output = T>, most: usize) -> Option<T> {
    let mut work = pin!(work);
    let mut left = most;
    std::future::poll_fn(|context: &mut Context<'_>| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Starts that end a step further at each try, until one comes to its end. Gives how many ended
/// before.
async fn end_anywhere(database: &Database, whole: &[String]) -> usize {
    for most in 0.. {
        let store = database.open().await;
        let migrated: Option<Result<()>> = steps(migrations::migrate(&store), most).await;
        store.close().await;
        let store = database.open().await;
        let made = made(&store).await;
        store.close().await;
        if migrated.is_some() {
            assert_eq!(migrated, Some(Ok(())));
            assert_eq!(made, whole);
            return most;
        }
        assert!(made.is_empty() || made == whole, "after {most} steps: {made:?}");
    }
    0
}

/// How many steps a start has depends on who is faster, the database or who asks: on a machine
/// with other work, many answers are there at once. So it is tried on as many databases as it
/// takes.
#[test]
fn a_start_that_ends_anywhere_leaves_all_of_the_schema_or_none() {
    for database in empty() {
        runtime().block_on(async {
            let whole = whole(&database).await;
            let mut ended = 0;
            for tried in 0.. {
                ended += end_anywhere(&another(&database), &whole).await;
                if ended > 30 {
                    break;
                }
                assert!(tried < 60, "it ended only {ended} times");
            }
        });
    }
}

/// Serial numbers that are found by a word.
async fn found(store: &Store, organization: Uuid, word: &str) -> Vec<String> {
    let filter = Filter { words: vec![word.into()], ..Filter::default() };
    let page = Page { limit: 10, offset: 0, after: None };
    let (rows, _) = licenses::list(store.read(), organization, &filter, page).await.unwrap();
    rows.into_iter().map(|row| row.serial).collect()
}

/// How a statement is done, in words of the database.
async fn plan(store: &Store, sql: &str) -> String {
    let backend = store.read().get_database_backend();
    let explain = match backend {
        DbBackend::Sqlite => format!("EXPLAIN QUERY PLAN {sql}"),
        _ => format!("EXPLAIN {sql}"),
    };
    let rows = store.read().query_all_raw(Statement::from_string(backend, explain)).await.unwrap();
    let line = if backend == DbBackend::Sqlite { "detail" } else { "QUERY PLAN" };
    rows.iter().map(|row| row.try_get::<String>("", line).unwrap()).collect::<Vec<_>>().join("; ")
}

#[test]
fn licenses_of_an_older_version_are_found_when_they_were_tended() {
    for database in empty() {
        let (organization, product) = (Uuid::now_v7(), Uuid::now_v7());
        runtime().block_on(async {
            let store = database.open().await;
            let tx = store.begin().await.unwrap();
            migrations::up(&tx, Some(1)).await.unwrap();
            for number in 0..1_234 {
                let mut row = license(organization, product, &format!("OLD-{number}"));
                row.customer_name = Some(if number == 7 { "ÖZTÜRK" } else { "Ann" }.into());
                let row = licenses::ActiveModel { search: NotSet, ..row.into_active_model() };
                licenses::Entity::insert(row).exec_without_returning(&tx).await.unwrap();
            }
            tx.commit().await.unwrap();
            store.close().await;
        });
        let site = Site::on(database);
        let store = &site.server.store;
        site.wait(async {
            assert_eq!(found(store, organization, "öztürk").await, [""; 0], "not yet");
            let outbox = Outbox::new(Arc::clone(&site.server), 10);
            outbox.tend().await.unwrap();
            assert_eq!(found(store, organization, "öztürk").await, ["OLD-7"]);
            assert_eq!(found(store, organization, "old-1233").await, ["OLD-1233"]);
            assert!(!licenses::is_unsearched(store.read()).await.unwrap());
            // Looking for them costs nothing where there are none.
            execute(store, "ANALYZE").await;
            let plan = plan(
                store,
                "SELECT \"licenses\".\"id\" FROM \"licenses\" WHERE search = '' LIMIT 1",
            )
            .await;
            assert!(plan.contains("licenses_unsearched"), "{plan}");
        });
    }
}

both! {
    fn every_table_is_in_a_backup(site: &Site) {
        let named = |line: &str| {
            let words = line.strip_prefix("CREATE TABLE ");
            let column = line.split_once(' ').map(|(table, _)| table.to_string());
            match words {
                Some(rest) => rest.split('"').nth(1).map(str::to_string),
                None => column.filter(|_| !line.starts_with("CREATE ")),
            }
        };
        let made = site.wait(made(&site.server.store));
        let mut there: BTreeSet<String> = made.iter().filter_map(|line| named(line)).collect();
        assert!(there.remove("seaql_migrations"));
        there.remove("sqlite_sequence");
        let tables = rows::tables().unwrap();
        let kept: BTreeSet<String> = tables.iter().map(|it| it.name().to_string()).collect();
        assert_eq!(kept, there, "rows::tables() lists them");
    }

    fn a_schema_of_a_newer_version_is_refused(site: &Site) {
        site.wait(async {
            let store = &site.server.store;
            let newer = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_x', 0)";
            execute(store, newer).await;
            let said = refused(store).await;
            assert!(said.contains("newer"), "{said}");
        });
    }

    fn a_schema_that_lost_a_step_its_note_or_a_part_is_refused(site: &Site) {
        site.wait(async {
            let store = &site.server.store;
            execute(store, "ALTER TABLE seats RENAME COLUMN holder TO who").await;
            let said = refused(store).await;
            assert!(said.contains("seats"), "{said}");
            execute(store, "ALTER TABLE seats RENAME COLUMN who TO holder").await;
            assert_eq!(migrations::migrate(store).await, Ok(()));
            execute(store, "ALTER TABLE seats RENAME TO benches").await;
            let said = refused(store).await;
            assert!(said.contains("seats"), "{said}");
            execute(store, "ALTER TABLE benches RENAME TO seats").await;
            execute(store, "DROP TABLE seaql_migrations").await;
            let said = refused(store).await;
            assert!(said.contains("no note"), "{said}");
        });
    }
}
