//! One request and its answer: the license API from core, and a few paths of the agent's own.

use super::accounts::{Accounts, Login};
use super::config;
use super::log::{Entry, Log};
use super::metrics::{self, Metrics};
use super::reply::Reply;
use http_body_util::Full;
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::{Request, Response};
use licentia::limits::{BODY_MAX, TARGET_MAX};
use licentia::{Exchange, Installation, Rights};
use licentia_server::listen::{Head, Place, Received, Service, receive, request_id};
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Names the key that signed the product file, in every answer.
const PRODUCT_KEY: &str = "licentia-product-key";

/// What somebody who has to sign in is asked for: browsers know the first only.
const SCHEMES: &[&str] =
    &["Basic realm=\"licentia\", charset=\"UTF-8\"", "Bearer realm=\"licentia\""];

/// What requests are answered from.
pub struct Agent {
    pub installation: Arc<Installation>,
    pub accounts: Arc<Accounts>,
    /// The name of the key that signed the product file.
    pub product_key: String,
    /// The path of the page.
    pub page: String,
    pub metrics: Arc<Metrics>,
    pub shows_metrics: config::Metrics,
    pub log: Log,
    /// How long a body may take.
    pub body_time: Duration,
    /// Turns of those who may change something.
    pub writers: Semaphore,
}

/// A request without its body.
struct Asked {
    method: String,
    target: String,
    path: String,
    headers: HeaderMap,
    id: String,
    from: IpAddr,
}

/// An answer, and what is to be known of how it came about.
struct Done {
    reply: Reply,
    caller: Option<String>,
    /// Whether the connection is of no more use.
    last: bool,
}

impl Service for Agent {
    type Body = Full<Bytes>;

    async fn answer(
        &self,
        request: Request<Incoming>,
        head: Head,
        from: IpAddr,
        place: &Place,
    ) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str()).to_string();
        let asked = Asked {
            method: parts.method.as_str().to_string(),
            path: parts.uri.path().to_string(),
            target,
            id: request_id(&parts.headers),
            headers: parts.headers,
            from,
        };
        let Done { mut reply, caller, last } = self.reply(&asked, body, head, place).await;
        if asked.method == "HEAD" {
            reply = reply.without_body();
        }
        reply.add(PRODUCT_KEY, &self.product_key);
        reply.add("x-request-id", &asked.id);
        if last || head.last {
            reply.add("connection", "close");
        }
        let took = started.elapsed();
        self.metrics.request(self.route(&asked), &asked.method, reply.status, took);
        self.log.request(&Entry {
            id: &asked.id,
            from,
            method: &asked.method,
            path: &asked.path,
            status: reply.status,
            bytes: reply.len(),
            took,
            caller: caller.as_deref(),
        });
        reply.into_response()
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
            self.log.note(&format!("a connection from {from} was refused with {why}"));
        }
    }
}

impl Agent {
    async fn reply(&self, asked: &Asked, body: Incoming, head: Head, place: &Place) -> Done {
        if let Some(why) = head.refused {
            let what = format!("This request cannot be read safely: {why}");
            return Done { last: true, ..asked.problem(400, "malformed", &what).into() };
        }
        if asked.target.len() > TARGET_MAX {
            let what = format!("The path and the query have more than {TARGET_MAX} bytes");
            return Done { last: true, ..asked.problem(414, "too_large", &what).into() };
        }
        if !self.installation.serves(&asked.target) {
            let has_body = body.size_hint().lower() > 0 || head.last;
            if let Some(done) = self.own(asked).await {
                return Done { last: has_body, ..done };
            }
        }
        let received = receive(body, BODY_MAX, self.body_time).await;
        // Half a body may be done without, and what is begun may not.
        place.works();
        let done = self.received(asked, received).await;
        place.waits();
        done
    }

    async fn received(&self, asked: &Asked, received: Received) -> Done {
        match received {
            Received::Whole(body) => self.core(asked, body).await,
            // One byte too many, whatever it is: core says so where it comes to that.
            Received::TooLong => {
                Done { last: true, ..self.core(asked, vec![0; BODY_MAX + 1]).await }
            }
            Received::TooSlow => {
                let what = "The body did not arrive in time: send the request again";
                Done { last: true, ..asked.problem(408, "request_timeout", what).into() }
            }
            Received::Broken => {
                let what = "The body ended before its end: send the request again";
                Done { last: true, ..asked.problem(400, "malformed", what).into() }
            }
        }
    }

    /// Has core answer, on a thread that may wait for files.
    async fn core(&self, asked: &Asked, body: Vec<u8>) -> Done {
        let login = self.login(asked).await;
        let exchange = Exchange::new(&asked.method, &asked.target);
        let mut exchange = match exchange {
            Ok(exchange) => exchange,
            Err(error) => return asked.problem(400, error.slug(), &error.to_string()).into(),
        };
        // Its own id comes with the others only if it is one.
        exchange.add_header("x-request-id", &asked.id);
        for (name, value) in asked.headers.iter().filter(|(name, _)| *name != "x-request-id") {
            exchange.add_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
        }
        exchange.set_body(body);
        let mut name = None;
        if let Login::Known(caller) = &login {
            name = Some(caller.name().to_string());
            exchange.set_caller(caller.clone());
        }
        // It may wait for the vendor's server, and keeps no thread from who reads.
        let reads = matches!(asked.method.as_str(), "GET" | "HEAD");
        let _turn = if reads { None } else { self.writers.acquire().await.ok() };
        let it = Arc::clone(&self.installation);
        let answer = tokio::task::spawn_blocking(move || it.handle(&exchange)).await;
        let Ok(answer) = answer else {
            self.log.note(&format!("error: the request {} ended in a panic", asked.id));
            let what = "Something went wrong here: please report it, with the request's id";
            return asked.problem(500, "internal", what).into();
        };
        let mut reply = match (login, answer.status()) {
            // Who is asking was not looked at, and it matters.
            (Login::TooMany(seconds), 401 | 403) => asked.too_many(seconds),
            _ => Reply::of(&answer),
        };
        if reply.status == 401 {
            ask_to_sign_in(&mut reply);
        }
        Done { reply, caller: name, last: false }
    }

    /// What is the agent's own; `None` = nothing is there.
    async fn own(&self, asked: &Asked) -> Option<Done> {
        let known = matches!(asked.path.as_str(), "/" | "/healthz" | "/readyz" | "/metrics");
        if !known {
            return None;
        }
        if asked.method != "GET" && asked.method != "HEAD" {
            let what = "This path takes GET, HEAD only";
            let mut reply = asked.problem(405, "method_not_allowed", what);
            reply.add("allow", "GET, HEAD");
            return Some(reply.into());
        }
        let plain = "text/plain; charset=utf-8";
        match asked.path.as_str() {
            "/" => Some(Reply::redirect(&self.page).into()),
            "/healthz" => Some(Reply::text(200, plain, "ok\n").into()),
            "/readyz" if self.is_ready().await => Some(Reply::text(200, plain, "ok\n").into()),
            "/readyz" => Some(Reply::text(503, plain, "the state cannot be used\n").into()),
            _ if self.shows_metrics == config::Metrics::Off => None,
            _ => Some(self.metrics(asked).await),
        }
    }

    async fn metrics(&self, asked: &Asked) -> Done {
        let mut name = None;
        if self.shows_metrics == config::Metrics::Read {
            match self.login(asked).await {
                Login::Known(caller) if caller.rights().has(Rights::READ) => {
                    name = Some(caller.name().to_string());
                }
                Login::Known(caller) => {
                    let reply = asked.problem(403, "forbidden", "Not enough permissions");
                    return Done { caller: Some(caller.name().to_string()), ..reply.into() };
                }
                Login::TooMany(seconds) => return asked.too_many(seconds).into(),
                Login::Stranger | Login::Wrong => {
                    let mut reply = asked.problem(401, "unauthorized", "Not authenticated");
                    ask_to_sign_in(&mut reply);
                    return reply.into();
                }
            }
        }
        // It looks at the folder.
        let it = Arc::clone(&self.metrics);
        let page = tokio::task::spawn_blocking(move || it.text()).await.unwrap_or_default();
        Done { caller: name, ..Reply::text(200, metrics::MEDIA_TYPE, page).into() }
    }

    async fn is_ready(&self) -> bool {
        let it = Arc::clone(&self.installation);
        let status = tokio::task::spawn_blocking(move || it.status(None).unwrap_or_default()).await;
        let status: Value = serde_json::from_str(&status.unwrap_or_default()).unwrap_or_default();
        status["state"]["ok"] == true
    }

    async fn login(&self, asked: &Asked) -> Login {
        let headers: Vec<&[u8]> =
            asked.headers.get_all("authorization").iter().map(|value| value.as_bytes()).collect();
        self.accounts.login(&headers, asked.from).await
    }

    /// One of a few names, to count by.
    fn route<'a>(&self, asked: &'a Asked) -> &'a str {
        let own = matches!(asked.path.as_str(), "/" | "/healthz" | "/readyz" | "/metrics");
        if own || self.installation.serves(&asked.target) { &asked.path } else { "other" }
    }
}

impl Asked {
    fn problem(&self, status: u16, code: &str, detail: &str) -> Reply {
        Reply::problem(status, code, detail, &self.path, &self.id)
    }

    fn too_many(&self, seconds: u64) -> Reply {
        let what = format!("Too many wrong passwords: try again in {seconds} seconds");
        let mut reply = self.problem(429, "too_many_attempts", &what);
        reply.add("retry-after", &seconds.to_string());
        reply
    }
}

impl From<Reply> for Done {
    fn from(reply: Reply) -> Done {
        Done { reply, caller: None, last: false }
    }
}

/// In the place of what core asks for, which knows no names and passwords.
fn ask_to_sign_in(reply: &mut Reply) {
    reply.remove("www-authenticate");
    for scheme in SCHEMES {
        reply.add("www-authenticate", scheme);
    }
}
