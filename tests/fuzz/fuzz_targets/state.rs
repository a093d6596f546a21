#![no_main]
#![allow(dead_code, unused_imports)]
//! Any bytes as the files of a folder: what is read is what was written, damage is never a first
//! run, and the next change succeeds.

// The store is nobody's to use but the core's, so its files are modules of this program.
#[path = "../../../core/src/errors.rs"]
mod errors;
#[path = "../../../core/src/limits.rs"]
mod limits;
#[path = "../../../core/src/store/simulated.rs"]
mod simulated;
#[path = "../../../core/src/store/mod.rs"]
mod store;

use std::sync::Arc;

use errors::Code;
use libfuzzer_sys::fuzz_target;
use limits::GENERATION_MAX;
use sha2::{Digest, Sha256};
use simulated::SimDisk;
use store::{Folder, Found, How, Slot, disk};

const NAMES: [&str; 2] = ["state.a", "state.b"];

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    let disk = filled(*form, rest);
    let folder = Folder::on(Arc::new(disk.clone()));
    let before = NAMES.map(|name| disk.get(name));
    let found = folder.find(Slot::State);
    let glanced = folder.glance(Slot::State).unwrap();
    folder.synced().unwrap();
    assert_eq!(before, NAMES.map(|name| disk.get(name)));
    match &found {
        Ok(None) => assert_eq!(before, [None, None]),
        Ok(Some(found)) => {
            assert!(found.generation <= glanced);
            check(&folder, &disk, found);
        }
        Err(error) => assert!(matches!(error.code(), Code::StateCorrupt | Code::TooNew)),
    }
    let locked = folder.lock().unwrap();
    assert_eq!(locked.is_first_run(), matches!(found, Ok(None)));
    let next = match locked.next(Slot::State) {
        Ok(next) => next,
        Err(error) => return assert_eq!(Some(error), found.err()),
    };
    let newest = found.ok().flatten().map_or(0, |found| found.generation);
    assert!(next > newest && (next > glanced || glanced >= GENERATION_MAX - 1));
    // Nobody has written so often; the damage of one bit does not lead there.
    if next <= GENERATION_MAX {
        locked.replace(Slot::State, next, b"new", 64).unwrap();
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"new");
        assert!(!locked.is_first_run());
    }
});

/// Two files and a lock. The bits of `form`: which of them are there, and which of the files are
/// given a header that is right, but for their generation and version.
fn filled(form: u8, bytes: &[u8]) -> SimDisk {
    let disk = SimDisk::default();
    let mut rest = bytes;
    let mut take = |most: usize| {
        let Some((length, bytes)) = rest.split_first() else { return Vec::new() };
        let length = usize::from(*length) * most / 255;
        let (taken, after) = bytes.split_at(length.min(bytes.len()));
        rest = after;
        taken.to_vec()
    };
    for (index, name) in NAMES.into_iter().enumerate() {
        let mut file = take(600);
        if form >> index & 1 == 1 {
            seal(&mut file);
        }
        if form >> (index + 2) & 1 == 0 {
            disk.put(name, &file);
        }
    }
    if form >> 4 & 1 == 0 {
        disk.put("lock", &take(200));
    }
    disk
}

fn seal(file: &mut Vec<u8>) {
    file.resize(file.len().max(64).next_multiple_of(64), 0);
    file[..8].copy_from_slice(b"licentia");
    let length = file.len() as u64 - 64;
    file[24..32].copy_from_slice(&length.to_le_bytes());
    let hash = Sha256::new().chain_update(&file[..32]).chain_update(&file[64..]).finalize();
    file[32..64].copy_from_slice(&hash);
}

/// What was found is in the file of its generation, with its hash.
fn check(folder: &Folder, disk: &SimDisk, found: &Found) {
    let file = disk.get(NAMES[(found.generation % 2) as usize]).unwrap();
    let end = 64 + found.payload.len();
    assert_eq!(file[64..end], found.payload);
    assert_eq!(file[16..24], found.generation.to_le_bytes());
    let hash = Sha256::new().chain_update(&file[..32]).chain_update(&found.payload).finalize();
    assert_eq!(file[32..64], *hash);
    assert_eq!(found.end, (end as u64).next_multiple_of(64));
    assert!(found.end <= file.len() as u64);
    folder.open(Slot::State, found.generation, How::Read).unwrap();
}
