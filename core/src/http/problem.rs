//! Errors that no family of endpoints has a form of its own for: RFC 9457.

use super::call::Call;
use super::refusal::Refusal;
use super::routes::Family;
use super::{Answer, Exchange};
use crate::messages::random_id;
use serde::Serialize;

/// What it is called.
const PROBLEM: &str = "application/problem+json";

/// RFC 9457, section 3.1, with what is added here after it.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    /// The word for programs.
    code: &'a str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
    /// The older form of the public status, beside the newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<std::collections::BTreeMap<String, String>>,
}

pub(crate) fn answer(call: &Call<'_>, refusal: &Refusal) -> Answer {
    let is_public = call.family == Family::Public;
    let problem = Problem {
        r#type: "about:blank",
        title: title(refusal.status),
        status: refusal.status,
        detail: &refusal.detail,
        instance: call.exchange.path(),
        code: refusal.code,
        request_id: &request_id(call.exchange),
        error: is_public.then_some(refusal.detail.as_str()),
        details: is_public.then(Default::default),
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    Answer::new(refusal.status, PROBLEM, body)
}

/// The request's own id where it has one that can be shown, or a new one.
fn request_id(exchange: &Exchange) -> String {
    let fits =
        |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    let given = exchange.headers("x-request-id").find(fits);
    given.map_or_else(random_id, str::to_string)
}

/// The phrase of a status: RFC 9110, section 15.
pub(crate) fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}
