//! What is wrong with a request, before anything is done: one word, one sentence, one status.

use super::call::Call;
use super::routes::Family;
use super::{Answer, problem};
use crate::errors::{Code, Error};
use serde_json::json;

/// What a 401 asks for (RFC 9110, section 11.6.1). Not `Basic`: over a page that is open, a
/// browser would ask for a password that this product may not have.
const CHALLENGE: &str = "Bearer realm=\"license\"";

/// Seconds after which to try again what another process was in the way of.
const RETRY_AFTER: &str = "1";

/// Why a request is refused. The words of licenses and folders are those of [`Code`]; those that
/// only HTTP has are `WORDS`.
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
        let answer = self.in_words_of(call);
        match self.status {
            401 if answer.status() == 401 => answer.with("www-authenticate", CHALLENGE),
            503 => answer.with("retry-after", RETRY_AFTER),
            _ => answer,
        }
    }

    fn in_words_of(&self, call: &Call<'_>) -> Answer {
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

/// Whose fault an error is: 400 that of what was sent, 502 that of the issuer or of the way to it,
/// 500 and 503 that of the machine here; 503 where it may be over soon. Nothing that is wrong here
/// is ever blamed on a license.
pub(crate) fn status_of(code: Code) -> u16 {
    match code {
        Code::Io | Code::Internal | Code::StateCorrupt | Code::DiskFull => 500,
        Code::Busy | Code::StateUnavailable => 503,
        Code::Unreachable | Code::Refused | Code::NoTransport => 502,
        Code::InvalidArgument
        | Code::Malformed
        | Code::UnknownKey
        | Code::BadSignature
        | Code::WrongProduct
        | Code::WrongMachine
        | Code::WrongKind
        | Code::WrongIssuer
        | Code::TooNew
        | Code::TooLarge
        | Code::WrongInstallation
        | Code::NotYetValid
        | Code::Expired
        | Code::Revoked
        | Code::Suspended
        | Code::ClockRollback
        | Code::TokenExpired
        | Code::SyncOverdue
        | Code::NotLicensed
        | Code::NotGranted
        | Code::LimitExceeded
        | Code::NoSeat
        | Code::OlderThanInstalled
        | Code::AlreadyUsed
        | Code::BadTimestamp
        | Code::InvalidKey
        | Code::WeakKey
        | Code::KeyRetired
        | Code::KeyCompromised
        | Code::KeyNotYetValid
        | Code::KeyPermissions
        | Code::WeakBinding => 400,
    }
}

/// The words that only HTTP has: the status of each, the word, and what it means. docs/http.md has
/// the same, compared by a test.
#[cfg(test)]
pub(crate) const WORDS: &[(u16, &str, &str)] = &[
    (401, "unauthorized", "Nobody is signed in: the host has named no caller."),
    (403, "forbidden", "The caller has not the rights that the route needs, or is a service."),
    (403, "cross_site", "A browser says that another site has sent the write."),
    (404, "not_found", "There is nothing at this path."),
    (405, "method_not_allowed", "The path takes other methods: the header `allow` names them."),
    (414, "uri_too_long", "The target has more than 8 KiB."),
    (415, "unsupported_media_type", "A write is not sent as JSON, or is encoded."),
];
