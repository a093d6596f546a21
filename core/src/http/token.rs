//! To be written.

use super::Answer;
use super::call::Call;
use super::refusal::Refusal;

pub(crate) fn check(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.message))
}

pub(crate) fn apply(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.message))
}

pub(crate) fn renew(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.message))
}

pub(crate) fn remove(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, verdict) = call.verdict();
    Ok(Answer::json(200, &verdict.message))
}
