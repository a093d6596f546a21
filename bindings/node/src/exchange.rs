//! One HTTP request, and its answer, between JavaScript and the core.

use licentia::{Answer, Caller, Exchange, Rights};
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

/// The longest body that is looked at. `exchange.js` cuts one that is longer, after one more byte.
#[napi]
#[cfg_attr(test, allow(dead_code))] // Nothing is handed to JavaScript there.
pub const BODY_MAX: u32 = licentia::limits::BODY_MAX as u32;

/// One HTTP request, checked for its types by `exchange.js`.
#[napi(object, object_to_js = false)]
pub struct Request {
    /// As it was sent.
    pub method: String,
    /// As it was sent.
    pub target: String,
    /// A name, its value, the next name.
    pub headers: Vec<String>,
    /// Who is asking, if anybody signed in is.
    pub caller: Option<Asking>,
}

/// Who is asking.
#[napi(object, object_to_js = false)]
pub struct Asking {
    /// What the host calls it.
    pub name: String,
    /// The bits of the C interface.
    pub rights: u32,
}

/// The answer to one HTTP request.
#[napi(object, object_from_js = false)]
pub struct Response {
    /// The HTTP status.
    pub status: u32,
    /// A name, its value, the next name.
    pub headers: Vec<String>,
    /// As it is sent.
    pub body: Buffer,
}

impl Request {
    /// Whether it can change nothing.
    pub(crate) fn only_asks(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }

    /// The same for the core, with the body.
    pub(crate) fn exchange(self, body: &[u8]) -> licentia::Result<Exchange> {
        let mut exchange = Exchange::new(&self.method, &self.target)?;
        for pair in self.headers.chunks_exact(2) {
            if let [name, value] = pair {
                exchange.add_header(name, value);
            }
        }
        exchange.set_body(body);
        if let Some(caller) = self.caller {
            exchange.set_caller(Caller::new(&caller.name, Rights::from_bits(caller.rights)?)?);
        }
        Ok(exchange)
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Response {
        let headers = answer.headers().flat_map(|(name, value)| [name, value]);
        Response {
            status: answer.status().into(),
            headers: headers.map(str::to_string).collect(),
            body: Buffer::from(answer.body()),
        }
    }
}
