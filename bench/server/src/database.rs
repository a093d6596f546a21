//! The same routes twice, for SQLite and for PostgreSQL: the statements are the same text.

use crate::answers::{self, Check, Holder, Query, Row, Sync, Synced, Verify};
use crate::{Site, failed, now};
use axum::extract::{Path, Query as Asked, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

const COLUMNS: &str = "id, product_id, serial, customer_id, customer_email, valid_from, \
    valid_until, features_json, max_seats, created_at, revoked_at, suspended_at";

type Standing = (String, Option<i64>, Option<i64>, Option<i64>);

/// The claims of a token whose signature holds.
fn claims(blob: &str, trusted: &VerifyingKey) -> Option<Value> {
    let token = String::from_utf8(STANDARD.decode(blob).ok()?).ok()?;
    let (signed, signature) = token.trim().rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let signature = Signature::from_slice(&signature).ok()?;
    trusted.verify_strict(signed.as_bytes(), &signature).ok()?;
    let (_, payload) = signed.split_once('.')?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

macro_rules! database {
    ($name:ident, $pool:ty, $database:ty, $begin:expr, $lock:expr) => {
        /// The routes on one database.
        pub mod $name {
            use super::*;

            type Shared = State<Arc<Site<$pool>>>;
            type Answer = Result<Json<Value>, StatusCode>;

            /// What requests need.
            pub async fn site(
                writer: $pool,
                reader: $pool,
                (bearer, trusted, signing): (String, VerifyingKey, SigningKey),
            ) -> sqlx::Result<Site<$pool>> {
                let organization =
                    sqlx::query_scalar("SELECT id FROM organizations ORDER BY id LIMIT 1")
                        .fetch_one(&reader)
                        .await?;
                Ok(Site { writer, reader, organization, bearer, trusted, signing })
            }

            /// All routes.
            pub fn router(site: Arc<Site<$pool>>) -> Router {
                Router::new()
                    .route("/api/v1/licenses", get(list))
                    .route("/api/v1/licenses/sync", post(sync))
                    .route("/api/v1/licenses/verify", post(verify))
                    .route("/api/v1/licenses/check-revocation", post(check))
                    .route("/api/v1/licenses/{id}", get(one))
                    .route("/api/v1/licenses/{id}/seats", post(seat))
                    .with_state(site)
            }

            async fn sync(
                State(site): Shared,
                headers: HeaderMap,
                Json(body): Json<Sync>,
            ) -> Result<Json<Synced>, StatusCode> {
                site.check(&headers)?;
                let now = now();
                let mut tx = site.writer.begin_with($begin).await.map_err(failed)?;
                let found: Option<(Uuid, Option<i64>, Option<i64>, Option<i64>)> = sqlx::query_as(
                    "SELECT id, revoked_at, suspended_at, valid_until FROM licenses \
                     WHERE organization_id = $1 AND serial = $2",
                )
                .bind(site.organization)
                .bind(&body.license_serial)
                .fetch_optional(&mut *tx)
                .await
                .map_err(failed)?;
                let Some((id, revoked, suspended, until)) = found else {
                    let (status, message) = ("not_found", None);
                    return Ok(Json(Synced { status, message, server_time: now }));
                };
                sqlx::query(
                    "INSERT INTO reports (organization_id, license_id, fingerprint, app_version, \
                     features_json, seats_in_use, count, created_at, last_seen_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7) \
                     ON CONFLICT (license_id, fingerprint) DO UPDATE SET \
                     app_version = excluded.app_version, features_json = excluded.features_json, \
                     seats_in_use = excluded.seats_in_use, count = reports.count + 1, \
                     last_seen_at = excluded.last_seen_at",
                )
                .bind(site.organization)
                .bind(id)
                .bind(&body.hardware_fingerprint)
                .bind(&body.app_version)
                .bind(json!(body.features_used).to_string())
                .bind(body.seats_in_use)
                .bind(now)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
                tx.commit().await.map_err(failed)?;
                let status = answers::status(revoked, suspended, until, now);
                let status = if status == "active" { "ok" } else { status };
                Ok(Json(Synced { status, message: None, server_time: now }))
            }

            async fn one(
                State(site): Shared,
                headers: HeaderMap,
                Path(id): Path<Uuid>,
            ) -> Answer {
                site.check(&headers)?;
                let sql = format!(
                    "SELECT {COLUMNS} FROM licenses WHERE organization_id = $1 AND id = $2"
                );
                let row: Option<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(site.organization)
                    .bind(id)
                    .fetch_optional(&site.reader)
                    .await
                    .map_err(failed)?;
                row.map(|row| Json(row.json(now()))).ok_or(StatusCode::NOT_FOUND)
            }

            async fn list(
                State(site): Shared,
                headers: HeaderMap,
                Asked(query): Asked<Query>,
            ) -> Answer {
                site.check(&headers)?;
                let now = now();
                let mut filter = String::from("FROM licenses WHERE organization_id = $1");
                if query.customer_email.is_some() {
                    filter += " AND customer_email_lower LIKE $2";
                } else {
                    filter += " AND ($2 = '')";
                }
                if query.status.is_some() {
                    filter += " AND revoked_at IS NULL AND suspended_at IS NULL \
                               AND (valid_until IS NULL OR valid_until > $3)";
                } else {
                    filter += " AND $3 > 0";
                }
                let like = query.customer_email.map_or(String::new(), |it| format!("%{it}%"));
                let count: i64 =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) {filter}")))
                        .bind(site.organization)
                        .bind(&like)
                        .bind(now)
                        .fetch_one(&site.reader)
                        .await
                        .map_err(failed)?;
                let sql = format!("SELECT {COLUMNS} {filter} ORDER BY id DESC LIMIT 20 OFFSET $4");
                let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                    .bind(site.organization)
                    .bind(&like)
                    .bind(now)
                    .bind((query.page.unwrap_or(1) - 1) * 20)
                    .fetch_all(&site.reader)
                    .await
                    .map_err(failed)?;
                let licenses: Vec<Value> = rows.iter().map(|row| row.json(now)).collect();
                Ok(Json(json!({"licenses": licenses, "total": count})))
            }

            async fn check(
                State(site): Shared,
                headers: HeaderMap,
                Json(body): Json<Check>,
            ) -> Answer {
                site.check(&headers)?;
                let now = now();
                let mut sql = sqlx::QueryBuilder::<$database>::new(
                    "SELECT serial, revoked_at, suspended_at, valid_until FROM licenses \
                     WHERE organization_id = ",
                );
                sql.push_bind(site.organization).push(" AND serial IN (");
                let mut listed = sql.separated(", ");
                for serial in &body.serials {
                    listed.push_bind(serial);
                }
                sql.push(")");
                let rows: Vec<Standing> =
                    sql.build_query_as().fetch_all(&site.reader).await.map_err(failed)?;
                let found: HashMap<&str, &Standing> =
                    rows.iter().map(|row| (row.0.as_str(), row)).collect();
                let result = |serial: &String| match found.get(serial.as_str()) {
                    Some((_, revoked, suspended, until)) => json!({
                        "serial": serial, "revoked_at": revoked,
                        "status": answers::status(*revoked, *suspended, *until, now),
                    }),
                    None => json!({"serial": serial, "status": "not_found", "revoked_at": null}),
                };
                let results: Vec<Value> = body.serials.iter().map(result).collect();
                Ok(Json(json!({"results": results, "checked_at": now})))
            }

            async fn verify(
                State(site): Shared,
                headers: HeaderMap,
                Json(body): Json<Verify>,
            ) -> Answer {
                site.check(&headers)?;
                let Some(claims) = claims(&body.license_blob, &site.trusted) else {
                    let errors = ["Invalid signature"];
                    return Ok(Json(json!({"valid": false, "license": null, "errors": errors})));
                };
                let id = claims["license"]["id"].as_str().and_then(|id| id.parse::<Uuid>().ok());
                let row = one(State(site), headers, Path(id.unwrap_or_default())).await?;
                let valid = row.0["status"] == "active";
                Ok(Json(json!({"valid": valid, "license": row.0, "errors": []})))
            }

            async fn seat(
                State(site): Shared,
                headers: HeaderMap,
                Path(id): Path<Uuid>,
                Json(body): Json<Holder>,
            ) -> Answer {
                site.check(&headers)?;
                let (now, lease) = (now(), Uuid::now_v7());
                let mut tx = site.writer.begin_with($begin).await.map_err(failed)?;
                let seats: Option<i64> = sqlx::query_scalar(concat!(
                    "SELECT max_seats FROM licenses WHERE organization_id = $1 AND id = $2 \
                     AND revoked_at IS NULL",
                    $lock
                ))
                .bind(site.organization)
                .bind(id)
                .fetch_optional(&mut *tx)
                .await
                .map_err(failed)?;
                let taken: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM seats WHERE license_id = $1")
                        .bind(id)
                        .fetch_one(&mut *tx)
                        .await
                        .map_err(failed)?;
                if taken >= seats.ok_or(StatusCode::NOT_FOUND)? {
                    return Err(StatusCode::CONFLICT);
                }
                sqlx::query(
                    "INSERT INTO seats (organization_id, license_id, seat, id, holder, borrowed, \
                     acquired_at, renewed_at, expires_at) \
                     VALUES ($1, $2, $3, $4, $5, false, $6, $6, $7)",
                )
                .bind(site.organization)
                .bind(id)
                .bind(taken + 1)
                .bind(lease)
                .bind(&body.holder)
                .bind(now)
                .bind(now + 600)
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
                tx.commit().await.map_err(failed)?;
                let told = json!({"id": lease, "license_id": id, "expires_at": now + 600});
                let signature = site.signing.sign(told.to_string().as_bytes()).to_bytes();
                Ok(Json(json!({"seat": told, "lease": URL_SAFE_NO_PAD.encode(signature)})))
            }
        }
    };
}

database!(sqlite_routes, sqlx::SqlitePool, sqlx::Sqlite, "BEGIN IMMEDIATE", "");
database!(postgres_routes, sqlx::PgPool, sqlx::Postgres, "BEGIN", " FOR UPDATE");

/// SQLite: one writer, four readers, as licentia's server has them.
pub mod sqlite {
    pub use super::sqlite_routes::{router, site};
    use sqlx::sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    };
    use std::time::Duration;

    /// Opens a file: every commit is on the disk before it returns.
    pub async fn open(url: &str) -> sqlx::Result<(SqlitePool, SqlitePool)> {
        let options = url
            .parse::<SqliteConnectOptions>()?
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(10));
        let pool = |size: u32| SqlitePoolOptions::new().max_connections(size);
        let writer = pool(1).connect_with(options.clone()).await?;
        Ok((writer, pool(4).connect_with(options).await?))
    }
}

/// PostgreSQL: sixteen connections, as licentia's server has them.
pub mod postgres {
    pub use super::postgres_routes::{router, site};
    use sqlx::postgres::{PgPool, PgPoolOptions};

    /// Connects.
    pub async fn open(url: &str) -> sqlx::Result<PgPool> {
        PgPoolOptions::new().max_connections(16).connect(url).await
    }
}
