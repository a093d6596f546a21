//! `licentia.Seat`.

use crate::convert::instant;
use crate::errors::raise;
use licentia::{Code, rfc3339};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

/// A seat of a floating license, held by somebody here until its lease ends. ``Installation.seat``
/// makes them.
///
/// A ``with`` gives it back at its end. A program that dies gives it back too: when its lease ends.
/// Any number of threads may use one at once, and it works on in the child of a fork.
#[pyclass(frozen, module = "licentia")]
pub struct Seat(pub licentia::Seat);

impl Seat {
    /// Asks while other threads go on: it reads files, and may wait for a server.
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

    /// When its lease ends, in UTC: from this second on it is not held. ``None`` = it is not held
    /// now.
    #[getter]
    fn expires<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let end = py.detach(|| self.0.expires());
        end.map(|end| instant(py, end)).transpose()
    }

    /// Whether it is held at this moment.
    #[getter]
    fn held(&self, py: Python<'_>) -> bool {
        py.detach(|| self.0.is_held())
    }

    /// Ask for a longer lease: do so before half of it is over. What is held stays, whatever this
    /// raises. Without the GIL.
    ///
    /// Raises UnreachableError also while the seat is held: ``held`` says whether it is.
    fn renew(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, licentia::Seat::renew)
    }

    /// Give it back. Good, too, where its lease has ended. Without the GIL.
    ///
    /// Where this raises, the seat is held until its lease ends.
    fn release(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, licentia::Seat::release)
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Gives it back. That the server cannot be reached is no error: the lease ends by itself. And
    /// whatever went wrong in the ``with`` is what its caller has to see.
    #[pyo3(signature = (*exception))]
    fn __exit__(&self, py: Python<'_>, exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        let failed = exception.iter().next().is_some_and(|kind| !kind.is_none());
        match py.detach(|| self.0.release()) {
            Err(error) if !failed && error.code() != Code::Unreachable => Err(raise(py, &error)),
            _ => Ok(()),
        }
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let end = py.detach(|| self.0.expires()).map(rfc3339);
        let end = end.map_or_else(|| "not held".to_owned(), |end| format!("until {end}"));
        Ok(format!("<licentia.Seat {} {end}>", PyString::new(py, self.0.holder()).repr()?))
    }

    /// Refuses to pickle: another process asks for the seat of the same holder itself.
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a Seat cannot be pickled: pass on its holder, and ask for their seat there",
        ))
    }
}
