//! The answer to one HTTP request.

use serde::Serialize;

/// The answer to one HTTP request: a status, headers, a body. The host sends it as it is, and adds
/// what is its own: `content-length`, `date`, `connection`.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What JSON is called.
pub(crate) const JSON: &str = "application/json";

impl Answer {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers: names in lower case, each once.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// One header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// An answer with no body.
    pub(crate) fn empty(status: u16) -> Answer {
        let headers = vec![
            ("cache-control", "no-store".to_string()),
            ("x-content-type-options", "nosniff".to_string()),
        ];
        Answer { status, headers, body: Vec::new() }
    }

    /// An answer of a media type.
    pub(crate) fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
        let mut answer = Answer::empty(status).with("content-type", media_type);
        answer.body = body.into();
        answer
    }

    /// JSON: what is served is made from fixed types, which do not fail to be written.
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Answer {
        Answer::new(status, JSON, serde_json::to_vec(value).unwrap_or_default())
    }

    /// The same with another header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// The same without its body: what a HEAD gets.
    pub(crate) fn without_body(mut self) -> Answer {
        self.body.clear();
        self
    }
}

impl std::fmt::Debug for Answer {
    /// Without the body, which may name the customer: it may end up in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}
