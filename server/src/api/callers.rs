//! Who has an API key, looked up for all who ask at the same time: each key once, and after each
//! of them asked, so that a key that was revoked is refused from then on.

use crate::batch::{Batch, Run};
use crate::error::Result;
use crate::store::{Engine, Store, api_keys, organizations};
use std::collections::HashMap;
use std::sync::Arc;

/// Whoever has a key that is good, and whose it is.
pub type Known = Option<(api_keys::Model, organizations::Model)>;

/// Those who ask.
pub struct Callers {
    reads: Arc<Reads>,
    batch: Arc<Batch<Reads>>,
}

struct Reads(Store);

impl Callers {
    /// Of a database.
    pub fn new(store: &Store) -> Callers {
        let lanes = if store.engine() == Engine::Postgres { 8 } else { 4 };
        Callers { reads: Arc::new(Reads(store.clone())), batch: Arc::new(Batch::new(lanes)) }
    }

    /// The key with this digest, if it is good at a time.
    pub async fn find(&self, digest: &str, now: i64) -> Result<Known> {
        self.batch.submit(&self.reads, (digest.to_string(), now)).await
    }
}

impl Run for Reads {
    type Job = (String, i64);
    type Done = Known;

    async fn run(&self, jobs: &[(String, i64)]) -> Result<Vec<Result<Known>>> {
        let mut found: HashMap<&(String, i64), Known> = HashMap::new();
        for job in jobs {
            if !found.contains_key(job) {
                found.insert(job, api_keys::find(self.0.read(), &job.0, job.1).await?);
            }
        }
        Ok(jobs.iter().map(|job| Ok(found.get(job).cloned().flatten())).collect())
    }
}
