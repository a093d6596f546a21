//! The license server as its callers see it: over sockets, on both databases.

#[macro_use]
mod support;

mod activations;
mod api_keys;
mod audit;
mod backup;
mod clock_ahead;
mod custody;
mod demo;
mod desk;
mod documents;
mod events;
mod exports;
mod frame;
mod idempotency;
mod import;
mod key_pairs;
mod license_list;
mod licenses;
mod matrix;
mod organizations;
mod outlook;
mod pages;
mod place;
mod policies;
mod products;
mod raw;
mod reports;
mod restored;
mod revocations;
mod schema;
mod schemathesis;
mod seats;
mod serving;
mod shop;
mod slow;
mod sync;
mod verify;
mod webhooks;
mod webhooks_out;
