//! Webhooks on their way out: where they may go, and what they make of who answers there.

mod canaries;
mod hostile;
mod names;
mod rebinding;
mod receiver;
mod tls;
mod wire;

use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use licentia_server::webhooks::{Guard, Sender, Sent};
use sea_orm::prelude::Uuid;
use std::time::Duration;

/// Long enough for what is answered, and short where nobody answers.
const PATIENCE: Duration = Duration::from_millis(400);

/// Everything on this machine may be reached: for what is tested about answers.
fn open() -> Sender {
    let networks = ["127.0.0.0/8", "::1"].map(|network| network.parse().unwrap());
    Sender::new(Guard::new(networks.into(), false))
}

/// Posts one webhook on a runtime of its own.
fn post(sender: &Sender, url: &str) -> Sent {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let name = |text: &'static str| HeaderName::from_static(text);
    let headers = vec![
        (name("content-type"), HeaderValue::from_static("application/json")),
        (name("webhook-id"), HeaderValue::from_static("evt_1")),
    ];
    let body = Bytes::from_static(b"{\"type\":\"test\"}");
    runtime.block_on(sender.post(Uuid::nil(), url, headers, body)).unwrap()
}
