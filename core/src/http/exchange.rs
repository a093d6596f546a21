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

/// One HTTP request: method, target, headers, body, and who is asking.
#[derive(Clone)]
pub struct Exchange {
    method: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    caller: Option<Caller>,
}

impl Exchange {
    /// `method` as it was sent, such as `GET`; `target` as it was sent: the path with the query,
    /// still escaped. Fails with `invalid_argument` for what no request has.
    pub fn new(method: &str, target: &str) -> Result<Exchange> {
        let refuse = |what: &str| Err(Error::new(Code::InvalidArgument, what));
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if method.is_empty() || method.len() > 32 || !method.bytes().all(is_token) {
            return refuse("the method is none that a request has");
        }
        if !target.starts_with('/') && target != "*" {
            return refuse("the target does not begin with /: give the path and the query");
        }
        if target.len() > TARGET_MAX || target.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return refuse("the target is too long, or not escaped");
        }
        Ok(Exchange {
            method: method.to_string(),
            target: target.to_string(),
            headers: Vec::new(),
            body: Vec::new(),
            caller: None,
        })
    }

    /// Notes a header. Give all there are: most are ignored. A second one of the same name counts
    /// too. Never fails: a value that is too long for a header that matters is one that is wrong.
    pub fn add_header(&mut self, name: &str, value: &str) {
        let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(known) = known.filter(|_| self.headers.len() < 4 * KNOWN.len()) {
            let cut = if value.len() > HEADER_VALUE_MAX { "\u{fffd}" } else { value.trim() };
            self.headers.push((known, cut.to_string()));
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
        path(&self.target)
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

/// The path of a target.
pub(crate) fn path(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}
