//! The server's API, asked in this process as over the network.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::BodyExt;
use licentia_server::api::{self, Remote, Shared};
use serde_json::Value;
use std::net::IpAddr;
use tower::ServiceExt;

/// What went wrong, in a sentence.
pub type Result<T> = std::result::Result<T, String>;

/// Where requests go.
#[derive(Clone)]
pub struct Api {
    router: Router,
}

/// Who asks, and from where.
#[derive(Clone, Debug)]
pub struct Who {
    pub key: Option<String>,
    pub from: IpAddr,
}

impl Api {
    pub fn of(server: &Shared) -> Api {
        Api { router: api::router(Shared::clone(server)) }
    }

    /// Asks. Gives the status and the answer.
    pub async fn ask(
        &self,
        who: &Who,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value)> {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(key) = &who.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).map_err(|error| error.to_string())?;
        request.extensions_mut().insert(Remote(who.from));
        let answer = self.router.clone().oneshot(request).await.map_err(|it| it.to_string())?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(|error| error.to_string())?;
        let bytes = body.to_bytes();
        let answer =
            if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        Ok((status, answer.map_err(|error| format!("{method} {path}: {error}"))?))
    }

    /// Asks for what has to be good.
    pub async fn good(
        &self,
        who: &Who,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        match self.ask(who, method, path, body).await? {
            (200..=299, answer) => Ok(answer),
            (status, answer) => Err(format!("{method} {path}: {status} {answer}")),
        }
    }

    pub async fn post(&self, who: &Who, path: &str, body: &Value) -> Result<Value> {
        self.good(who, "POST", path, Some(body)).await
    }
}

/// A member that is a text.
pub fn text<'a>(value: &'a Value, member: &str) -> Result<&'a str> {
    value[member].as_str().ok_or_else(|| format!("no {member} in {value}"))
}
