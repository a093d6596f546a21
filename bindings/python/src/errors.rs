//! From the core's errors to the exceptions of `licentia.errors`.

use crate::convert::lookup;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// The exception for `error`, ready to be raised.
pub fn raise(py: Python<'_>, error: &licentia::Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(failed) => failed,
    }
}

/// The exception for `error`, as an object.
pub fn exception<'py>(py: Python<'py>, error: &licentia::Error) -> PyResult<Bound<'py, PyAny>> {
    static FROM_CODE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let from_code = lookup(py, &FROM_CODE, "licentia.errors", "_from_code")?;
    from_code.call1((error.slug(), error.code().number(), error.to_string()))
}

/// An `ArgumentError` that says `what` is wrong with a call.
pub fn argument(py: Python<'_>, what: impl AsRef<str>) -> PyErr {
    raise(py, &licentia::Error::new(licentia::Code::InvalidArgument, what))
}
