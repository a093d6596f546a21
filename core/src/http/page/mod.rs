//! The page of the administrator.

use super::Answer;
use super::call::Call;
use super::refusal::Refusal;

const HTML: &str = "text/html; charset=utf-8";

pub(crate) fn show(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::new(200, HTML, verdict.message))
}

/// A page that says why there is none.
pub(crate) fn refusal(_: &Call<'_>, refusal: &Refusal) -> Answer {
    Answer::new(refusal.status, HTML, refusal.detail.clone())
}
