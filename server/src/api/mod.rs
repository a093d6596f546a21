//! HTTP: the frame that all resources stand in, and a file for each resource.

pub mod activations;
mod answer;
mod api_keys;
mod audit;
mod caller;
mod callers;
mod deliveries;
mod docs;
pub(crate) mod etag;
mod events;
mod exports;
pub(crate) mod given;
pub mod health;
mod id;
mod installed;
mod key_pairs;
mod key_sets;
pub mod licenses;
pub mod limits;
mod openapi;
mod organizations;
mod page;
pub mod policies;
mod problem;
pub mod products;
mod reports;
pub(crate) mod request_id;
pub mod requests;
mod revocations;
mod scope;
pub mod seats;
mod sync;
mod usage;
mod webhooks;
mod work;
mod written;

pub use answer::Answer;
pub use caller::Caller;
pub use callers::Callers;
pub use id::{Id, Ids};
pub use key_pairs::KeyPair;
pub use openapi::openapi;
pub use page::{Page, PageQuery};
pub use problem::Problem;
pub(crate) use problem::Refused;
pub use scope::{Scope, Scopes};
pub use work::{Stop, Work, label as answer_label};
pub use written::{Asked, Origin, Written};

pub use crate::api_key::digest;

use crate::batch::Batch;
use crate::clock::Clock;
use crate::reports::Counts;
use crate::store::{Engine, Store};
use crate::upkeep::Used;
use crate::vault::{Signer, Vault};
use crate::webhooks::Sender;
use axum::Router;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

/// Pages of tables that are read at the same time.
const EXPORTING: usize = 2;

/// What requests are answered from.
pub struct Server {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who signs.
    pub signer: Signer,
    /// When API keys were used.
    pub used: Used,
    /// How often products report.
    pub counts: Counts,
    /// Who has an API key.
    pub callers: Callers,
    /// Reports that are written together.
    pub syncs: Arc<Batch<Server>>,
    /// Who sends webhooks.
    pub webhooks: Sender,
    /// Whose turn it is to read a page of a table.
    pub exporting: Semaphore,
    /// Whose turn it is to reckon figures: one statement of these at a time.
    pub reckoning: Semaphore,
}

impl Server {
    /// A server on a database that has its schema.
    pub fn new(store: Store, vault: Vault, clock: Clock) -> Server {
        let signer = Signer::new(Arc::new(vault), clock.clone());
        // PostgreSQL writes for several at a time.
        let lanes = if store.engine() == Engine::Postgres { 3 } else { 1 };
        let syncs = Arc::new(Batch::new(lanes));
        let callers = Callers::new(&store);
        let (used, counts) = (Used::default(), Counts::default());
        let (webhooks, exporting) = (Sender::default(), Semaphore::new(EXPORTING));
        let reckoning = Semaphore::new(1);
        Server {
            store,
            clock,
            signer,
            used,
            counts,
            callers,
            syncs,
            webhooks,
            exporting,
            reckoning,
        }
    }

    /// The same one, which sends webhooks by another way than to the internet over https.
    pub fn with_webhooks(self, webhooks: Sender) -> Server {
        Server { webhooks, ..self }
    }
}

/// As handlers have it.
pub type Shared = Arc<Server>;

/// The id of a request: its own where it has a sane one.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Where a request came from, trusted proxies left out.
#[derive(Clone, Copy, Debug)]
pub struct Remote(pub IpAddr);

/// Whether a request came over TLS, at least as far as a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub struct Secure(pub bool);

/// Every resource, below `/api/v1`.
fn resources() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(organizations::routes())
        .merge(api_keys::routes())
        .merge(key_pairs::routes())
        .merge(key_sets::routes())
        .merge(products::routes())
        .merge(policies::routes())
        .merge(licenses::routes())
        .merge(seats::routes())
        .merge(revocations::routes())
        .merge(requests::routes())
        .merge(activations::routes())
        .merge(sync::routes())
        .merge(usage::routes())
        .merge(events::routes())
        .merge(exports::routes())
        .merge(webhooks::routes())
        .merge(deliveries::routes())
        .merge(audit::routes())
        .merge(reports::routes())
}

/// All paths, under `/api/v1` and under `/v1`.
pub fn router(server: Shared) -> Router {
    let (api, _) = resources().split_for_parts();
    let api = api.merge(openapi::routes());
    Router::new()
        .merge(docs::routes())
        .nest("/api/v1", api.clone())
        .nest("/v1", api)
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(axum::middleware::from_fn(etag::layer))
        .layer(axum::middleware::from_fn(request_id::layer))
        .with_state(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{api_keys, migrations, organizations};
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt;
    use sea_orm::prelude::Uuid;
    use tower::ServiceExt;
    use zeroize::Zeroizing;

    async fn server(folder: &std::path::Path) -> Router {
        let store = Store::sqlite(&folder.join("licentia.db")).await.unwrap();
        migrations::migrate(&store).await.unwrap();
        migrations::migrate(&store).await.unwrap();
        let organization = organizations::Model {
            id: Uuid::now_v7(),
            name: "Acme".into(),
            issuer: "acme".into(),
            created_at: 0,
            updated_at: 0,
        };
        let key = api_keys::Model {
            id: Uuid::now_v7(),
            organization_id: organization.id,
            name: "first".into(),
            hint: String::new(),
            digest: digest("secret"),
            scopes: "admin".into(),
            created_at: 0,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        let tx = store.begin().await.unwrap();
        organizations::insert(&tx, organization).await.unwrap();
        api_keys::insert(&tx, key).await.unwrap();
        tx.commit().await.unwrap();
        let vault = Vault::new(&Zeroizing::new([7; 32]));
        router(Arc::new(Server::new(store, vault, Clock::default())))
    }

    async fn ask(router: &Router, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Bearer secret")
            .header("content-type", "application/json")
            .header("idempotency-key", "1")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_write_is_answered_once_and_a_list_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let router = server(folder.path()).await;
        let body = r#"{"name": "My Application", "code": "myapp"}"#;
        let (status, first) = ask(&router, "POST", "/api/v1/products", body).await;
        assert_eq!(status, 201, "{first}");
        let (status, again) = ask(&router, "POST", "/api/v1/products", body).await;
        assert_eq!((status, &again), (201, &first));
        let other = r#"{"name": "My Application", "code": "other"}"#;
        let (status, again) = ask(&router, "POST", "/api/v1/products", other).await;
        assert_eq!(status, 422, "{again}");
        assert!(again.contains("idempotency_mismatch") && again.contains("request_id"), "{again}");
        let (status, list) = ask(&router, "GET", "/v1/products", "").await;
        assert_eq!(status, 200);
        assert!(list.contains(r#""total":1"#), "{list}");
        let (status, none) = ask(&router, "GET", "/v1/products/x", "").await;
        assert_eq!(status, 404, "{none}");
    }
}
