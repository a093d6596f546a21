//! licentia's license server: products, keys, licenses, activations, sync and seats over HTTP, in
//! the vendor's hands. The command `licentia serve` is this library and its arguments.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

pub mod api;
pub mod api_key;
pub mod audit;
pub mod batch;
pub mod binding;
pub mod claims;
pub mod clock;
pub mod config;
pub mod desk;
pub mod documents;
pub mod error;
pub mod first_start;
mod front;
pub mod key_pair;
pub mod license_key;
pub mod listen;
pub mod log;
pub mod master_key;
pub mod metrics;
pub mod operations;
pub mod outbox;
pub mod outlook;
pub mod reports;
pub mod requests;
pub mod revocations;
pub mod seats;
mod serve;
pub mod store;
pub mod terms;
pub mod token_id;
pub mod upkeep;
pub mod vault;
pub mod webhooks;

pub use serve::{Serving, Told, lock, serve};
