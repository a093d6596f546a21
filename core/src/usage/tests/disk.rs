//! A disk that refuses: what is said, and that the next record is safe again.

use super::*;
use crate::errors::Code;
use crate::store::Slot;
use crate::store::simulated::{Dice, Fault};
use crate::usage::commit::Written;
use crate::usage::ledger::Entered;
use crate::usage::meter::Entry;
use std::sync::atomic::Ordering;

fn written(ledger: &Ledger, feature: &Feature) -> Written {
    match ledger.enter(feature, Entry::Add(1), NOON).unwrap() {
        Entered::Written(written) => written,
        Entered::Known(_) => panic!("an amount is always written"),
    }
}

/// A folder and a feature that has its place in the file.
fn started() -> (SimDisk, Folder, Feature) {
    let disk = SimDisk::default();
    let (folder, feature) = (folder_on(&disk), count("calls", "ever"));
    process(&folder).record(&feature, Entry::Add(1), NOON).unwrap();
    (disk, folder, feature)
}

#[test]
fn a_sync_that_failed_is_not_believed_when_it_is_tried_again() {
    let (disk, folder, feature) = started();
    let (first, second) = (process(&folder), process(&folder));
    let waits = written(&first, &feature);
    // The lock is looked at, taken and looked at, the tail and its mark read; then it is synced.
    let before = disk.steps();
    for n in 1..60 {
        disk.fail(n, Fault::Eio, false);
        let done = first.finish(&waits);
        disk.heal();
        if done.as_ref().is_err_and(|error| error.detail().contains("durable")) {
            break;
        }
        assert!(n < 59 && disk.steps() - before < 200, "no sync was found to fail");
    }
    let generation = folder.glance(Slot::Usage).unwrap();
    // Nobody is told that it is on disk, however often he asks of the same file.
    assert_eq!(first.finish(&waits).unwrap_err().code(), Code::Io);
    // Another process sees the mark, goes to another file, and takes what there was along.
    second.record(&feature, Entry::Add(1), NOON).unwrap();
    assert_eq!(folder.glance(Slot::Usage).unwrap(), generation + 1);
    for seed in 0..50 {
        let left = Folder::on(Arc::new(disk.crash(&mut Dice(seed))));
        assert_eq!(used(&left, &feature, NOON), 3, "seed {seed}");
    }
    // And now the waiter would be told the truth: it is.
    first.finish(&waits).unwrap();
}

#[test]
fn a_full_disk_is_named_and_loses_nothing() {
    let (disk, folder, feature) = started();
    let ledger = process(&folder);
    disk.fail(1, Fault::Enospc, true);
    let mut refused = 0;
    for _ in 0..40 {
        match ledger.record(&feature, Entry::Add(1), NOON) {
            Ok(()) => panic!("a write was acknowledged on a full disk"),
            Err(error) => {
                assert_eq!(error.code(), Code::DiskFull, "{error}");
                refused += 1;
            }
        }
        let found = ledger.totals().unwrap().of(&feature, NOON).used;
        assert!((1..=1 + refused).contains(&found));
    }
    disk.heal();
    ledger.record(&feature, Entry::Add(1), NOON).unwrap();
    let left = Folder::on(Arc::new(disk.crash(&mut Dice(1))));
    assert!((2..=2 + refused).contains(&used(&left, &feature, NOON)));
}

#[test]
fn recording_later_costs_one_sync_a_second() {
    let (disk, folder, feature) = started();
    let clock = Arc::new(AtomicU64::new(0));
    let ledger = turned(&folder, &clock);
    let synced = || folder.synced().unwrap();
    let record = || ledger.record_later(&feature, Entry::Add(1), NOON).unwrap();
    let began = synced();
    for at in [0, 1, 500, 999] {
        clock.store(at, Ordering::Relaxed);
        record();
        assert_eq!(synced(), began, "nobody waits for the disk at {at} ms");
    }
    clock.store(1000, Ordering::Relaxed);
    record();
    assert_eq!(synced(), began + 5);
    clock.store(1999, Ordering::Relaxed);
    record();
    // Another process sees all of it at once, and a killed one takes none of it along.
    assert_eq!((synced(), used(&folder, &feature, NOON)), (began + 5, 7));
    ledger.flush().unwrap();
    assert_eq!(synced(), began + 6);
    record();
    drop(ledger);
    assert_eq!(synced(), began + 7, "dropping flushes");
    let left = Folder::on(Arc::new(disk.crash(&mut Dice(0))));
    assert_eq!(used(&left, &feature, NOON), 8);
}

#[test]
fn a_checkpoint_whose_writer_died_is_written_again_before_it_is_trusted() {
    let (disk, folder, feature) = started();
    // Renamed, and the folder not synced: the power may bring back the file before it.
    let ledger = process(&folder);
    let locked = folder.lock().unwrap();
    let before = folder.glance(Slot::Usage).unwrap();
    let place = ledger.totals().unwrap().place();
    for n in 1..200 {
        disk.fail(n, Fault::Eio, true);
        let done = ledger.acknowledge(&locked, place.seq, &place.head);
        disk.heal();
        assert!(n < 199, "no rename was found");
        if folder.glance(Slot::Usage).unwrap() > before {
            assert!(done.is_err(), "no failure between the rename and the end was found");
            break;
        }
    }
    drop(locked);
    process(&folder).record(&feature, Entry::Add(1), NOON).unwrap();
    for seed in 0..50 {
        let left = Folder::on(Arc::new(disk.crash(&mut Dice(seed))));
        assert_eq!(used(&left, &feature, NOON), 2, "seed {seed}");
    }
}

#[test]
fn a_missing_folder_has_a_clear_code_and_no_totals() {
    let folder = Folder::at(std::path::Path::new("/nowhere/at/all"));
    let ledger = process(&folder);
    assert_eq!(ledger.totals().unwrap_err().code(), Code::StateUnavailable);
    let done = ledger.record(&count("calls", "ever"), Entry::Add(1), NOON);
    assert_eq!(done.unwrap_err().code(), Code::StateUnavailable);
}
