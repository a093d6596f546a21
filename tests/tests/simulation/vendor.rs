//! The vendor: the license server itself, in this process, without a socket.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use licentia_server::api::{self, Server};
use licentia_server::clock::Clock;
use licentia_server::operations::backup::backup;
use licentia_server::operations::restore::{How, restore};
use licentia_server::store::{Store, api_keys, migrations, organizations};
use licentia_server::store::{activations, events, seats, usage};
use licentia_server::upkeep;
use licentia_server::vault::Vault;
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;
use zeroize::Zeroizing;

/// When every simulation begins: 2026-01-15 10:30:00 UTC.
pub const BEGIN: i64 = 1_768_473_000;

/// The code of the one product.
pub const CODE: &str = "myapp";

const MASTER_KEY: [u8; 32] = [7; 32];
const API_KEY: &str = "lic_test_of_the_simulation";
const ANSWER_MAX: usize = 8 << 20;

/// Seats of the floating license.
pub const SEATS: usize = 2;

/// What there is to buy: how many products have each, and the license.
fn shelf() -> Vec<(usize, Value)> {
    let grace =
        json!({ "overdue": { "warn": 0, "deny": 3 }, "suspended": { "warn": 0, "deny": 1 } });
    vec![
        (
            4,
            json!({ "license_type": "floating", "max_seats": SEATS, "max_machines": 4,
            "terms": { "seat_seconds": 600, "borrow_days": 3 } }),
        ),
        (3, json!({ "max_machines": 2 })),
        (3, json!({ "max_machines": 3, "terms": { "sync_days": 5 } })),
        (2, json!({ "max_machines": 2, "terms": { "refresh_days": 4, "token_days": 10 } })),
        (3, json!({ "max_machines": 3, "terms": { "sync_days": 5, "stages": grace } })),
        (2, json!({ "max_machines": 2, "valid_days": 40 })),
        (
            2,
            json!({ "license_type": "node_locked", "max_machines": 2,
            "terms": { "bind": { "to": "machine" } } }),
        ),
        (1, json!({ "max_machines": 1 })),
    ]
}

/// A license that was sold.
#[derive(Clone)]
pub struct Sold {
    /// Its id.
    pub id: Uuid,
    /// Its key, for people.
    pub key: String,
    /// The license, to be applied.
    pub token: String,
    /// How many products it was bought for.
    pub products: usize,
}

/// What every simulation begins with: a database, and what is in it.
pub struct Catalog {
    database: Vec<u8>,
    pair: String,
    /// The keys that the product pins.
    pub keys: String,
    /// In the order of the shelf.
    pub licenses: Vec<Sold>,
}

/// Made once: everybody begins with the same.
pub fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let mut vendor = Vendor::on(folder(), 0);
        let (pair, keys, licenses) = vendor.open_shop();
        vendor.stop(true);
        let database = std::fs::read(vendor.folder.path().join("licentia.db")).unwrap();
        Catalog { database, pair, keys, licenses }
    })
}

/// In memory, where there is such a place.
fn folder() -> TempDir {
    let shm = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    builder.prefix("licentia-simulation-");
    if shm.is_dir() { builder.tempdir_in(shm) } else { builder.tempdir() }.unwrap()
}

struct Running {
    server: Arc<Server>,
    router: Router,
}

/// A server, its database and its backups.
pub struct Vendor {
    runtime: Runtime,
    /// The server's clock.
    pub clock: Clock,
    folder: TempDir,
    running: Option<Running>,
    backups: Vec<PathBuf>,
    made: usize,
}

impl Vendor {
    /// A shop that has just opened.
    pub fn new() -> Vendor {
        let catalog = catalog();
        let folder = folder();
        std::fs::write(folder.path().join("licentia.db"), &catalog.database).unwrap();
        Vendor::on(folder, catalog.licenses.len())
    }

    fn on(folder: TempDir, licenses: usize) -> Vendor {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let clock = Clock::default();
        clock.set(Some(BEGIN));
        let (running, backups) = (None, Vec::new());
        let mut vendor = Vendor { runtime, clock, folder, running, backups, made: 0 };
        vendor.start(licenses == 0);
        vendor
    }

    /// Starts on whatever is in the folder.
    fn start(&mut self, is_new: bool) {
        let path = self.folder.path().join("licentia.db");
        let clock = self.clock.clone();
        let running = self.runtime.block_on(async {
            let store = Store::sqlite(&path).await.unwrap();
            if is_new {
                migrations::migrate(&store).await.unwrap();
                first(&store).await;
            }
            let vault = Vault::new(&Zeroizing::new(MASTER_KEY));
            let server = Arc::new(Server::new(store, vault, clock));
            upkeep::keep(&server, false).await.unwrap();
            Running { router: api::router(Arc::clone(&server)), server }
        });
        self.running = Some(running);
    }

    /// Stops; with `duly` also writes what is written at the end.
    fn stop(&mut self, duly: bool) {
        let Running { server, router } = self.running.take().unwrap();
        self.runtime.block_on(async {
            if duly {
                upkeep::keep(&server, true).await.unwrap();
            }
            drop(router);
            server.store.clone().close().await;
        });
    }

    /// The process ends, and another begins.
    pub fn restart(&mut self, duly: bool) {
        self.stop(duly);
        self.start(false);
    }

    /// Writes a backup beside the others.
    pub fn back_up(&mut self) {
        self.made += 1;
        let path = self.folder.path().join(format!("backup-{}", self.made));
        let store = self.server().store.clone();
        self.runtime.block_on(backup(&store, &self.clock, &path)).unwrap();
        self.backups.push(path);
    }

    /// How many backups there are.
    pub fn backups(&self) -> usize {
        self.backups.len()
    }

    /// Puts a backup in the place of the database.
    pub fn restore(&mut self, backup: usize) {
        let path = self.backups[backup].clone();
        let store = self.server().store.clone();
        let how = How { force: true, keep_webhooks: true };
        self.runtime.block_on(restore(&store, &path, how)).unwrap();
        self.restart(true);
    }

    fn server(&self) -> &Arc<Server> {
        &self.running.as_ref().unwrap().server
    }

    /// Asks the API as the vendor does.
    pub fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.send(method, path, body, true)
    }

    /// Brings a request, as anybody may.
    pub fn post(&self, request: &str) -> (u16, Value) {
        self.send("POST", "/api/v1/requests", Some(json!({ "request": request })), false)
    }

    fn send(&self, method: &str, path: &str, body: Option<Value>, admin: bool) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if admin {
            request = request.header("authorization", format!("Bearer {API_KEY}"));
        }
        let request = request
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let router = self.running.as_ref().unwrap().router.clone();
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body(), ANSWER_MAX).await.unwrap();
            (status, serde_json::from_slice(&bytes).unwrap_or_default())
        })
    }

    /// The same, which has to go well.
    pub fn must(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    fn open_shop(&self) -> (String, String, Vec<Sold>) {
        let pair = self.must("POST", "/api/v1/key-pairs", Some(json!({ "name": "keys" })));
        let product = self.must(
            "POST",
            "/api/v1/products",
            Some(json!({
                "name": "My Application", "code": CODE, "key_pair_id": pair["id"],
                "default_features": ["basic"],
            })),
        );
        let id = product["id"].as_str().unwrap();
        let keys = self.must("GET", &format!("/api/v1/products/{id}/public-key"), None);
        let sell = |(products, mut members): (usize, Value)| {
            members["product_id"] = product["id"].clone();
            members["entitlements"] = json!([
                { "id": "exports", "meter": "count", "per": "month" },
                { "id": "jobs", "meter": "count", "per": "ever" },
            ]);
            let license = self.must("POST", "/api/v1/licenses", Some(members));
            let text = |name: &str| license[name].as_str().unwrap().to_string();
            let path = format!("/api/v1/licenses/{}/download", text("id"));
            let id = Uuid::try_parse(&text("id")).unwrap();
            Sold { id, key: text("license_key"), token: self.raw(&path), products }
        };
        let licenses = shelf().into_iter().map(sell).collect();
        (pair["id"].as_str().unwrap().to_string(), keys["keys"].to_string(), licenses)
    }

    /// A body as it is.
    fn raw(&self, path: &str) -> String {
        let request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {API_KEY}"))
            .body(Body::empty())
            .unwrap();
        let router = self.running.as_ref().unwrap().router.clone();
        let bytes = self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            assert_eq!(response.status().as_u16(), 200, "{path}");
            to_bytes(response.into_body(), ANSWER_MAX).await.unwrap()
        });
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// A license as the vendor sees it.
    pub fn license(&self, license: usize) -> Value {
        self.must("GET", &path(license), None)
    }

    /// Has new keys sign from now on.
    pub fn rotate(&self) {
        let path = format!("/api/v1/key-pairs/{}/rotate", catalog().pair);
        self.must("POST", &path, Some(json!({})));
    }

    /// Retires the active key of a role, or says that it was stolen.
    pub fn end_key(&self, role: &str, how: &str) {
        let pair = self.must("GET", &format!("/api/v1/key-pairs/{}", catalog().pair), None);
        let keys = pair["keys"].as_array().unwrap();
        let is_it = |key: &&Value| {
            let roles = key["roles"].as_array().unwrap();
            key["state"] == "active" && roles.iter().any(|it| it == role)
        };
        let key = keys.iter().find(is_it).unwrap();
        let id = key["id"].as_str().unwrap();
        let path = format!("/api/v1/key-pairs/{}/keys/{id}/{how}", catalog().pair);
        self.must("POST", &path, Some(json!({})));
    }

    /// The activation of an installation.
    pub fn activation(&self, license: usize, installation: &str) -> Option<activations::Model> {
        let installation = Uuid::try_parse(installation).unwrap();
        let rows = activations::Entity::find()
            .filter(activations::Column::LicenseId.eq(catalog().licenses[license].id))
            .filter(activations::Column::Installation.eq(installation));
        let read = self.server().store.read();
        self.runtime.block_on(async { rows.one(read).await.unwrap() })
    }

    /// What an activation has used of a feature, by the server's book.
    pub fn used(&self, activation: Uuid, feature: &str) -> u64 {
        let rows = usage::Entity::find()
            .filter(usage::Column::ActivationId.eq(activation))
            .filter(usage::Column::Feature.eq(feature));
        let read = self.server().store.read();
        let rows = self.runtime.block_on(async { rows.all(read).await.unwrap() });
        rows.iter().map(|row| u64::try_from(row.used).unwrap()).sum()
    }

    /// How many seats of a license are somebody's at a time.
    pub fn seats(&self, license: usize, at: i64) -> usize {
        let rows = seats::Entity::find()
            .filter(seats::Column::LicenseId.eq(catalog().licenses[license].id))
            .filter(seats::Column::ExpiresAt.gt(at));
        let read = self.server().store.read();
        self.runtime.block_on(async { rows.all(read).await.unwrap() }).len()
    }

    /// What the vendor was told of an activation.
    pub fn told(&self, activation: Uuid) -> Vec<String> {
        let rows =
            events::Entity::find().filter(events::Column::Subject.eq(activation.to_string()));
        let read = self.server().store.read();
        let rows = self.runtime.block_on(async { rows.all(read).await.unwrap() });
        rows.into_iter().map(|row| row.kind).collect()
    }
}

/// Where a license is.
pub fn path(license: usize) -> String {
    format!("/api/v1/licenses/{}", catalog().licenses[license].id)
}

/// The first organization, and its administrator.
async fn first(store: &Store) {
    let organization = organizations::Model {
        id: Uuid::now_v7(),
        name: "Acme".into(),
        issuer: "https://acme.example".into(),
        created_at: BEGIN,
        updated_at: BEGIN,
    };
    let key = api_keys::Model {
        id: Uuid::now_v7(),
        organization_id: organization.id,
        name: "admin".into(),
        hint: String::new(),
        digest: api::digest(API_KEY),
        scopes: "admin".into(),
        created_at: BEGIN,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    };
    let tx = store.begin().await.unwrap();
    organizations::insert(&tx, organization).await.unwrap();
    api_keys::insert(&tx, key).await.unwrap();
    tx.commit().await.unwrap();
}
