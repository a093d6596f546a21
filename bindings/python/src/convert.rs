//! What Python values the binding takes, and what it gives back.

use crate::errors::argument;
use licentia::Setting;
use pyo3::CastError;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyInt, PyMemoryView, PyString};
use std::ops::Deref;

/// A `str` as UTF-8. One that has none (half a surrogate pair) is an `ArgumentError`.
pub struct Text(PyBackedStr);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl FromPyObject<'_, '_> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Text> {
        let text = object.cast::<PyString>()?.to_owned();
        PyBackedStr::try_from(text)
            .map(Text)
            .map_err(|_| argument(object.py(), "a text holds half a surrogate pair"))
    }
}

/// The bytes of a license: `str`, `bytes`, `bytearray` or `memoryview`. They are Python's own,
/// or a copy where another thread could change them.
pub struct Data(PyBackedBytes);

impl AsRef<[u8]> for Data {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FromPyObject<'_, '_> for Data {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Data> {
        if let Ok(text) = object.cast::<PyString>() {
            // A surrogate becomes bytes that are not UTF-8: the core says what that is.
            let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
            return Ok(Data(bytes.cast_into::<PyBytes>()?.into()));
        }
        if let Ok(view) = object.cast::<PyMemoryView>() {
            let bytes = view.call_method0("tobytes")?;
            return Ok(Data(bytes.cast_into::<PyBytes>()?.into()));
        }
        object.extract().map(Data).map_err(|_: CastError<'_, '_>| {
            wrong_type("a license", "str, bytes, bytearray or memoryview", object.as_any())
        })
    }
}

/// A key set: `str`, or `bytes` of UTF-8.
pub struct Keys(Data);

impl Keys {
    /// Its text. Bytes that are not UTF-8 are an `ArgumentError`.
    pub fn text(&self, py: Python<'_>) -> PyResult<&str> {
        std::str::from_utf8(self.0.as_ref()).map_err(|_| argument(py, "the keys are not UTF-8"))
    }
}

impl FromPyObject<'_, '_> for Keys {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Keys> {
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return object.extract().map(Keys);
        }
        Err(wrong_type("the keys", "str or bytes", object.as_any()))
    }
}

/// A moment: seconds since 1970, or an aware `datetime`.
pub struct Moment(pub i64);

impl FromPyObject<'_, '_> for Moment {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Moment> {
        seconds("a time", "int or datetime", &object)?.map(Moment).ok_or_else(|| {
            argument(object.py(), "the time is further away than any calendar reaches")
        })
    }
}

/// A number to count with. One below zero or of more than 64 bits is an `ArgumentError`.
pub struct Count(pub u64);

impl FromPyObject<'_, '_> for Count {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Count> {
        if object.is_instance_of::<PyBool>() {
            return Err(wrong_type("a number", "int", &object));
        }
        object.extract().map(Count).map_err(|error: PyErr| {
            let py = object.py();
            if error.is_instance_of::<PyOverflowError>(py) {
                return argument(py, "the number is below 0 or above 2^64 - 1");
            }
            error
        })
    }
}

/// Settings by keyword.
pub type Keywords<'a, 'py> = &'a [(&'static str, Option<Bound<'py, PyAny>>)];

/// Those that were given, as the texts that the core takes.
pub fn settings(table: &[Setting], given: Keywords<'_, '_>) -> PyResult<Vec<(String, String)>> {
    let given = given.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?)));
    given.map(|(name, value)| Ok((name.to_owned(), setting(table, name, value)?))).collect()
}

/// The value of the setting `name` of `table` as the text that the core takes. `None` is the
/// default.
pub fn setting(table: &[Setting], name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_none() {
        return Ok(String::new());
    }
    if value.is_instance_of::<PyString>() {
        return Ok(value.extract::<Text>()?.to_string());
    }
    match name {
        // The core refuses the name, whatever the value is.
        _ if !table.iter().any(|known| known.name == name) => Ok(String::new()),
        "clock" => clock(value),
        "license" => license(value),
        "license_file" | "machine_file" | "machine_root" | "server_ca" => path(value),
        "machine_exclude" | "server" => words(name, value),
        "grace_days" | "warning_days" | "lease_window" | "server_timeout" => whole(name, value),
        _ => Err(wrong_type(name, "str", value)),
    }
}

fn clock(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let refused = || argument(value.py(), "the setting clock: it is neither a time nor `system`");
    let seconds = seconds("clock", "str, int or datetime", value)?;
    seconds.map(|seconds| seconds.to_string()).ok_or_else(refused)
}

/// Seconds since 1970; `None` where they have more than 64 bits.
fn seconds(what: &str, wanted: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<i64>> {
    let py = value.py();
    if value.is_instance_of::<PyInt>() && !value.is_instance_of::<PyBool>() {
        // Python itself refuses to write out a number of thousands of digits.
        return Ok(value.extract().ok());
    }
    static DATETIME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if !value.is_instance(&lookup(py, &DATETIME, "datetime", "datetime")?)? {
        return Err(wrong_type(what, wanted, value));
    }
    if value.call_method0("utcoffset")?.is_none() {
        let zone = "is a datetime without a time zone, such as tzinfo=timezone.utc";
        return Err(argument(py, format!("{what} {zone}")));
    }
    value.sub(epoch(py)?)?.floor_div(timedelta(py, 0, 1)?)?.extract().map(Some)
}

/// A license among the settings, where it is not `str`.
fn license(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let Ok(bytes) = value.cast::<PyBytes>() else {
        return Err(wrong_type("license", "str or bytes", value));
    };
    let text = std::str::from_utf8(bytes.as_bytes());
    text.map(str::to_owned).map_err(|_| argument(value.py(), "the license is not UTF-8"))
}

/// A whole number: of days, of seconds.
fn whole(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if !value.is_instance_of::<PyInt>() || value.is_instance_of::<PyBool>() {
        return Err(wrong_type(name, "str or int", value));
    }
    // What does not fit has more digits than the core takes.
    Ok(value.extract().unwrap_or(i64::MAX).to_string())
}

/// A path: `str`, or what has one.
pub fn path(value: &Bound<'_, PyAny>) -> PyResult<String> {
    static FSPATH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let path = lookup(value.py(), &FSPATH, "os", "fspath")?.call1((value,))?;
    if !path.is_instance_of::<PyString>() {
        return Err(wrong_type("a path", "str or PathLike[str]", &path));
    }
    Ok(path.extract::<Text>()?.to_string())
}

/// Several words: kinds of parts, URLs.
fn words(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>() {
        return Err(wrong_type(name, "str or an iterable of str", value));
    }
    let words: Vec<Text> =
        value.try_iter()?.map(|word| word?.extract()).collect::<PyResult<_>>()?;
    Ok(words.iter().map(Deref::deref).collect::<Vec<_>>().join(","))
}

/// A `TypeError` in Python's own words.
pub fn wrong_type(what: &str, wanted: &str, given: &Bound<'_, PyAny>) -> PyErr {
    match given.get_type().name() {
        Ok(name) => PyTypeError::new_err(format!("{what} must be {wanted}, not {name}")),
        Err(error) => error,
    }
}

/// A limit as Python counts: `math.inf` where there is none.
pub fn number(py: Python<'_>, limit: u64) -> PyResult<Bound<'_, PyAny>> {
    match licentia::bounded(limit) {
        Some(limit) => Ok(limit.into_pyobject(py)?.into_any()),
        None => Ok(f64::INFINITY.into_pyobject(py)?.into_any()),
    }
}

/// The name in a `str` of a class of its own, whose `__hash__` and `__eq__` have no say in what is
/// allowed. Half a surrogate pair becomes U+FFFD, which is in no name.
pub fn utf8(feature: &Bound<'_, PyString>) -> Vec<u8> {
    feature.to_string_lossy().into_owned().into_bytes()
}

/// Seconds since 1970 as an aware `datetime` in UTC.
pub fn instant(py: Python<'_>, seconds: i64) -> PyResult<Bound<'_, PyAny>> {
    const DAY: i64 = 86_400;
    // Not `fromtimestamp`: it ends in the year 3001 on Windows.
    epoch(py)?.add(timedelta(py, seconds.div_euclid(DAY), seconds.rem_euclid(DAY))?)
}

fn epoch(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static DATETIME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static TIMEZONE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let utc = lookup(py, &TIMEZONE, "datetime", "timezone")?.getattr("utc")?;
    lookup(py, &DATETIME, "datetime", "datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, utc))
}

fn timedelta(py: Python<'_>, days: i64, seconds: i64) -> PyResult<Bound<'_, PyAny>> {
    static TIMEDELTA: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    lookup(py, &TIMEDELTA, "datetime", "timedelta")?.call1((days, seconds))
}

/// A name of another module, looked up once.
///
/// The import is not done while the cell is being filled, as `PyOnceLock::import` does it: a
/// process that is forked just then would wait for ever for a thread that it does not have.
pub fn lookup<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    module: &str,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    if let Some(found) = cell.get(py) {
        return Ok(found.bind(py).clone());
    }
    let found = py.import(module)?.getattr(name)?.unbind();
    Ok(cell.get_or_init(py, || found).bind(py).clone())
}
