//! Whatever happens to the bytes of a state, it is told from a state and from a first run.

use std::sync::Arc;

use super::simulated::{Dice, SimDisk};
use super::slot::Found;
use super::{Folder, Slot};
use crate::errors::{Code, Error, Result};

const NAMES: [&str; 2] = ["state.a", "state.b"];

fn payload(generation: u64) -> Vec<u8> {
    // With its header and the zeros after it, a file of 2,048 bytes.
    (0..1_950).map(|at| (at * 7 + generation) as u8).collect()
}

/// A folder with this many generations, and the names of the newest file and the one before.
fn folder(generations: u64) -> (SimDisk, Folder, [&'static str; 2]) {
    let disk = SimDisk::default();
    let folder = Folder::on(Arc::new(disk.clone()));
    let locked = folder.lock().unwrap();
    for generation in 1..=generations {
        locked.replace(Slot::State, generation, &payload(generation), 0).unwrap();
        locked.initialized().unwrap();
    }
    drop(locked);
    let even = generations.is_multiple_of(2);
    (disk, folder, if even { NAMES } else { [NAMES[1], NAMES[0]] })
}

fn code(found: Result<Option<Found>>) -> Option<Code> {
    found.err().map(|error: Error| error.code())
}

/// Every way to flip one bit or cut a file off.
fn harms(bytes: &[u8]) -> Vec<Vec<u8>> {
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut harmed = bytes.to_vec();
        harmed[bit / 8] ^= 1 << (bit % 8);
        harmed
    });
    flips.chain((0..bytes.len()).map(|length| bytes[..length].to_vec())).collect()
}

/// Each harm is done to the newest file, then to the one before, then to the only one.
#[test]
fn every_flipped_bit_and_every_cut_is_found() {
    let (disk, two, [newest, before]) = folder(4);
    let bytes = disk.get(newest).unwrap();
    assert_eq!(bytes.len(), 2_048);
    for harmed in harms(&bytes) {
        disk.put(newest, &harmed);
        let found = two.find(Slot::State).unwrap().unwrap();
        assert_eq!((found.generation, found.payload), (3, payload(3)));
        assert!(found.recovered.unwrap().starts_with(newest));
    }
    disk.remove(newest);
    let found = two.find(Slot::State).unwrap().unwrap();
    assert_eq!((found.generation, found.recovered.unwrap()), (3, format!("{newest} is gone")));
    disk.put(newest, &bytes);
    for harmed in harms(&disk.get(before).unwrap()) {
        disk.put(before, &harmed);
        let found = two.find(Slot::State).unwrap().unwrap();
        assert_eq!((found.generation, found.payload), (4, payload(4)));
        assert!(found.recovered.unwrap().starts_with(before));
    }
    let (disk, one, [only, _]) = folder(1);
    for harmed in harms(&disk.get(only).unwrap()) {
        disk.put(only, &harmed);
        assert_eq!(code(one.find(Slot::State)), Some(Code::StateCorrupt));
        assert!(!one.lock().unwrap().is_first_run());
    }
}

#[test]
fn both_files_lost_is_no_first_run() {
    for how in 0..9 {
        let (disk, folder, names) = folder(3);
        for (name, how) in names.into_iter().zip([how % 3, how / 3]) {
            match how {
                0 => disk.remove(name),
                1 => disk.put(name, b""),
                _ => disk.put(name, &[0; 2048]),
            }
        }
        let error = folder.find(Slot::State).unwrap_err();
        assert_eq!(error.code(), Code::StateCorrupt, "{error}");
        assert!(NAMES.iter().all(|name| error.detail().contains(name)), "{error}");
        let locked = folder.lock().unwrap();
        assert!(!locked.is_first_run());
        // It can be begun again by who decides that, and never under a number that was there.
        let next = locked.next(Slot::State).unwrap();
        locked.replace(Slot::State, next, b"again", 0).unwrap();
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"again");
    }
}

#[test]
fn no_damage_to_the_lock_makes_a_first_run() {
    let (disk, folder, names) = folder(3);
    let lock = disk.get("lock").unwrap();
    let flips = (0..lock.len() * 8).map(|bit| {
        let mut harmed = lock.clone();
        harmed[bit / 8] ^= 1 << (bit % 8);
        harmed
    });
    let cuts = (0..lock.len()).map(|length| lock[..length].to_vec());
    for harmed in cuts.chain(flips.clone()) {
        disk.put("lock", &harmed);
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().generation, 3);
        assert!(!folder.lock().unwrap().is_first_run());
    }
    disk.remove("lock");
    assert!(!folder.lock().unwrap().is_first_run());
    names.iter().for_each(|name| disk.remove(name));
    for harmed in flips {
        disk.put("lock", &harmed);
        assert!(!folder.lock().unwrap().is_first_run());
        assert_eq!(code(folder.find(Slot::State)), Some(Code::StateCorrupt));
    }
    disk.put("lock", b"");
    assert!(folder.lock().unwrap().is_first_run());
}

#[test]
fn the_mark_of_a_slot_outlives_the_power() {
    for seed in 0..100 {
        let (disk, _, names) = folder(1);
        let disk = disk.crash(&mut Dice(seed));
        names.iter().for_each(|name| disk.remove(name));
        let folder = Folder::on(Arc::new(disk));
        assert_eq!(code(folder.find(Slot::State)), Some(Code::StateCorrupt), "seed {seed}");
    }
}

#[test]
fn a_slot_that_was_written_is_missed() {
    for slot in [Slot::Revocations, Slot::Usage] {
        let (disk, folder, _) = folder(2);
        assert_eq!(folder.find(slot).unwrap(), None);
        folder.lock().unwrap().replace(slot, 1, b"a list", 64).unwrap();
        disk.remove(slot.name(1));
        let error = folder.find(slot).unwrap_err();
        assert_eq!(error.code(), Code::StateCorrupt);
        let [even, odd] = [slot.name(2), slot.name(1)];
        assert_eq!(error.detail(), format!("{even} and {odd} are gone"));
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().generation, 2);
    }
}

/// A newer version of licentia keeps the header: then what it wrote is whole, but not ours.
#[test]
fn a_later_format_is_told_from_damage() {
    let (disk, folder, [newest, before]) = folder(4);
    let later = super::slot::with_version(2, 4, b"something else");
    disk.put(newest, &later);
    assert_eq!(code(folder.find(Slot::State)), Some(Code::TooNew));
    // Not if it is the older one: then this version has been here since.
    let newer = super::slot::with_version(1, 5, b"ours");
    disk.put(before, &newer);
    assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"ours");
    disk.put(before, &super::slot::with_version(2, 5, b"theirs"));
    disk.remove(newest);
    assert_eq!(code(folder.find(Slot::State)), Some(Code::TooNew));
}

#[test]
fn a_file_under_the_wrong_name_or_of_another_time_is_noticed() {
    let (disk, folder, [newest, before]) = folder(4);
    let old = disk.get(before).unwrap();
    disk.put(before, &disk.get(newest).unwrap());
    let found = folder.find(Slot::State).unwrap().unwrap();
    assert_eq!((found.generation, found.recovered.is_some()), (4, true));
    disk.remove(newest);
    assert_eq!(code(folder.find(Slot::State)), Some(Code::StateCorrupt));
    // One of the two comes from a backup.
    disk.put(before, &old);
    let locked = folder.lock().unwrap();
    locked.replace(Slot::State, 5, b"5", 0).unwrap();
    locked.replace(Slot::State, 6, b"6", 0).unwrap();
    disk.put(before, &old);
    let found = folder.find(Slot::State).unwrap().unwrap();
    assert_eq!(found.payload, b"6");
    assert_eq!(found.recovered.unwrap(), "state.b has generation 3 beside 6");
}

#[test]
fn a_worn_out_file_is_as_good_as_a_damaged_one() {
    let (disk, folder, [newest, before]) = folder(4);
    disk.wear_out(newest);
    let found = folder.find(Slot::State).unwrap().unwrap();
    assert_eq!((found.generation, found.payload), (3, payload(3)));
    assert!(found.recovered.unwrap().starts_with("state.a cannot be read: "));
    // Without the other it may be whole: not for anybody to begin again.
    disk.put(before, b"damaged");
    assert_eq!(code(folder.find(Slot::State)), Some(Code::Io));
    disk.wear_out(before);
    assert_eq!(code(folder.find(Slot::State)), Some(Code::Io));
}

/// The format, as docs/state.md has it: what is on a customer's disk stays readable for ever.
#[test]
fn these_are_the_bytes() {
    let disk = SimDisk::default();
    let folder = Folder::on(Arc::new(disk.clone()));
    folder.lock().unwrap().replace(Slot::State, 1, b"{}", 64).unwrap();
    folder.set_synced(0x0102).unwrap();
    let file = disk.get("state.b").unwrap();
    let header = b"licentia\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0";
    assert_eq!(file[..32], header[..]);
    let hash: String = file[32..64].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hash, "584d82596752f576389dd8122365cc52f49b90b23e0c452a3747c106da885aa0");
    assert_eq!((&file[64..66], &file[66..]), (&b"{}"[..], &[0; 126][..]));
    let lock = disk.get("lock").unwrap();
    assert_eq!(lock.len(), 128);
    assert_eq!((&lock[..16], &lock[16..64]), (&b"was written once"[..], &[0; 48][..]));
    assert_eq!(lock[64..80], [2, 1, 0, 0, 0, 0, 0, 0, 0xa0, 0xd3, 0x70, 0x81, 0, 0, 0, 0]);
    assert_eq!(lock[96..], [0; 32]);
}

/// The hash would find both as well; what only glances at a header, and what reads a file that
/// is all too large, must not get that far.
#[test]
fn a_header_that_nobody_wrote_is_passed_over() {
    let (disk, folder, [newest, _]) = folder(4);
    let whole = disk.get(newest).unwrap();
    let beyond = (crate::limits::GENERATION_MAX + 2).to_le_bytes();
    let others: [(usize, &[u8]); 4] = [(0, b"L"), (16, &[0; 8]), (16, &beyond), (16, &[0xfe; 8])];
    for (at, bytes) in others {
        let mut other = whole.clone();
        other[at..at + bytes.len()].copy_from_slice(bytes);
        disk.put(newest, &other);
        assert_eq!(folder.glance(Slot::State).unwrap(), 3, "{bytes:?} at {at}");
    }
    let large = vec![0; crate::limits::SLOT_MAX + 1];
    disk.put(newest, &super::slot::with_version(1, 4, &large));
    assert_eq!(folder.find(Slot::State).unwrap().unwrap().generation, 3);
}

#[test]
fn a_damaged_header_is_not_the_last_there_can_be() {
    for most in [crate::limits::GENERATION_MAX, crate::limits::GENERATION_MAX - 1] {
        let (disk, folder, [newest, before]) = folder(4);
        let name = if most % 2 == 0 { newest } else { before };
        let mut bytes = disk.get(name).unwrap();
        bytes[16..24].copy_from_slice(&most.to_le_bytes());
        disk.put(name, &bytes);
        assert_eq!(folder.glance(Slot::State).unwrap(), most);
        let locked = folder.lock().unwrap();
        locked.replace(Slot::State, locked.next(Slot::State).unwrap(), b"new", 0).unwrap();
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"new");
    }
}

/// A number in a damaged header is passed, so that whoever remembers it sees the change.
#[test]
fn a_damaged_generation_is_never_written_again() {
    for bit in 0..48 {
        let (disk, folder, [newest, _]) = folder(4);
        let mut bytes = disk.get(newest).unwrap();
        bytes[16 + bit / 8] ^= 1 << (bit % 8);
        disk.put(newest, &bytes);
        let glanced = folder.glance(Slot::State).unwrap();
        let locked = folder.lock().unwrap();
        let next = locked.next(Slot::State).unwrap();
        assert!(next > glanced && next > 3);
        locked.replace(Slot::State, next, b"new", 0).unwrap();
        let found = folder.find(Slot::State).unwrap().unwrap();
        assert_eq!((found.generation, &*found.payload), (next, &b"new"[..]));
        assert_eq!(folder.glance(Slot::State).unwrap(), next);
        // What was whole still is.
        assert_eq!(disk.get("state.b").unwrap().len(), 2_048);
    }
}

#[test]
fn a_synced_number_is_believed_whole_or_not_at_all() {
    let (disk, folder, _) = folder(1);
    assert_eq!(folder.synced().unwrap(), 0);
    for (old, new) in [(1, 2), (0xff, 0x100), (u32::MAX.into(), 1 << 32), (77, 5_000_000_000)] {
        folder.set_synced(old).unwrap();
        let before = disk.get("lock").unwrap();
        folder.set_synced(new).unwrap();
        let after = disk.get("lock").unwrap();
        assert_eq!(folder.synced().unwrap(), new);
        for torn in 0..=16 {
            let mut bytes = before.clone();
            bytes[64..64 + torn].copy_from_slice(&after[64..64 + torn]);
            let whole = [&before, &after].into_iter().find(|whole| ***whole == bytes);
            disk.put("lock", &bytes);
            let expected = whole.map_or(0, |whole| if *whole == after { new } else { old });
            assert_eq!(folder.synced().unwrap(), expected, "{old} {new} torn at {torn}");
        }
    }
}

#[test]
fn what_is_out_of_range_is_refused_before_anything_is_written() {
    let (disk, folder, _) = folder(1);
    let locked = folder.lock().unwrap();
    let before = disk.steps();
    let refused = |generation, payload: &[u8], room| {
        locked.replace(Slot::State, generation, payload, room).unwrap_err().code()
    };
    let most = crate::limits::SLOT_MAX;
    assert_eq!(refused(0, b"", 0), Code::Internal);
    assert_eq!(refused(u64::MAX, b"", 0), Code::Internal);
    assert_eq!(refused(2, &vec![0; most + 1], 0), Code::TooLarge);
    assert_eq!(refused(2, b"", most as u64 + 1), Code::TooLarge);
    assert_eq!(disk.steps(), before);
}
