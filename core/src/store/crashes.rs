//! Installations that lose their power again and again, with a disk that forgets and tears.

use std::sync::Arc;

use super::simulated::{Dice, Fault, SimDisk, times};
use super::{Folder, Slot};
use crate::errors::{Code, Result};

const SLOTS: [Slot; 3] = [Slot::State, Slot::Revocations, Slot::Usage];

/// What was attempted in one slot.
#[derive(Debug, Default)]
struct History {
    /// The payload of every generation that was begun, from 1 up. Those that were begun again
    /// have more than one.
    begun: Vec<(u64, Vec<u8>)>,
    /// The highest that was acknowledged.
    acknowledged: u64,
}

/// A life of an installation: many boots, each ended by a loss of power.
struct Life {
    seed: u64,
    dice: Dice,
    disk: SimDisk,
    history: [History; 3],
    /// Every number that was given to `set_synced`.
    synced: Vec<u64>,
}

impl Life {
    fn new(seed: u64) -> Life {
        let disk = SimDisk::default();
        Life { seed, dice: Dice(seed), disk, history: Default::default(), synced: vec![0] }
    }

    fn folder(&self) -> Folder {
        Folder::on(Arc::new(self.disk.clone()))
    }

    /// One change under the lock, as an installation makes it.
    fn change(&mut self, folder: &Folder) -> Result<()> {
        let locked = folder.lock()?;
        if locked.is_first_run() {
            assert_eq!(self.history[0].acknowledged, 0, "seed {}: a second first run", self.seed);
            if self.dice.chance(700) {
                self.replace(folder, &locked, 2)?;
            }
            self.replace(folder, &locked, 0)?;
            return locked.initialized();
        }
        let index = self.dice.below(3) as usize;
        self.replace(folder, &locked, index)?;
        drop(locked);
        let seq = self.dice.below(1 << 40);
        self.synced.push(seq);
        folder.set_synced(seq)
    }

    fn replace(&mut self, folder: &Folder, locked: &super::Locked<'_>, index: usize) -> Result<()> {
        let slot = SLOTS[index];
        self.check(slot, folder.find(slot)?.map(|found| (found.generation, found.payload)));
        let next = locked.next(slot)?;
        let length = self.dice.below(1500);
        let payload: Vec<u8> = (0..length).map(|_| self.dice.roll() as u8).collect();
        let room = if slot == Slot::Usage { self.dice.below(3000) } else { 0 };
        let history = &mut self.history[index];
        history.begun.push((next, payload.clone()));
        locked.replace(slot, next, &payload, room)?;
        assert!(next > history.acknowledged, "seed {}: {slot:?} {next} again", self.seed);
        history.acknowledged = next;
        Ok(())
    }

    /// Whether what was found is what must be there: acknowledged or later, and as it was written.
    fn check(&self, slot: Slot, found: Option<(u64, Vec<u8>)>) {
        let (seed, history) = (self.seed, &self.history[slot as usize]);
        let acknowledged = history.acknowledged;
        match found {
            None => assert_eq!(acknowledged, 0, "seed {seed}: {slot:?} {acknowledged} is lost"),
            Some(found) => {
                let generation = found.0;
                assert!(generation >= acknowledged, "seed {seed}: {slot:?} {acknowledged} is lost");
                assert!(history.begun.contains(&found), "seed {seed}: {slot:?}: a third state");
            }
        }
    }

    /// Works until the power goes, with a disk that may fail before.
    fn boot(&mut self) {
        self.disk.end_after(self.dice.below(150));
        let folder = self.folder();
        while !self.disk.has_ended() {
            if self.dice.chance(300) {
                let fault = Fault::ALL[self.dice.below(6) as usize];
                self.disk.fail(self.dice.below(40), fault, self.dice.chance(200));
            }
            if let Err(error) = self.change(&folder) {
                let code = error.code();
                let honest = matches!(code, Code::Io | Code::DiskFull | Code::StateUnavailable);
                assert!(honest, "seed {}: {error}", self.seed);
            }
            if self.dice.chance(500) {
                self.disk.heal();
            }
        }
        self.disk = self.disk.crash(&mut self.dice);
    }

    /// Reads everything after a crash.
    fn check_all(&self) {
        let folder = self.folder();
        for slot in SLOTS {
            let found = folder.find(slot).unwrap_or_else(|error| panic!("{}: {error}", self.seed));
            self.check(slot, found.map(|found| (found.generation, found.payload)));
        }
        let synced = folder.synced().unwrap();
        assert!(self.synced.contains(&synced), "seed {}: synced {synced}", self.seed);
    }
}

/// What the lives of many seeds came to.
#[derive(Debug, Default)]
struct Seen {
    boots: u64,
    acknowledged: u64,
    without_first_run: u64,
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power() {
    let mut seen = Seen::default();
    // A hundred thousand where there is time for it.
    let seeds = if times() > 1 { 10_000 * times() } else { 3_000 };
    for seed in 0..seeds {
        let mut life = Life::new(seed);
        for _ in 0..1 + life.dice.below(4) {
            life.boot();
            life.check_all();
            seen.boots += 1;
            seen.without_first_run += u64::from(life.history[0].acknowledged == 0);
        }
        let folder = life.folder();
        for _ in 0..3 {
            life.change(&folder).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        life.check_all();
        seen.acknowledged += life.history.iter().map(|history| history.acknowledged).sum::<u64>();
    }
    println!("{seen:?}");
    // Seeds that do nothing would find nothing.
    assert!(seen.acknowledged > seen.boots && seen.without_first_run > seen.boots / 50);
}
