//! What a handler gives back.

use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A status, headers and a body that is there whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers beyond those that every answer has.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// JSON. What is given has to be able to become JSON: an answer type of this crate can.
    pub fn json(status: u16, body: &impl Serialize) -> Answer {
        let headers = vec![("content-type".to_string(), "application/json".to_string())];
        Answer { status, headers, body: serde_json::to_vec(body).unwrap_or_default() }
    }

    /// 200 with JSON.
    pub fn ok(body: &impl Serialize) -> Answer {
        Answer::json(200, body)
    }

    /// 201 with JSON, and where it is now.
    pub fn created(location: &str, body: &impl Serialize) -> Answer {
        Answer::json(201, body).with("location", location)
    }

    /// 204.
    pub fn empty() -> Answer {
        Answer { status: 204, headers: Vec::new(), body: Vec::new() }
    }

    /// With one more header.
    pub fn with(mut self, name: &str, value: &str) -> Answer {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
