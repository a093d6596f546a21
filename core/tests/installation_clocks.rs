//! Clocks at random: set back and forward, wrong at the customer's and at the vendor's.

mod installation_support;

use installation_support::dice::Dice;
use installation_support::*;
use licentia::{Code, Installation, Product};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

const YEAR: i64 = 365 * DAY;

/// Spreads rounds over the processors: each has a folder, and a number that no other has.
fn spread(rounds: usize, round: impl Fn(&Folder, u64) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(rounds);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let round = &round;
            scope.spawn(move || {
                let folder = Folder::new();
                (thread..rounds).step_by(threads).for_each(|number| round(&folder, number as u64));
            });
        }
    });
}

/// A folder that is set back to how it began for each round: with a license for a year.
struct Folder {
    here: TempDir,
    files: Vec<(String, Vec<u8>)>,
}

/// What no round here changes, and is long.
const USAGE: [&str; 2] = ["usage.a", "usage.b"];

impl Folder {
    fn new() -> Folder {
        let here = light_folder();
        let license = license(|it| {
            it.license.valid_until = Some(NOW + YEAR);
            it.license.stages = None;
        });
        product().open(here.path()).unwrap().apply(license.as_bytes()).unwrap();
        let names = fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let files = names
            .map(|name| name.into_string().unwrap())
            .filter(|name| !USAGE.contains(&name.as_str()));
        let files = files.map(|name| (name.clone(), fs::read(here.path().join(name)).unwrap()));
        Folder { files: files.collect(), here }
    }

    fn path(&self) -> &Path {
        self.here.path()
    }

    /// As it began, under a clock of its own.
    fn renewed(&self) -> Product {
        for (name, bytes) in &self.files {
            fs::write(self.path().join(name), bytes).unwrap();
        }
        product()
    }

    fn open(&self, product: &Product) -> Installation {
        product.open(self.path()).unwrap()
    }
}

fn time(it: &Installation) -> Value {
    status(it)["time"].take()
}

/// Forward, back, with and without a restart. What remains never grows again, and going back
/// alone never takes anything away.
fn walk(folder: &Folder, number: u64) {
    let mut dice = Dice(number);
    let mut product = folder.renewed();
    let mut it = folder.open(&product);
    let (mut latest, mut kept) = (NOW, NOW);
    for step in 0..20 {
        let clock = match dice.below(4) {
            0 => NOW - dice.below(2 * YEAR as u64) as i64,
            1 => latest - dice.below(40 * DAY as u64) as i64,
            _ => latest + dice.below(12 * DAY as u64) as i64,
        };
        set_clock(&mut product, clock);
        // Kept of what it has seen: to the minute by who opens a folder, to the hour by who asks.
        let age = if dice.below(3) == 0 {
            it = folder.open(&product);
            latest = clock.max(kept);
            60
        } else {
            latest = latest.max(clock);
            3600
        };
        let allowed = it.allows("reports");
        kept = if latest - kept >= age { latest } else { kept };
        if dice.below(6) == 0 {
            // Whoever writes keeps it to the second.
            it.first_use(Some(NOW - 1 - step)).unwrap();
            kept = latest;
        }
        let found = time(&it);
        let context = format!("walk {number}, step {step}: {found}");
        assert_eq!(found["now"], latest, "{context}");
        assert_eq!(allowed, latest < NOW + YEAR, "{context}");
    }
}

#[test]
fn walks_never_gain_time_and_never_lock_out() {
    let walks = rounds(100);
    spread(walks, walk);
    tried(&format!("{walks} walks of a clock, 20 steps each"));
}

/// A clock that jumped ahead, for long enough to be believed or not, and is right again: one
/// answer of the vendor heals it, whatever it was. Gives whether it had locked anybody out.
fn jump(folder: &Folder, number: u64) -> bool {
    let mut dice = Dice(number);
    let mut product = folder.renewed();
    let held = folder.open(&product);
    let right = NOW + dice.below(300 * DAY as u64) as i64;
    set_clock(&mut product, right);
    assert!(held.allows("reports") && folder.open(&product).allows("reports"));
    let years = 1 + dice.below(73) as i64;
    let mut ahead = right + years * YEAR + dice.around(100 * DAY);
    for _ in 0..1 + dice.below(4) {
        ahead += dice.below(1200) as i64;
        set_clock(&mut product, ahead);
        folder.open(&product);
    }
    let right = right + 1 + dice.below(3600) as i64;
    set_clock(&mut product, right);
    let again = folder.open(&product);
    let was_out = !held.allows("reports");
    assert_eq!(was_out, !again.allows("reports"), "jump {number}: {}", time(&again));
    let server = right + dice.around(60);
    let healing = match dice.below(2) {
        0 => reset(&again, server),
        _ => answer(&again, 1, |answer| answer.server_time = server),
    };
    again.apply(healing.as_bytes()).unwrap();
    for it in [&again, &held, &folder.open(&product)] {
        let found = time(it);
        assert_eq!(found["now"], server.max(right), "jump {number}: {found}");
        assert!(it.allows("reports"), "jump {number}: {found}");
    }
    assert_eq!(again.apply(healing.as_bytes()).unwrap_err().code(), Code::AlreadyUsed);
    was_out
}

#[test]
fn a_jump_ahead_is_healed_by_one_answer() {
    let (jumps, out) = (rounds(20), AtomicUsize::new(0));
    spread(jumps, |folder, number| {
        out.fetch_add(usize::from(jump(folder, number)), Ordering::Relaxed);
    });
    let out = out.into_inner();
    tried(&format!("{jumps} jumps of a clock, {out} of them believed, all healed"));
    assert!(out * 4 > jumps && out < jumps, "{out} of {jumps}");
}

/// A customer and a vendor, each with a clock that is wrong by up to a day. All times by the true
/// clock, which neither has.
struct Life<'a> {
    folder: &'a TempDir,
    product: Product,
    it: Installation,
    customer: i64,
    vendor: i64,
    now: i64,
    days: i64,
    /// From when on the license has to work.
    works_from: i64,
    /// When it ends, as it was signed.
    until: i64,
    synced: Option<i64>,
    seq: u64,
}

impl Life<'_> {
    fn live(number: u64) {
        let mut dice = Dice(number);
        let (product, folder) = (product(), light_folder());
        let it = product.open(folder.path()).unwrap();
        let mut life = Life {
            folder: &folder,
            product,
            it,
            customer: dice.around(DAY),
            vendor: dice.around(DAY),
            now: NOW,
            days: 4 + dice.below(40) as i64,
            works_from: 0,
            until: 0,
            synced: (dice.below(2) == 0).then_some(NOW),
            seq: 0,
        };
        life.set_clock();
        let ahead = if dice.below(4) == 0 { dice.below(5 * DAY as u64) as i64 } else { 0 };
        let license = life.sign(ahead);
        life.it.apply(license.as_bytes()).unwrap();
        for _ in 0..25 {
            life.check(&format!("life {number}"));
            life.step(&mut dice);
        }
    }

    /// A license from the vendor, by his clock. One that begins now has to work at once.
    fn sign(&mut self, ahead: i64) -> String {
        let now = self.now + self.vendor;
        let (from, until) = (now + ahead, now + ahead + self.days * DAY);
        self.works_from = if ahead == 0 { self.now } else { from + DAY };
        self.until = until;
        license(|it| {
            it.iat = now;
            it.license.valid_from = from;
            it.license.valid_until = Some(until);
            it.license.stages = None;
        })
    }

    fn set_clock(&mut self) {
        set_clock(&mut self.product, self.now + self.customer);
    }

    fn step(&mut self, dice: &mut Dice) {
        self.now += dice.below(2 * DAY as u64) as i64;
        if dice.below(8) == 0 {
            // Somebody sets it, and gets it wrong again.
            self.customer = dice.around(DAY);
        }
        self.set_clock();
        if dice.below(3) == 0 {
            self.it = self.product.open(self.folder.path()).unwrap();
        }
        let renew = self.now > self.works_from && dice.below(10) == 0;
        let renewed = renew.then(|| self.sign(0));
        if self.synced.is_some_and(|last| self.now - last >= 3 * DAY) {
            self.synced = Some(self.now);
            self.seq += 1;
            let server = self.now + self.vendor;
            let text = answer(&self.it, self.seq, |answer| {
                answer.server_time = server;
                answer.next_sync_by = Some(server + 7 * DAY);
                answer.license = renewed;
            });
            self.it.apply(text.as_bytes()).unwrap();
        } else if let Some(renewed) = renewed {
            self.it.apply(renewed.as_bytes()).unwrap();
        }
    }

    /// Until a day before its end it works, whatever both clocks show; a day after it, it does
    /// not.
    fn check(&self, who: &str) {
        let found = status(&self.it);
        let context = format!(
            "{who} at {}, {} to {}, clocks {:+} {:+}: {found}",
            self.now, self.works_from, self.until, self.customer, self.vendor
        );
        if (self.works_from..self.until - DAY).contains(&self.now) {
            assert!(self.it.allows("reports") && self.it.gate("reports").is_none(), "{context}");
            assert_eq!(found["in_force"], true, "{context}");
            self.it.record_level("users", 1).unwrap_or_else(|error| panic!("{error}: {context}"));
            assert_eq!(self.it.usage("users").unwrap().used, 1);
        }
        if self.now - DAY >= self.until {
            assert!(!self.it.allows("reports"), "{context}");
        }
    }
}

#[test]
fn nobody_honest_is_refused_for_clocks_that_are_wrong_by_a_day() {
    let lives = rounds(30);
    spread(lives, |_, number| Life::live(number));
    tried(&format!("{lives} lives with clocks that are wrong by up to a day, 25 steps each"));
}
