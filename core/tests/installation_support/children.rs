//! Real processes: the test program, started again to run one of its tests.

use super::{NOW, product, set_clock, sign, status};
use licentia::{Code, Error, Feature, Installation};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The test that every program with children has: it calls [`live`].
const LIFE: &str = "a_child";

const FOLDER: &str = "LICENTIA_TEST_FOLDER";
const NOTES: &str = "LICENTIA_TEST_NOTES";
const TASK: &str = "LICENTIA_TEST_TASK";
const CLOCK: &str = "LICENTIA_TEST_CLOCK";

/// Counters without a limit that children record on: in turns, each in its way.
pub const METERS: [&str; 2] = ["waited", "later"];

/// What their notes call the first use.
const FIRST: &str = "first_use";

/// A license with them.
pub fn counted() -> String {
    let mut claims = super::claims();
    let free = |id: &&str| {
        let (meter, per) = (Some("count".into()), Some("ever".into()));
        Feature { meter, per, ..Feature::new(*id) }
    };
    claims.license.features.extend(METERS.iter().map(free));
    sign(&claims)
}

/// What to start, where. `task` is a number of records, or `apply FILE`, or `remove`.
pub struct Start<'a> {
    pub folder: &'a Path,
    pub notes: &'a Path,
    pub task: &'a str,
    pub clock: i64,
}

impl Start<'_> {
    /// The usual clock.
    pub fn new<'a>(folder: &'a Path, notes: &'a Path, task: &'a str) -> Start<'a> {
        Start { folder, notes, task, clock: NOW }
    }

    /// Begins it, by way of `runner` if it has any words.
    pub fn by(&self, runner: &[String]) -> Child {
        let own = std::env::current_exe().unwrap();
        let mut words = runner.iter().map(Into::into).chain([own.into_os_string()]);
        Command::new(words.next().unwrap())
            .args(words)
            .args(["--exact", LIFE, "--ignored", "--test-threads=1", "--nocapture"])
            .env(FOLDER, self.folder)
            .env(NOTES, self.notes)
            .env(TASK, self.task)
            .env(CLOCK, self.clock.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub fn start(&self) -> Child {
        self.by(&[])
    }

    /// Runs it to its end, which has to be good.
    pub fn run(&self) {
        assert!(self.start().wait().unwrap().success(), "{}", self.task);
    }
}

/// What a child does, if this process is one.
pub fn live() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let text = |name: &str| std::env::var(name).unwrap();
    let mut product = product();
    set_clock(&mut product, text(CLOCK).parse().unwrap());
    let it = product.open(&folder).unwrap();
    let task = text(TASK);
    match task.split_once(' ') {
        Some(("apply", file)) => it.apply(&std::fs::read(file).unwrap()).unwrap(),
        _ if task == "remove" => assert!(it.remove().unwrap()),
        _ => record(&it, &Notes::begin(Path::new(&text(NOTES))), task.parse().unwrap()),
    }
}

/// Records in turns on each of [`METERS`], and moves the first use back by a second now and then.
fn record(it: &Installation, notes: &Notes, records: u64) {
    let before = first_use(it).unwrap_or(NOW);
    for turn in 0..records {
        let meter = METERS[turn as usize % 2];
        notes.call(meter, 1, || {
            if turn % 2 == 0 { it.record(meter, 1) } else { it.record_later(meter, 1) }
        });
        if turn % 16 == 9 {
            let at = before - 1 - turn as i64 / 16;
            notes.call(FIRST, at, || it.first_use(Some(at)));
        }
    }
}

/// When the product was first used, as the installation has it.
pub fn first_use(it: &Installation) -> Option<i64> {
    status(it)["anchor"]["at"].as_i64()
}

/// What a child says of what it does: a line before and after each call, where a kill loses
/// neither.
struct Notes(File);

impl Notes {
    fn begin(path: &Path) -> Notes {
        Notes(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    fn call(&self, what: &str, number: i64, act: impl FnOnce() -> Result<(), Error>) {
        self.add(&format!("began {what} {number}"));
        match act() {
            Ok(()) => self.add(&format!("told {what} {number}")),
            Err(error) => self.add(&format!("failed {what} {}", error.code().slug())),
        }
    }

    fn add(&self, line: &str) {
        (&self.0).write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

/// How much children began to count, and were told that it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub began: u64,
    pub told: u64,
}

/// What children noted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noted {
    /// Of each of [`METERS`].
    pub meters: [Told; 2],
    /// The earliest first use that one began to note, and was told of.
    pub first: [Option<i64>; 2],
    /// The codes of what failed.
    pub failed: Vec<Code>,
}

impl Noted {
    pub fn read(notes: &Path) -> Noted {
        let text = std::fs::read_to_string(notes).unwrap_or_default();
        let mut it = Noted::default();
        // The last line may be half of one: it was not noted.
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            let words: Vec<&str> = line.split(' ').collect();
            let told = match words[0] {
                "began" => false,
                "told" => true,
                _ => {
                    it.failed.push(Code::from_slug(words[2]).unwrap());
                    continue;
                }
            };
            match METERS.iter().position(|meter| *meter == words[1]) {
                Some(meter) if told => it.meters[meter].told += 1,
                Some(meter) => it.meters[meter].began += 1,
                None => it.first[usize::from(told)] = words[2].parse().ok(),
            }
        }
        it
    }

    pub fn add(&mut self, other: &Noted) {
        for (sum, of) in self.meters.iter_mut().zip(other.meters) {
            *sum = Told { began: sum.began + of.began, told: sum.told + of.told };
        }
        for (first, of) in self.first.iter_mut().zip(other.first) {
            *first = [*first, of].into_iter().flatten().min();
        }
        self.failed.extend(&other.failed);
    }

    /// Holds what is counted to what was noted before and after it was asked for: at least what
    /// anybody had been told, at most what anybody had begun.
    pub fn hold(&self, counted: &Counted, after: &Noted) {
        let context = format!("{self:?}\n{counted:?}\n{after:?}");
        for ((before, counted), after) in self.meters.iter().zip(counted.meters).zip(after.meters) {
            assert!((before.told..=after.began).contains(&counted), "{context}");
        }
        if let [_, Some(told)] = self.first {
            assert!(counted.first.is_some_and(|at| at <= told), "{context}");
        }
        if let Some(at) = counted.first {
            assert!(after.first[0].is_some_and(|began| at >= began), "{context}");
        }
    }

    /// What was in flight was counted, or not, for good.
    pub fn settle(&mut self, counted: &Counted) {
        self.meters = counted.meters.map(|sum| Told { began: sum, told: sum });
        self.first = [counted.first; 2];
        self.failed.clear();
    }
}

/// What an installation says was counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    pub meters: [u64; 2],
    pub first: Option<i64>,
}

impl Counted {
    pub fn read(it: &Installation) -> Counted {
        let meters = METERS.map(|meter| it.usage(meter).unwrap().used);
        Counted { meters, first: first_use(it) }
    }
}

/// Waits for something that has to come.
pub fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: it does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
}
