//! The machine that the tests run on, and a folder of root's seen by a process that is nobody.

mod machine_support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use licentia::machine::{Binding, Kind, Options, Report, State};
use machine_support::{Fixture, PRODUCT};

/// Tells a copy of this test program to read a machine instead: the folder of its files.
const CHILD_READS: &str = "LICENTIA_TEST_CHILD_READS";
/// Where that copy writes its report.
const CHILD_WRITES: &str = "LICENTIA_TEST_CHILD_WRITES";

#[test]
fn a_thousand_reports_are_one() {
    let first = Report::read(PRODUCT, Path::new("/"), &[]);
    for _ in 0..1000 {
        assert_eq!(Report::read(PRODUCT, Path::new("/"), &[]), first);
    }
}

#[test]
fn a_folder_that_is_not_there_is_a_machine_with_nothing() {
    let report = Report::read(PRODUCT, Path::new("/no such folder"), &[]);
    assert_eq!(report.id(), None);
    assert!(report.components().iter().all(|row| row.state == State::Missing), "{report:?}");
}

/// Two machines that are laid out on one disk must not borrow this machine's file system.
#[test]
fn a_folder_does_not_tell_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    Fixture::named("vm-plain").without("/etc/fstab").lay_out(folder.path());
    let report = Report::read(PRODUCT, folder.path(), &[]);
    let root = report.components().iter().find(|row| row.kind == Kind::RootFs).unwrap();
    assert_eq!((root.state, &root.hash), (State::Missing, &None));
}

/// A host that is mounted in a container: /proc/self leads to the process inside.
#[test]
fn a_host_in_a_folder_is_not_mistaken_for_the_container() {
    let folder = tempfile::tempdir().unwrap();
    let inside = "700 1 0:60 / / rw - overlay overlay rw\n\
        71 700 8:3 /var/lib/docker/containers/c/hosts /etc/hosts rw - ext4 /dev/sda3 rw\n";
    let host = Fixture::named("server-dell");
    let Some(machine_support::Entry::File { text, .. }) =
        host.entries.get("/proc/self/mountinfo").cloned()
    else {
        panic!("the server has no mounts");
    };
    let mounted = host
        .clone()
        .without("/proc/self")
        .with_link("/proc/self", "4242")
        .with("/proc/4242/mountinfo", inside)
        .with("/proc/1/mountinfo", &text);
    mounted.lay_out(folder.path());
    let report = Report::read(PRODUCT, folder.path(), &[]);
    assert_eq!(report.to_json(), host.report(machine_support::User::Root).to_json());
}

/// Reads and writes a report if it is told to; otherwise there is nothing to do.
#[test]
fn child() {
    let (Some(root), Some(file)) = (std::env::var_os(CHILD_READS), std::env::var_os(CHILD_WRITES))
    else {
        return;
    };
    fs::write(file, Report::read(PRODUCT, Path::new(&root), &[]).to_json()).unwrap();
}

/// A copy of this program and a folder to write in, both open to every user.
struct Stage {
    _folder: tempfile::TempDir,
    program: PathBuf,
    output: PathBuf,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let program = folder.path().join("program");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        Stage { program, output: folder.path().join("report.json"), _folder: folder }
    }

    /// The report that a process of user and group 65534 makes; `None` if it cannot be started.
    fn as_nobody(&self, root: &Path) -> Option<Report> {
        let ids = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
        let run = Command::new("setpriv")
            .args(ids)
            .arg(&self.program)
            .args(["--exact", "child"])
            .env(CHILD_READS, root)
            .env(CHILD_WRITES, &self.output)
            .output();
        let done = run.ok().filter(|output| output.status.success())?;
        assert!(String::from_utf8_lossy(&done.stdout).contains("1 passed"), "{done:?}");
        let text = fs::read_to_string(&self.output).unwrap();
        Some(Report::from_json(&text).unwrap())
    }
}

/// This needs root to begin with, so that there is something to give up.
fn is_root() -> bool {
    let probe = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(probe.path(), fs::Permissions::from_mode(0o000)).unwrap();
    fs::read(probe.path()).is_ok()
}

#[test]
fn this_machine_is_the_same_to_nobody() {
    if !is_root() {
        println!("skipped: this_machine_is_the_same_to_nobody needs root");
        return;
    }
    let Some(nobody) = Stage::new().as_nobody(Path::new("/")) else {
        println!("skipped: this_machine_is_the_same_to_nobody needs setpriv");
        return;
    };
    let root = Report::read(PRODUCT, Path::new("/"), &[]);
    assert_eq!(root.id(), nobody.id());
    let options = Options { allow_weak: true, ..Options::default() };
    if let Ok(binding) = Binding::bind(&root, PRODUCT, &options) {
        assert!(binding.compare(&nobody).holds(), "{}", binding.compare(&nobody));
        assert_eq!(Binding::bind(&nobody, PRODUCT, &options).unwrap(), binding);
    }
}

#[test]
fn a_server_of_roots_is_the_same_to_nobody() {
    if !is_root() {
        println!("skipped: a_server_of_roots_is_the_same_to_nobody needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Fixture::named("server-dell").lay_out(folder.path());
    let Some(nobody) = Stage::new().as_nobody(folder.path()) else {
        println!("skipped: a_server_of_roots_is_the_same_to_nobody needs setpriv");
        return;
    };
    let root = Report::read(PRODUCT, folder.path(), &[]);
    let state = |report: &Report| {
        report.components().iter().find(|row| row.kind == Kind::Product).unwrap().state
    };
    assert_eq!((state(&root), state(&nobody)), (State::Found, State::Unreadable));
    let binding = Binding::bind(&root, PRODUCT, &Options::default()).unwrap();
    assert!(binding.compare(&nobody).holds());
    assert_eq!(Binding::bind(&nobody, PRODUCT, &Options::default()).unwrap(), binding);
}

/// /sys hidden from the process, as container runtimes and hardened services do.
#[test]
fn a_folder_that_may_not_be_entered_is_unreadable() {
    if !is_root() {
        println!("skipped: a_folder_that_may_not_be_entered_is_unreadable needs root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Fixture::named("server-dell").lay_out(folder.path());
    let sys = folder.path().join("sys");
    fs::set_permissions(&sys, fs::Permissions::from_mode(0o700)).unwrap();
    let Some(nobody) = Stage::new().as_nobody(folder.path()) else {
        println!("skipped: a_folder_that_may_not_be_entered_is_unreadable needs setpriv");
        return;
    };
    for kind in [Kind::Nic, Kind::Disk, Kind::Product] {
        let row = nobody.components().iter().find(|row| row.kind == kind).unwrap();
        assert_eq!(row.state, State::Unreadable, "{row:?}");
    }
    let binding =
        Binding::bind(&Report::read(PRODUCT, folder.path(), &[]), PRODUCT, &Options::default())
            .unwrap();
    let comparison = binding.compare(&nobody);
    assert_eq!(
        comparison.to_string(),
        "2 of 5 parts match and 3 are needed: machine_id, root_fs match; asset_tag, disk, nic \
         are unreadable"
    );
}
