//! Many threads of many processes at once.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::simulated::{SimDisk, times};
use super::{Folder, Slot, lock};
use crate::errors::Code;

const PROCESSES: u64 = 3;
const THREADS: u64 = 8;

/// Names the folder for [`a_process`]. Without it that has nothing to do.
const FOLDER: &str = "LICENTIA_TEST_FOLDER";

/// Starts this program again, to run one of its tests in another process.
pub(super) fn again(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("{}::{test}", module_path!().split_once("::").unwrap().1);
    command.args(["--exact", &name, "--nocapture"]).env(FOLDER, folder);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// The folder that the process was started for, if it was.
pub(super) fn given() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn turns() -> u64 {
    8 * times()
}

/// The number in the slot, which is to be its generation.
fn count(folder: &Folder) -> u64 {
    let Some(found) = folder.find(Slot::State).unwrap() else { return 0 };
    assert_eq!(found.recovered, None, "generation {}", found.generation);
    let (number, rest) = found.payload.split_first_chunk().unwrap();
    assert!(rest.iter().all(|byte| *byte == number[0]));
    assert_eq!(u64::from_le_bytes(*number), found.generation);
    found.generation
}

fn count_on(folder: &Folder) {
    // On a disk that takes its time, a crowd may well wait for longer than a product would.
    let locked = loop {
        match folder.lock() {
            Err(error) if error.code() == Code::Busy => {}
            locked => break locked.unwrap(),
        }
    };
    let next = count(folder) + 1;
    assert_eq!(locked.next(Slot::State).unwrap(), next);
    let mut payload = next.to_le_bytes().to_vec();
    payload.resize(8 + (next % 5) as usize * 1000, payload[0]);
    locked.replace(Slot::State, next, &payload, 0).unwrap();
}

fn open_files() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}

/// One process of the crowd: run by it, and by itself for nothing.
#[test]
fn a_process() {
    let Some(path) = given() else { return };
    let folder = Folder::at(&path);
    let before = open_files();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..turns()).for_each(|_| count_on(&folder)));
        }
    });
    assert_eq!(open_files(), before);
}

#[test]
fn no_generation_is_lost_in_a_crowd() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::at(dir.path());
    let start = |_| again("a_process", dir.path()).spawn().unwrap();
    let mut children: Vec<Child> = (0..PROCESSES).map(start).collect();
    let (mut seen, mut looks) = (0, 0_u64);
    while children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        let now = count(&folder);
        assert!(now >= seen, "generation {seen} was there, and now {now}");
        seen = now;
        looks += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(children.iter_mut().all(|child| child.wait().unwrap().success()));
    assert!(looks > 10);
    assert_eq!(count(&folder), PROCESSES * THREADS * turns());
}

#[test]
fn who_waits_too_long_is_told() {
    let folder = Folder::on(Arc::new(SimDisk::default()));
    let locked = folder.lock().unwrap();
    let patience = Duration::from_millis(30);
    let error = lock::within(&folder, patience).unwrap_err();
    assert_eq!((error.code(), error.detail()), (Code::Busy, "lock is held by another process"));
    assert!(folder.try_lock().unwrap().is_none());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| folder.lock().map(drop));
        std::thread::sleep(patience);
        drop(locked);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn a_killed_process_holds_nothing() {
    let disk = SimDisk::default();
    let folder = Folder::on(Arc::new(disk.clone()));
    std::mem::forget(folder.lock().unwrap());
    assert!(folder.try_lock().unwrap().is_none());
    disk.kill();
    assert!(folder.try_lock().unwrap().is_some());
}

/// The boot of another machine in the lock record while this process lives is another machine;
/// before it began, it may have been this one before it was restarted.
#[cfg(target_os = "linux")]
#[test]
fn another_machine_in_the_same_folder_is_noticed() {
    let disk = SimDisk::default();
    let folder = Folder::on(Arc::new(disk.clone()));
    let other_locks = || {
        let mut bytes = disk.get("lock").unwrap();
        bytes[80..96].copy_from_slice(b"another machine!");
        disk.put("lock", &bytes);
    };
    assert!(!folder.lock().unwrap().shared());
    assert!(!folder.lock().unwrap().shared());
    other_locks();
    let another_process = Folder::on(Arc::new(disk.clone()));
    assert!(!another_process.lock().unwrap().shared());
    assert!(!folder.lock().unwrap().shared());
    other_locks();
    assert!(folder.clone().lock().unwrap().shared());
    assert!(folder.lock().unwrap().shared());
    // It has not looked since: the record is this machine's again.
    assert!(!another_process.lock().unwrap().shared());
}
