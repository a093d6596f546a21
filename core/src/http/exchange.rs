//! One HTTP request, as the host has it.

use super::caller::Caller;
use crate::errors::{Code, Error, Result};
use crate::limits::{HEADER_VALUE_MAX, TARGET_MAX};

/// The headers that mean something here; every other is ignored.
const KNOWN: &[&str] = &[
    "accept",
    "content-type",
    "content-encoding",
    "host",
    "origin",
    "sec-fetch-site",
    "x-forwarded-host",
    "x-request-id",
];

/// Values of one header that are kept. Nobody sends more; where somebody does, all are wrong.
const VALUES_MAX: usize = 8;

/// What no header of a request has, in the place of one that is too long or comes too often: it is
/// no media type, no origin, and no id.
const NO_VALUE: &str = "\u{fffd}";

/// One HTTP request: method, target, headers, body, and who is asking.
#[derive(Clone)]
pub struct Exchange {
    method: String,
    path: String,
    is_too_long: bool,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    caller: Option<Caller>,
}

impl Exchange {
    /// `method` as it was sent, such as `GET`; `target` as it was sent: the path with the query,
    /// still escaped, or a whole URL, as proxies are sent. Fails with `invalid_argument` for what
    /// no web server lets through: then answer 400.
    pub fn new(method: &str, target: &str) -> Result<Exchange> {
        let refuse = |what: &str| Err(Error::new(Code::InvalidArgument, what));
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if method.is_empty() || method.len() > 32 || !method.bytes().all(is_token) {
            return refuse("the method is none that a request has");
        }
        if !target.starts_with('/') && after_scheme(target).is_none() && target != "*" {
            return refuse("the target does not begin with /: give the path and the query");
        }
        if target.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return refuse("the target is not escaped");
        }
        Ok(Exchange {
            method: method.to_string(),
            path: Some(path(target)).filter(|it| it.len() <= TARGET_MAX).unwrap_or("/").to_string(),
            is_too_long: target.len() > TARGET_MAX,
            headers: Vec::new(),
            body: Vec::new(),
            caller: None,
        })
    }

    /// Notes a header. Give all there are: most are ignored. A second one of the same name counts
    /// too. Never fails: a value that is too long for a header that matters is one that is wrong.
    pub fn add_header(&mut self, name: &str, value: &str) {
        let Some(known) = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            return;
        };
        let place = self.headers.iter().filter(|(name, _)| name == known).count();
        let fits = value.len() <= HEADER_VALUE_MAX && place < VALUES_MAX;
        if place <= VALUES_MAX {
            let value = if fits { value.trim() } else { NO_VALUE };
            self.headers.push((known, value.to_string()));
        }
    }

    /// The body, whole and as it was sent.
    pub fn set_body(&mut self, body: impl Into<Vec<u8>>) {
        self.body = body.into();
    }

    /// Who is asking, after the host has made sure of it.
    pub fn set_caller(&mut self, caller: Caller) {
        self.caller = Some(caller);
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Whether the target is longer than any that means something here.
    pub(crate) fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// Every value of a header, in their order.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(known, _)| *known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }
}

impl std::fmt::Debug for Exchange {
    /// Without the body, which may be a license, and without the query.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({} {})", self.method, self.path())
    }
}

/// The path of a target: of a URL, what comes after its host.
pub(crate) fn path(target: &str) -> &str {
    let whole = target.split(['?', '#']).next().unwrap_or_default();
    let Some(rest) = after_scheme(whole) else { return whole };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

fn after_scheme(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    known.then_some(rest)
}
