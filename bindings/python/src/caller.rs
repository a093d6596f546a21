//! `licentia.Caller`.

use crate::convert::{Text, lookup, wrong_type};
use crate::errors::{argument, raise};
use licentia::Rights;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

/// Somebody who is signed in, by the word of the host: what it calls whoever asks, for its own
/// records, and what they may do.
///
/// A caller never changes. Raises ArgumentError for a name of other than 1 to 256 bytes, or with
/// control characters, and for rights that mean nothing.
#[pyclass(frozen, eq, module = "licentia")]
#[derive(PartialEq)]
pub struct Caller {
    pub inner: licentia::Caller,
}

#[pymethods]
impl Caller {
    #[new]
    fn new(name: Text, rights: &Bound<'_, PyAny>) -> PyResult<Caller> {
        let py = rights.py();
        if !rights.is_instance(&rights_class(py)?)? {
            return Err(wrong_type("the rights", "licentia.Rights", rights));
        }
        // What has more bits than these, or is below zero, means nothing either.
        let bits =
            rights.extract().map_err(|_| argument(py, "the rights are not those there are"))?;
        let rights = Rights::from_bits(bits);
        let inner = rights.and_then(|rights| licentia::Caller::new(&name, rights));
        inner.map(|inner| Caller { inner }).map_err(|error| raise(py, &error))
    }

    /// What the host calls them.
    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    /// What they may do: ``Rights``.
    #[getter]
    fn rights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        rights_class(py)?.call1((self.inner.rights().bits(),))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.inner.name(), self.inner.rights().bits()).into_pyobject(py)?.hash()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = PyString::new(py, self.inner.name()).repr()?;
        Ok(format!("licentia.Caller({name}, {})", self.rights(py)?.repr()?))
    }

    /// For `pickle` and `copy`, which make it anew.
    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(&str, Bound<'py, PyAny>)> {
        Ok((self.inner.name(), self.rights(py)?))
    }
}

fn rights_class(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static RIGHTS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    lookup(py, &RIGHTS, "licentia.answers", "Rights")
}
