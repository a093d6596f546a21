//! The native half of the Python package `licentia`.
//!
//! It holds no logic: it turns Python values into those of the core, asks the core, and turns
//! the answer back. The package around it (`python/licentia`) holds the exceptions
//! and the types of small answers.

use pyo3::prelude::*;

mod answers;
mod caller;
mod convert;
mod errors;
mod exchange;
mod installation;
mod json;
mod license;
mod product;
mod seat;
mod webhook;

/// The native half of licentia. Import `licentia` instead.
// Safe without the GIL: classes are frozen, and what changes is behind a lock.
#[pymodule(gil_used = false)]
mod _licentia {
    #[pymodule_export]
    use super::caller::Caller;
    #[pymodule_export]
    use super::installation::Installation;
    #[pymodule_export]
    use super::license::License;
    #[pymodule_export]
    use super::product::Product;
    #[pymodule_export]
    use super::seat::Seat;
    #[pymodule_export]
    use super::webhook::verify_webhook;

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// Bytes that the body of a request may have.
    #[pymodule_export]
    const BODY_MAX: usize = licentia::limits::BODY_MAX;

    /// Bytes that the body of a webhook may have.
    #[pymodule_export]
    const WEBHOOK_MAX: usize = licentia::limits::WEBHOOK_MAX;
}
