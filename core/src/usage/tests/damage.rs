//! Files that are not what was written: found, said, and never a reason to stop.

use super::*;
use crate::store::Slot;
use crate::usage::meter::Entry;
use sha2::{Digest, Sha256};

const FILES: [&str; 2] = ["usage.a", "usage.b"];

fn calls() -> Feature {
    count("calls", "month")
}

/// A disk on which seven records were made durable, three in the newest file.
fn seven() -> SimDisk {
    let disk = SimDisk::default();
    let folder = folder_on(&disk);
    let ledger = process(&folder);
    for n in 0..7 {
        ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
        if n == 3 {
            let place = ledger.totals().unwrap().place();
            let locked = folder.lock().unwrap();
            ledger.acknowledge(&locked, place.seq, &place.head).unwrap();
        }
    }
    disk
}

fn newest(disk: &SimDisk) -> &'static str {
    let generation = Folder::on(Arc::new(disk.clone())).glance(Slot::Usage).unwrap();
    FILES[(generation % 2) as usize]
}

/// Changes one file of a copy of a disk.
fn changed(disk: &SimDisk, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Folder {
    let from = disk;
    let disk = SimDisk::default();
    for name in ["lock", "usage.a", "usage.b"] {
        disk.put(name, &from.get(name).unwrap());
    }
    let mut bytes = disk.get(name).unwrap();
    change(&mut bytes);
    disk.put(name, &bytes);
    Folder::on(Arc::new(disk))
}

/// What has to hold of any damage: it is said, counting goes on at once, nothing is counted
/// twice, and the damage is still said when the files are whole again.
fn check(folder: &Folder, what: &str) {
    let ledger = process(folder);
    let found = ledger.totals().unwrap().of(&calls(), NOON).used;
    assert!(found <= 7, "{what}: {found}");
    let said = ledger.damaged().unwrap_or_else(|| panic!("{what}: nobody noticed"));
    ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
    let after = process(folder);
    assert_eq!(after.totals().unwrap().of(&calls(), NOON).used, found + 1, "{what}: {said}");
    assert!(after.damaged().is_some(), "{what}: {said} is forgotten");
    let whole = folder.find(Slot::Usage).unwrap().unwrap();
    assert_eq!(whole.recovered, None, "{what}: {said}");
}

#[test]
fn every_flip_of_a_bit_is_found() {
    let disk = seven();
    for name in FILES {
        let length = disk.get(name).unwrap().len();
        // One bit of every third byte here; all of them in the soak.
        let soak = crate::store::simulated::times() > 1;
        let bits = (0..length * 8).filter(|bit| soak || bit % 24 == (bit / 24) % 8);
        for bit in bits {
            let folder = changed(&disk, name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
            if name == newest(&disk) || bit / 8 < length - ROOM as usize {
                check(&folder, &format!("bit {bit} of {name}"));
            }
        }
    }
}

#[test]
fn every_truncation_is_found() {
    let disk = seven();
    let name = newest(&disk);
    let length = disk.get(name).unwrap().len();
    for left in (0..length).step_by(7) {
        check(
            &changed(&disk, name, |bytes| bytes.truncate(left)),
            &format!("{left} bytes of {name}"),
        );
    }
}

#[test]
fn records_in_another_order_or_twice_are_found_and_counted_once() {
    let disk = seven();
    let name = newest(&disk);
    let tail = disk.get(name).unwrap().len() - ROOM as usize;
    let record = |n: usize| tail + n * 64..tail + n * 64 + 64;
    let swapped = changed(&disk, name, |bytes| {
        let (first, second) = (bytes[record(0)].to_vec(), bytes[record(1)].to_vec());
        bytes[record(0)].copy_from_slice(&second);
        bytes[record(1)].copy_from_slice(&first);
    });
    check(&swapped, "swapped");
    let again = changed(&disk, name, |bytes| bytes.copy_within(record(2), record(3).start));
    check(&again, "again");
    let moved = changed(&disk, name, |bytes| {
        bytes.copy_within(record(2), record(5).start);
        bytes[record(2)].fill(0);
    });
    check(&moved, "moved");
    let gone = changed(&disk, name, |bytes| bytes[record(1)].fill(0));
    check(&gone, "gone");
    let said = process(&changed(&disk, name, |bytes| bytes[record(1)].fill(0)));
    assert_eq!(said.totals().unwrap().of(&calls(), NOON).used, 6, "the one after it counts");
    assert_eq!(said.damaged().unwrap(), "one record of what was used is lost");
}

#[test]
fn losing_both_files_begins_a_new_ledger_that_says_so() {
    for damage in ["zeros", "gone", "noise"] {
        let disk = seven();
        let folder = Folder::on(Arc::new(disk.clone()));
        let before = process(&folder).totals().unwrap().place();
        for name in FILES {
            match damage {
                "zeros" => disk.put(name, &[0; 2000]),
                "gone" => disk.remove(name),
                _ => disk.put(name, b"something else"),
            }
        }
        let ledger = process(&folder);
        assert_eq!(ledger.totals().unwrap().of(&calls(), NOON).used, 0, "{damage}");
        assert!(ledger.damaged().is_some(), "{damage}");
        ledger.record(&calls(), Entry::Add(2), NOON).unwrap();
        // Another process, another day: it is still said, until the server has heard of it.
        let other = process(&folder);
        let report = other.totals().unwrap().to_report();
        assert_eq!((report.lost, report.began, report.rows.len()), (1, NOON, 1), "{damage}");
        assert!(report.place.seq > before.seq, "{damage}: no number is used again");
        assert!(other.damaged().unwrap().contains("counted anew"), "{damage}");
        let payload = folder.find(Slot::Usage).unwrap().unwrap().payload;
        let checkpoint: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(checkpoint["lost"], 1, "{damage}");
        let locked = folder.lock().unwrap();
        other.acknowledge(&locked, report.place.seq, &report.place.head).unwrap();
        drop(locked);
        assert_eq!(other.damaged(), None, "{damage}");
        assert_eq!(used(&folder, &calls(), NOON), 2, "{damage}");
        assert_eq!(other.totals().unwrap().to_report().lost, 1, "{damage}");
    }
}

#[test]
fn a_process_that_remembers_writes_what_was_lost_again() {
    let disk = seven();
    let folder = Folder::on(Arc::new(disk.clone()));
    let ledger = process(&folder);
    ledger.totals().unwrap();
    FILES.iter().for_each(|name| disk.put(name, b""));
    assert_eq!(ledger.totals().unwrap().of(&calls(), NOON).used, 7);
    ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
    assert_eq!(used(&folder, &calls(), NOON), 8);
    assert!(process(&folder).damaged().is_none(), "nothing was looked at yet");
    let other = process(&folder);
    other.totals().unwrap();
    assert!(other.damaged().unwrap().contains("written again"));
    assert_eq!(other.totals().unwrap().to_report().lost, 0);
}

#[test]
fn damage_is_spoken_of_for_thirty_days_at_most() {
    let disk = seven();
    let folder = Folder::on(Arc::new(disk.clone()));
    disk.put(newest(&disk), b"something else");
    let said = |at: i64| {
        let ledger = process(&folder);
        // A feature of its own: each is a new checkpoint.
        let feature = count(&format!("at{at}"), "day");
        ledger.record(&feature, Entry::Add(1), at).unwrap();
        ledger.damaged().is_some()
    };
    assert!(said(NOON));
    assert!(said(NOON + 30 * 86_400));
    assert!(!said(NOON + 30 * 86_400 + 1));
}

#[test]
fn a_later_version_is_told_from_damage() {
    let disk = seven();
    for name in FILES {
        let mut bytes = disk.get(name).unwrap();
        let length = u64::from_le_bytes(bytes[24..32].try_into().unwrap()) as usize;
        bytes[8] = 9;
        let hash = Sha256::new().chain_update(&bytes[..32]).chain_update(&bytes[64..64 + length]);
        let hash = hash.finalize();
        bytes[32..64].copy_from_slice(&hash);
        disk.put(name, &bytes);
    }
    let ledger = process(&Folder::on(Arc::new(disk.clone())));
    let code = |error: crate::errors::Error| error.code();
    assert_eq!(code(ledger.totals().unwrap_err()), crate::errors::Code::TooNew);
    let before = FILES.map(|name| disk.get(name));
    let done = ledger.record(&calls(), Entry::Add(1), NOON);
    assert_eq!(code(done.unwrap_err()), crate::errors::Code::TooNew);
    assert_eq!(FILES.map(|name| disk.get(name)), before, "nothing is overwritten");
}

/// Whoever writes a checkpoint with a right hash writes what he likes: nothing of it ends a
/// process.
#[test]
fn numbers_that_nobody_counts_to_are_damage() {
    let most = u64::MAX;
    for member in ["seq", "lost", "room"] {
        let disk = seven();
        let folder = Folder::on(Arc::new(disk));
        let locked = folder.lock().unwrap();
        for _ in FILES {
            let found = folder.find(Slot::Usage).unwrap().unwrap();
            let mut forged: serde_json::Value = serde_json::from_slice(&found.payload).unwrap();
            forged[member] = most.into();
            let next = locked.next(Slot::Usage).unwrap();
            locked.replace(Slot::Usage, next, forged.to_string().as_bytes(), 4096).unwrap();
        }
        drop(locked);
        check(&folder, member);
    }
}
