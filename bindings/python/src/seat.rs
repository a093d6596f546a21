//! `licentia.Seat`.

use crate::errors::raise;
use pyo3::prelude::*;

/// A seat of a floating license, held by somebody here until its lease ends. ``Installation.seat``
/// makes them. At the end of a ``with`` block it is given back.
#[pyclass(frozen, module = "licentia")]
pub struct Seat(pub licentia::Seat);

impl Seat {
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        question: impl FnOnce(&licentia::Seat) -> licentia::Result<T> + Send,
    ) -> PyResult<T> {
        py.detach(|| question(&self.0)).map_err(|error| raise(py, &error))
    }
}

#[pymethods]
impl Seat {
    /// Who has it.
    #[getter]
    fn holder(&self) -> &str {
        self.0.holder()
    }

    /// The first second for which it is not held any more, since 1970; ``None`` = it is not.
    #[getter]
    fn expires(&self, py: Python<'_>) -> Option<i64> {
        py.detach(|| self.0.expires())
    }

    /// Ask for a longer lease. What is held stays, whatever this raises.
    fn renew(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, licentia::Seat::renew)
    }

    /// Give it back.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, licentia::Seat::release)
    }
}
