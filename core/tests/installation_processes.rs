//! Many processes, by the public calls: killed, in a crowd, and followed by one that is held.
#![cfg(unix)]

mod installation_support;

use installation_support::children::{self, Counted, Noted, Start, Told, wait_until};
use installation_support::dice::Dice;
use installation_support::*;
use licentia::{Installation, issue};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn a_child() {
    children::live();
}

fn opened(folder: &Path) -> Installation {
    let it = product().open(folder).unwrap();
    it.apply(children::counted().as_bytes()).unwrap();
    it
}

/// Processes that record without end, and what those that were killed had noted.
struct Crew {
    folder: PathBuf,
    notes: PathBuf,
    alive: Vec<(Child, PathBuf)>,
    dead: Noted,
    started: usize,
}

impl Crew {
    fn new(folder: &Path, notes: &Path, size: usize) -> Crew {
        let (folder, notes) = (folder.to_path_buf(), notes.to_path_buf());
        let mut crew = Crew { folder, notes, alive: vec![], dead: Noted::default(), started: 0 };
        (0..size).for_each(|_| crew.hire());
        crew
    }

    fn hire(&mut self) {
        self.started += 1;
        let notes = self.notes.join(self.started.to_string());
        let child = Start::new(&self.folder, &notes, "1000000000").start();
        self.alive.push((child, notes));
    }

    /// Kills one that has begun to count, some moments later.
    fn kill(&mut self, which: usize, moments: Duration) {
        let (mut child, notes) = self.alive.remove(which);
        wait_until("the first records", || Noted::read(&notes).meters.iter().all(|it| it.told > 0));
        std::thread::sleep(moments);
        child.kill().unwrap();
        child.wait().unwrap();
        let noted = Noted::read(&notes);
        assert_eq!(noted.failed, []);
        for of in noted.meters {
            assert!(of.began - of.told <= 1, "{of:?}");
        }
        self.dead.add(&noted);
        std::fs::remove_file(notes).unwrap();
    }

    fn sum(&self) -> Noted {
        let mut sum = self.dead.clone();
        self.alive.iter().for_each(|(_, notes)| sum.add(&Noted::read(notes)));
        sum
    }

    fn check(&self, it: &Installation) -> Counted {
        let before = self.sum();
        let counted = Counted::read(it);
        before.hold(&counted, &self.sum());
        counted
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        for (child, _) in &mut self.alive {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn killed_processes_lose_nothing_they_were_told_of_and_count_nothing_twice() {
    const CREW: usize = 3;
    let (folder, notes) = (folder(), folder());
    let it = opened(folder.path());
    let (kills, mut dice) = (rounds(100), Dice(43));
    let mut crew = Crew::new(folder.path(), notes.path(), CREW);
    for kill in 1..=kills {
        crew.kill(dice.below(CREW as u64) as usize, Duration::from_micros(dice.below(3000)));
        if kill % 50 != 0 {
            crew.hire();
            crew.check(&it);
            continue;
        }
        while !crew.alive.is_empty() {
            crew.kill(0, Duration::ZERO);
        }
        let counted = crew.check(&product().open(folder.path()).unwrap());
        assert_eq!(Counted::read(&it), counted);
        crew.dead.settle(&counted);
        assert_eq!(status(&it)["state"]["ok"], true);
        assert!(!status(&it)["warnings"].to_string().contains("state_recovered"));
        (0..CREW).for_each(|_| crew.hire());
    }
    let counted = crew.check(&it);
    tried(&format!("{kills} kills of processes that record, nothing lost: {counted:?}"));
}

#[test]
fn sixteen_processes_count_exactly() {
    let (folder, notes) = (folder(), folder());
    let it = opened(folder.path());
    let records = rounds(100).min(1000) as u64;
    let name = |n: u64| notes.path().join(n.to_string());
    let task = (2 * records).to_string();
    let start = |n| Start::new(folder.path(), &name(n), &task).start();
    let children: Vec<Child> = (0..16).map(start).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    for n in 0..16 {
        let noted = Noted::read(&name(n));
        assert_eq!(noted.meters, [Told { began: records, told: records }; 2]);
        assert_eq!(noted.failed, []);
    }
    assert_eq!(Counted::read(&it).meters, [16 * records; 2]);
    tried(&format!("16 processes, {records} records of both sorts each"));
}

/// How late an answer may be. It is true for one second of the clock; the rest is for a machine
/// that has other things to do.
const LATE: Duration = Duration::from_millis(3000);

/// An installation that is held, and what other processes do to its folder.
struct Year<'a> {
    held: &'a Installation,
    folder: &'a Path,
    file: PathBuf,
    now: i64,
}

impl Year<'_> {
    /// Another process applies this, and the held one follows.
    fn apply(&self, what: &str, text: &str, wanted: bool) {
        std::fs::write(&self.file, text).unwrap();
        self.other(what, &format!("apply {}", self.file.display()), wanted);
    }

    fn other(&self, what: &str, task: &str, wanted: bool) {
        assert_eq!(self.held.allows("reports"), !wanted, "before {what}");
        Start { clock: self.now, ..Start::new(self.folder, &self.file, task) }.run();
        let done = Instant::now();
        wait_until(what, || self.held.allows("reports") == wanted);
        assert!(done.elapsed() < LATE, "{what} was followed after {:?}", done.elapsed());
        assert_eq!(self.held.gate("reports").is_none(), wanted, "{what}");
    }
}

#[test]
fn held_for_a_year_it_follows_what_other_processes_do() {
    let (mut product, folder, aside) = (product(), folder(), folder());
    let held = product.open(folder.path()).unwrap();
    let mut year =
        Year { held: &held, folder: folder.path(), file: aside.path().join("it"), now: NOW };
    let of = |id: &str, days: i64, iat: i64| {
        license(|it| {
            (it.license.id, it.iat) = (id.to_string(), iat);
            it.license.valid_until = Some(NOW + days * DAY);
            it.license.stages = None;
        })
    };
    let until = |days, iat| of(&claims().license.id, days, iat);
    let another = |days, iat| of("01010101-0101-0101-0101-010101010101", days, iat);
    let third = |days, iat| of("11111111-2222-4333-8444-555555555555", days, iat + 1);
    let id = issue::license_id(&claims().license.id).unwrap();
    let list = |version: u64, ids: &[[u8; 16]], iat: i64| {
        let ids = ids.iter().copied().collect();
        issue::sign_revocations(&vendor(), "myapp", ISSUER, version, iat, &ids).unwrap()
    };
    year.apply("the first license", &until(30, NOW), true);
    let mut go_to = |day: i64, year: &mut Year<'_>| {
        year.now = NOW + day * DAY;
        set_clock(&mut product, year.now);
    };
    go_to(30, &mut year);
    assert!(!held.allows("reports"), "the end needs nobody else");
    year.apply("a renewal", &until(365, year.now), true);
    go_to(100, &mut year);
    year.other("a removal", "remove", false);
    year.apply("the license again", &until(365, NOW + 30 * DAY), true);
    go_to(200, &mut year);
    year.apply("a revocation", &list(1, &[id], year.now), false);
    year.apply("another license", &another(365, year.now), true);
    year.apply("a revocation of that", &list(2, &[id, [1; 16]], year.now), false);
    year.apply("a third license", &third(365, year.now), true);
    go_to(364, &mut year);
    assert!(held.allows("reports"));
    go_to(365, &mut year);
    year.apply("another renewal", &third(800, year.now), true);
    tried("a year in which other processes renew, remove, revoke and replace");
}
