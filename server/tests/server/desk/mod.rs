//! The pages of the desk over HTTP, as a browser without scripts has them.

pub mod kit;

mod frame;
