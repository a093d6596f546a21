//! The body of a write: one JSON object. Licenses in it are longer than strict JSON lets a text be
//! (`json.rs`), and what they say is signed: serde alone reads it.

use super::call::Call;
use super::refusal::Refusal;
use crate::errors::Code;
use crate::limits::BODY_MAX;
use serde_json::{Map, Value};

/// Refuses a body that is too large, or is not sent as JSON. A browser sends JSON to another site
/// only after it has asked that site, so this keeps other sites' forms out.
pub(crate) fn check(call: &Call<'_>) -> Result<(), Refusal> {
    if call.exchange.body().len() > BODY_MAX {
        let what = format!(
            "The body has more than {BODY_MAX} bytes: send the license alone, and apply what is \
             larger on the machine itself, with `licentia apply`"
        );
        return Err(Refusal::new(413, Code::TooLarge.slug(), what));
    }
    let mut types = call.exchange.headers("content-type").peekable();
    let encoded = call.exchange.headers("content-encoding").any(|it| it != "identity");
    if encoded || types.peek().is_none() || !types.all(is_json) {
        let what = "Send the body as JSON, with the header Content-Type: application/json";
        return Err(Refusal::new(415, "unsupported_media_type", what));
    }
    Ok(())
}

/// The members of the body. What is no JSON object is refused with 400, and with the reason alone:
/// the caller has its own words around it. A byte order mark before it means nothing (RFC 8259,
/// section 8.1): some editors and shells put one into every file.
pub(crate) fn members(call: &Call<'_>) -> Result<Map<String, Value>, Refusal> {
    let refuse = |what: String| Refusal::new(400, Code::Malformed.slug(), what);
    let body = call.exchange.body();
    match serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(refuse("the body is not a JSON object".to_string())),
        Err(error) => Err(refuse(error.to_string())),
    }
}

fn is_json(value: &str) -> bool {
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case(super::answer::JSON)
}
