//! A license server as one writes it oneself, and the fastest way there is: axum, sqlx, one
//! transaction for each request, on the tables of licentia's server. Beside it, a constant.
//!
//!     licentia-server-floor sqlite:FILE|postgres://… API-KEY PUBLIC-KEY
//!
//! It knows one organization, one API key and one public key (32 bytes in base64url), which it
//! holds in memory. It keeps no events, knows no idempotency keys, and does not page by cursor.

mod answers;
mod database;

use axum::http::{HeaderMap, StatusCode};
use axum::serve::ListenerExt;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What every request needs.
pub struct Site<P> {
    /// Where writes go: SQLite has one writer.
    pub writer: P,
    /// Where reads go.
    pub reader: P,
    /// The only organization.
    pub organization: uuid::Uuid,
    /// `Bearer` and the API key.
    pub bearer: String,
    /// What licenses are signed with.
    pub trusted: VerifyingKey,
    /// What leases are signed with.
    pub signing: SigningKey,
}

impl<P> Site<P> {
    /// Fails unless the API key is there.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), StatusCode> {
        let given = headers.get("authorization").map(|value| value.as_bytes());
        if given == Some(self.bearer.as_bytes()) { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}

/// What goes wrong in a database is the same to whoever asks.
pub fn failed(error: sqlx::Error) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn constant() -> axum::Json<answers::Synced> {
    axum::Json(answers::Synced { status: "ok", message: None, server_time: now() })
}

async fn serve(router: axum::Router) -> std::io::Result<()> {
    let router = router.route("/constant", axum::routing::any(constant));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?.port());
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let mut ends = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        served = async { axum::serve(listener, router).await } => served,
        _ = ends.recv() => Ok(()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, url, key, public] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("licentia-server-floor DATABASE API-KEY PUBLIC-KEY".into());
    };
    let bytes = URL_SAFE_NO_PAD.decode(public)?;
    let trusted = VerifyingKey::from_bytes(bytes.as_slice().try_into()?)?;
    let given = (format!("Bearer {key}"), trusted, SigningKey::from_bytes(&[7; 32]));
    let router = if url.starts_with("postgres:") {
        let pool = database::postgres::open(url).await?;
        database::postgres::router(Arc::new(
            database::postgres::site(pool.clone(), pool, given).await?,
        ))
    } else {
        let (writer, reader) = database::sqlite::open(url).await?;
        database::sqlite::router(Arc::new(database::sqlite::site(writer, reader, given).await?))
    };
    Ok(serve(router).await?)
}
