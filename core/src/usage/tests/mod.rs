//! What must hold of what was used.

mod crashes;
mod damage;
mod disk;
mod oracle;
mod processes;
mod reports;

use super::ledger::Ledger;
use super::ticks::Ticks;
use crate::errors::Result;
use crate::feature::Feature;
use crate::store::Folder;
use crate::store::simulated::SimDisk;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Room for so few records that files are replaced all the time.
const ROOM: u64 = 1024;

/// 2026-11-22T12:00:00Z.
const NOON: i64 = 1_795_348_800;

fn count(id: &str, per: &str) -> Feature {
    Feature { meter: Some("count".into()), per: Some(per.into()), ..Feature::new(id) }
}

fn level(id: &str) -> Feature {
    Feature { meter: Some("level".into()), ..Feature::new(id) }
}

fn distinct(id: &str, days: u32) -> Feature {
    Feature { meter: Some("distinct".into()), days: Some(days), ..Feature::new(id) }
}

fn limited(feature: Feature, max: u64, over: u32, then: &str) -> Feature {
    Feature { max: Some(max), over: Some(over), then: Some(then.into()), ..feature }
}

/// A folder in which the first run was completed.
fn folder_on(disk: &SimDisk) -> Folder {
    let folder = Folder::on(Arc::new(disk.clone()));
    begin(&folder).unwrap();
    folder
}

fn begin(folder: &Folder) -> Result<()> {
    let locked = folder.lock()?;
    if locked.is_first_run() {
        Ledger::begin(&locked, NOON)?;
        locked.initialized()?;
    }
    Ok(())
}

/// What another process would have in its hands.
fn process(folder: &Folder) -> Ledger {
    Ledger::with(folder.clone(), Ticks::Turned(Arc::default()), ROOM)
}

fn turned(folder: &Folder, clock: &Arc<AtomicU64>) -> Ledger {
    Ledger::with(folder.clone(), Ticks::Turned(Arc::clone(clock)), ROOM)
}

/// What a process without a memory finds.
fn used(folder: &Folder, feature: &Feature, at: i64) -> u64 {
    process(folder).totals().unwrap().of(feature, at).used
}
