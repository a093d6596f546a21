//! The document that describes the API: OpenAPI 3.1. The same bytes are committed and served.

use super::Answer;
use super::answer::JSON;
use super::call::Call;
use super::refusal::Refusal;

/// The document.
const DOCUMENT: &str = include_str!("openapi.json");

pub(crate) fn document(_: &Call<'_>) -> Result<Answer, Refusal> {
    Ok(Answer::new(200, JSON, DOCUMENT))
}
