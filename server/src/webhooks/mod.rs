//! Webhooks: events are signed and sent to where the vendor wants them (Standard Webhooks).
//!
//! What changed is written as an event in the same transaction; the outbox makes a delivery of it
//! for each webhook ([`fan_out`]); a delivery is sent until it arrives, or for the last time
//! ([`dispatch`]).

mod address;
pub mod dispatch;
mod fan_out;
pub mod kinds;
pub mod place;
mod resolve;
pub mod schedule;
pub mod secrets;
mod send;
pub mod tries;
mod trust;

pub use address::{Guard, Refused, is_public};
pub use fan_out::{body, fan_out, row};
pub use resolve::{Found, Resolve};
pub use send::{Failure, PATIENCE, Sender, Sent};
pub use trust::Trust;
