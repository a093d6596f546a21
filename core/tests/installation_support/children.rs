//! Real processes: the test program, started again to run one of its tests.

use super::{NOW, product, set_clock, sign};
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

fn record(it: &Installation, notes: &Notes, records: u64) {
    for turn in 0..records {
        let meter = METERS[turn as usize % 2];
        notes.add("began", meter, "");
        let done = if turn % 2 == 0 { it.record(meter, 1) } else { it.record_later(meter, 1) };
        match done {
            Ok(()) => notes.add("told", meter, ""),
            Err(error) => notes.add("failed", meter, error.code().slug()),
        }
    }
}

/// What a child says of what it does: a line before and after each call, where a kill loses
/// neither.
struct Notes(File);

impl Notes {
    fn begin(path: &Path) -> Notes {
        Notes(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    fn add(&self, what: &str, meter: &str, code: &str) {
        let line = format!("{what} {meter} {code}\n");
        (&self.0).write_all(line.as_bytes()).unwrap();
    }
}

/// How often children began to record on a meter, and were told that it is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub began: u64,
    pub told: u64,
}

/// What was noted, of each of [`METERS`], and the codes of what failed.
pub fn noted(notes: &Path) -> ([Told; 2], Vec<Code>) {
    let text = std::fs::read_to_string(notes).unwrap_or_default();
    let (mut all, mut codes) = ([Told::default(); 2], Vec::new());
    // The last line may be half of one: it was not noted.
    for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
        let words: Vec<&str> = line.split(' ').collect();
        let of = &mut all[usize::from(words[1] == METERS[1])];
        match words[0] {
            "began" => of.began += 1,
            "told" => of.told += 1,
            _ => codes.push(Code::from_slug(words[2]).unwrap()),
        }
    }
    (all, codes)
}

/// What the installation says was counted on each of [`METERS`].
pub fn counted_of(it: &Installation) -> Result<[u64; 2], Error> {
    Ok([it.usage(METERS[0])?.used, it.usage(METERS[1])?.used])
}

/// Waits for something that has to come.
pub fn wait_until(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: it does not come");
        std::thread::sleep(Duration::from_micros(200));
    }
}
