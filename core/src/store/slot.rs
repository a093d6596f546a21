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
    fn new(version: u32, generation: u64, payload: &[u8]) -> Header {
        let mut hashed = [0; HASHED];
        let length = payload.len() as u64;
        let parts = MAGIC.into_iter().chain(version.to_le_bytes()).chain([0; 4]);
        let parts = parts.chain(generation.to_le_bytes()).chain(length.to_le_bytes());
        for (to, from) in hashed.iter_mut().zip(parts) {
            *to = from;
        }
        let hash = hash(&hashed, payload);
        Header { version, generation, length, hashed, hash }
    }

    /// Reads it; `None` if it is none of a file with this name.
    fn read(file: &dyn File, slot: Slot, name: &str) -> io::Result<Option<Header>> {
        let mut bytes = [0; HEADER];
        let full = read_full_at(file, &mut bytes, 0)? == HEADER;
        Ok(Header::parse(&bytes).filter(|header| full && slot.name(header.generation) == name))
    }

    fn parse(bytes: &[u8; HEADER]) -> Option<Header> {
        let (hashed, rest) = bytes.split_first_chunk::<HASHED>()?;
        let (magic, numbers) = hashed.split_first_chunk::<8>()?;
        let (version, numbers) = numbers.split_first_chunk::<4>()?;
        let (_, numbers) = numbers.split_first_chunk::<4>()?;
        let (generation, length) = numbers.split_first_chunk::<8>()?;
        let header = Header {
            version: u32::from_le_bytes(*version),
            generation: u64::from_le_bytes(*generation),
            length: u64::from_le_bytes(*length.first_chunk()?),
            hashed: *hashed,
            hash: *rest.first_chunk()?,
        };
        let counted = (1..=GENERATION_MAX).contains(&header.generation);
        (*magic == MAGIC && counted).then_some(header)
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
struct Side {
    name: &'static str,
    kind: Kind,
}

enum Kind {
    /// It is not there.
    Absent,
    /// It is whole.
    Whole { version: u32, generation: u64, payload: Vec<u8> },
    /// It is not what was written.
    Damaged,
    /// The medium does not give it back.
    Unreadable(io::Error),
}

impl Side {
    fn generation(&self) -> Option<u64> {
        match self.kind {
            Kind::Whole { generation, .. } => Some(generation),
            _ => None,
        }
    }

    /// What is wrong with it by itself.
    fn wrong(&self) -> Option<String> {
        match &self.kind {
            Kind::Absent => Some(format!("{} is gone", self.name)),
            Kind::Damaged => Some(format!("{} is damaged", self.name)),
            Kind::Unreadable(error) => Some(format!("{} cannot be read: {error}", self.name)),
            Kind::Whole { .. } => None,
        }
    }

    /// What is wrong with it beside the newest generation.
    fn wrong_before(&self, newest: u64) -> Option<String> {
        match self.kind {
            Kind::Absent if newest == 1 => None,
            Kind::Whole { generation, .. } if generation + 1 == newest => None,
            Kind::Whole { generation, .. } => {
                Some(format!("{} has generation {generation} beside {newest}", self.name))
            }
            _ => self.wrong(),
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

fn read_side(file: Option<&dyn File>, slot: Slot, name: &'static str) -> Result<Side> {
    let kind = match file.map(|file| read_file(file, slot, name)) {
        None => Kind::Absent,
        Some(Ok(kind)) => kind,
        Some(Err(error)) if is_bad_medium(&error) => Kind::Unreadable(error),
        Some(Err(error)) => return Err(failed(name, "read", &error)),
    };
    Ok(Side { name, kind })
}

fn read_file(file: &dyn File, slot: Slot, name: &str) -> io::Result<Kind> {
    let Some(header) = Header::read(file, slot, name)? else { return Ok(Kind::Damaged) };
    // Judged before anything is allocated for it.
    if header.length > SLOT_MAX as u64 || end(header.length) > patiently(|| file.len())? {
        return Ok(Kind::Damaged);
    }
    let length = header.length as usize;
    let mut payload = vec![0; end(header.length) as usize - HEADER];
    read_full_at(file, &mut payload, HEADER as u64)?;
    let padding = payload.split_off(length);
    let padded = padding.iter().all(|byte| *byte == 0);
    if !padded || hash(&header.hashed, &payload) != header.hash {
        return Ok(Kind::Damaged);
    }
    Ok(Kind::Whole { version: header.version, generation: header.generation, payload })
}

/// What is in a slot.
pub(super) fn find(disk: &dyn Disk, slot: Slot) -> Result<Option<Found>> {
    let is_fine = |found: &Result<Option<Found>>| match found {
        Ok(found) => found.as_ref().is_none_or(|found| found.recovered.is_none()),
        Err(_) => false,
    };
    let mut found = look(disk, slot);
    for _ in 1..LOOKS {
        if is_fine(&found) {
            break;
        }
        found = look(disk, slot);
    }
    found
}

fn look(disk: &dyn Disk, slot: Slot) -> Result<Option<Found>> {
    let [even, odd] = slot.names();
    // Both are opened before one is read: what is open stays, whatever takes its name.
    let (even_file, odd_file) = (open_present(disk, even)?, open_present(disk, odd)?);
    let even = read_side(even_file.as_deref(), slot, even)?;
    let odd = read_side(odd_file.as_deref(), slot, odd)?;
    if matches!((&even.kind, &odd.kind), (Kind::Absent, Kind::Absent)) {
        return check_new(disk, slot).map(|()| None);
    }
    let wrongs = [even.wrong(), odd.wrong()].map(Option::unwrap_or_default);
    // What cannot be read may be whole: nobody is to begin again in its place.
    let unreadable = [&even, &odd].map(|side| matches!(side.kind, Kind::Unreadable(_)));
    let lost = if unreadable.contains(&true) { Code::Io } else { Code::StateCorrupt };
    let (best, other) =
        if odd.generation() > even.generation() { (odd, even) } else { (even, odd) };
    let Kind::Whole { version, generation, payload } = best.kind else {
        return Err(Error::new(lost, wrongs.join(", and ")));
    };
    if version > VERSION {
        let name = slot.name(generation);
        let what = format!("{name} has format {version}, and {VERSION} is the newest known here");
        return Err(Error::new(Code::TooNew, what));
    }
    let end = end(payload.len() as u64);
    Ok(Some(Found { generation, payload, end, recovered: other.wrong_before(generation) }))
}

/// Tells a slot that was never written from one that is lost.
fn check_new(disk: &dyn Disk, slot: Slot) -> Result<()> {
    disk.check().map_err(|error| failed("the state folder", "read", &error))?;
    if super::lock::was_written(disk, slot)? {
        let [even, odd] = slot.names();
        return Err(Error::new(Code::StateCorrupt, format!("{even} and {odd} are gone")));
    }
    Ok(())
}

/// The higher generation whose header could be one.
pub(super) fn glance(disk: &dyn Disk, slot: Slot) -> Result<u64> {
    Ok(newest(disk, slot)?.map_or(0, |header| header.generation))
}

/// What that header says of all that it stands before.
pub(super) fn digest(disk: &dyn Disk, slot: Slot) -> Result<Option<[u8; 32]>> {
    Ok(newest(disk, slot)?.map(|header| header.hash))
}

fn newest(disk: &dyn Disk, slot: Slot) -> Result<Option<Header>> {
    let mut newest: Option<Header> = None;
    for name in slot.names() {
        let Some(file) = open_present(disk, name)? else { continue };
        let found = match Header::read(&*file, slot, name) {
            Err(error) if is_bad_medium(&error) => None,
            found => found.map_err(|error| failed(name, "read", &error))?,
        };
        let highest = newest.as_ref().map_or(0, |header| header.generation);
        newest = found.filter(|header| header.generation > highest).or(newest);
    }
    Ok(newest)
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
    let header = Header::read(&*file, slot, name).map_err(|error| failed(name, "read", &error))?;
    match header {
        Some(header) if header.generation == generation => Ok(file),
        Some(_) => Err(Error::new(Code::Busy, format!("{name} was replaced meanwhile"))),
        None => Err(Error::new(Code::StateCorrupt, format!("{name} is damaged"))),
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
    let newest = newest.unwrap_or_default();
    let next = highest.max(newest).saturating_add(1);
    let hits_newest = newest > 0 && slot.name(newest) == slot.name(next);
    let next = if hits_newest { next.saturating_add(1) } else { next };
    // Damage that names the last generation must not be the end.
    Ok(if next > GENERATION_MAX { newest.saturating_add(1) } else { next })
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
    write_tmp(disk, &Header::new(VERSION, generation, payload), payload, room)
        .and_then(|()| patiently(|| disk.rename(TMP, name)))
        .and_then(|()| patiently(|| disk.sync_folder()))
        .map_err(|error| failed(name, "written", &error))
}

/// The one name for what is not finished. One is enough: it is written under the lock.
const TMP: &str = "tmp";

/// Zeros are written in pieces of this size.
const PIECE: usize = 64 * 1024;

fn file_bytes(header: &Header, payload: &[u8]) -> Vec<u8> {
    let end = end(payload.len() as u64) as usize;
    let mut bytes = Vec::with_capacity(end);
    bytes.extend(header.bytes());
    bytes.extend(payload);
    bytes.resize(end, 0);
    bytes
}

fn write_tmp(disk: &dyn Disk, header: &Header, payload: &[u8], room: u64) -> io::Result<()> {
    let file = patiently(|| disk.open(TMP, How::Renew))?;
    let end = end(payload.len() as u64);
    write_all_at(&*file, &file_bytes(header, payload), 0)?;
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

/// A file of any version, for tests.
#[cfg(test)]
pub(super) fn with_version(version: u32, generation: u64, payload: &[u8]) -> Vec<u8> {
    file_bytes(&Header::new(version, generation, payload), payload)
}
