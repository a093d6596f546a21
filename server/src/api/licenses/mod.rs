//! Licenses.

mod status;

pub use status::Status;
