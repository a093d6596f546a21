//! A license server that runs in this process, on a database of its own, with a clock that the
//! test sets.

use licentia_server::Serving;
use licentia_server::clock::Clock;
use licentia_server::config::{Config, Rates};
use licentia_tests::server::{ADMIN_KEY, Server};
use std::path::Path;
use tokio::runtime::{Builder, Runtime};
use zeroize::Zeroizing;

/// When everything begins: 2026-01-15 10:30:00 UTC.
pub const BEGIN: i64 = 1_768_473_000;

/// A server, its administrator and its clock.
pub struct World {
    pub admin: Server,
    clock: Clock,
    serving: Option<Serving>,
    runtime: Runtime,
}

impl World {
    /// One with its data in a folder, and its database there or at this URL.
    pub fn start(data: &Path, database: Option<&str>) -> World {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock = Clock::default();
        clock.set(Some(BEGIN));
        let config = Config {
            data: data.to_path_buf(),
            database: database.map(|url| Zeroizing::new(url.to_string())),
            listen: "127.0.0.1:0".parse().unwrap(),
            admin_key: Some(Zeroizing::new(ADMIN_KEY.to_string())),
            // Days go by in seconds here.
            rates: Rates { key: None, address: None, wrong: None },
            ..Config::default()
        };
        let serving = runtime.block_on(Serving::start(config, clock.clone())).unwrap();
        let admin = Server::at(&format!("http://{}", serving.address()));
        World { admin, clock, serving: Some(serving), runtime }
    }

    /// It is this time there now.
    pub fn set(&self, at: i64) {
        self.clock.set(Some(at));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            self.runtime.block_on(serving.stop());
        }
    }
}
