//! From the name of a host to its addresses, away from the threads that serve.

use sea_orm::prelude::Uuid;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Names that are looked up at the same time, and those of one organization. One that takes long
/// goes on after nobody waits for it any more, and holds one of these until its end.
const LOOKUPS: usize = 32;
const OF_AN_ORGANIZATION: usize = 8;

/// Addresses, or why there are none.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Who knows names.
pub trait Resolve: Send + Sync {
    /// Every address of a name. Asked once for each webhook that is sent: what it says is judged,
    /// and then connected to.
    fn resolve<'a>(&'a self, name: &'a str) -> Found<'a>;
}

/// Who may look up a name now.
#[derive(Debug)]
pub struct Lookups {
    all: Arc<Semaphore>,
    /// Those of organizations that have any, or wait for one.
    of: Mutex<HashMap<Uuid, Arc<Semaphore>>>,
}

/// One name that may be looked up, until this is dropped.
#[derive(Debug)]
pub struct Lookup {
    _all: OwnedSemaphorePermit,
    _of: OwnedSemaphorePermit,
}

impl Default for Lookups {
    fn default() -> Lookups {
        Lookups { all: Arc::new(Semaphore::new(LOOKUPS)), of: Mutex::default() }
    }
}

impl Lookups {
    /// Waits until an organization may look up one more.
    pub async fn wait(&self, organization: Uuid) -> Option<Lookup> {
        let share = self.share(organization);
        let _of = share.acquire_owned().await.ok()?;
        let _all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Lookup { _all, _of })
    }

    fn share(&self, organization: Uuid) -> Arc<Semaphore> {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever has one, or waits, holds it.
        of.retain(|_, share| Arc::strong_count(share) > 1);
        let share = of.entry(organization);
        Arc::clone(share.or_insert_with(|| Arc::new(Semaphore::new(OF_AN_ORGANIZATION))))
    }
}

/// The system.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, name: &'a str) -> Found<'a> {
        Box::pin(async move {
            let name = name.to_string();
            let found = tokio::task::spawn_blocking(move || {
                let found = (name.as_str(), 0).to_socket_addrs();
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
