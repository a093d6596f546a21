//! The door for what installations ask: a signed text in, a signed text out. No API key: whoever
//! brings a request can do no more than the installation that signed it.

use super::written::{BODY_MAX, Origin};
use super::{Answer, Problem, Shared, Written};
use crate::error::{Code, Error, Result};
use crate::requests::{self, Answered};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Characters of a request in any state of repair.
pub const REQUEST_MAX: usize = 131_072;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(ask))
}

/// What an installation asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedRequest {
    /// The request, as the product wrote it: it begins with `eJ`.
    #[schema(min_length = 1, max_length = 131072)]
    pub request: String,
}

/// What an installation is answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedAnswer {
    /// The signed text, for the product to apply.
    answer: String,
    /// What was asked for.
    what: String,
    /// What is said of the license: ok, revoked, expired, suspended or not_found; null where that
    /// was not asked.
    status: Option<String>,
    /// The same for people; null when ok.
    message: Option<String>,
    license_id: Uuid,
    /// The activation of the license on the installation that asked, if there is one.
    activation_id: Option<Uuid>,
}

impl SignedAnswer {
    /// As it is shown.
    pub fn of(answered: Answered) -> SignedAnswer {
        SignedAnswer {
            answer: answered.answer,
            what: answered.what,
            status: answered.status.map(|status| status.word().to_string()),
            message: answered.message,
            license_id: answered.license,
            activation_id: answered.activation,
        }
    }
}

/// A request, in JSON or as it is.
#[derive(Debug)]
pub struct Posted {
    /// The text.
    pub text: String,
    /// Where it came from.
    pub origin: Origin,
}

impl FromRequest<Shared> for Posted {
    type Rejection = Error;

    async fn from_request(request: Request, server: &Shared) -> Result<Posted> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("text/plain") {
            let Written { body, origin } =
                Written::<SignedRequest>::from_request(request, server).await?;
            return Posted::of(body.request, origin);
        }
        let (parts, body) = request.into_parts();
        let bytes = match Limited::new(body, BODY_MAX).collect().await {
            Ok(bytes) => bytes.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
            Err(_) => {
                let what = "The body ended before its end: send it again";
                return Err(Error::new(Code::Malformed, what));
            }
        };
        let origin = Origin::of(&parts, &bytes)?;
        let text = String::from_utf8(bytes.to_vec());
        let text = text.map_err(|_| Error::new(Code::Malformed, "The body is no text (UTF-8)"))?;
        Posted::of(text, origin)
    }
}

impl Posted {
    fn of(text: String, origin: Origin) -> Result<Posted> {
        match text.len() > REQUEST_MAX {
            true => Err(too_large()),
            false => Ok(Posted { text, origin }),
        }
    }
}

fn too_large() -> Error {
    Error::new(Code::TooLarge, "A request has at most 131072 characters")
}

/// Answer a request of an installation
///
/// Activation, renewal, deactivation, seats, usage reports, the time, the newest keys, the newest
/// revocation list: whatever the product wrote, brought by the product itself or by anybody. The
/// answer is for the product to apply.
#[utoipa::path(post, path = "/requests", tag = "requests",
    request_body(content(
        (SignedRequest = "application/json"),
        (String = "text/plain"),
    )),
    security(()),
    responses((status = 200, body = SignedAnswer), (status = "4XX", body = Problem)))]
async fn ask(State(server): State<Shared>, Posted { text, origin }: Posted) -> Result<Answer> {
    let request = requests::read(text.as_bytes())?;
    let answered = requests::answer(&server, request, &origin).await?;
    Ok(Answer::ok(&SignedAnswer::of(answered)))
}
