//! Errors as answers: RFC 9457.

use super::answer::Answer;
use crate::error::{Code, Error};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What it is called.
pub const PROBLEM: &str = "application/problem+json";

/// Why a request was refused, and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:licentia:problem:` and the code.
    pub r#type: String,
    /// The phrase of the status.
    pub title: String,
    /// The status.
    pub status: u16,
    /// One sentence for people.
    pub detail: String,
    /// The word for programs: it never changes.
    pub code: String,
    /// The id of the request, to ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What an error answer was made from, for those who come after: the frame adds the request's id.
#[derive(Clone, Debug)]
pub struct Refused(pub Error);

impl Problem {
    /// The answer to a request with this id.
    pub fn answer(error: &Error, request_id: Option<&str>) -> Answer {
        let (code, status) = (error.code().slug(), error.code().status());
        let phrase = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
        let problem = Problem {
            r#type: format!("urn:licentia:problem:{code}"),
            title: phrase.unwrap_or("Error").to_string(),
            status,
            detail: error.detail().to_string(),
            code: code.to_string(),
            request_id: request_id.map(str::to_string),
        };
        let mut answer = Answer::json(status, &problem);
        answer.headers = vec![("content-type".to_string(), PROBLEM.to_string())];
        if let Some(seconds) = error.retry() {
            answer = answer.with("retry-after", &seconds.to_string());
        }
        if error.code() == Code::Unauthorized {
            answer = answer.with("www-authenticate", "Bearer realm=\"licentia\"");
        }
        answer
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = Problem::answer(&self, None).into_response();
        response.extensions_mut().insert(Refused(self));
        response
    }
}

/// Nothing is at a path.
pub async fn no_such_path() -> Error {
    Error::new(Code::NotFound, "There is nothing at this path: /docs lists what there is")
}

/// Something is at a path, and does not take the method.
pub async fn no_such_method() -> Error {
    Error::new(Code::MethodNotAllowed, "This path does not take this method: see the header Allow")
}
