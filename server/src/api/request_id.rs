//! The id of a request: in its answer, in its errors, in the log.

use super::RequestId;
use super::problem::{Problem, Refused};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sea_orm::prelude::Uuid;

/// The header.
const HEADER: &str = "x-request-id";

/// Gives every request an id, its own where that can be shown, and every answer the same.
pub async fn layer(mut request: Request, next: Next) -> Response {
    let own = request.headers().get(HEADER).and_then(|id| id.to_str().ok());
    let fits =
        |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let id = own.filter(fits).map_or_else(|| Uuid::now_v7().to_string(), str::to_string);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(Refused(error)) = response.extensions().get::<Refused>() {
        let headers = response.headers().clone();
        let mut named = Problem::answer(error, Some(&id)).into_response();
        // What others added, such as `Allow`.
        for (name, value) in &headers {
            if !named.headers().contains_key(name) && name != "content-length" {
                named.headers_mut().append(name.clone(), value.clone());
            }
        }
        named.extensions_mut().insert(Refused(error.clone()));
        response = named;
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}
