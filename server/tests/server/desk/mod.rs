//! The pages of the desk over HTTP, as a browser without scripts has them.

pub mod kit;

mod activations;
mod audit;
mod events;
mod frame;
mod keys;
mod licenses;
mod overview;
mod products;
mod seats;
mod usage;
mod webhooks;
