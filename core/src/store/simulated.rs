//! A disk that fails, tears and forgets, for tests and the simulation.
//!
//! What is written, made or renamed is seen at once, and pending until it is synced. When the
//! power goes, any part of what is pending survives: in any order, torn every 512 bytes, with
//! zeros or garbage where a file grew. What a failed sync should have kept is never pending
//! again: a later sync does not keep it.

#![allow(clippy::indexing_slicing, reason = "only tests are on such a disk")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, File, How};

const SECTOR: usize = 512;

/// A disk with one folder. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimDisk(Arc<Mutex<World>>);

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The medium fails.
    Eio,
    /// The disk is full.
    Enospc,
    /// A signal comes.
    Eintr,
    /// The disk was mounted to be read.
    Erofs,
    /// Half of the bytes are read or written, without an error.
    Short,
    /// Half of it is done, and then the medium fails.
    Torn,
}

impl Fault {
    /// Every one.
    pub const ALL: [Fault; 6] =
        [Fault::Eio, Fault::Enospc, Fault::Eintr, Fault::Erofs, Fault::Short, Fault::Torn];

    /// Whether a system would ever fail like this there.
    fn fits(self, step: Step) -> bool {
        let opens = |hows: &[How]| matches!(step, Step::Open(how) if hows.contains(&how));
        let syncs = matches!(step, Step::Sync | Step::SyncFolder);
        let changes = matches!(step, Step::Write | Step::Rename);
        match self {
            Fault::Eio | Fault::Eintr => true,
            Fault::Enospc => changes || syncs || opens(&[How::Make, How::Renew]),
            Fault::Erofs => {
                let opens = opens(&[How::Write, How::Make, How::Renew]);
                changes || opens || step == Step::SyncFolder
            }
            Fault::Short => matches!(step, Step::Read | Step::Write),
            Fault::Torn => changes || syncs,
        }
    }

    fn error(self) -> io::Error {
        io::Error::from_raw_os_error(match self {
            Fault::Eio | Fault::Short | Fault::Torn => 5,
            Fault::Enospc => 28,
            Fault::Eintr => 4,
            Fault::Erofs => 30,
        })
    }
}

/// The primitive operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open(How),
    Read,
    Write,
    Sync,
    Rename,
    SyncFolder,
    Other,
}

#[derive(Clone, Copy, Debug)]
struct Plan {
    at: u64,
    fault: Fault,
    lasts: bool,
}

#[derive(Debug, Default)]
struct World {
    /// By their numbers; never removed.
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    pending: Vec<Naming>,
    lost: Vec<Naming>,
    /// Which open file has the lock on an inode.
    locks: BTreeMap<usize, u64>,
    opened: u64,
    steps: u64,
    plan: Option<Plan>,
    injected: u64,
    ends_at: Option<u64>,
    worn: BTreeSet<usize>,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Piece>,
    lost: Vec<Piece>,
}

/// A part of a write that is in one sector.
#[derive(Clone, Debug)]
struct Piece {
    at: usize,
    bytes: Vec<u8>,
}

/// A name that was given to an inode, and the one that it had before.
#[derive(Clone, Debug)]
struct Naming {
    from: Option<String>,
    to: String,
    inode: usize,
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        if let Some(from) = self.from.as_ref().filter(|from| names.get(*from) == Some(&self.inode))
        {
            names.remove(from);
        }
        names.insert(self.to.clone(), self.inode);
    }
}

impl Inode {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        overwrite(&mut self.bytes, at, bytes, 0);
        let mut at = at;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            self.pending.push(Piece { at, bytes: piece.to_vec() });
            at += piece.len();
            rest = after;
        }
    }

    fn keep(&mut self, pieces: usize) {
        for piece in self.pending.drain(..pieces) {
            // What is durable is not undone by what was there before it.
            self.lost.retain(|lost| lost.at / SECTOR != piece.at / SECTOR);
            overwrite(&mut self.durable, piece.at, &piece.bytes, 0);
        }
    }

    /// What is left of it without power.
    fn after_crash(&self, dice: &mut Dice) -> Vec<u8> {
        let mut pieces: Vec<&Piece> = self.lost.iter().chain(&self.pending).collect();
        if dice.chance(500) {
            dice.shuffle(&mut pieces);
        }
        let filler = if dice.chance(300) { dice.below(256) as u8 } else { 0 };
        let survives = [0, 500, 900, 1000][dice.below(4) as usize];
        let mut left = self.durable.clone();
        for piece in pieces {
            if dice.chance(survives) {
                overwrite(&mut left, piece.at, &piece.bytes, filler);
            }
        }
        let longest = self.bytes.len().max(left.len());
        if longest > left.len() && dice.chance(500) {
            let more = dice.below((longest - left.len()) as u64 + 1) as usize;
            left.resize(left.len() + more, filler);
        }
        left
    }
}

/// Writes into a file that grows as far as needed.
fn overwrite(file: &mut Vec<u8>, at: usize, bytes: &[u8], filler: u8) {
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), filler);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

impl World {
    /// Counts an operation, and fails it if that is its turn. Gives whether it is done by half.
    fn step(&mut self, step: Step) -> io::Result<Option<Fault>> {
        self.steps += 1;
        if self.ends_at.is_some_and(|end| self.steps > end) {
            return Err(Fault::Eio.error());
        }
        let Some(plan) = self.plan else { return Ok(None) };
        let turn = if plan.lasts { self.steps >= plan.at } else { self.steps == plan.at };
        if !turn || !plan.fault.fits(step) {
            return Ok(None);
        }
        self.injected += 1;
        match plan.fault {
            Fault::Short | Fault::Torn => Ok(Some(plan.fault)),
            fault => Err(fault.error()),
        }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.names);
        self.pending.push(naming);
    }

    fn make(&mut self, name: &str) -> usize {
        self.inodes.push(Inode::default());
        let inode = self.inodes.len() - 1;
        self.name(Naming { from: None, to: name.into(), inode });
        inode
    }
}

/// Whether a sync that failed so has given up on what it had to keep.
fn gives_up(error: &io::Error) -> bool {
    error.kind() != ErrorKind::Interrupted
}

impl SimDisk {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails the n-th operation from here, 1 being the next, and those after it if it `lasts`.
    /// Operations that cannot fail like this succeed.
    pub fn fail(&self, n: u64, fault: Fault, lasts: bool) {
        let mut world = self.world();
        world.plan = Some(Plan { at: world.steps + n, fault, lasts });
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.world().plan = None;
    }

    /// The power goes after `n` more operations: then every one fails, and [`SimDisk::crash`]
    /// says what is left.
    pub fn end_after(&self, n: u64) {
        let mut world = self.world();
        world.ends_at = Some(world.steps + n);
    }

    /// Whether the power is gone.
    pub fn has_ended(&self) -> bool {
        let world = self.world();
        world.ends_at.is_some_and(|end| world.steps >= end)
    }

    /// How often something failed.
    pub fn injected(&self) -> u64 {
        self.world().injected
    }

    /// How many operations there were.
    pub fn steps(&self) -> u64 {
        self.world().steps
    }

    /// What is left after the power went, as another disk.
    pub fn crash(&self, dice: &mut Dice) -> SimDisk {
        let world = self.world();
        let mut namings: Vec<&Naming> = world.lost.iter().chain(&world.pending).collect();
        if dice.chance(500) {
            dice.shuffle(&mut namings);
        }
        let survives = [0, 500, 900, 1000][dice.below(4) as usize];
        let mut names = world.durable_names.clone();
        for naming in namings {
            if dice.chance(survives) {
                naming.apply(&mut names);
            }
        }
        // What has no name any more is gone for good.
        let named: BTreeSet<usize> = names.values().copied().collect();
        let after = |(at, inode): (usize, &Inode)| {
            let durable = if named.contains(&at) { inode.after_crash(dice) } else { Vec::new() };
            Inode { bytes: durable.clone(), durable, ..Inode::default() }
        };
        let inodes = world.inodes.iter().enumerate().map(after).collect();
        let durable_names = names.clone();
        let after = World { inodes, names, durable_names, ..World::default() };
        SimDisk(Arc::new(Mutex::new(after)))
    }

    /// Another disk with the same files, as whoever copies them sees them.
    #[cfg(feature = "simulate")]
    pub fn copy(&self) -> SimDisk {
        let world = self.world();
        let copy = SimDisk::default();
        for (name, inode) in &world.names {
            copy.put(name, &world.inodes[*inode].bytes);
        }
        copy
    }

    /// The process is killed: nothing is lost, and its locks are free.
    pub fn kill(&self) {
        self.world().locks.clear();
    }

    /// What is in a file.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let world = self.world();
        world.names.get(name).map(|inode| world.inodes[*inode].bytes.clone())
    }

    /// Puts something into a file, durably.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let mut world = self.world();
        let bytes = bytes.to_vec();
        world.inodes.push(Inode { bytes: bytes.clone(), durable: bytes, ..Inode::default() });
        let inode = world.inodes.len() - 1;
        world.names.insert(name.into(), inode);
        world.durable_names.insert(name.into(), inode);
    }

    /// Takes a file away, durably.
    pub fn remove(&self, name: &str) {
        let mut world = self.world();
        world.names.remove(name);
        world.durable_names.remove(name);
    }

    /// Wears a file out: it cannot be read any more.
    pub fn wear_out(&self, name: &str) {
        let mut world = self.world();
        if let Some(inode) = world.names.get(name).copied() {
            world.worn.insert(inode);
        }
    }
}

impl Disk for SimDisk {
    fn open(&self, name: &str, how: How) -> io::Result<Box<dyn File>> {
        let mut world = self.world();
        world.step(Step::Open(how))?;
        let inode = match (world.names.get(name).copied(), how) {
            (Some(inode), How::Read | How::Write | How::Make) => inode,
            (None, How::Read | How::Write) => return Err(ErrorKind::NotFound.into()),
            (None, How::Make) | (_, How::Renew) => world.make(name),
        };
        world.opened += 1;
        Ok(Box::new(SimFile { disk: self.clone(), inode, id: world.opened }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let half = world.step(Step::Rename)?;
        let inode = *world.names.get(from).ok_or(ErrorKind::NotFound)?;
        world.name(Naming { from: Some(from.into()), to: to.into(), inode });
        half.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut world = self.world();
        let half = match world.step(Step::SyncFolder) {
            Err(error) if gives_up(&error) => {
                let pending = std::mem::take(&mut world.pending);
                world.lost.extend(pending);
                return Err(error);
            }
            done => done?,
        };
        let mut pending = std::mem::take(&mut world.pending);
        let rest =
            pending.split_off(if half.is_some() { pending.len() / 2 } else { pending.len() });
        for naming in pending {
            world.lost.retain(|lost| lost.to != naming.to);
            naming.apply(&mut world.durable_names);
        }
        world.lost.extend(rest);
        half.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn check(&self) -> io::Result<()> {
        self.world().step(Step::Other).map(drop)
    }
}

/// An open file.
#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    inode: usize,
    id: u64,
}

impl File for SimFile {
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let half = world.step(Step::Read)?;
        if world.worn.contains(&self.inode) {
            return Err(Fault::Eio.error());
        }
        let bytes = &world.inodes[self.inode].bytes;
        let rest = &bytes[bytes.len().min(at as usize)..];
        let full = rest.len().min(into.len());
        let length = if half.is_some() { full.div_ceil(2) } else { full };
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        let mut world = self.disk.world();
        let half = world.step(Step::Write)?;
        let length = if half.is_some() { bytes.len().div_ceil(2) } else { bytes.len() };
        world.inodes[self.inode].write(at as usize, &bytes[..length]);
        match half {
            Some(Fault::Torn) => Err(Fault::Torn.error()),
            _ => Ok(length),
        }
    }

    fn len(&self) -> io::Result<u64> {
        let mut world = self.disk.world();
        world.step(Step::Other)?;
        Ok(world.inodes[self.inode].bytes.len() as u64)
    }

    fn sync_all(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        let done = world.step(Step::Sync);
        let inode = &mut world.inodes[self.inode];
        match &done {
            Ok(None) => inode.keep(inode.pending.len()),
            Ok(Some(_)) => inode.keep(inode.pending.len() / 2),
            Err(error) if !gives_up(error) => return done.map(drop),
            Err(_) => {}
        }
        let lost = std::mem::take(&mut inode.pending);
        inode.lost.extend(lost);
        done?.map_or(Ok(()), |fault| Err(fault.error()))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut world = self.disk.world();
        world.step(Step::Other)?;
        Ok(*world.locks.entry(self.inode).or_insert(self.id) == self.id)
    }

    fn unlock(&self) -> io::Result<()> {
        let mut world = self.disk.world();
        world.step(Step::Other)?;
        self.let_go(&mut world);
        Ok(())
    }
}

impl SimFile {
    fn let_go(&self, world: &mut World) {
        if world.locks.get(&self.inode) == Some(&self.id) {
            world.locks.remove(&self.inode);
        }
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.let_go(&mut self.disk.world());
    }
}

/// How many times as much to try: `LICENTIA_SOAK`.
#[cfg(test)]
pub(crate) fn times() -> u64 {
    std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// SplitMix64: small, and the same everywhere.
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ (b >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    /// Whether something happens that does so so many times of a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Puts them in any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}
