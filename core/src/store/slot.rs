//! A slot: two files that take turns, so that a whole one is always there.
//!
//! Generation n is in `.a` if n is even and in `.b` if it is odd; the first is 1. A file is a
//! header of 64 bytes, all numbers little-endian: magic, format version u32, zero u32,
//! generation u64, length of the payload u64, and the SHA-256 of these 32 bytes and the payload.
//! Then the payload, zeros up to a multiple of 64, and whatever its owner appends. The header
//! stays like this in every later version, so that a newer file is told from a damaged one.

use std::io;

use sha2::{Digest, Sha256};

use super::disk::{Disk, File, How, patiently, read_full_at, write_all_at};
use super::failure::{failed, is_absent, is_bad_medium};
use crate::errors::{Code, Error, Result};
use crate::limits::{GENERATION_MAX, SLOT_MAX};

/// What the parts of the state are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// `state.a` and `state.b`: everything that changes slowly.
    State,
    /// `revocations.a` and `revocations.b`: the newest list.
    Revocations,
    /// `usage.a` and `usage.b`: what was used.
    Usage,
}

/// What was found in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its number; the next one to write is given by [`super::Locked::next`].
    pub(crate) generation: u64,
    /// What was written.
    pub(crate) payload: Vec<u8>,
    /// Where whatever comes after the payload begins in the file: a multiple of 64.
    pub(crate) end: u64,
    /// What is wrong with the other file, if it is not the generation before: the newest may be
    /// lost.
    pub(crate) recovered: Option<String>,
}

const MAGIC: [u8; 8] = *b"licentia";
const VERSION: u32 = 1;
const HEADER: usize = 64;
const HASHED: usize = 32;
const ALIGNMENT: u64 = 64;

/// How often a slot is looked at before something wrong with it is believed: it may have been
/// replaced twice in between, or the disk be moody.
const LOOKS: u32 = 3;

impl Slot {
    const fn names(self) -> [&'static str; 2] {
        match self {
            Slot::State => ["state.a", "state.b"],
            Slot::Revocations => ["revocations.a", "revocations.b"],
            Slot::Usage => ["usage.a", "usage.b"],
        }
    }

    /// The file of a generation.
    pub(super) const fn name(self, generation: u64) -> &'static str {
        let [even, odd] = self.names();
        if generation.is_multiple_of(2) { even } else { odd }
    }
}

/// The part of a header that can be judged by itself.
struct Header {
    version: u32,
    generation: u64,
    length: u64,
    hashed: [u8; HASHED],
    hash: [u8; 32],
}

impl Header {
    fn new(generation: u64, payload: &[u8]) -> Header {
        let mut hashed = [0; HASHED];
        let length = payload.len() as u64;
        let parts = MAGIC.into_iter().chain(VERSION.to_le_bytes()).chain([0; 4]);
        let parts = parts.chain(generation.to_le_bytes()).chain(length.to_le_bytes());
        for (to, from) in hashed.iter_mut().zip(parts) {
            *to = from;
        }
        let hash = hash(&hashed, payload);
        Header { version: VERSION, generation, length, hashed, hash }
    }

    /// Reads it, and says what is wrong with it otherwise. `name` is that of its file.
    fn read(bytes: &[u8], slot: Slot, name: &str) -> std::result::Result<Header, String> {
        let (Some((hashed, rest)), true) =
            (bytes.split_first_chunk::<HASHED>(), bytes.len() >= HEADER)
        else {
            return Err(format!("{name} is cut off"));
        };
        let hash = *rest.first_chunk().unwrap_or(&[0; 32]);
        let long = |at: usize| hashed.get(at..).and_then(|bytes| bytes.first_chunk().copied());
        let version = hashed.get(8..).and_then(|bytes| bytes.first_chunk().copied());
        let header = Header {
            version: version.map_or(0, u32::from_le_bytes),
            generation: long(16).map_or(0, u64::from_le_bytes),
            length: long(24).map_or(0, u64::from_le_bytes),
            hashed: *hashed,
            hash,
        };
        let known = hashed.starts_with(&MAGIC) && hashed.get(12..16) == Some(&[0; 4]);
        let counted = (1..=GENERATION_MAX).contains(&header.generation);
        match known && counted && slot.name(header.generation) == name {
            true => Ok(header),
            false => Err(format!("{name} is damaged")),
        }
    }

    fn bytes(&self) -> impl Iterator<Item = u8> {
        self.hashed.into_iter().chain(self.hash)
    }
}

fn hash(hashed: &[u8], payload: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(hashed).chain_update(payload).finalize().into()
}

/// Where a payload of this length ends, with the zeros after it.
const fn end(length: u64) -> u64 {
    (HEADER as u64).saturating_add(length).next_multiple_of(ALIGNMENT)
}

/// One of the two files.
enum Side {
    /// It is not there.
    Absent,
    /// It is whole.
    Whole { version: u32, generation: u64, payload: Vec<u8> },
    /// It is not what was written: what is wrong with it.
    Damaged(String),
}

impl Side {
    fn generation(&self) -> Option<u64> {
        match self {
            Side::Whole { generation, .. } => Some(*generation),
            _ => None,
        }
    }
}

/// Opens a file that may not be there.
fn open_present(disk: &dyn Disk, name: &str) -> Result<Option<Box<dyn File>>> {
    match patiently(|| disk.open(name, How::Read)) {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(failed(name, "read", &error)),
    }
}

fn read_side(file: Option<&dyn File>, slot: Slot, name: &str) -> Result<Side> {
    let Some(file) = file else { return Ok(Side::Absent) };
    match read_file(file, slot, name) {
        Ok(side) => Ok(side),
        Err(error) if is_bad_medium(&error) => {
            Ok(Side::Damaged(format!("{name} cannot be read: {error}")))
        }
        Err(error) => Err(failed(name, "read", &error)),
    }
}

fn read_file(file: &dyn File, slot: Slot, name: &str) -> io::Result<Side> {
    let mut bytes = [0; HEADER];
    let got = read_full_at(file, &mut bytes, 0)?;
    let header = match Header::read(bytes.get(..got).unwrap_or_default(), slot, name) {
        Ok(header) => header,
        Err(what) => return Ok(Side::Damaged(what)),
    };
    // Judged before anything is allocated for it.
    let end = end(header.length);
    if header.length > SLOT_MAX as u64 || end > patiently(|| file.len())? {
        return Ok(Side::Damaged(format!("{name} is cut off")));
    }
    let mut payload = vec![0; (end - HEADER as u64) as usize];
    let got = read_full_at(file, &mut payload, HEADER as u64)?;
    let padding = payload.split_off(payload.len().min(header.length as usize));
    let whole = got == payload.len() + padding.len();
    if !whole || padding.iter().any(|byte| *byte != 0) {
        return Ok(Side::Damaged(format!("{name} is damaged")));
    }
    if hash(&header.hashed, &payload) != header.hash {
        return Ok(Side::Damaged(format!("{name} is damaged")));
    }
    Ok(Side::Whole { version: header.version, generation: header.generation, payload })
}

/// What is in a slot.
pub(super) fn find(disk: &dyn Disk, slot: Slot) -> Result<Option<Found>> {
    let mut last = Ok(None);
    for _ in 0..LOOKS {
        last = look(disk, slot);
        if matches!(&last, Ok(Some(Found { recovered: None, .. }))) {
            break;
        }
        // Nothing there and nothing missing.
        if matches!(&last, Ok(None)) {
            break;
        }
    }
    last
}

fn look(disk: &dyn Disk, slot: Slot) -> Result<Option<Found>> {
    let names = slot.names();
    // Both are opened before one is read: what is open stays, whatever takes its name.
    let [even, odd] = names.map(|name| open_present(disk, name));
    let (even, odd) = (even?, odd?);
    let even = read_side(even.as_deref(), slot, names[0])?;
    let odd = read_side(odd.as_deref(), slot, names[1])?;
    let swap = odd.generation() > even.generation();
    let ((best, _), (other, other_name)) = match swap {
        true => ((odd, names[1]), (even, names[0])),
        false => ((even, names[0]), (odd, names[1])),
    };
    match (best, other) {
        (Side::Whole { version, generation, payload }, other) => {
            if version > VERSION {
                return Err(too_new(slot.name(generation), version));
            }
            let end = end(payload.len() as u64);
            let recovered = wrong(&other, other_name, generation);
            Ok(Some(Found { generation, payload, end, recovered }))
        }
        (Side::Absent, Side::Absent) => nothing(disk, slot).map(|()| None),
        (Side::Damaged(what), _) | (_, Side::Damaged(what)) => {
            Err(Error::new(Code::StateCorrupt, what))
        }
        (Side::Absent, Side::Whole { .. }) => Ok(None),
    }
}

fn too_new(name: &str, version: u32) -> Error {
    let what = format!("{name} has format {version}, and this version knows {VERSION}");
    Error::new(Code::TooNew, what)
}

/// What is wrong with the file of the generation before `generation`.
fn wrong(other: &Side, name: &str, generation: u64) -> Option<String> {
    match other {
        Side::Absent if generation == 1 => None,
        Side::Absent => Some(format!("{name} is gone")),
        Side::Damaged(what) => Some(what.clone()),
        Side::Whole { generation: before, .. } => (before.checked_add(1) != Some(generation))
            .then(|| format!("{name} has generation {before}, not the one before {generation}")),
    }
}

/// Tells a slot that was never written from one that is lost.
fn nothing(disk: &dyn Disk, slot: Slot) -> Result<()> {
    disk.check().map_err(|error| failed("the state folder", "read", &error))?;
    if super::lock::was_written(disk, slot)? {
        let [even, odd] = slot.names();
        return Err(Error::new(Code::StateCorrupt, format!("{even} and {odd} are gone")));
    }
    Ok(())
}

/// The higher generation whose header could be one.
pub(super) fn glance(disk: &dyn Disk, slot: Slot) -> Result<u64> {
    let mut highest = 0;
    for name in slot.names() {
        let Some(file) = open_present(disk, name)? else { continue };
        let mut bytes = [0; HEADER];
        let got = read_full_at(&*file, &mut bytes, 0).or_else(|error| {
            if is_bad_medium(&error) { Ok(0) } else { Err(failed(name, "read", &error)) }
        })?;
        if let Ok(header) = Header::read(bytes.get(..got).unwrap_or_default(), slot, name) {
            highest = highest.max(header.generation);
        }
    }
    Ok(highest)
}

/// The file of a generation.
pub(super) fn open(
    disk: &dyn Disk,
    slot: Slot,
    generation: u64,
    how: How,
) -> Result<Box<dyn File>> {
    let name = slot.name(generation);
    let file =
        patiently(|| disk.open(name, how)).map_err(|error| failed(name, "opened", &error))?;
    let mut bytes = [0; HEADER];
    let got = read_full_at(&*file, &mut bytes, 0).map_err(|error| failed(name, "read", &error))?;
    match Header::read(bytes.get(..got).unwrap_or_default(), slot, name) {
        Ok(header) if header.generation == generation => Ok(file),
        Ok(_) => Err(Error::new(Code::Busy, format!("{name} was replaced meanwhile"))),
        Err(what) => Err(Error::new(Code::StateCorrupt, what)),
    }
}

/// The generation to write next: higher than any that is or seems to be there, and in the file
/// that does not hold the newest whole one.
pub(super) fn next(disk: &dyn Disk, slot: Slot) -> Result<u64> {
    let highest = glance(disk, slot)?;
    let newest = match find(disk, slot) {
        Ok(found) => found.map(|found| found.generation),
        Err(error) if error.code() == Code::StateCorrupt => None,
        Err(error) => return Err(error),
    };
    let next = highest.saturating_add(1);
    let hits_newest = newest.is_some_and(|newest| slot.name(newest) == slot.name(next));
    Ok(if hits_newest { next.saturating_add(1) } else { next })
}

/// Puts a generation in its place, durably.
pub(super) fn replace(
    disk: &dyn Disk,
    slot: Slot,
    generation: u64,
    payload: &[u8],
    room: u64,
) -> Result<()> {
    if !(1..=GENERATION_MAX).contains(&generation) {
        let what = format!("{generation} is no generation: they begin with 1");
        return Err(Error::new(Code::Internal, what));
    }
    if payload.len() > SLOT_MAX || room > SLOT_MAX as u64 {
        let what = format!("{} would have {} bytes", slot.name(generation), payload.len());
        return Err(Error::new(Code::TooLarge, what));
    }
    let name = slot.name(generation);
    write_tmp(disk, &Header::new(generation, payload), payload, room)
        .and_then(|()| patiently(|| disk.rename(TMP, name)))
        .and_then(|()| patiently(|| disk.sync_folder()))
        .map_err(|error| failed(name, "written", &error))
}

/// The one name for what is not finished. One is enough: it is written under the lock.
const TMP: &str = "tmp";

/// Zeros are written in pieces of this size.
const PIECE: usize = 64 * 1024;

fn write_tmp(disk: &dyn Disk, header: &Header, payload: &[u8], room: u64) -> io::Result<()> {
    let file = patiently(|| disk.open(TMP, How::Renew))?;
    let end = end(payload.len() as u64);
    let mut bytes = Vec::with_capacity(end as usize);
    bytes.extend(header.bytes());
    bytes.extend(payload);
    bytes.resize(end as usize, 0);
    write_all_at(&*file, &bytes, 0)?;
    let full = end.saturating_add(room);
    let zeros = vec![0; PIECE.min(room as usize)];
    let mut at = end;
    while at < full {
        let piece = zeros.get(..(full - at).min(PIECE as u64) as usize).unwrap_or_default();
        write_all_at(&*file, piece, at)?;
        at += piece.len() as u64;
    }
    patiently(|| file.sync_all())
}
