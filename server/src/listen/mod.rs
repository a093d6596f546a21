//! Connections: TLS, limits, heads that two servers cannot read differently, and places. What is
//! answered is a [`Service`]: the license server, and the agent of the command `licentia`.

mod address;
mod connections;
mod lines;
mod places;
mod request;
mod signals;
mod tended;
mod tls;
mod wire;

pub use address::{Forwarded, Network, forwards, network};
pub use connections::{Server, Service};
pub use lines::{Lines, timestamp};
pub use places::Place;
pub use request::{Received, receive, request_id};
pub use signals::{Signal, Signals};
pub use tls::{Tls, TlsFiles};
pub use wire::Head;

use std::time::Duration;

/// Files that are open besides connections.
const OTHER_FILES: u64 = 200;

/// How much, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections that are open at the same time.
    pub connections: usize,
    /// How long the head of a request may take, and the next one may be waited for.
    pub header: Duration,
    /// How long a body may take, and how long nobody may take an answer.
    pub body: Duration,
    /// How long what has begun is waited for at the end.
    pub shutdown: Duration,
}

impl Limits {
    /// Lets the process have as many files as its connections need, or takes fewer connections:
    /// there are always some left for everything else. Gives what was done about it, if anything.
    #[cfg(unix)]
    pub fn raise(&mut self) -> Option<String> {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let found = getrlimit(Resource::Nofile);
        let wanted = self.connections as u64 + OTHER_FILES;
        let now = found.current.filter(|now| *now < wanted)?;
        let most = found.maximum.map_or(wanted, |most| most.min(wanted));
        let raised = Rlimit { current: Some(most), maximum: found.maximum };
        let got = if setrlimit(Resource::Nofile, raised).is_ok() { most } else { now };
        if got >= wanted {
            return None;
        }
        self.connections = usize::try_from(got.saturating_sub(OTHER_FILES)).unwrap_or(1).max(1);
        let connections = self.connections;
        Some(format!("only {got} files may be open: there are {connections} connections"))
    }

    /// Other systems have no such number.
    #[cfg(not(unix))]
    pub fn raise(&mut self) -> Option<String> {
        None
    }
}
