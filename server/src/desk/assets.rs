//! The files that pages load: all of them are in the binary.

use super::Desk;
use crate::api::etag;
use crate::error::Error;
use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, LazyLock};

macro_rules! fetched {
    ($name:literal) => {
        include_str!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// Name, type, text.
const FILES: [(&str, &str, &str); 7] = [
    ("desk.css", STYLE, include_str!("desk.css")),
    ("desk.js", SCRIPT, include_str!("desk.js")),
    ("htmx.js", SCRIPT, fetched!("htmx.org-dist-htmx.min.js")),
    ("uplot.js", SCRIPT, fetched!("uplot-dist-uPlot.iife.min.js")),
    ("uplot.css", STYLE, fetched!("uplot-dist-uPlot.min.css")),
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
    ("licenses.txt", "text/plain; charset=utf-8", LICENSES),
];

/// What of this is not licentia's, and under which terms.
const LICENSES: &str = concat!(
    "htmx (https://htmx.org)\n\n",
    fetched!("htmx.org-LICENSE"),
    "\n\nuPlot (https://github.com/leeoniya/uPlot)\n\n",
    fetched!("uplot-LICENSE"),
);

static TAGS: LazyLock<Vec<String>> =
    LazyLock::new(|| FILES.iter().map(|(.., text)| etag::tag(text.as_bytes())).collect());

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/assets/{file}", get(file))
}

fn find(name: &str) -> Option<((&'static str, &'static str), &'static str)> {
    let files = FILES.iter().zip(TAGS.iter());
    let found = files.into_iter().find(|((it, ..), _)| *it == name);
    found.map(|((_, kind, text), tag)| ((*kind, *text), tag.as_str()))
}

/// What changes with a file.
pub fn version(name: &str) -> &'static str {
    find(name).map_or("", |(_, tag)| tag.trim_matches('"'))
}

async fn file(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Result<Response, Error> {
    let ((kind, text), tag) = find(&name).ok_or_else(|| Error::not_found("file"))?;
    let named = uri.query().is_some_and(|query| query == format!("v={}", version(&name)));
    let keep = if named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [(ETAG, tag), (CACHE_CONTROL, keep), (CONTENT_TYPE, kind)];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| etag::matches(known, tag)) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    Ok((common, text).into_response())
}
