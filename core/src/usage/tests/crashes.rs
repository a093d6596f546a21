//! Counting while the power goes, the disk fails, and processes come and go.

use super::*;
use crate::store::simulated::{Dice, Fault, times};
use crate::usage::commit::Written;
use crate::usage::ledger::Entered;
use crate::usage::meter::Entry;
use std::sync::atomic::Ordering;

/// What a meter may have come to.
#[derive(Clone, Debug, Default)]
struct Tally {
    /// On disk, as somebody was told.
    durable: u64,
    /// Told as recorded, on disk within a second: by which process, when (ms), how much.
    later: Vec<(usize, u64, u64)>,
    /// Attempted, and nobody was told of success.
    maybe: u64,
}

impl Tally {
    fn least(&self) -> u64 {
        self.durable
    }

    fn most(&self) -> u64 {
        self.durable + self.maybe + self.later.iter().map(|(_, _, amount)| amount).sum::<u64>()
    }

    /// Everything up to a time by one process is on disk; by all, if it is `None`.
    fn settle(&mut self, process: Option<usize>, until: u64) {
        let is_durable = |it: &&(usize, u64, u64)| {
            process.is_none_or(|process| process == it.0) && it.1 <= until
        };
        self.durable += self.later.iter().filter(is_durable).map(|it| it.2).sum::<u64>();
        self.later.retain(|it| !is_durable(&it));
    }
}

struct Life {
    seed: u64,
    dice: Dice,
    disk: SimDisk,
    clock: Arc<AtomicU64>,
    tallies: [Tally; 2],
    /// Whether the disk has failed in any way but losing its power.
    failed: bool,
}

impl Life {
    fn features() -> [Feature; 2] {
        [count("pages", "month"), count("calls", "ever")]
    }

    fn now(&self) -> u64 {
        self.clock.load(Ordering::Relaxed)
    }

    /// Processes count, each record written before the last one is waited for, until the power
    /// goes or nothing is left to do.
    fn boot(&mut self, folder: &Folder) {
        let features = Life::features();
        let mut processes: Vec<Ledger> = (0..3).map(|_| turned(folder, &self.clock)).collect();
        let mut names = [0, 1, 2];
        let mut waiting: Vec<(usize, usize, Written, u64)> = Vec::new();
        for _ in 0..self.dice.below(60) {
            self.clock.fetch_add(self.dice.below(400), Ordering::Relaxed);
            let which = self.dice.below(3) as usize;
            let meter = self.dice.below(2) as usize;
            let amount = 1 + self.dice.below(3);
            match self.dice.below(10) {
                0 => {
                    // Killed: whatever it was waiting for, nobody is told. Its files are closed.
                    for (_, meter, written, amount) in waiting.extract_if(.., |it| it.0 == which) {
                        self.tallies[meter].maybe += amount;
                        drop(written);
                    }
                    std::mem::replace(&mut processes[which], turned(folder, &self.clock)).forget();
                    names[which] += 3;
                }
                1..3 => self.record_later(&processes[which], names[which], meter, amount),
                3..7 => {
                    let entry = Entry::Add(amount);
                    match processes[which].enter(&features[meter], entry, NOON) {
                        Ok(Entered::Written(it)) => waiting.push((which, meter, it, amount)),
                        Ok(Entered::Known(_)) => panic!("an amount is always written"),
                        Err(_) => self.tallies[meter].maybe += amount,
                    }
                }
                7 => {
                    let place = processes[which].totals().map(|it| it.to_report().place);
                    if let (Ok(place), Ok(locked)) = (place, folder.lock()) {
                        let done = processes[which].acknowledge(&locked, place.seq, &place.head);
                        self.failed |= done.is_err() && !self.disk.has_ended();
                    }
                }
                _ if waiting.is_empty() => {}
                _ => {
                    let at = self.dice.below(waiting.len() as u64) as usize;
                    let (which, meter, written, amount) = waiting.swap_remove(at);
                    self.finish(&processes[which], meter, &written, amount);
                }
            }
        }
        for (which, meter, written, amount) in waiting {
            self.finish(&processes[which], meter, &written, amount);
        }
        if self.dice.chance(500) {
            // Closed in order, if the power is still there.
            for (name, process) in names.iter().zip(&processes) {
                if process.flush().is_ok() {
                    self.tallies.iter_mut().for_each(|it| it.settle(Some(*name), u64::MAX));
                }
            }
        }
    }

    fn record_later(&mut self, process: &Ledger, which: usize, meter: usize, amount: u64) {
        let now = self.now();
        match process.record_later(&Life::features()[meter], Entry::Add(amount), NOON) {
            Ok(()) => {
                self.tallies[meter].later.push((which, now, amount));
                let until = now.saturating_sub(1000);
                self.tallies.iter_mut().for_each(|it| it.settle(Some(which), until));
            }
            Err(_) => self.tallies[meter].maybe += amount,
        }
    }

    fn finish(&mut self, process: &Ledger, meter: usize, written: &Written, amount: u64) {
        match process.finish(written) {
            Ok(()) => self.tallies[meter].durable += amount,
            Err(_) => self.tallies[meter].maybe += amount,
        }
    }

    /// What is there is what it may be, no more and no less.
    fn check(&mut self, folder: &Folder, when: &str) {
        let (seed, process) = (self.seed, process(folder));
        let totals = process.totals().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for (feature, tally) in Life::features().iter().zip(&mut self.tallies) {
            let used = totals.of(feature, NOON).used;
            let (least, most) = (tally.least(), tally.most());
            let right = (least..=most).contains(&used);
            assert!(right, "seed {seed}, {when}: {used} {}, not {least} to {most}", feature.id);
        }
        if !self.failed {
            assert_eq!(process.damaged(), None, "seed {seed}, {when}: only the power was lost");
        }
    }

    /// What is there now is where counting goes on from.
    fn take_stock(&mut self, folder: &Folder) {
        let totals = process(folder).totals().unwrap();
        for (feature, tally) in Life::features().iter().zip(&mut self.tallies) {
            *tally = Tally { durable: totals.of(feature, NOON).used, ..Tally::default() };
        }
    }
}

fn live(seed: u64, faults: bool) {
    let disk = SimDisk::default();
    folder_on(&disk);
    let mut dice = Dice(seed);
    let clock = Arc::new(AtomicU64::new(dice.below(5000)));
    let mut life = Life { seed, dice, disk, clock, tallies: Default::default(), failed: false };
    for _ in 0..3 {
        let folder = Folder::on(Arc::new(life.disk.clone()));
        if faults {
            let fault = Fault::ALL[life.dice.below(6) as usize];
            life.disk.fail(1 + life.dice.below(600), fault, life.dice.chance(200));
            life.failed = true;
        }
        let power = life.dice.below(2500);
        life.disk.end_after(power);
        life.boot(&folder);
        if !life.disk.has_ended() && life.dice.chance(500) {
            // The power is still there: what everybody sees is right, too.
            life.disk.heal();
            let folder = folder.clone();
            life.disk.end_after(u64::MAX / 2);
            life.check(&folder, "before the power went");
        }
        life.disk = life.disk.crash(&mut life.dice);
        let folder = Folder::on(Arc::new(life.disk.clone()));
        life.check(&folder, "after the power went");
        life.take_stock(&folder);
        // The next attempt on a healthy disk succeeds, and is counted once.
        let [feature, _] = Life::features();
        let seed = life.seed;
        let done = process(&folder).record(&feature, Entry::Add(1), NOON);
        done.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        life.tallies[0].durable += 1;
        life.check(&folder, "afterwards");
    }
}

#[test]
fn no_power_failure_loses_what_was_acknowledged_or_counts_it_twice() {
    for seed in 0..500 * times() {
        live(seed, false);
    }
}

#[test]
fn no_failing_disk_has_anything_acknowledged_that_it_did_not_take() {
    for seed in 0..500 * times() {
        live(seed, true);
    }
}
