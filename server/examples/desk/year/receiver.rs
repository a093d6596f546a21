//! Who receives webhooks: the vendor's billing, a mailing list and a chat, in this process. One of
//! them has bad days, and one was taken down.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use licentia_server::clock::Clock;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Seconds.
const DAY: i64 = 86_400;

/// When it began, and what time it is.
#[derive(Clone)]
struct Days {
    end: i64,
    clock: Clock,
}

/// Listens on a port of this machine for as long as the process is there. `end` is the last moment
/// of the year.
pub async fn listen(end: i64, clock: Clock) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let days = Days { end, clock };
    let router = Router::new().route("/{name}", post(receive)).with_state(days);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

async fn receive(
    State(days): State<Days>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, &'static str) {
    let before = (days.end - days.clock.now()).div_euclid(DAY);
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let at = headers.get("webhook-timestamp").and_then(|at| at.to_str().ok()).unwrap_or_default();
    match name.as_str() {
        // A night without its database, and one in forty lost to restarts.
        "billing" if before == 120 => (StatusCode::SERVICE_UNAVAILABLE, "database is down"),
        "billing" if chance(&format!("{at}{}", id.len())).is_multiple_of(40) => {
            (StatusCode::BAD_GATEWAY, "restarting")
        }
        // Its address was given to somebody else, and nobody told the server.
        "mailing" if before < 45 => (StatusCode::NOT_FOUND, "no such list"),
        // Too many messages, today.
        "chat" if before < 1 => (StatusCode::TOO_MANY_REQUESTS, "slow down"),
        _ => (StatusCode::OK, "thank you"),
    }
}

/// A number that is always the same for the same text (FNV-1a).
fn chance(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
