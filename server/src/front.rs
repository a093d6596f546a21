//! What every request passes before a route and after: its id, where it is from, limits, its body,
//! a line in the log.

use crate::api::health;
use crate::api::limits::{Gate, Left, Limits};
use crate::api::{Problem, Remote, Secure, digest};
use crate::error::{Code, Error};
use crate::listen::{
    Forwarded, Head, Network, Place, Received, Service, forwards, receive, request_id,
};
use crate::metrics::Metrics;
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request as Asked};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response as Answer};
use hyper::body::{Body as _, Incoming};
use hyper::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue,
};
use hyper::http::request::Parts;
use hyper::{Request, Response};
use licentia::limits::{REVOCATIONS_MAX, TARGET_MAX};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::ServiceExt;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Bytes of a body that is a license to be looked at.
const VERIFY_MAX: usize = 128 * 1024;

/// The first that sees a request, and the last that sees its answer.
pub struct Front {
    /// All paths.
    pub router: Router,
    /// How much who may ask.
    pub limits: Arc<Limits>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whose word is taken for where a request came from.
    pub trusted: Vec<Network>,
    /// Whether connections are TLS.
    pub secure: bool,
    /// Bytes of a body, at most.
    pub body_max: usize,
    /// How long a body may take.
    pub body_time: Duration,
}

/// An answer, and whether the connection is of no more use.
struct Done {
    answer: Answer,
    last: bool,
    left: Option<Left>,
}

impl Done {
    fn refused(error: &Error, id: &str, last: bool) -> Done {
        let answer = Problem::answer(error, Some(id)).into_response();
        Done { answer, last, left: None }
    }
}

impl Service for Front {
    type Body = Body;

    async fn answer(
        &self,
        request: Request<Incoming>,
        head: Head,
        peer: IpAddr,
        place: &Place,
    ) -> Response<Body> {
        let started = Instant::now();
        let (mut parts, body) = request.into_parts();
        let id = request_id(&parts.headers);
        let Forwarded { from, secure } =
            Forwarded::of(peer, self.secure, &self.trusted, &parts.headers);
        let gate = Gate::new(Arc::clone(&self.limits), from);
        let method = parts.method.clone();
        if let Ok(id) = HeaderValue::try_from(&id) {
            parts.headers.insert(REQUEST_ID, id);
        }
        parts.extensions.insert(Remote(from));
        parts.extensions.insert(Secure(secure));
        parts.extensions.insert(gate.clone());
        if peer.to_canonical().is_loopback() && !forwards(&parts.headers) {
            health::mark(&mut parts.extensions);
        }
        let done = self.reply(parts, body, head, &gate, &id, place).await;
        let last = done.last || head.last;
        let response = finish(done, &id, last);
        let route = gate.pattern().unwrap_or("other");
        let (status, took) = (response.status().as_u16(), started.elapsed());
        self.metrics.request(route, method.as_str(), status, took);
        // Of one that is made while it is taken, nobody knows yet.
        let bytes = response.body().size_hint().exact();
        note(&Line { id: &id, method: method.as_str(), route, status, bytes, took, from }, &gate);
        response
    }

    fn opened(&self) {
        self.metrics.connections().inc();
    }

    fn closed(&self) {
        self.metrics.connections().dec();
    }

    fn refused(&self, from: IpAddr, why: Option<&'static str>) {
        self.metrics.refused();
        if let Some(why) = why {
            tracing::info!(%from, why, "a connection was refused");
        }
    }
}

impl Front {
    async fn reply(
        &self,
        parts: Parts,
        body: Incoming,
        head: Head,
        gate: &Gate,
        id: &str,
        place: &Place,
    ) -> Done {
        if let Err(error) = sane(&parts, head) {
            return Done::refused(&error, id, true);
        }
        let has_body = body.size_hint().exact() != Some(0);
        let left = match self.may_ask(&parts, gate.from()) {
            Ok(left) => left,
            Err(error) => return Done::refused(&error, id, has_body),
        };
        let max = match parts.uri.path() {
            path if path.ends_with("/licenses/verify") => self.body_max.min(VERIFY_MAX),
            // A list that this server may sign, it takes back.
            path if path.ends_with("/revocations") => REVOCATIONS_MAX.max(self.body_max),
            _ => self.body_max,
        };
        let body = match receive(body, max, self.body_time).await {
            Received::Whole(body) => body,
            broken => return Done { left, ..Done::refused(&unreceived(&broken, max), id, true) },
        };
        // Half a body may be done without, and what is begun may not.
        place.works();
        let answer = self.route(Request::from_parts(parts, Body::from(body)), id).await;
        place.waits();
        Done { answer, last: false, left }
    }

    /// Has the route answer. What has begun goes on to its end where the client is gone.
    async fn route(&self, request: Request<Body>, id: &str) -> Answer {
        let router = self.router.clone();
        let answer = tokio::spawn(async move { router.oneshot(request).await }).await;
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(never)) => match never {},
            Err(_) => {
                tracing::error!(id, "a request ended in a panic");
                let what = "Something went wrong in the server: report it, with the request_id";
                Problem::answer(&Error::new(Code::Internal, what), Some(id)).into_response()
            }
        }
    }

    fn may_ask(&self, parts: &Parts, from: IpAddr) -> Result<Option<Left>, Error> {
        // Whoever watches must not find it dead because others ask much.
        if health::is_path(parts.uri.path()) {
            return Ok(None);
        }
        let key = key(&parts.headers).map(digest);
        self.limits.take(from, key.as_deref())
    }
}

/// The API key of a request, if it looks like one.
fn key(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Fails for what is not looked at any further.
fn sane(parts: &Parts, head: Head) -> Result<(), Error> {
    if let Some(why) = head.refused {
        let what = format!("This request cannot be read safely: {why}");
        return Err(Error::new(Code::Malformed, what));
    }
    if parts.uri.scheme().is_none() && parts.uri.authority().is_some() {
        return Err(Error::new(Code::Malformed, "The target of the request is no path"));
    }
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    if target.len() > TARGET_MAX {
        let what = format!("The path and the query have more than {TARGET_MAX} bytes");
        return Err(Error::new(Code::TargetTooLong, what));
    }
    let packed = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    if parts.headers.get_all(CONTENT_ENCODING).iter().any(packed) {
        let what = "The body is packed: send it without Content-Encoding";
        return Err(Error::new(Code::UnsupportedMediaType, what));
    }
    Ok(())
}

fn unreceived(received: &Received, max: usize) -> Error {
    match received {
        Received::TooLong => {
            Error::new(Code::TooLarge, format!("The body has more than {max} bytes: send less"))
        }
        Received::TooSlow => {
            let what = "The body did not arrive in time: send the request again";
            Error::new(Code::RequestTimeout, what)
        }
        Received::Broken | Received::Whole(_) => {
            Error::new(Code::Malformed, "The body ended before its end: send the request again")
        }
    }
}

/// An answer with the headers that every answer has.
fn finish(mut done: Done, id: &str, last: bool) -> Response<Body> {
    let headers = done.answer.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(Left { by, quota, remaining, reset }) = done.left {
        let policy = format!("\"{by}\";q={quota};w=60");
        let now = format!("\"{by}\";r={remaining};t={reset}");
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }
    if last {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    done.answer
}

/// Notes the pattern of a path for the log and the metrics, the same for both of its beginnings.
pub async fn note_route(request: Asked, next: Next) -> Answer {
    let gate = request.extensions().get::<Gate>();
    let matched = request.extensions().get::<MatchedPath>();
    if let (Some(gate), Some(matched)) = (gate, matched) {
        let pattern = matched.as_str();
        match pattern.strip_prefix("/v1/") {
            Some(rest) => gate.route(&format!("/api/v1/{rest}")),
            None => gate.route(pattern),
        }
    }
    next.run(request).await
}

/// One request and what became of it.
struct Line<'a> {
    id: &'a str,
    method: &'a str,
    route: &'a str,
    status: u16,
    bytes: Option<u64>,
    took: Duration,
    from: IpAddr,
}

fn note(line: &Line<'_>, gate: &Gate) {
    let Line { id, method, route, status, bytes, from, .. } = *line;
    let method = format!("{method:.16}");
    let seconds = (line.took.as_secs_f64() * 1e6).round() / 1e6;
    let caller = gate.caller();
    let organization = caller.map(|(organization, _)| tracing::field::display(organization));
    let key = caller.map(|(_, key)| tracing::field::display(key));
    if status >= 500 {
        tracing::error!(
            id, method, route, status, bytes, seconds, %from, organization, key, "request"
        );
    } else {
        tracing::info!(
            id, method, route, status, bytes, seconds, %from, organization, key, "request"
        );
    }
}
