//! Totals made of nothing but what was used, for tests of what reads them.

use super::meter::Entry;
use super::record::Record;
use super::totals::Totals;
use crate::feature::Feature;
use std::sync::Arc;

impl Totals {
    /// What so many entries come to, each at its time, whatever their limits.
    pub(crate) fn made(entries: &[(Feature, Entry, i64)]) -> Totals {
        let mut totals = Totals::default();
        for (feature, entry, at) in entries {
            let unlimited = Feature { max: None, over: None, then: None, ..feature.clone() };
            let Ok(Some((kind, event))) = totals.admit(&unlimited, *entry, *at) else { continue };
            let known = totals.index(&feature.id);
            let place = known.unwrap_or_else(|| {
                Arc::make_mut(&mut totals.features).push(feature.id.clone());
                u16::try_from(totals.features.len() - 1).unwrap()
            });
            let record = Record { event, feature: place, kind };
            assert!(totals.apply(&record.to_bytes(), &record), "{record:?}");
        }
        totals
    }
}
