//! The desk: pages for people who issue licenses, in a browser. A client of the API in the same
//! process: whatever it shows or does, it asks the API for in the name of whoever signed in. It
//! has no door of its own to the database, but for sessions.

mod activations;
mod assets;
mod audit;
mod chart;
mod choices;
mod client;
mod events;
mod exports;
mod form;
mod frame;
mod html;
mod id;
mod keys;
mod licenses;
mod numbers;
mod overview;
mod pager;
mod policies;
mod products;
mod refused;
mod seats;
mod session;
mod sign_in;
mod usage;
mod webhooks;
mod when;

use crate::api::{self, Shared};
use axum::Router;
use client::Client;
use std::sync::Arc;

/// What pages are made from.
pub struct Desk {
    server: Shared,
    client: Client,
}

/// As handlers have it.
type State = axum::extract::State<Arc<Desk>>;

/// The API and the desk: all that a server answers but its health.
pub fn router(server: Shared) -> Router {
    let api = api::router(Arc::clone(&server));
    let desk = Arc::new(Desk { server, client: Client::new(api.clone()) });
    let pages = Router::new()
        .merge(sign_in::routes())
        .merge(overview::routes())
        .merge(events::routes())
        .merge(licenses::routes())
        .merge(usage::routes())
        .merge(audit::routes())
        .merge(exports::routes())
        .merge(webhooks::routes())
        .merge(products::routes())
        .merge(policies::routes())
        .merge(activations::routes())
        .merge(seats::routes())
        .merge(keys::routes())
        .layer(axum::middleware::from_fn(html::layer))
        .layer(axum::middleware::from_fn(api::request_id::layer))
        .merge(assets::routes())
        .with_state(desk);
    api.merge(pages).layer(axum::middleware::from_fn(html::nowhere))
}
