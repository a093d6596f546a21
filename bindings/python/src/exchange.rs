//! One HTTP request, as Python has it.

use crate::caller::Caller;
use crate::convert::wrong_type;
use crate::errors::raise;
use licentia::Exchange;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

/// The headers of a request: names and values. Any text is taken: what is wrong with a header is
/// the core's to say.
pub struct Headers(Vec<(String, String)>);

/// The bytes of a body: `bytes`, `bytearray` or `memoryview`. A text has none until somebody
/// says which.
pub struct Body(Option<PyBackedBytes>);

/// Where a call gives none.
pub const NO_HEADERS: Headers = Headers(Vec::new());
pub const NO_BODY: Body = Body(None);

impl Headers {
    /// Names and values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Body {
    /// Its bytes; none where there is none.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

/// The exchange for a request.
pub fn exchange(
    py: Python<'_>,
    line: (&str, &str),
    headers: &Headers,
    body: &Body,
    caller: Option<&Caller>,
) -> PyResult<Exchange> {
    let (method, target) = line;
    let mut exchange = Exchange::new(method, target).map_err(|error| raise(py, &error))?;
    for (name, value) in &headers.0 {
        exchange.add_header(name, value);
    }
    if let Some(body) = &body.0 {
        exchange.set_body(&**body);
    }
    if let Some(caller) = caller {
        exchange.set_caller(caller.inner.clone());
    }
    Ok(exchange)
}

impl FromPyObject<'_, '_> for Body {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Body> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Body(Some(bytes.to_owned().into())));
        }
        if let Ok(bytes) = object.cast::<PyByteArray>() {
            return Ok(Body(Some(bytes.to_owned().into())));
        }
        if let Ok(view) = object.cast::<PyMemoryView>() {
            let bytes = view.call_method0("tobytes")?;
            return Ok(Body(Some(bytes.cast_into::<PyBytes>()?.into())));
        }
        Err(wrong_type("the body", "bytes, bytearray or memoryview", &object))
    }
}

impl FromPyObject<'_, '_> for Headers {
    type Error = PyErr;

    /// What has `items` gives them: a mapping, and the headers of every framework that may have
    /// one name twice. Anything else is pairs itself.
    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Headers> {
        let refused = || wrong_type("the headers", "a mapping or pairs", &object);
        if is_text(&object) {
            return Err(refused());
        }
        let pairs = match object.getattr_opt("items")? {
            Some(items) => items.call0()?,
            None => object.to_owned(),
        };
        let pairs = pairs.try_iter().map_err(|_| refused())?;
        pairs.map(|pair| header(&pair?)).collect::<PyResult<_>>().map(Headers)
    }
}

fn header(pair: &Bound<'_, PyAny>) -> PyResult<(String, String)> {
    let refused = || wrong_type("a header", "a pair of name and value", pair);
    if is_text(pair) {
        return Err(refused());
    }
    let texts = pair.try_iter().map_err(|_| refused())?.take(3).collect::<PyResult<Vec<_>>>()?;
    match texts.as_slice() {
        [name, value] => Ok((header_text(name)?, header_text(value)?)),
        _ => Err(refused()),
    }
}

fn is_text(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>()
}

/// Bytes are Latin-1, as in HTTP. Half a surrogate pair becomes U+FFFD, which no header has.
fn header_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_string_lossy().into_owned());
    }
    let Ok(bytes) = value.cast::<PyBytes>() else {
        return Err(wrong_type("a header", "str or bytes", value));
    };
    Ok(bytes.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}
