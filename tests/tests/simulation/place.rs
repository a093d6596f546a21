//! A product that is installed somewhere, and what is known to be true of it.

use crate::network::{Network, Wire};
use crate::paper::Paper;
use crate::vendor::{CODE, catalog};
use licentia::simulate::SimDisk;
use licentia::{Installation, Product, Seat, rfc3339};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

/// How the clock of a machine is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// By so many seconds.
    By(i64),
    /// It stands still at a time.
    At(i64),
}

/// Whether there is a license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// There is none.
    No,
    /// There is one.
    Yes,
    /// The power went while it came or went.
    Perhaps,
}

/// One product on one machine.
pub struct Place {
    /// Its number.
    pub number: usize,
    /// That of the one it is a copy of, or its own.
    pub line: usize,
    /// Which license it was bought with.
    pub license: usize,
    /// Its disk.
    pub disk: SimDisk,
    /// What runs.
    pub installation: Installation,
    /// Seats that it has.
    pub seats: Vec<Seat>,
    product: Product,
    /// How its clock is wrong.
    pub skew: Skew,
    /// Whether nothing that a wrong clock showed is remembered.
    pub is_clean: bool,
    /// Whether there is another with the same folder.
    pub is_copied: bool,
    /// Whether there is a license.
    pub has: Has,
    /// What was counted of each feature for certain, and what may have been counted besides.
    pub counted: [u64; 2],
    /// The same.
    pub perhaps: [u64; 2],
    /// Answers that were taken.
    pub taken: HashSet<Vec<u8>>,
    /// The epoch and the number of the last of them.
    pub last: (u64, u64),
    /// Whether it ever knew its license to be revoked.
    pub knew_revoked: bool,
}

impl Place {
    /// A new one.
    pub fn new(number: usize, license: usize, now: i64, network: &Arc<Mutex<Network>>) -> Place {
        let disk = SimDisk::default();
        let product = product(number);
        let installation = open(&product, &disk, now, number, network);
        Place {
            number,
            line: number,
            license,
            disk,
            installation,
            seats: Vec::new(),
            product,
            skew: Skew::By(0),
            is_clean: true,
            is_copied: false,
            has: Has::No,
            counted: [0; 2],
            perhaps: [0; 2],
            taken: HashSet::new(),
            last: (0, 0),
            knew_revoked: false,
        }
    }

    /// A copy on the same machine: its folder, put somewhere else.
    pub fn copy(&mut self, number: usize, now: i64, network: &Arc<Mutex<Network>>) -> Place {
        self.is_copied = true;
        let disk = self.disk.copy();
        let product = product(self.line);
        let installation = open(&product, &disk, now, self.line, network);
        Place {
            number,
            disk,
            installation,
            product,
            seats: Vec::new(),
            skew: Skew::By(0),
            is_clean: self.is_clean && self.skew == Skew::By(0),
            taken: self.taken.clone(),
            ..*self
        }
    }

    /// The process ends, if it still runs, and another begins, on what is on the disk.
    pub fn reopen(&mut self, now: i64, network: &Arc<Mutex<Network>>) {
        self.seats.clear();
        self.disk.kill();
        self.installation = open(&self.product, &self.disk, self.clock(now), self.line, network);
    }

    /// What its clock shows.
    pub fn clock(&self, now: i64) -> i64 {
        match self.skew {
            Skew::By(seconds) => now + seconds,
            Skew::At(at) => at,
        }
    }

    /// Its clock shows what it shows at a time.
    pub fn wake(&mut self, now: i64) {
        set_clock(&self.product, self.clock(now));
    }

    /// Whether its clock is right.
    pub fn is_right(&self) -> bool {
        self.skew == Skew::By(0)
    }

    /// What it says of itself.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.installation.status(None).unwrap()).unwrap()
    }

    /// Notes that an answer was taken, which could not have been taken if anything were wrong with
    /// it.
    pub fn take(&mut self, paper: &Paper) {
        let Place { number, line, .. } = *self;
        let what =
            format!("product {number} took {} {:?} for {}", paper.word, paper.kind, paper.said);
        assert!(!paper.is_false, "which nobody signed: {what}");
        if !paper.is_answer() {
            let theirs = paper.kind == licentia::Kind::Lease || paper.kind == licentia::Kind::Clock;
            assert!(!theirs || paper.owner == line, "which was for another: {what}");
            return;
        }
        assert_eq!(paper.owner, line, "which was for another: {what}");
        let is_asked = paper.is_fresh || self.is_copied || paper.asked == self.taken.len();
        assert!(is_asked, "which was asked before another that it took: {what}");
        assert!(self.taken.insert(paper.text.clone()), "again: {what}");
        let next = (paper.number("epoch"), paper.number("seq"));
        // Before its first key set an answer's number is not kept, and a copy's nonces are its own.
        assert!(next > self.last || self.is_copied, "after {:?}: {what}", self.last);
        self.last = self.last.max(next);
        self.is_clean = self.is_right();
    }
}

fn product(machine: usize) -> Product {
    let mut product = Product::new(CODE, &catalog().keys).unwrap();
    product.set("machine", &format!("machine-{machine}")).unwrap();
    product
}

fn set_clock(product: &Product, at: i64) {
    // Setting up takes the product; a clone has the same clock.
    product.clone().set("clock", &rfc3339(at)).unwrap();
}

fn open(
    product: &Product,
    disk: &SimDisk,
    clock: i64,
    from: usize,
    network: &Arc<Mutex<Network>>,
) -> Installation {
    set_clock(product, clock);
    let mut installation = product.open_on(disk);
    installation.connect(Arc::new(Wire { network: Arc::clone(network), from }));
    installation
}
