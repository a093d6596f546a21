//! The pages of the desk over HTTP, as a browser without scripts has them.

pub mod kit;

mod audit;
mod events;
mod frame;
mod licenses;
mod overview;
mod usage;
mod webhooks;
