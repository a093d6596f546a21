//! The access log: one line for each request, on standard error. Never a token, a body, a query or
//! a key.

use super::config::Log as Format;
use crate::output::show;
use licentia_server::listen::{Lines, timestamp};
use serde_json::json;
use std::thread::JoinHandle;
use std::time::Duration;

/// Characters of a path that are told.
const PATH_MAX: usize = 200;

/// One request and what became of it.
pub struct Entry<'a> {
    pub id: &'a str,
    pub from: std::net::IpAddr,
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    pub status: u16,
    /// Of the body of the answer.
    pub bytes: usize,
    pub took: Duration,
    /// The name of the account.
    pub caller: Option<&'a str>,
}

/// Where the lines go. A copy is the same place.
#[derive(Clone)]
pub struct Log {
    format: Format,
    lines: Lines,
}

impl Log {
    /// Starts writing. The thread ends when the log is dropped and everything is written.
    pub fn start(format: Format) -> (Log, JoinHandle<()>) {
        let (lines, writer) = Lines::start();
        (Log { format, lines }, writer)
    }

    /// Notes a request.
    pub fn request(&self, entry: &Entry<'_>) {
        let line = match self.format {
            Format::Off => return,
            Format::Text => entry.text(&timestamp()),
            Format::Json => entry.json(&timestamp()),
        };
        self.lines.put(line);
    }

    /// Notes something else, in a sentence.
    pub fn note(&self, what: &str) {
        let what = show(what);
        self.lines.put(match self.format {
            Format::Json => json!({ "time": timestamp(), "message": what }).to_string(),
            _ => format!("{} {what}", timestamp()),
        });
    }
}

impl Entry<'_> {
    fn text(&self, time: &str) -> String {
        let Entry { id, from, method, path, status, bytes, .. } = self;
        let (method, path) = (show(method), show(&format!("{path:.PATH_MAX$}")));
        let caller = self.caller.map_or_else(|| "-".to_string(), show);
        let took = self.took.as_secs_f64() * 1000.0;
        format!(
            "{time} {method} {path} {status} {bytes} {took:.1}ms from={from} id={id} \
             caller={caller:?}"
        )
    }

    fn json(&self, time: &str) -> String {
        let took = (self.took.as_secs_f64() * 1e6).round() / 1e6;
        let object = json!({
            "time": time,
            "id": self.id,
            "from": self.from.to_string(),
            "method": self.method,
            "path": format!("{:.PATH_MAX$}", self.path),
            "status": self.status,
            "bytes": self.bytes,
            "seconds": took,
            "caller": self.caller,
        });
        object.to_string()
    }
}
