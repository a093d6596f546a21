//! A server that runs in this process, on a database of its own, with a clock that the test sets.

#![allow(dead_code, reason = "each test takes what it needs")]

pub mod client;
pub mod dice;
pub mod postgres;
pub mod real;
pub mod sqlite;

use client::Client;
use licentia_server::api::{self, Server};
use licentia_server::clock::Clock;
use licentia_server::desk;
use licentia_server::store::{Store, api_keys, migrations, organizations};
use licentia_server::vault::Vault;
use postgres::Cluster;
use sea_orm::prelude::Uuid;
use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// When tests begin: 2026-01-15 10:30:00 UTC.
pub const BEGIN: i64 = 1_768_473_000;

/// What seals the keys of tests.
pub const MASTER_KEY: [u8; 32] = [7; 32];

/// Writes each test once, and runs it on SQLite and on PostgreSQL: `name::sqlite` and
/// `name::postgres`. It takes a site with an empty database.
macro_rules! both {
    ($($(#[$meta:meta])* fn $name:ident($site:ident: &Site) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a short test needs less of its file")]
            use super::*;

            $(#[$meta])*
            #[test]
            fn sqlite() {
                test(&$crate::support::Site::sqlite());
            }

            $(#[$meta])*
            #[test]
            fn postgres() {
                $crate::support::Site::postgres().iter().for_each(test);
            }

            fn test($site: &Site) $body
        }
    )*};
}

/// Which database, and where.
pub enum Database {
    Sqlite(sqlite::Folder),
    Postgres(&'static Cluster, String),
}

impl Database {
    /// An empty one in a file.
    pub fn sqlite() -> Database {
        Database::Sqlite(sqlite::Folder::new())
    }

    /// An empty one in the cluster of this process; `None` where PostgreSQL is not installed.
    pub fn postgres() -> Option<Database> {
        let cluster = postgres::shared()?;
        Some(Database::Postgres(cluster, cluster.create("template0")))
    }

    /// One that has the schema.
    fn migrated() -> Option<Database> {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let cluster = postgres::shared()?;
        let template = TEMPLATE.get_or_init(|| {
            let name = cluster.create("template0");
            let runtime = runtime();
            runtime.block_on(async {
                let store = Store::postgres(&cluster.url(&name)).await.unwrap();
                migrations::migrate(&store).await.unwrap();
                store.close().await;
            });
            name
        });
        Some(Database::Postgres(cluster, cluster.create(template)))
    }

    pub async fn open(&self) -> Store {
        match self {
            Database::Sqlite(folder) => Store::sqlite(&folder.database()).await.unwrap(),
            Database::Postgres(cluster, name) => Store::postgres(&cluster.url(name)).await.unwrap(),
        }
    }

    /// Its folder, where it is a file.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Database::Sqlite(folder) => Some(folder.path()),
            Database::Postgres(..) => None,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Database::Postgres(cluster, name) = self {
            cluster.remove(name);
        }
    }
}

/// A server, its database, and its first organization with an administrator.
pub struct Site {
    pub clock: Clock,
    pub server: Arc<Server>,
    pub address: SocketAddr,
    pub organization: Uuid,
    pub key: String,
    runtime: Runtime,
    database: Database,
}

impl Site {
    /// On SQLite.
    pub fn sqlite() -> Site {
        Site::on(Database::sqlite())
    }

    /// On PostgreSQL; `None` where that is not installed.
    pub fn postgres() -> Option<Site> {
        Database::migrated().map(Site::on)
    }

    /// Starts a server on a database, which gets the schema that it lacks.
    pub fn on(database: Database) -> Site {
        let runtime = runtime();
        let clock = Clock::default();
        clock.set(Some(BEGIN));
        let (server, address) = runtime.block_on(async {
            let store = database.open().await;
            migrations::migrate(&store).await.unwrap();
            let vault = Vault::new(&Zeroizing::new(MASTER_KEY));
            let server = Arc::new(Server::new(store, vault, clock.clone()));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let router = desk::router(Arc::clone(&server));
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
            (server, address)
        });
        let (organization, key) = (Uuid::nil(), String::new());
        let mut site = Site { clock, server, address, organization, key, runtime, database };
        (site.organization, site.key) = site.organization("Acme");
        site
    }

    /// Another organization, with an administrator: its id and the API key.
    pub fn organization(&self, name: &str) -> (Uuid, String) {
        let row = organizations::Model {
            id: Uuid::now_v7(),
            name: name.into(),
            issuer: format!("https://{}.example", name.to_lowercase()),
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
        };
        let id = row.id;
        self.wait(async {
            let transaction = self.server.store.begin().await.unwrap();
            organizations::insert(&transaction, row).await.unwrap();
            transaction.commit().await.unwrap();
        });
        (id, self.api_key(id, "admin"))
    }

    /// A new API key of an organization with these scopes, by their words with spaces between.
    pub fn api_key(&self, organization: Uuid, scopes: &str) -> String {
        self.api_key_until(organization, scopes, None)
    }

    /// The same, until a time.
    pub fn api_key_until(&self, organization: Uuid, scopes: &str, end: Option<i64>) -> String {
        let id = Uuid::now_v7();
        let key = format!("lic_test_{}{}", id.simple(), Uuid::new_v4().simple());
        let row = api_keys::Model {
            id,
            organization_id: organization,
            name: scopes.into(),
            hint: key[key.len() - 4..].into(),
            digest: api::digest(&key),
            scopes: scopes.into(),
            created_at: self.clock.now(),
            expires_at: end,
            revoked_at: None,
            last_used_at: None,
        };
        self.wait(async {
            let transaction = self.server.store.begin().await.unwrap();
            api_keys::insert(&transaction, row).await.unwrap();
            transaction.commit().await.unwrap();
        });
        key
    }

    /// Somebody without a key.
    pub fn nobody(&self) -> Client {
        Client::nobody(self.address)
    }

    /// The administrator of the first organization.
    pub fn admin(&self) -> Client {
        self.nobody().with_key(&self.key)
    }

    /// Somebody of the first organization with these scopes.
    pub fn caller(&self, scopes: &str) -> Client {
        self.nobody().with_key(&self.api_key(self.organization, scopes))
    }

    /// Has something go on beside the test.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        self.runtime.spawn(work)
    }

    /// Does something with the server itself, such as looking into its store.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    pub fn database(&self) -> &Database {
        &self.database
    }
}

/// What runs a server, apart from the thread of the test.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
