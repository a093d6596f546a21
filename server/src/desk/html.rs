//! A page as an answer.

use super::{assets, frame};
use crate::api::Refused;
use crate::error::{Code, Error};
use askama::Template;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// A browser loads nothing from elsewhere, sends forms nowhere else, and shows the page in no
/// other.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A page.
pub fn page(template: &impl Template) -> Response {
    shown(StatusCode::OK, template)
}

/// A page with a status.
pub fn shown(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "a page cannot be made");
            Error::new(Code::Internal, "This page cannot be made: report it").into_response()
        }
    }
}

/// On to another page, after something was done. `to` is relative to the page that was asked for.
pub fn on_to(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, to.to_string())]).into_response()
}

/// Where a page cannot be made at all.
#[derive(Template)]
#[template(path = "failed.html", config = "src/desk/askama.toml")]
struct Failed {
    root: String,
    detail: String,
    code: &'static str,
}

impl Failed {
    fn asset(&self, name: &str) -> String {
        format!("{}assets/{name}?v={}", self.root, assets::version(name))
    }
}

/// The headers of every page; and a page for people in place of an error for programs.
pub async fn layer(request: Request, next: Next) -> Response {
    let root = frame::root(request.uri().path());
    for_people(root, next.run(request).await)
}

/// The same where there is no page, for whoever asks for one.
pub async fn nowhere(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let programs = ["/api/", "/v1/"].iter().any(|base| path.starts_with(base));
    let accept = request.headers().get(ACCEPT).and_then(|it| it.to_str().ok());
    let people = accept.is_some_and(|it| it.contains("text/html")) && !programs;
    let root = frame::root(path);
    let response = next.run(request).await;
    let refused = response.extensions().get::<Refused>().is_some();
    if people && refused { for_people(root, response) } else { response }
}

fn for_people(root: String, mut response: Response) -> Response {
    if let Some(Refused(error)) = response.extensions().get::<Refused>() {
        let (detail, code) = (error.detail().to_string(), error.code().slug());
        let mut page = shown(response.status(), &Failed { root, detail, code });
        for (name, value) in response.headers() {
            if *name != CONTENT_TYPE && *name != CONTENT_LENGTH {
                page.headers_mut().append(name.clone(), value.clone());
            }
        }
        response = page;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    response
}
