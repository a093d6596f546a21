//! Real processes on a real folder: this test, started again.

use super::*;
use crate::store::simulated::{Dice, times};
use crate::usage::meter::Entry;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "LICENTIA_TEST_FOLDER";
const RECORDS: &str = "LICENTIA_TEST_RECORDS";
const NAME: &str = "LICENTIA_TEST_NAME";

fn calls() -> Feature {
    count("calls", "ever")
}

/// What a child does: it notes each record before and after, where a kill loses neither.
#[test]
#[ignore = "run by the other tests, in a process of its own"]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let records: u64 = std::env::var(RECORDS).unwrap().parse().unwrap();
    let path = Path::new(&folder);
    let notes = std::fs::File::create(path.join(std::env::var(NAME).unwrap())).unwrap();
    let ledger = Ledger::new(Folder::at(path));
    for record in 1..=records {
        notes.write_all_at(&record.to_le_bytes(), 0).unwrap();
        ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
        notes.write_all_at(&record.to_le_bytes(), 8).unwrap();
    }
}

fn start(folder: &Path, name: &str, records: u64) -> Child {
    let module = module_path!().split_once("::").unwrap().1;
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::child"), "--ignored", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(RECORDS, records.to_string())
        .env(NAME, name)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// How many records a child began and was told of.
fn noted(folder: &Path, name: &str) -> (u64, u64) {
    let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
    let number = |at: usize| {
        bytes.get(at..at + 8).map_or(0, |it| u64::from_le_bytes(it.try_into().unwrap()))
    };
    (number(0), number(8))
}

fn new_folder() -> (tempfile::TempDir, Folder) {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::at(temp.path());
    begin(&folder).unwrap();
    (temp, folder)
}

#[test]
fn sixteen_processes_at_once_count_exactly() {
    let (temp, folder) = new_folder();
    let records = 250 * times().min(4);
    let names: Vec<String> = (0..16).map(|n| format!("child{n}")).collect();
    let children: Vec<Child> = names.iter().map(|name| start(temp.path(), name, records)).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(used(&folder, &calls(), NOON), 16 * records);
    assert!(names.iter().all(|name| noted(temp.path(), name) == (records, records)));
    assert_eq!(process(&folder).damaged(), None);
}

#[test]
fn killed_processes_lose_nothing_they_were_told_of_and_block_nobody() {
    let (temp, folder) = new_folder();
    let (mut acknowledged, mut begun, mut dice) = (0, 0, Dice(1));
    for _ in 0..8 * times() {
        let names = ["a", "b", "c"];
        let mut children: Vec<Child> =
            names.iter().map(|name| start(temp.path(), name, u64::MAX)).collect();
        let began = Instant::now();
        while names.iter().any(|name| noted(temp.path(), name).1 == 0) {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody gets on");
            std::thread::sleep(Duration::from_millis(1));
        }
        for child in &mut children {
            std::thread::sleep(Duration::from_micros(dice.below(8000)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        for name in names {
            let (started, told) = noted(temp.path(), name);
            begun += started;
            acknowledged += told;
            std::fs::remove_file(temp.path().join(name)).unwrap();
        }
        let ledger = Ledger::new(folder.clone());
        let total = ledger.totals().unwrap().of(&calls(), NOON).used;
        assert!((acknowledged..=begun).contains(&total), "{acknowledged} <= {total} <= {begun}");
        assert_eq!(ledger.damaged(), None);
        // In flight then, and counted or not for good.
        (acknowledged, begun) = (total, total);
    }
}

#[test]
fn threads_of_one_process_count_exactly() {
    let (_temp, folder) = new_folder();
    let ledger = Ledger::new(folder.clone());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = &ledger;
            scope.spawn(move || {
                for n in 0..100 {
                    match (thread + n) % 2 {
                        0 => ledger.record(&calls(), Entry::Add(1), NOON).unwrap(),
                        _ => ledger.record_later(&calls(), Entry::Add(1), NOON).unwrap(),
                    }
                    assert!(ledger.totals().unwrap().of(&calls(), NOON).used > 0);
                }
            });
        }
    });
    assert_eq!(ledger.totals().unwrap().of(&calls(), NOON).used, 800);
    assert_eq!(used(&folder, &calls(), NOON), 800);
}

/// What a child of a fork inherits: a ledger whose lock is held by a thread that it has not.
#[test]
fn a_lock_that_was_held_at_a_fork_stops_no_child() {
    let (_temp, folder) = new_folder();
    let ledger = Ledger::new(folder.clone());
    ledger.record_later(&calls(), Entry::Add(1), NOON).unwrap();
    ledger.as_in_a_child(|| {
        assert!(ledger.remembered().is_none(), "a child has read nothing yet");
        ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
        assert_eq!(ledger.totals().unwrap().of(&calls(), NOON).used, 2);
        ledger.flush().unwrap();
    });
}

/// Beside a bare loop of the same writes: `cargo test --release -p licentia --lib rates -- \
/// --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn rates() {
    let (written, recorded) = typical();
    println!("half of the calls take less than {written:?} bare, {recorded:?} recorded");
    for round in 0..3 {
        let bare = bare();
        let one = rate(1, 4000);
        let sixteen = rate(16, 2000);
        let later = later();
        println!(
            "round {round}: bare {bare:.0}/s, record {one:.0}/s ({:.2} of its time), 16 processes \
             {sixteen:.0}/s ({:.1} times one), record_later {later:.0}/s",
            bare / one,
            sixteen / one
        );
    }
}

/// How long a bare write and a record take, by turns: half of them take less.
fn typical() -> (Duration, Duration) {
    let (temp, folder) = new_folder();
    let ledger = Ledger::new(folder);
    ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
    let file = std::fs::File::create(temp.path().join("bare")).unwrap();
    file.write_all_at(&vec![0; 256 * 1024], 0).unwrap();
    file.sync_all().unwrap();
    let (mut bare, mut recorded) = (Vec::new(), Vec::new());
    for n in 0..3000 {
        let began = Instant::now();
        file.write_all_at(&[1; 64], n * 64).unwrap();
        file.sync_data().unwrap();
        bare.push(began.elapsed());
        let began = Instant::now();
        ledger.record(&calls(), Entry::Add(1), NOON).unwrap();
        recorded.push(began.elapsed());
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    (middle(&mut bare), middle(&mut recorded))
}

fn bare() -> f64 {
    let temp = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(temp.path().join("bare")).unwrap();
    file.write_all_at(&vec![0; 256 * 1024], 0).unwrap();
    file.sync_all().unwrap();
    let began = Instant::now();
    for n in 0..4000 {
        file.write_all_at(&[1; 64], n * 64).unwrap();
        file.sync_data().unwrap();
    }
    4000.0 / began.elapsed().as_secs_f64()
}

/// Records per second of so many processes, from when the last has begun to when the first ends.
fn rate(processes: usize, records: u64) -> f64 {
    let (temp, _folder) = new_folder();
    let names: Vec<String> = (0..processes).map(|n| format!("child{n}")).collect();
    let children: Vec<Child> = names.iter().map(|name| start(temp.path(), name, records)).collect();
    let sum = || names.iter().map(|name| noted(temp.path(), name).1).sum::<u64>();
    while names.iter().any(|name| noted(temp.path(), name).1 == 0) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let (from, began) = (sum(), Instant::now());
    while names.iter().all(|name| noted(temp.path(), name).1 < records) {
        std::thread::sleep(Duration::from_millis(2));
    }
    let rate = (sum() - from) as f64 / began.elapsed().as_secs_f64();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    rate
}

fn later() -> f64 {
    let (_temp, folder) = new_folder();
    let ledger = Ledger::new(folder);
    let began = Instant::now();
    for _ in 0..20_000 {
        ledger.record_later(&calls(), Entry::Add(1), NOON).unwrap();
    }
    20_000.0 / began.elapsed().as_secs_f64()
}
