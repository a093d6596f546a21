//! licentia: verify signed software licenses offline.
//!
//! A vendor signs licenses; a [`Product`] verifies them with the keys it trusts, and gives a
//! [`License`], which says what it allows at any later moment. There is no other way to a
//! `License`: one that was not verified cannot be held.
//!
//! Time and machine are inputs ([`Product::set`]), and there is no global state. What is asked of
//! the issuer is a text, and so is what it answers; the feature `net` takes them there and
//! back. The format is specified in `docs/format.md`.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod claims;
mod clock;
mod coat;
mod errors;
mod feature;
mod http;
mod installation;
pub mod json;
mod jwk;
mod keys;
mod keyset;
mod license;
pub mod limits;
pub mod machine;
mod messages;
#[cfg(feature = "net")]
mod net;
mod product;
mod product_file;
mod settings;
mod signature;
mod stages;
mod store;
mod token;
mod usage;
mod verdict;
pub mod webhook;

#[cfg(feature = "issue")]
pub mod issue;
#[cfg(feature = "issue")]
pub mod peek;
#[cfg(feature = "issue")]
mod secret;

/// A disk for simulations, and a product on it.
#[cfg(feature = "simulate")]
#[doc(hidden)]
pub mod simulate {
    pub use crate::store::simulated::{Dice, Fault, SimDisk};
}

#[cfg(all(test, feature = "issue"))]
mod corpora;

pub use claims::{
    Binding, Claims, Customer, Details, Metadata, Notice, ProductName, is_product_code,
};
pub use clock::{parse_time, rfc3339};
pub use errors::{Code, Error, Result};
pub use feature::{Feature, UNLIMITED, is_feature_id};
pub use http::{Answer, Caller, Exchange, Rights};
pub use installation::{Access, Installation, Issuer, Message, Refusal, Seat, Snapshot, Usage};
pub use keys::{KeySet, KeyState, PublicKey, Role, TrustedKey};
pub use license::{License, bounded};
pub use messages::Lease;
pub use product::Product;
pub use product_file::ProductFile;
pub use settings::{SETTINGS, SITE_SETTINGS, Setting};
pub use stages::{Stage, Stages};
pub use token::Kind;

#[cfg(feature = "issue")]
pub use secret::SecretKey;
