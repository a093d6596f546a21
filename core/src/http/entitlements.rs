//! To be written.

use super::Answer;
use super::call::Call;
use super::refusal::Refusal;

pub(crate) fn show(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.message))
}

pub(crate) fn insert(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.message))
}
