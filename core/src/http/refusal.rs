//! What is wrong with a request, before anything is done: one word, one sentence, one status.

use super::call::Call;
use super::routes::Family;
use super::{Answer, problem};
use crate::errors::Error;
use serde_json::json;

/// Why a request is refused. The words of licenses and folders are those of [`crate::Code`]; those
/// that only HTTP has are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The word for programs.
    pub(crate) code: &'static str,
    /// What is wrong and what to do, in a sentence.
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { status, code, detail: detail.into() }
    }

    pub(crate) fn unauthorized() -> Refusal {
        Refusal::new(401, "unauthorized", "Not authenticated")
    }

    pub(crate) fn forbidden() -> Refusal {
        Refusal::new(403, "forbidden", "Not enough permissions")
    }

    /// An error of the core, under a status.
    pub(crate) fn of(status: u16, error: &Error) -> Refusal {
        Refusal::new(status, error.code().slug(), error.to_string())
    }

    /// As the family of the route says it, and otherwise as a problem (RFC 9457).
    pub(crate) fn answer(&self, call: &Call<'_>) -> Answer {
        match (call.family, self.status) {
            (Family::Assign, 400 | 401 | 403) => {
                Answer::json(self.status, &json!({ "detail": self.detail, "code": self.code }))
            }
            (Family::Entitlements, 401 | 403) => {
                let message = "Forbidden";
                Answer::json(403, &json!({ "data": null, "message": message, "status": "error" }))
            }
            (Family::Entitlements, 400) => Answer::json(
                400,
                &json!({
                    "data": null,
                    "message": "Error inserting license key",
                    "status": "error",
                    "code": self.code,
                    "detail": self.detail,
                }),
            ),
            (Family::Page, _) => super::page::refusal(call, self),
            _ => problem::answer(call, self),
        }
    }
}
