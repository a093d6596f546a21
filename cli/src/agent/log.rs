//! The access log: one line for each request, on standard error. Never a token, a body, a query or
//! a key.

use super::config::Log as Format;
use crate::output::show;
use serde_json::json;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// Lines that wait to be written. More are counted and left out: nobody waits for whoever reads.
const LINES_MAX: usize = 4096;

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

/// Where the lines go.
pub struct Log {
    format: Format,
    lines: SyncSender<String>,
    lost: AtomicU64,
}

impl Log {
    /// Starts writing. The thread ends when the log is dropped and everything is written.
    pub fn start(format: Format) -> (Log, JoinHandle<()>) {
        let (lines, written) = sync_channel(LINES_MAX);
        let writer = std::thread::spawn(move || write(&written));
        (Log { format, lines, lost: AtomicU64::new(0) }, writer)
    }

    /// Notes a request.
    pub fn request(&self, entry: &Entry<'_>) {
        let line = match self.format {
            Format::Off => return,
            Format::Text => entry.text(&now()),
            Format::Json => entry.json(&now()),
        };
        self.put(line);
    }

    /// Notes something else, in a sentence.
    pub fn note(&self, what: &str) {
        let what = show(what);
        self.put(match self.format {
            Format::Json => json!({ "time": now(), "message": what }).to_string(),
            _ => format!("{} {what}", now()),
        });
    }

    fn put(&self, line: String) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 && self.lines.try_send(format!("{} {lost} lines were lost", now())).is_err() {
            self.lost.fetch_add(lost, Ordering::Relaxed);
        }
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
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

/// Writes what comes until nobody is left to send. Nobody may be listening.
fn write(lines: &Receiver<String>) {
    while let Ok(line) = lines.recv() {
        let mut text = line + "\n";
        // As much at once as waits, within reason.
        while text.len() < 64 * 1024 {
            let Ok(line) = lines.try_recv() else { break };
            text += &line;
            text.push('\n');
        }
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

/// RFC 3339 with thousandths of a second.
fn now() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let text = licentia::rfc3339(seconds);
    format!("{}.{:03}Z", text.trim_end_matches('Z'), since.subsec_millis())
}
