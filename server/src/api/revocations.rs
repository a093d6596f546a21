//! The signed list of a product's revoked licenses.

use super::{Answer, Caller, Id, Origin, Problem, Scope, Shared, Stop, Work, etag};
use crate::error::{Code, Error, Result};
use crate::revocations::{self as logic, Adopted};
use crate::store::{organizations, products};
use axum::extract::{FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use licentia::limits::REVOCATIONS_MAX;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What a signed document is called.
pub const JWT: &str = "application/jwt";

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(get, adopt))
}

/// Get the revocation list
///
/// The newest signed list (`lic-revocations+jwt`) of every license of the product that was
/// revoked, for products that are offline. No API key is needed.
#[utoipa::path(get, path = "/products/{id}/revocations", tag = "revocation",
    params(("id" = Uuid, Path)),
    security(()),
    responses(
        (status = 200, body = String, content_type = "application/jwt",
            headers(("licentia-version" = i64, description = "The version of the list"))),
        (status = "4XX", body = Problem)))]
async fn get(State(server): State<Shared>, Id(id): Id, headers: HeaderMap) -> Result<Answer> {
    let product = products::any(server.store.read(), id).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    let organization = organizations::get(server.store.read(), product.organization_id).await?;
    let organization = organization.ok_or_else(|| Error::not_found("product"))?;
    let signed = |version: i64, sha256: &str| {
        let mut answer = Answer::empty().with("etag", &format!("\"{sha256}\""));
        answer.status = 200;
        answer
            .with("content-type", JWT)
            .with("cache-control", "no-cache")
            .with("licentia-version", &version.to_string())
    };
    // Whoever has the list already does not have it read from the database again.
    if let Some((version, sha256)) = logic::known(&server, &organization, &product).await? {
        let tag = format!("\"{sha256}\"");
        if headers.get(IF_NONE_MATCH).is_some_and(|known| etag::matches(known, &tag)) {
            let mut answer = signed(version, &sha256);
            answer.status = 304;
            answer.headers.retain(|(name, _)| name != "content-type");
            return Ok(answer);
        }
    }
    let list = logic::current(&server, &organization, &product).await?;
    let mut answer = signed(list.version, &list.sha256);
    answer.body = list.token.into_bytes();
    Ok(answer)
}

/// A signed list as a body.
struct Signed {
    bytes: Vec<u8>,
    origin: Origin,
}

impl FromRequest<Shared> for Signed {
    type Rejection = Error;

    async fn from_request(request: Request, _: &Shared) -> Result<Signed> {
        let (parts, body) = request.into_parts();
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if kind.is_none_or(|kind| !kind.trim().eq_ignore_ascii_case(JWT)) {
            let what = "The body is the signed list: send `Content-Type: application/jwt`";
            return Err(Error::new(Code::UnsupportedMediaType, what));
        }
        let bytes = match Limited::new(body, REVOCATIONS_MAX).collect().await {
            Ok(bytes) => bytes.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(Error::new(Code::TooLarge, "A list has at most 4 MiB"));
            }
            Err(_) => {
                let what = "The body ended before its end: send it again";
                return Err(Error::new(Code::Malformed, what));
            }
        };
        let origin = Origin::of(&parts, &bytes)?;
        Ok(Signed { bytes: bytes.to_vec(), origin })
    }
}

/// Take up a revocation list again
///
/// After an older backup was restored: revokes again whatever a list names that this server signed
/// before. Ids that are not here stay in every list to come.
#[utoipa::path(post, path = "/products/{id}/revocations", tag = "revocation",
    params(("id" = Uuid, Path)),
    request_body(content = String, content_type = "application/jwt"),
    security(("api_key" = ["revoke"])),
    responses((status = 200, body = Adopted), (status = "4XX", body = Problem)))]
async fn adopt(
    State(server): State<Shared>,
    caller: Caller,
    Id(id): Id,
    Signed { bytes, origin }: Signed,
) -> Result<Answer, Stop> {
    caller.must(Scope::Revoke)?;
    let organization = &caller.organization;
    let product = products::get(server.store.read(), organization.id, id).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    let list = logic::read(&server, organization, &product, bytes).await?;
    let mut work = Work::begin(&server, &caller, &origin).await?;
    let product = products::get(&work.tx, organization.id, id).await?;
    let product = product.ok_or_else(|| Error::not_found("product"))?;
    let adopted = logic::adopt(&server, &mut work, &product, list).await?;
    work.commit(Answer::ok(&adopted)).await
}
