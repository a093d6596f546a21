//! licentia: verify signed software licenses offline.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod errors;
pub mod json;

pub use errors::{Code, Error, Result};
