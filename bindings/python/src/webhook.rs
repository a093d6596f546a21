//! The check of a webhook, for `licentia.webhooks`.

use crate::convert::Text;
use crate::errors::raise;
use crate::exchange::{Body, Headers};
use licentia::webhook::{Headers as Signed, Secret, verify};
use pyo3::prelude::*;

/// The id of a webhook, and when it was sent, in seconds since 1970, if one of the secrets has
/// signed it.
#[pyfunction]
#[pyo3(signature = (body, headers, secrets, now, /))]
pub fn verify_webhook(
    py: Python<'_>,
    body: Body,
    headers: Headers,
    secrets: Vec<Text>,
    now: i64,
) -> PyResult<(String, i64)> {
    // A body may be long: others go on meanwhile.
    let checked = py.detach(|| {
        let secrets: Result<Vec<_>, _> = secrets.iter().map(|text| Secret::parse(text)).collect();
        let secrets = secrets?;
        let headers = Signed::find(headers.pairs())?;
        let sent = verify(body.bytes(), &headers, &secrets, now)?;
        Ok((headers.id.to_string(), sent))
    });
    checked.map_err(|error| raise(py, &error))
}
