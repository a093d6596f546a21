//! The API as the desk asks it: in this process, as whoever signed in, with the same checks as
//! everybody.

use super::session::Visit;
use crate::api::{Caller, Remote, RequestId};
use crate::error::{Code, Error};
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

/// Where every path of the API begins.
const BASE: &str = "/api/v1";

/// The API.
#[derive(Clone)]
pub struct Client {
    router: Router,
}

/// Why the API did not do something.
#[derive(Clone, Debug, Deserialize)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The word for programs.
    pub code: String,
    /// One sentence for people.
    pub detail: String,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let (code, status) = (error.code().slug().to_string(), error.code().status());
        Refusal { status, code, detail: error.detail().to_string() }
    }
}

impl Refusal {
    /// Whether there is none, or it is somebody else's.
    pub fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND.as_u16()
    }

    /// Whether it is about what was typed: the page shows it again, with the sentence.
    pub fn is_typed(&self) -> bool {
        matches!(self.status, 400 | 409 | 413 | 422)
    }
}

impl Client {
    /// The client of an API: its router with all of its layers.
    pub fn new(router: Router) -> Client {
        Client { router }
    }

    /// Reads what is at a path below `/api/v1`.
    pub async fn get<T: DeserializeOwned>(&self, visit: &Visit, path: &str) -> Result<T, Refusal> {
        read(self.ask(visit, Method::GET, path, None, None).await?)
    }

    /// Sends a body to a path below `/api/v1`. `once` is the token of the form: sent twice, it is
    /// done once.
    pub async fn send<T: DeserializeOwned>(
        &self,
        visit: &Visit,
        method: Method,
        path: &str,
        body: &Value,
        once: Option<&str>,
    ) -> Result<T, Refusal> {
        read(self.ask(visit, method, path, Some(body), once).await?)
    }

    /// The answer as it is, such as a file: of any status.
    pub async fn pass(&self, visit: &Visit, path: &str) -> Response {
        let request = request(visit, &Method::GET, path, None, None);
        match request {
            Ok(request) => match self.router.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(error) => axum::response::IntoResponse::into_response(error),
        }
    }

    async fn ask(
        &self,
        visit: &Visit,
        method: Method,
        path: &str,
        body: Option<&Value>,
        once: Option<&str>,
    ) -> Result<Vec<u8>, Refusal> {
        let request = request(visit, &method, path, body, once)?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status();
        let body = response.into_body().collect().await.map(|body| body.to_bytes());
        let body = body.map_err(|_| Error::new(Code::Internal, "An answer has no end"))?;
        if status.is_success() {
            return Ok(body.to_vec());
        }
        Err(serde_json::from_slice(&body).unwrap_or_else(|_| Refusal {
            status: status.as_u16(),
            code: "internal".to_string(),
            detail: "Something went wrong in the server: report it".to_string(),
        }))
    }
}

fn request(
    visit: &Visit,
    method: &Method,
    path: &str,
    body: Option<&Value>,
    once: Option<&str>,
) -> Result<Request<Body>, Error> {
    let mut request = Request::builder().method(method).uri(format!("{BASE}{path}"));
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    if let Some(once) = once {
        request = request.header("idempotency-key", once);
    }
    if let Some(RequestId(id)) = &visit.request_id {
        request = request.header("x-request-id", id);
    }
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let wrong = |_| Error::new(Code::Malformed, "This address cannot be asked for");
    let mut request = request.body(body).map_err(wrong)?;
    request.extensions_mut().insert::<Caller>(visit.caller.clone());
    if let Some(remote) = visit.remote {
        request.extensions_mut().insert::<Remote>(remote);
    }
    Ok(request)
}

/// An empty answer is `null`.
fn read<T: DeserializeOwned>(body: Vec<u8>) -> Result<T, Refusal> {
    let body = if body.is_empty() { b"null".to_vec() } else { body };
    serde_json::from_slice(&body).map_err(|error| {
        tracing::error!(error = %error, "the desk cannot read an answer of the API");
        Refusal::from(Error::new(Code::Internal, "The desk cannot read an answer: report it"))
    })
}

/// A query of a path: what has a value, encoded.
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        text.append_pair(name, value);
    }
    match text.finish() {
        text if text.is_empty() => text,
        text => format!("?{text}"),
    }
}
