//! Signing in with an API key, and out.

use super::form::{Posted, Query, fields};
use super::frame;
use super::session;
use super::{Desk, State, html};
use crate::api::{Caller, Scope};
use crate::error::{Code, Error, Result};
use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

const PATH: &str = "/sign-in";

/// The paths.
pub fn routes() -> Router<Arc<Desk>> {
    Router::new().route(PATH, get(ask).post(sign_in)).route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "sign_in.html", config = "src/desk/askama.toml")]
struct Page {
    root: String,
    to: String,
    wrong: Option<String>,
}

impl Page {
    fn asset(&self, name: &str) -> String {
        format!("{}assets/{name}?v={}", self.root, super::assets::version(name))
    }
}

async fn ask(Query(query): Query) -> Response {
    let to = back(query.text("to"));
    html::page(&Page { root: frame::root(PATH), to, wrong: None })
}

async fn sign_in(desk: State, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let (to, done) = match fields(body).await {
        Ok(fields) => {
            let done = enter(&desk, &mut parts, fields.text("api_key")).await;
            (back(fields.text("to")), done)
        }
        Err(error) => (back(""), Err(error)),
    };
    match done {
        Ok(cookie) => {
            let there = html::on_to(&format!(".{to}"));
            ([(SET_COOKIE, cookie)], there).into_response()
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.code().status());
            let wrong = Some(error.detail().to_string());
            let page = Page { root: frame::root(PATH), to, wrong };
            html::shown(status.unwrap_or(StatusCode::FORBIDDEN), &page)
        }
    }
}

/// Begins a session of whoever has the key. Gives what the cookie is set to.
async fn enter(desk: &Desk, parts: &mut Parts, key: &str) -> Result<String> {
    session::same_site(&parts.headers)?;
    if key.is_empty() {
        return Err(Error::new(Code::Unauthorized, "Type an API key to sign in"));
    }
    let header = HeaderValue::try_from(format!("Bearer {key}"));
    let header =
        header.map_err(|_| Error::new(Code::Unauthorized, "An API key has no such text"))?;
    parts.headers.insert(AUTHORIZATION, header);
    // As for every request with a key, with the limits for whoever guesses.
    let caller = Caller::from_request_parts(parts, &desk.server).await?;
    caller.must(Scope::Read)?;
    session::begin(desk, &caller, parts).await
}

async fn sign_out(desk: State, parts: Parts, Posted { visit, .. }: Posted) -> Result<Response> {
    let cookie = session::end(&desk, &visit, &parts).await?;
    Ok(([(SET_COOKIE, cookie)], html::on_to("./sign-in")).into_response())
}

/// A path of this server to go back to; `/` where it is none.
fn back(to: &str) -> String {
    let clean = to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let inside = to.starts_with('/') && !to.starts_with("//");
    if inside && clean { to.to_string() } else { "/".to_string() }
}
