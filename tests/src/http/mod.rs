//! The license API over HTTP: sites in every state, what every kind of caller asks of them, and
//! the answers that the core and every mount have to give alike.

pub mod agent;
pub mod client;
pub mod golden;
pub mod hosts;
pub mod script;
pub mod sites;
