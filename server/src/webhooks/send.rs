//! One webhook on its way: looked up once, every address judged, connected to one of them, and its
//! answer heard. No redirect is followed, no proxy asked, nothing kept of one call for another.

use super::address::{Guard, Refused, Target};
use super::resolve::{Lookup, Lookups, Resolve, System};
use super::trust::Trust;
use crate::error::{Error, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sea_orm::prelude::Uuid;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use url::Host;

/// How long all of it may take: the name, the connection, the request, the answer.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// Bytes of an answer that are read.
pub const ANSWER_MAX: usize = 64 * 1024;
/// Bytes of it that are kept to be looked at.
pub const EXCERPT_MAX: usize = 1024;
/// Headers of an answer, and the bytes of all of them.
const HEADERS_MAX: usize = 100;
const HEAD_MAX: usize = 64 * 1024;
/// Addresses that are tried.
const TRIES: usize = 4;
/// The longest wait that an answer can ask for, in seconds: a week.
const WAIT_MAX: u64 = 7 * 86_400;

/// Why there is no answer. What is inside this server's network is never told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The URL is none that webhooks go to.
    NotAllowed,
    /// The name leads nowhere, or to where webhooks do not go.
    NoAddress,
    /// Nobody takes connections there.
    Unreachable,
    /// There is no TLS, or not with a certificate that counts for this name.
    Tls,
    /// What came is no answer of HTTP/1.1.
    BadAnswer,
    /// It took too long.
    Timeout,
}

impl Failure {
    /// Every one.
    pub const ALL: [Failure; 6] = [
        Failure::NotAllowed,
        Failure::NoAddress,
        Failure::Unreachable,
        Failure::Tls,
        Failure::BadAnswer,
        Failure::Timeout,
    ];

    /// The word for programs. It never changes.
    pub const fn slug(self) -> &'static str {
        match self {
            Failure::NotAllowed => "not_allowed",
            Failure::NoAddress => "no_address",
            Failure::Unreachable => "unreachable",
            Failure::Tls => "tls",
            Failure::BadAnswer => "bad_answer",
            Failure::Timeout => "timeout",
        }
    }

    /// A sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Failure::NotAllowed => "This server sends no webhooks to this URL",
            Failure::NoAddress => "The host has no address that webhooks may go to",
            Failure::Unreachable => "The host takes no connections",
            Failure::Tls => {
                "There is no TLS with a certificate that counts for the host and is in its time"
            }
            Failure::BadAnswer => "The answer is not HTTP/1.1",
            Failure::Timeout => "There was no answer in 15 seconds",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// What came of one webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// The status of the answer; `None` = there is none.
    pub status: Option<u16>,
    /// Why there is none.
    pub error: Option<Failure>,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// The beginning of the answer's body, for people: at most 1,024 bytes.
    pub excerpt: String,
    /// Seconds after which the receiver wants to be asked again (RFC 9110, section 10.2.3).
    pub retry_after: Option<u64>,
}

impl Sent {
    /// Whether the receiver says that it has it: a status of 2xx.
    pub fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Who sends webhooks.
#[derive(Clone)]
pub struct Sender {
    guard: Guard,
    names: Arc<dyn Resolve>,
    lookups: Arc<Lookups>,
    trust: Arc<Trust>,
    patience: Duration,
}

impl Default for Sender {
    /// To the internet over https, with the system's authorities.
    fn default() -> Sender {
        Sender::new(Guard::default())
    }
}

impl Sender {
    /// To where the guard allows, with the system's authorities.
    pub fn new(guard: Guard) -> Sender {
        let trust = Arc::new(Trust::default());
        let (names, lookups) = (Arc::new(System), Arc::default());
        Sender { guard, names, lookups, trust, patience: PATIENCE }
    }

    /// Believing these authorities as well.
    pub fn with_trust(self, trust: Trust) -> Sender {
        Sender { trust: Arc::new(trust), ..self }
    }

    /// Asking somebody else for the addresses of names.
    pub fn with_names(self, names: Arc<dyn Resolve>) -> Sender {
        Sender { names, ..self }
    }

    /// Waiting so long, in place of 15 seconds.
    pub fn with_patience(self, patience: Duration) -> Sender {
        Sender { patience, ..self }
    }

    /// Whether webhooks can go to a URL, as far as it says itself: no name is looked up, so that
    /// the answer says nothing of any. Fails with `invalid_argument`.
    pub fn check(&self, url: &str) -> Result<()> {
        let refused = |Refused(why): Refused| Error::invalid(why);
        self.guard.target(url).map(drop).map_err(refused)
    }

    /// Posts a body of an organization. Never fails: what goes wrong is told. `None` = nothing was
    /// tried, for too many names are being looked up.
    pub async fn post(
        &self,
        organization: Uuid,
        url: &str,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Option<Sent> {
        let target = self.guard.target(url);
        let lookup = match &target {
            Ok(Target { host: Host::Domain(_), .. }) => {
                let turn = timeout(self.patience, self.lookups.wait(organization)).await;
                Some(turn.ok().flatten()?)
            }
            Ok(_) | Err(_) => None,
        };
        // To wait for others is no part of it.
        let begun = Instant::now();
        let mut sent = match target {
            Err(_) => failed(Failure::NotAllowed),
            Ok(target) => {
                let ends = begun + self.patience;
                let asked = self.ask(&target, lookup, headers, body, ends);
                let answered = timeout_at(ends, asked).await;
                match answered.unwrap_or(Err(Failure::Timeout)) {
                    Ok(response) => heard(response, ends).await,
                    Err(failure) => failed(failure),
                }
            }
        };
        sent.millis = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        Some(sent)
    }

    /// Up to the head of the answer.
    async fn ask(
        &self,
        target: &Target,
        lookup: Option<Lookup>,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
        ends: Instant,
    ) -> std::result::Result<Heard, Failure> {
        let found = self.addresses(target, lookup).await.ok_or(Failure::NoAddress)?;
        let places = self.guard.places(target, &found).ok_or(Failure::NoAddress)?;
        let stream = connect(&places, ends).await.ok_or(Failure::Unreachable)?;
        let request = request(target, headers, body).ok_or(Failure::NotAllowed)?;
        if !target.secure {
            return exchange(stream, request).await;
        }
        let connector = self.trust.connector().await.ok_or(Failure::Tls)?;
        let name = Trust::name(&target.host).ok_or(Failure::Tls)?;
        let stream = connector.connect(name, stream).await.map_err(|_| Failure::Tls)?;
        exchange(stream, request).await
    }

    /// Every address of the host. Asked once.
    async fn addresses(&self, target: &Target, lookup: Option<Lookup>) -> Option<Vec<IpAddr>> {
        match &target.host {
            Host::Ipv4(address) => Some(vec![(*address).into()]),
            Host::Ipv6(address) => Some(vec![(*address).into()]),
            Host::Domain(name) => {
                let (names, name) = (Arc::clone(&self.names), name.clone());
                // It goes on after nobody waits for it, and has its place so long.
                let found = tokio::spawn(async move {
                    let found = names.resolve(&name).await;
                    drop(lookup);
                    found
                });
                found.await.ok()?.ok()
            }
        }
    }
}

/// An answer whose body is still to come. The connection ends with it.
struct Heard {
    response: Response<Incoming>,
    _connection: Connection,
}

/// The task that reads and writes, which ends when this is dropped.
struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One of the addresses, and no other. Where one is silent, there is time for the next.
async fn connect(places: &[SocketAddr], ends: Instant) -> Option<TcpStream> {
    let tries = places.len().min(TRIES);
    for (place, ways) in places.iter().zip((1..=u32::try_from(tries).ok()?).rev()) {
        let left = ends.saturating_duration_since(Instant::now()) / ways;
        if let Ok(Ok(stream)) = timeout(left, TcpStream::connect(place)).await {
            let _ = stream.set_nodelay(true);
            return Some(stream);
        }
    }
    None
}

fn request(
    target: &Target,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
) -> Option<Request<Full<Bytes>>> {
    let agent = concat!("licentia/", env!("CARGO_PKG_VERSION"));
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::USER_AGENT, agent)
        .header(header::CONNECTION, "close")
        .body(Full::new(body))
        .ok()?;
    request.headers_mut().extend(headers);
    Some(request)
}

async fn exchange<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> std::result::Result<Heard, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let shaken = http1::Builder::new()
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_MAX)
        .handshake(TokioIo::new(stream))
        .await;
    let (mut sender, connection) = shaken.map_err(|_| Failure::BadAnswer)?;
    let task = tokio::spawn(async move {
        let _ = connection.await;
    });
    let connection = Connection(task.abort_handle());
    let response = sender.send_request(request).await.map_err(|_| Failure::BadAnswer)?;
    Ok(Heard { response, _connection: connection })
}

/// Reads what is looked at of a body. The status stands, however the body goes on.
async fn heard(mut heard: Heard, ends: Instant) -> Sent {
    let status = heard.response.status().as_u16();
    let retry_after = retry_after(heard.response.headers());
    let mut start = Vec::new();
    let mut read = 0;
    while read < ANSWER_MAX {
        let frame = timeout_at(ends, heard.response.body_mut().frame()).await;
        let Ok(Some(Ok(frame))) = frame else { break };
        let Some(data) = frame.data_ref() else { continue };
        read += data.len();
        let room = (EXCERPT_MAX - start.len()).min(data.len());
        start.extend_from_slice(data.get(..room).unwrap_or_default());
    }
    let excerpt = excerpt(&start);
    Sent { status: Some(status), error: None, millis: 0, excerpt, retry_after }
}

fn failed(failure: Failure) -> Sent {
    Sent { error: Some(failure), ..Sent::default() }
}

/// Text that changes nothing where it is shown: signs that steer a terminal, or turn the order of
/// the others, are `U+FFFD`, as bytes are that are no UTF-8.
fn excerpt(bytes: &[u8]) -> String {
    let mut text = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        let c = match c {
            '\n' | '\r' | '\t' => ' ',
            '\u{61c}' | '\u{200e}' | '\u{200f}' => char::REPLACEMENT_CHARACTER,
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        if text.len() + c.len_utf8() > EXCERPT_MAX {
            break;
        }
        text.push(c);
    }
    text
}

/// Seconds, or a date, which is taken from the answer's own: whose clock is right does not matter.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        return Some(text.parse().unwrap_or(WAIT_MAX).min(WAIT_MAX));
    }
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let [then, now] = [text, date].map(httpdate::parse_http_date);
    let wait = then.ok()?.duration_since(now.ok()?).unwrap_or_default();
    Some(wait.as_secs().min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_steers_nothing() {
        let text = excerpt(b"\x1b[31mred\x07\r\nnext\tcolumn\0 \xff\xe2\x80\xaegnol");
        assert_eq!(text, "\u{fffd}[31mred\u{fffd}  next column\u{fffd} \u{fffd}\u{fffd}gnol");
        for bytes in [vec![0xff; 4096], "ä".repeat(4096).into_bytes(), vec![b'a'; 4096]] {
            let text = excerpt(&bytes);
            assert!(text.len() <= EXCERPT_MAX && text.len() > EXCERPT_MAX - 4, "{}", text.len());
        }
    }

    #[test]
    fn when_to_come_again_is_seconds_or_a_date() {
        let of = |wait: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_str(wait).unwrap());
            if let Some(date) = date {
                headers.insert(header::DATE, HeaderValue::from_str(date).unwrap());
            }
            retry_after(&headers)
        };
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(of("120", None), Some(120));
        assert_eq!(of("99999999999999999999999", None), Some(WAIT_MAX));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT", now), Some(60));
        assert_eq!(of("Sun, 06 Nov 1994 08:48:37 GMT", now), Some(0));
        assert_eq!(of("Sat, 06 Nov 2094 08:48:37 GMT", now), Some(WAIT_MAX));
        assert_eq!(of("Sun, 06 Nov 1994 08:50:37 GMT", None), None);
        for wrong in ["", "-1", "1.5", "soon", "+1"] {
            assert_eq!(of(wrong, now), None, "{wrong}");
        }
    }
}
