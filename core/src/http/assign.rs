//! The *assign* family: when the license ends, a text to ask for another one, and the door in.
//! What is wrong with a license is said in the texts that its clients know
//! (`installation/wording.rs`); trouble of the folder is never blamed on a license.

use super::Answer;
use super::body;
use super::call::Call;
use super::refusal::{Refusal, status_of};
use crate::clock::rfc3339;
use crate::errors::{Code, Error};
use crate::installation::{Wording, not_a_license};
use crate::stages::DAY;
use crate::verdict::{Deployment, Verdict};
use serde::Serialize;
use serde_json::Value;

/// `GET /api/license/expiration`
#[derive(Serialize)]
struct Expiration {
    /// Of the license that decides, in force or not; `None` = there is none, or it has no end.
    license_expiration: Option<String>,
    is_saas_deployment: bool,
    /// Whole days; `None` = it was never reported.
    days_since_first_db_creation: Option<i64>,
}

/// `GET /api/license/request`
#[derive(Serialize)]
struct Request {
    license_request: String,
}

/// When the license ends, and for how long the product has been in use.
pub(crate) fn expiration(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (known, verdict) = call.verdict();
    if let Some(error) = &verdict.state.error {
        // What this process has read before goes on; what nobody has read is not called nothing.
        if error.code() == Code::StateCorrupt || known.view.state.is_none() {
            return Err(trouble(call, error));
        }
    }
    let end = |verdict: &Verdict| verdict.winner.as_ref()?.held.claims.license.valid_until;
    let first = verdict.anchor.map(|anchor| anchor.at);
    if first.is_some_and(|first| first > verdict.now.at) {
        let what = "the first use is later than now";
        return Err(trouble(call, &Error::new(Code::StateCorrupt, what)));
    }
    Ok(Answer::json(
        200,
        &Expiration {
            license_expiration: end(&verdict).map(rfc3339),
            is_saas_deployment: known.view.facts.terms.deployment == Deployment::Saas,
            days_since_first_db_creation: first.map(|first| (verdict.now.at - first) / DAY),
        },
    ))
}

/// The text to send to the vendor.
pub(crate) fn request(call: &Call<'_>) -> Result<Answer, Refusal> {
    let license_request =
        call.it.request("license", None).map_err(|error| trouble(call, &error))?;
    Ok(Answer::json(200, &Request { license_request }))
}

/// Applies whatever the vendor signed: whoever has a license to assign may have a clock reset.
pub(crate) fn assign(call: &Call<'_>) -> Result<Answer, Refusal> {
    let refuse = |why: &str| Refusal::new(400, Code::Malformed.slug(), not_a_license(why).as_str());
    let mut members = body::members(call).map_err(|refusal| refuse(&refusal.detail))?;
    let license = match members.remove("signed_license") {
        Some(Value::String(license)) => license,
        None | Some(Value::Null) => return Err(refuse("signed_license is required")),
        Some(_) => return Err(refuse("signed_license is not a text")),
    };
    match call.it.apply(license.as_bytes()) {
        Ok(()) => Ok(Answer::empty(204)),
        Err(error) => Err(trouble(call, &error)),
    }
}

/// An error in the words of this family.
fn trouble(call: &Call<'_>, error: &Error) -> Refusal {
    let (known, _) = call.verdict();
    let facts = &known.view.facts;
    let words = Wording::new(&facts.terms);
    match folder_status(facts.state.error.as_ref(), error) {
        // The one trouble of a folder that clients know.
        Some(_) if error.code() == Code::StateCorrupt => {
            Refusal::new(400, error.slug(), words.of_license(error))
        }
        Some(status) => Refusal::of(status, error),
        None => Refusal::new(400, error.slug(), words.of_license(error)),
    }
}

/// The status of an error that is no fault of a license; `None` = it is one. What is wrong with
/// the folder may have a word that is also one of licenses: a folder can be too new, too.
pub(super) fn folder_status(folder: Option<&Error>, error: &Error) -> Option<u16> {
    match status_of(error.code()) {
        status @ (500 | 503) => Some(status),
        _ => (folder == Some(error)).then_some(500),
    }
}
