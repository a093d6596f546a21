//! A server as `licentia serve` starts it: connections, limits, health and all, on SQLite in a
//! folder of its own.

use super::client::Client;
use licentia_server::Serving;
use licentia_server::clock::Clock;
use licentia_server::config::Config;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The administrator's key.
pub const ADMIN_KEY: &str = "the-key-of-the-administrator-of-tests";

/// Nothing here takes as long: a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Real {
    pub address: SocketAddr,
    serving: Option<Serving>,
    runtime: Runtime,
    folder: TempDir,
}

impl Real {
    /// With every default.
    pub fn new() -> Real {
        Real::with(|_| ())
    }

    /// With some settings changed.
    pub fn with(change: impl FnOnce(&mut Config)) -> Real {
        let folder = tempfile::Builder::new().prefix("licentia-real-").tempdir().unwrap();
        let mut config = Real::config(folder.path());
        change(&mut config);
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
        let serving = runtime.block_on(Serving::start(config, Clock::default())).unwrap();
        Real { address: serving.address(), serving: Some(serving), runtime, folder }
    }

    /// What a server on this folder is told.
    pub fn config(folder: &Path) -> Config {
        Config {
            data: folder.into(),
            listen: "127.0.0.1:0".parse().unwrap(),
            admin_key: Some(ADMIN_KEY.to_string().into()),
            ..Config::default()
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn serving(&self) -> &Serving {
        self.serving.as_ref().unwrap()
    }

    pub fn nobody(&self) -> Client {
        Client::nobody(self.address)
    }

    pub fn admin(&self) -> Client {
        self.nobody().with_key(ADMIN_KEY)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Does something with the server itself.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Has it stop as a signal does, while `meanwhile` goes on.
    pub fn stop(mut self, meanwhile: impl FnOnce()) {
        let serving = self.serving.take().unwrap();
        let stopping = self.runtime.spawn(serving.stop());
        meanwhile();
        self.runtime.block_on(stopping).unwrap();
    }
}
