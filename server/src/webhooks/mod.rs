//! Webhooks: events are signed and sent to where the vendor wants them (Standard Webhooks).
//!
//! What changed is written as an event in the same transaction; the outbox makes a delivery of it
//! for each webhook ([`fan_out`]); a delivery is sent until it arrives, or for the last time.

mod address;
mod fan_out;
pub mod kinds;
pub mod schedule;
mod resolve;
pub mod secrets;
pub mod tries;
mod send;
mod trust;

pub use address::{Guard, Refused, is_public};
pub use resolve::{Found, Resolve, System};
pub use send::{Failure, PATIENCE, Sender, Sent};
pub use trust::Trust;

pub use fan_out::{body, fan_out, row};
