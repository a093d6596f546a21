//! Reports of usage.

use super::{Answer, Caller, Problem, Scope, Shared, Written};
use crate::error::{Code, Error, Result};
use crate::requests::{self, Plain, Signed};
use axum::extract::{FromRequestParts, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use licentia::issue::IssuerStatus;
use licentia::json::INTEGER_MAX;
use licentia::rfc3339;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Features in one report.
const FEATURES_MAX: usize = 1_024;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(sync))
}

/// A report of a product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncReport {
    /// The license's serial number. It may be left out where `request` is there.
    #[schema(min_length = 1, max_length = 256)]
    license_serial: Option<String>,
    /// The machine, in whatever words: for reports, not to be matched.
    #[schema(max_length = 256)]
    hardware_fingerprint: Option<String>,
    /// The version of the product.
    #[schema(max_length = 256)]
    app_version: Option<String>,
    /// Features in use.
    #[schema(max_items = 1024)]
    features_used: Option<Vec<String>>,
    /// Seats in use.
    #[schema(minimum = 0, maximum = 9007199254740991_i64)]
    seats_in_use: Option<i64>,
    /// A signed request for `sync`, as the product wrote it: then no API key is needed, and there
    /// is an answer to apply.
    #[schema(min_length = 1, max_length = 131072)]
    request: Option<String>,
}

/// What a report is answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncResult {
    /// ok, revoked, expired, suspended or not_found.
    status: String,
    /// The same for people; null when ok.
    message: Option<String>,
    server_time: String,
    /// The signed text, for the product to apply; where the report had a signed request.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
}

/// Whoever has an API key, or nobody.
#[derive(Debug)]
struct Anybody(Option<Caller>);

impl FromRequestParts<Shared> for Anybody {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Anybody> {
        match parts.headers.contains_key(AUTHORIZATION) {
            true => Caller::from_request_parts(parts, server).await.map(|it| Anybody(Some(it))),
            false => Ok(Anybody(None)),
        }
    }
}

/// Report usage
///
/// With an API key and a serial number, or with a request that the product signed. What is said of
/// the license is always 200, whatever it is.
#[utoipa::path(post, path = "/licenses/sync", tag = "licenses", request_body = SyncReport,
    security((), ("api_key" = ["sync"])),
    responses((status = 200, body = SyncResult), (status = "4XX", body = Problem)))]
async fn sync(
    State(server): State<Shared>,
    Anybody(caller): Anybody,
    Written { body, origin }: Written<SyncReport>,
) -> Result<Answer> {
    if let Some(caller) = &caller {
        caller.must(Scope::Sync)?;
    } else if body.request.is_none() {
        let what = "Not signed in: send an API key as `Authorization: Bearer KEY`, or a request \
                    that the product signed";
        return Err(Error::new(Code::Unauthorized, what));
    }
    body.check()?;
    let caller = caller.map(|caller| (caller.organization.id, caller.key_id));
    let serial = body.license_serial.clone();
    match (&body.request, caller, serial) {
        (Some(request), caller, serial) => {
            let request = requests::read(request.as_bytes())?;
            let signed = Signed::of(request)?;
            let plain = body.plain();
            let answered = requests::sync(&server, signed, caller, serial, plain, &origin).await;
            match answered {
                Ok(answered) => {
                    let status = answered.status.unwrap_or(IssuerStatus::Ok);
                    Ok(result(&server, status, answered.message, Some(answered.answer)))
                }
                Err(error) if error.code() == Code::NotFound => {
                    let message = Some(error.detail().to_string());
                    Ok(result(&server, IssuerStatus::NotFound, message, None))
                }
                Err(error) => Err(error),
            }
        }
        (None, Some(caller), Some(serial)) => {
            let plain = body.plain().unwrap_or_default();
            let said = requests::report(&server, caller, serial, plain, &origin).await?;
            Ok(result(&server, said.status, said.message, None))
        }
        (None, _, _) => {
            Err(Error::new(Code::Malformed, "license_serial is missing: it names the license"))
        }
    }
}

fn result(
    server: &Shared,
    status: IssuerStatus,
    message: Option<String>,
    answer: Option<String>,
) -> Answer {
    let server_time = rfc3339(server.clock.now());
    Answer::ok(&SyncResult { status: status.word().to_string(), message, server_time, answer })
}

impl SyncReport {
    fn check(&self) -> Result<()> {
        let text = |name: &str, text: Option<&str>, least: usize| match text {
            Some(text)
                if !(least..=256).contains(&text.chars().count())
                    || text.chars().any(char::is_control) =>
            {
                Err(Error::invalid(format!(
                    "{name} has {least} to 256 characters, none of them a control character"
                )))
            }
            _ => Ok(()),
        };
        text("license_serial", self.license_serial.as_deref(), 1)?;
        text("hardware_fingerprint", self.hardware_fingerprint.as_deref(), 0)?;
        text("app_version", self.app_version.as_deref(), 0)?;
        let features = self.features_used.as_deref().unwrap_or_default();
        if features.len() > FEATURES_MAX {
            return Err(Error::invalid(format!("features_used has at most {FEATURES_MAX}")));
        }
        features.iter().try_for_each(|feature| text("features_used", Some(feature), 1))?;
        let seats = self.seats_in_use.map(u64::try_from);
        match seats {
            Some(seats) if !seats.is_ok_and(|seats| seats <= INTEGER_MAX) => {
                Err(Error::invalid("seats_in_use is a whole number from 0 to 2^53 - 1"))
            }
            _ => Ok(()),
        }
    }

    /// What it says in plain words; `None` = nothing.
    fn plain(&self) -> Option<Plain> {
        let says = self.hardware_fingerprint.is_some()
            || self.app_version.is_some()
            || self.features_used.is_some()
            || self.seats_in_use.is_some();
        says.then(|| Plain {
            fingerprint: self.hardware_fingerprint.clone().unwrap_or_default(),
            app_version: self.app_version.clone(),
            features_used: self.features_used.clone().unwrap_or_default(),
            seats_in_use: self.seats_in_use,
        })
    }
}
