//! Recording what is used: one verb for each kind of meter.

use super::gate::Known;
use super::{Installation, Usage};
use crate::errors::{Code, Error, Result};
use crate::feature::{Feature, UNLIMITED, is_feature_id};
use crate::limits::METER_KEY_MAX;
use crate::usage::Entry;
use crate::verdict::{self, Access};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Whether a caller waits for the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

impl Installation {
    /// Records an entry on a feature, where it is metered.
    pub(crate) fn enter(&self, id: &str, entry: Entry, wait: Wait) -> Result<()> {
        self.enter_as(id, wait, |_| Ok(entry))
    }

    /// Records one of different keys, where they are counted.
    pub(crate) fn enter_key(&self, id: &str, key: &str) -> Result<()> {
        if key.is_empty() || key.len() > METER_KEY_MAX {
            let what = format!("a key has 1 to {METER_KEY_MAX} bytes, not {}", key.len());
            return Err(Error::new(Code::InvalidArgument, what));
        }
        self.enter_as(id, Wait::Yes, |snapshot| Ok(Entry::Key(self.hash_key(snapshot, id, key)?)))
    }

    /// The entry is made only where it is recorded: nothing else needs the folder.
    fn enter_as(
        &self,
        id: &str,
        wait: Wait,
        entry: impl FnOnce(&Known) -> Result<Entry>,
    ) -> Result<()> {
        let snapshot = self.answers();
        let Some(feature) = meter(&snapshot, id)? else { return Ok(()) };
        self.check_writable()?;
        let entry = entry(&snapshot)?;
        let recorded = match wait {
            Wait::Yes => self.ledger.record(&feature, entry, snapshot.now.at),
            Wait::No => self.ledger.record_later(&feature, entry, snapshot.now.at),
        };
        if feature.max.is_some() {
            // The limit may have been reached, by others too: this process knows at once.
            self.note_usage(&feature);
        }
        recorded
    }

    /// The name of a key as it is kept: 16 bytes that nobody without this state can guess from it.
    fn hash_key(&self, snapshot: &Known, feature: &str, key: &str) -> Result<[u8; 16]> {
        let state = snapshot.view.state.as_ref().ok_or_else(|| self.no_state(snapshot))?;
        let mac = Hmac::<Sha256>::new_from_slice(&state.key("distinct")?)
            .map_err(|_| Error::new(Code::Internal, "a secret of no length"))?;
        let whole = mac.chain_update(feature).chain_update([0]).chain_update(key).finalize();
        let mut hash = [0; 16];
        hash.iter_mut().zip(whole.into_bytes()).for_each(|(to, from)| *to = from);
        Ok(hash)
    }

    pub(crate) fn usage_of(&self, id: &str) -> Result<Usage> {
        let snapshot = self.fresh();
        let Some(feature) = meter(&snapshot, id)? else {
            return Ok(Usage { used: 0, limit: UNLIMITED, resets_at: None });
        };
        let used = self.ledger.totals()?.of(&feature, snapshot.now.at);
        Ok(Usage { used: used.used, limit: feature.limit(), resets_at: used.resets_at })
    }
}

/// The feature, if what is used of it is counted. `None` where nothing is: without a license
/// while none is needed, and of a feature that the vendor does not measure.
fn meter(snapshot: &Known, id: &str) -> Result<Option<Feature>> {
    if !is_feature_id(id) {
        let what = format!("{id:.64} is not the id of a feature");
        return Err(Error::new(Code::InvalidArgument, what));
    }
    let facts = &snapshot.view.facts;
    let ruling = verdict::rule(facts, &snapshot.now);
    if ruling.access < Access::Warn {
        return Err(verdict::judge(facts, &snapshot.now).error());
    }
    if ruling.otherwise >= Access::Warn {
        // Nothing is asked of a license: nothing stops at its limits.
        return Ok(None);
    }
    let listed = ruling.held.iter().flat_map(|held| &held.claims.license.features);
    let Some(feature) = listed.into_iter().find(|feature| feature.id == id) else {
        let what = format!("the license does not grant {id}");
        return Err(Error::new(Code::NotGranted, what));
    };
    if !feature.is_known() {
        let what = format!("this version does not know how {id} is measured");
        return Err(Error::new(Code::TooNew, what));
    }
    Ok(feature.meter.is_some().then(|| feature.clone()))
}
