//! Every operation on the disk fails once, in every way, for a moment or for good.

use std::sync::Arc;

use super::simulated::{Dice, Fault, SimDisk};
use super::{Folder, Slot};
use crate::errors::{Code, Result};

/// A change, and what is there before it.
struct Case {
    name: &'static str,
    slot: Slot,
    /// Generations of the slot before.
    before: u64,
    room: u64,
    prepare: fn(&SimDisk),
}

const CASES: &[Case] = &[
    Case { name: "first run", slot: Slot::State, before: 0, room: 0, prepare: |_| {} },
    Case { name: "second", slot: Slot::State, before: 1, room: 0, prepare: |_| {} },
    Case { name: "later", slot: Slot::State, before: 4, room: 0, prepare: |_| {} },
    Case { name: "first list", slot: Slot::Revocations, before: 0, room: 0, prepare: |_| {} },
    Case { name: "later list", slot: Slot::Revocations, before: 3, room: 0, prepare: |_| {} },
    Case { name: "first use", slot: Slot::Usage, before: 0, room: 70_000, prepare: |_| {} },
    Case { name: "with room", slot: Slot::Usage, before: 2, room: 70_000, prepare: |_| {} },
    Case {
        name: "left over",
        slot: Slot::State,
        before: 2,
        room: 0,
        prepare: |disk| disk.put("tmp", b"half of someth"),
    },
    Case {
        name: "damaged",
        slot: Slot::State,
        before: 5,
        room: 0,
        prepare: |disk| disk.put("state.a", b"not what was written"),
    },
];

fn payload(generation: u64) -> Vec<u8> {
    (0..700 + 13 * generation).map(|at| (at * generation) as u8).collect()
}

/// What a product does: the next generation, after whatever is there.
fn update(folder: &Folder, slot: Slot, number: u64, room: u64) -> Result<()> {
    let locked = folder.lock()?;
    let first = locked.is_first_run();
    locked.replace(slot, locked.next(slot)?, &payload(number), room)?;
    if first && slot == Slot::State { locked.initialized() } else { Ok(()) }
}

fn prepared(case: &Case) -> (SimDisk, Folder) {
    let disk = SimDisk::default();
    let folder = Folder::on(Arc::new(disk.clone()));
    if case.slot != Slot::State {
        update(&folder, Slot::State, 1, 0).unwrap();
    }
    for number in 1..=case.before {
        update(&folder, case.slot, number, case.room).unwrap();
    }
    (case.prepare)(&disk);
    (disk, folder)
}

/// The one code that a failure may have.
fn code(fault: Fault) -> Option<Code> {
    match fault {
        Fault::Eio | Fault::Eintr | Fault::Torn => Some(Code::Io),
        Fault::Enospc => Some(Code::DiskFull),
        Fault::Erofs => Some(Code::StateUnavailable),
        Fault::Short => None,
    }
}

/// The numbers of the payloads that may be there now: that of before, and the new one.
fn expect(found: Option<Vec<u8>>, case: &Case, acknowledged: bool, what: &str) {
    let old = (case.before > 0).then(|| payload(case.before));
    let new = Some(payload(case.before + 1));
    assert!(found == new || (found == old && !acknowledged), "{what}: neither old nor new");
}

/// Runs a case with one failure, and gives whether it came to that.
fn attempt(case: &Case, n: u64, fault: Fault, lasts: bool) -> u64 {
    let what = format!("{}, step {n}, {fault:?}, lasts: {lasts}", case.name);
    let find = |folder: &Folder| Ok(folder.find(case.slot)?.map(|found| found.payload));
    let (disk, folder) = prepared(case);
    disk.fail(n, fault, lasts);
    let done = update(&folder, case.slot, case.before + 1, case.room);
    let read: Result<_> = find(&folder);
    let injected = disk.injected();
    for error in [done.as_ref().err(), read.as_ref().err()].into_iter().flatten() {
        assert_eq!(Some(error.code()), code(fault), "{what}: {error}");
    }
    // A moment's interruption or a short write is nobody's business.
    let harmless = fault == Fault::Short || (fault == Fault::Eintr && !lasts);
    assert!(done.is_ok() || !harmless, "{what}: {done:?}");
    assert!(read.is_ok() || lasts, "{what}: {read:?}");
    if let Ok(found) = read {
        expect(found, case, done.is_ok(), &what);
    }
    let mut dice = Dice(n);
    let crashed = disk.crash(&mut dice);
    disk.heal();
    for disk in [disk, crashed] {
        let folder = Folder::on(Arc::new(disk.clone()));
        expect(find(&folder).unwrap(), case, done.is_ok(), &what);
        update(&folder, case.slot, 100, case.room).unwrap();
        assert_eq!(find(&folder).unwrap(), Some(payload(100)), "{what}");
        assert_eq!(disk.get("tmp"), None, "{what}");
    }
    injected
}

#[test]
fn every_failure_leaves_the_old_or_the_new() {
    let mut injected = 0;
    let mut attempts = 0;
    for case in CASES {
        let (disk, folder) = prepared(case);
        let before = disk.steps();
        update(&folder, case.slot, case.before + 1, case.room).unwrap();
        folder.find(case.slot).unwrap();
        for n in 1..=disk.steps() - before {
            for fault in Fault::ALL {
                for lasts in [false, true] {
                    injected += u64::from(attempt(case, n, fault, lasts) > 0);
                    attempts += 1;
                }
            }
        }
    }
    println!("{injected} of {attempts} attempts failed somewhere");
    assert!(injected >= 2_000, "only {injected} faults");
}
