//! What the process is told from outside.

/// One thing that it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// To stop: SIGTERM or SIGINT.
    Stop,
    /// To read its certificate again: SIGHUP.
    Reload,
}

/// Everything that it is told from now on: nothing of it ends the process by itself.
#[cfg(unix)]
pub struct Signals([std::io::Result<tokio::signal::unix::Signal>; 3]);

/// Everything that it is told from now on: nothing of it ends the process by itself.
#[cfg(not(unix))]
pub struct Signals;

impl Signals {
    /// Has to be called within a tokio runtime.
    #[cfg(unix)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Signals {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
        Signals(kinds.map(signal))
    }

    /// Has to be called within a tokio runtime.
    #[cfg(not(unix))]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Signals {
        Signals
    }

    /// Waits for the next.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Signal {
        let [Ok(terminate), Ok(interrupt), Ok(hangup)] = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => Signal::Stop,
            _ = interrupt.recv() => Signal::Stop,
            _ = hangup.recv() => Signal::Reload,
        }
    }

    /// Waits for the next.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Signal {
        let _ = tokio::signal::ctrl_c().await;
        Signal::Stop
    }
}
