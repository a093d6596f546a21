//! An answer on its way out, and the answers that are the agent's own.

use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use licentia::Answer;
use serde::Serialize;

/// A status, headers and a body.
pub struct Reply {
    pub status: u16,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

/// RFC 9457, section 3.1, with the members that core adds too.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    #[serde(rename = "requestId")]
    request_id: &'a str,
}

impl Reply {
    fn new(status: u16, media_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        let mut reply = Reply { status, headers: Vec::new(), body: body.into() };
        reply.add("content-type", media_type);
        reply.add("cache-control", "no-store");
        reply.add("x-content-type-options", "nosniff");
        reply
    }

    /// What core answered, as it is.
    pub fn of(answer: &Answer) -> Reply {
        let mut reply =
            Reply { status: answer.status(), headers: Vec::new(), body: answer.body().to_vec() };
        for (name, value) in answer.headers() {
            reply.add(name, value);
        }
        reply
    }

    pub fn text(status: u16, media_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        Reply::new(status, media_type, body)
    }

    /// What is wrong, as core says it too: RFC 9457.
    pub fn problem(status: u16, code: &str, detail: &str, path: &str, id: &str) -> Reply {
        let title = hyper::StatusCode::from_u16(status).ok();
        let title = title.and_then(|status| status.canonical_reason()).unwrap_or("Error");
        let problem = Problem {
            r#type: "about:blank",
            title,
            status,
            detail,
            instance: path,
            code,
            request_id: id,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        Reply::new(status, "application/problem+json", body)
    }

    pub fn redirect(to: &str) -> Reply {
        let mut reply =
            Reply::new(303, "text/plain; charset=utf-8", "See the page of the license\n");
        reply.add("location", to);
        reply
    }

    /// Adds a header. One that no header can be is left out.
    pub fn add(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (name.parse(), HeaderValue::from_str(value)) {
            self.headers.push((name, value));
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| known != name);
    }

    pub fn len(&self) -> usize {
        self.body.len()
    }

    pub fn without_body(mut self) -> Reply {
        self.body.clear();
        self
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        if let Ok(status) = hyper::StatusCode::from_u16(self.status) {
            *response.status_mut() = status;
        }
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
