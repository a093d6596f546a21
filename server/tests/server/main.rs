//! The license server as its callers see it: over sockets, on both databases.

#[macro_use]
mod support;

mod activations;
mod backup;
mod frame;
mod licenses;
mod place;
mod policies;
mod products;
mod raw;
mod schema;
mod serving;
mod shop;
