//! How often products report: counted in memory, and written every few seconds, so that a report
//! costs no more for it. Whoever loses power loses seconds of this count, and nothing else.

use super::{DAY, Metric, SYNCS_BY_HOUR, day_of};
use crate::error::Result;
use crate::store::Store;
use crate::store::figures::{self, Model, Put};
use sea_orm::prelude::Uuid;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Seconds.
const HOUR: i64 = 3_600;

/// Products and hours that are remembered until they are written.
const PLACES_MAX: usize = 100_000;

type Key = (Uuid, Uuid, i64);

/// Reports of each organization, product and hour that are not written yet.
#[derive(Debug, Default)]
pub struct Counts(Mutex<BTreeMap<Key, i64>>);

impl Counts {
    /// One came, at a time.
    pub fn note(&self, organization: Uuid, product: Uuid, at: i64) {
        self.add((organization, product, at.div_euclid(HOUR).saturating_mul(HOUR)), 1);
    }

    fn add(&self, key: Key, more: i64) {
        let mut counts = self.counts();
        if let Some(count) = counts.get_mut(&key) {
            *count = count.saturating_add(more);
        } else if counts.len() < PLACES_MAX {
            counts.insert(key, more);
        }
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<Key, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what came since it was written last. What cannot be written is written later.
    pub async fn write(&self, store: &Store, now: i64) -> Result<()> {
        let counted = std::mem::take(&mut *self.counts());
        if counted.is_empty() {
            return Ok(());
        }
        let written = write(store, &counted, now).await;
        if written.is_err() {
            for (key, count) in counted {
                self.add(key, count);
            }
        }
        written
    }
}

async fn write(store: &Store, counted: &BTreeMap<Key, i64>, now: i64) -> Result<()> {
    let mut days: BTreeMap<Key, i64> = BTreeMap::new();
    for ((organization, product, hour), count) in counted {
        let day = days.entry((*organization, *product, day_of(*hour))).or_default();
        *day = day.saturating_add(*count);
    }
    let rows = |counts: &BTreeMap<Key, i64>, metric: &str| -> Vec<Model> {
        let row = |(key, value): (&Key, &i64)| Model {
            organization_id: key.0,
            metric: metric.to_string(),
            product_id: key.1,
            label: String::new(),
            day: key.2,
            value: *value,
            updated_at: now,
        };
        counts.iter().map(row).collect()
    };
    let tx = store.begin().await?;
    figures::put(&tx, rows(&days, Metric::Syncs.word()), Put::Add).await?;
    figures::put(&tx, rows(counted, SYNCS_BY_HOUR), Put::Add).await?;
    tx.commit().await?;
    Ok(())
}

/// Seconds for which hours are kept.
pub const HOURS_KEPT: i64 = 8 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_products_takes_no_more_than_its_place() {
        let counts = Counts::default();
        for product in 0..PLACES_MAX as u128 + 5 {
            counts.note(Uuid::nil(), Uuid::from_u128(product), 1);
        }
        counts.note(Uuid::nil(), Uuid::from_u128(1), 3_599);
        assert_eq!(counts.counts().len(), PLACES_MAX);
        assert_eq!(counts.counts()[&(Uuid::nil(), Uuid::from_u128(1), 0)], 2);
    }
}
