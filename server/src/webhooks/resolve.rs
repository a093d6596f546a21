//! From the name of a host to its addresses, away from the threads that serve.

use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Names that are looked up at the same time. One that takes long goes on after nobody waits for it
/// any more, and holds one of these until its end.
const LOOKUPS: usize = 32;

/// Addresses, or why there are none.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Who knows names.
pub trait Resolve: Send + Sync {
    /// Every address of a name. Asked once for each webhook that is sent: what it says is judged,
    /// and then connected to.
    fn resolve<'a>(&'a self, name: &'a str) -> Found<'a>;
}

/// The system.
#[derive(Debug)]
pub struct System {
    lookups: Arc<Semaphore>,
}

impl Default for System {
    fn default() -> System {
        System { lookups: Arc::new(Semaphore::new(LOOKUPS)) }
    }
}

impl Resolve for System {
    fn resolve<'a>(&'a self, name: &'a str) -> Found<'a> {
        Box::pin(async move {
            let permit = Arc::clone(&self.lookups).acquire_owned().await;
            let permit = permit.map_err(io::Error::other)?;
            let name = name.to_string();
            let found = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs();
                drop(permit);
                found.map(|all| all.map(|one| one.ip()).collect::<Vec<_>>())
            });
            let mut found = found.await.map_err(io::Error::other)??;
            let mut seen = Vec::new();
            found.retain(|address| {
                let new = !seen.contains(address);
                seen.push(*address);
                new
            });
            Ok(found)
        })
    }
}
