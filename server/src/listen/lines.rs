//! Lines of a log on their way to standard error. Nobody waits for whoever reads them.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

/// Lines that wait to be written. More are counted and left out.
const LINES_MAX: usize = 4096;

/// Bytes that are written at once, about.
const CHUNK: usize = 64 * 1024;

/// What waits.
enum Item {
    Line(String),
    /// Somebody who wants to know when everything before is written.
    Waiter(SyncSender<()>),
}

/// Where lines go. A copy is the same place.
#[derive(Clone)]
pub struct Lines {
    waiting: SyncSender<Item>,
    lost: Arc<AtomicU64>,
}

impl Lines {
    /// Starts writing to standard error. The thread ends when every copy is dropped and everything
    /// is written.
    pub fn start() -> (Lines, JoinHandle<()>) {
        Lines::to(|bytes| io::stderr().lock().write_all(bytes))
    }

    fn to<W>(out: W) -> (Lines, JoinHandle<()>)
    where
        W: FnMut(&[u8]) -> io::Result<()> + Send + 'static,
    {
        let (waiting, written) = sync_channel(LINES_MAX);
        let writer = std::thread::spawn(move || write(&written, out));
        (Lines { waiting, lost: Arc::default() }, writer)
    }

    /// Has a line written, which has no line end.
    pub fn put(&self, line: String) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let told = || format!("{} {lost} lines were lost", timestamp());
        if lost > 0 && self.waiting.try_send(Item::Line(told())).is_err() {
            self.lost.fetch_add(lost, Ordering::Relaxed);
        }
        if let Err(TrySendError::Full(_)) = self.waiting.try_send(Item::Line(line)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was put before is written, for at most `time`.
    pub fn flush(&self, time: Duration) {
        let (done, written) = sync_channel(1);
        if self.waiting.try_send(Item::Waiter(done)).is_ok() {
            let _ = written.recv_timeout(time);
        }
    }
}

/// Writes what comes until nobody is left to send. Nobody may be listening.
fn write(items: &Receiver<Item>, mut out: impl FnMut(&[u8]) -> io::Result<()>) {
    while let Ok(first) = items.recv() {
        let (mut text, mut waiters) = (String::new(), Vec::new());
        let mut next = Some(first);
        // As much at once as waits, within reason.
        while let Some(item) = next {
            match item {
                Item::Line(line) => {
                    text += &line;
                    text.push('\n');
                }
                Item::Waiter(waiter) => waiters.push(waiter),
            }
            next = if text.len() < CHUNK { items.try_recv().ok() } else { None };
        }
        let _ = out(text.as_bytes());
        for waiter in waiters {
            let _ = waiter.send(());
        }
    }
}

/// Now, as RFC 3339 with thousandths of a second.
pub fn timestamp() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let text = licentia::rfc3339(seconds);
    format!("{}.{:03}Z", text.trim_end_matches('Z'), since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn what_nobody_takes_is_counted_and_holds_nobody_up() {
        let (taken, held) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(())));
        let stop = held.lock().unwrap();
        let (bytes, wait) = (Arc::clone(&taken), Arc::clone(&held));
        let (lines, writer) = Lines::to(move |chunk| {
            let _wait = wait.lock();
            bytes.lock().unwrap().extend_from_slice(chunk);
            Ok(())
        });
        for at in 0..3 * LINES_MAX {
            lines.put(format!("line {at}"));
        }
        drop(stop);
        while !taken.lock().unwrap().starts_with(b"line 0\n") {
            std::thread::yield_now();
        }
        lines.put("the last".into());
        lines.flush(Duration::from_secs(60));
        assert!(taken.lock().unwrap().ends_with(b"the last\n"));
        drop(lines);
        writer.join().unwrap();
        let text = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        assert!(text.contains(" lines were lost\n") && text.lines().count() < 3 * LINES_MAX);
        assert!(timestamp().len() == "2026-11-22T00:00:00.000Z".len());
    }
}
