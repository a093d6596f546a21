//! `licentia.License`.

use crate::convert::{instant, number, utf8};
use crate::json::from_json;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyMappingProxy, PyString};

/// A license that a trusted key signed. ``Product.verify`` and ``Product.inspect`` make them;
/// nothing else does.
///
/// It never changes, and it knows its own dates: ask ``allows`` whenever it matters. A renewal
/// is another license.
#[pyclass(frozen, module = "licentia")]
pub struct License {
    inner: licentia::License,
    /// Each feature that it grants, as an interned `str`, and its limit. Python keeps a text's
    /// hash, so finding it here costs a third of turning it into UTF-8 for the core.
    features: Py<PyDict>,
}

impl License {
    pub fn new(py: Python<'_>, inner: licentia::License) -> PyResult<License> {
        let features = PyDict::new(py);
        for (id, limit) in inner.granted() {
            features.set_item(PyString::intern(py, id), number(py, limit)?)?;
        }
        Ok(License { inner, features: features.unbind() })
    }
}

#[pymethods]
impl License {
    /// Whether the license is in force at this moment and grants ``feature``.
    ///
    /// The answer follows the clock. Names that the license does not list are not allowed.
    #[pyo3(signature = (feature, /))]
    fn allows(&self, feature: &Bound<'_, PyString>) -> PyResult<bool> {
        if !feature.is_exact_instance_of::<PyString>() {
            return Ok(self.inner.allows(utf8(feature)));
        }
        Ok(self.features.bind(feature.py()).contains(feature)? && self.inner.in_force())
    }

    /// ``feature in license`` is ``license.allows(feature)``.
    fn __contains__(&self, feature: &Bound<'_, PyString>) -> PyResult<bool> {
        self.allows(feature)
    }

    /// How much of ``feature`` may be used: ``math.inf`` if it has no limit, ``0`` wherever
    /// ``allows`` says ``False``.
    #[pyo3(signature = (feature, /))]
    fn limit<'py>(&self, feature: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        if !feature.is_exact_instance_of::<PyString>() {
            return number(feature.py(), self.inner.limit(utf8(feature)));
        }
        match self.features.bind(feature.py()).get_item(feature)? {
            Some(limit) if self.inner.in_force() => Ok(limit),
            _ => number(feature.py(), 0),
        }
    }

    /// The serial number, such as ``LIC-MYAPP-A1B2C3D4``; empty if it has none.
    #[getter]
    fn serial(&self) -> &str {
        self.inner.serial()
    }

    /// Who it is for: the customer's name, else the customer's id, else empty.
    #[getter]
    fn customer(&self) -> &str {
        self.inner.customer()
    }

    /// When it ends, in UTC and without any grace; ``None`` if it has no end.
    #[getter]
    fn expires<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.inner.expires().map(|end| instant(py, end)).transpose()
    }

    /// The features that it grants while it is in force, each with its limit. It cannot be
    /// changed. Empty if the license is bound elsewhere.
    #[getter]
    fn features<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMappingProxy>> {
        let copy = self.features.bind(py).copy()?;
        Ok(PyMappingProxy::new(py, copy.cast::<PyMapping>()?))
    }

    /// Everything it says, as the JSON text that was signed.
    #[getter]
    fn json(&self) -> &str {
        self.inner.json()
    }

    /// Everything it says, as a new ``dict``. ``docs/format.md`` lists the members.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        from_json(py, self.inner.json())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = match self.inner.serial() {
            "" => self.inner.claims().license.id.as_str(),
            serial => serial,
        };
        let end = self.inner.expires().map(licentia::rfc3339);
        let end = end.map_or_else(|| "without end".to_owned(), |end| format!("until {end}"));
        Ok(format!("<licentia.License {} {end}>", PyString::new(py, name).repr()?))
    }

    /// Refuses to pickle: a license that was not verified here could be read back.
    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "a License cannot be pickled: pass on the text it came in, and verify it there",
        ))
    }
}
