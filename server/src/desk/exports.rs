//! Lists as files for spreadsheets, as the API makes them.

use super::session::{Visit, same_site};
use super::{Desk, State};
use crate::error::Error;
use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// What there is a file of.
const LISTS: [&str; 7] =
    ["licenses", "activations", "seats", "usage", "events", "audit", "deliveries"];

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/exports/{list}", get(export))
}

/// The file, with the filters of the list, which pages have in their links.
async fn export(
    desk: State,
    visit: Visit,
    Path(list): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    // It is noted who took what: a page elsewhere does not take it for them.
    if let Err(error) = same_site(&headers) {
        return error.into_response();
    }
    if !LISTS.contains(&list.as_str()) {
        return Error::not_found("list").into_response();
    }
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    desk.client.pass(&visit, &format!("/exports/{list}{query}")).await
}
