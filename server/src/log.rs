//! The log: structured lines on standard error. Never a key, a token, a license key, or what
//! somebody sent to sign in.

use crate::listen::Lines;
use std::io::{self, Write};
use std::time::Duration;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How long the last lines are waited for.
const LAST_LINES: Duration = Duration::from_millis(500);

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// What somebody has to look at.
    Error,
    /// And what somebody should look at.
    Warn,
    /// And every request.
    #[default]
    Info,
    /// And what helps to find a fault.
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> LevelFilter {
        match level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
        }
    }
}

/// The log of this process, from [`start`] on.
pub struct Log(Lines);

/// Starts the log of this process. It can be started once: later calls change nothing.
pub fn start(format: Format, level: Level) -> Log {
    let (lines, _) = Lines::start();
    // Of libraries, what somebody should look at: some tell bytes of requests below that.
    let others = LevelFilter::from(level).min(LevelFilter::WARN);
    let targets = Targets::new().with_default(others).with_target("licentia", level);
    let layer =
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Writer(lines.clone()));
    let registry = tracing_subscriber::registry().with(targets);
    let started = match format {
        Format::Text => registry.with(layer.with_target(false)).try_init(),
        Format::Json => {
            let layer = layer.json().flatten_event(true).with_current_span(false);
            registry.with(layer.with_span_list(false)).try_init()
        }
    };
    // Somebody else's log is as good.
    let _ = started;
    Log(lines)
}

impl Log {
    /// Waits a moment for the last lines.
    pub fn end(self) {
        self.0.flush(LAST_LINES);
    }
}

/// Makes one writer for each line.
struct Writer(Lines);

/// What is written of one line.
struct Line<'a>(&'a Lines, Vec<u8>);

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0, Vec::new())
    }
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let line = String::from_utf8_lossy(&self.1);
        if !line.is_empty() {
            self.0.put(line.trim_end().to_string());
        }
    }
}
