//! A real folder, and what an operating system makes of it.

use super::{Folder, Slot};
use crate::errors::Code;

/// A folder with two generations.
fn used(path: &std::path::Path) -> Folder {
    let folder = Folder::at(path);
    let locked = folder.lock().unwrap();
    locked.replace(Slot::State, 1, b"one", 0).unwrap();
    locked.replace(Slot::State, 2, b"two", 0).unwrap();
    locked.initialized().unwrap();
    drop(locked);
    folder
}

#[test]
fn what_was_written_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::at(dir.path());
    assert_eq!(folder.find(Slot::State).unwrap(), None);
    assert_eq!(folder.glance(Slot::State).unwrap(), 0);
    let locked = folder.lock().unwrap();
    assert!(locked.is_first_run());
    for generation in 1..5 {
        assert_eq!(locked.next(Slot::State).unwrap(), generation);
        let payload = format!("generation {generation}").into_bytes();
        locked.replace(Slot::State, generation, &payload, 100).unwrap();
        locked.initialized().unwrap();
        assert!(!locked.is_first_run());
        let found = folder.find(Slot::State).unwrap().unwrap();
        assert_eq!((found.generation, found.payload), (generation, payload));
        assert_eq!((found.end, found.recovered), (128, None));
        assert_eq!(folder.glance(Slot::State).unwrap(), generation);
    }
    assert!(folder.clone().try_lock().unwrap().is_none());
    drop(locked);
    assert!(!folder.try_lock().unwrap().unwrap().is_first_run());
    assert_eq!(folder.find(Slot::Usage).unwrap(), None);
}

#[test]
fn a_generation_is_opened_for_what_comes_after_it() {
    use super::How;
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::at(dir.path());
    let locked = folder.lock().unwrap();
    let room = 200_000;
    locked.replace(Slot::Usage, 1, &[7; 65], room).unwrap();
    let file = folder.open(Slot::Usage, 1, How::Write).unwrap();
    let end = folder.find(Slot::Usage).unwrap().unwrap().end;
    assert_eq!((end, file.len().unwrap()), (192, 192 + room));
    assert_eq!(file.write_at(b"a line", end).unwrap(), 6);
    file.sync_data().unwrap();
    // What was appended is none of the slot's business.
    assert_eq!(folder.find(Slot::Usage).unwrap().unwrap().payload, [7; 65]);
    let code = |generation| folder.open(Slot::Usage, generation, How::Read).unwrap_err().code();
    assert_eq!(code(2), Code::StateUnavailable);
    assert_eq!(code(3), Code::Busy);
    locked.replace(Slot::Usage, 3, b"", room).unwrap();
    assert_eq!(code(1), Code::Busy);
}

#[test]
fn a_folder_that_is_none_is_unavailable_and_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    for name in ["missing", "file", "missing/further"] {
        let path = dir.path().join(name);
        let folder = Folder::at(&path);
        for slot in [Slot::State, Slot::Revocations, Slot::Usage] {
            assert_eq!(folder.find(slot).unwrap_err().code(), Code::StateUnavailable, "{name}");
        }
        assert_eq!(folder.lock().unwrap_err().code(), Code::StateUnavailable, "{name}");
        assert_eq!(folder.try_lock().unwrap_err().code(), Code::StateUnavailable, "{name}");
        assert_eq!(path.exists(), name == "file");
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
    use std::os::unix::process::CommandExt;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};

    use super::super::real::RealDisk;
    use super::super::{Disk, Folder, How, Slot};
    use super::used;
    use crate::errors::{Code, Error};

    const FOLDER: &str = "LICENTIA_TEST_READ_ONLY";

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn is_root() -> bool {
        fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
    }

    fn refused<T>(done: Result<T, Error>) -> String {
        let error = done.err().unwrap();
        assert_eq!(error.code(), Code::StateUnavailable, "{error}");
        error.detail().to_string()
    }

    /// What a process finds that may not write: run by the test below.
    #[test]
    fn a_reader() {
        let Some(path) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
        let folder = Folder::at(&path);
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"two");
        assert_eq!(folder.glance(Slot::State).unwrap(), 2);
        assert_eq!(folder.find(Slot::Usage).unwrap(), None);
        assert_eq!(folder.synced().unwrap(), 0);
        let denied = "lock cannot be opened: Permission denied (os error 13)";
        assert_eq!(refused(folder.lock()), denied);
        assert_eq!(refused(folder.try_lock()), denied);
        // The newer file is not for this process: the older one is not taken for the newest.
        let secret = Folder::at(&path.join("../secret"));
        let denied = "state.a cannot be read: Permission denied (os error 13)";
        assert_eq!(refused(secret.find(Slot::State)), denied);
        assert_eq!(refused(secret.glance(Slot::State)), denied);
    }

    #[test]
    fn a_folder_that_may_be_read_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let [path, secret] = ["state", "secret"].map(|name| dir.path().join(name));
        for path in [&path, &secret] {
            fs::create_dir(path).unwrap();
            drop(used(path));
            for file in fs::read_dir(path).unwrap() {
                set_mode(&file.unwrap().path(), 0o444);
            }
            set_mode(path, 0o555);
        }
        set_mode(&secret.join("state.a"), 0);
        set_mode(dir.path(), 0o755);
        let name = format!("{}::a_reader", module_path!().split_once("::").unwrap().1);
        let mut reader = Command::new(std::env::current_exe().unwrap());
        reader.args(["--exact", &name]).env(FOLDER, &path);
        if is_root() {
            reader.uid(65_534).gid(65_534);
        }
        let output = reader.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        set_mode(&path, 0o755);
        set_mode(&secret, 0o755);
    }

    #[test]
    fn nothing_is_written_through_a_link_or_over_what_is_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        fs::create_dir(&path).unwrap();
        let folder = used(&path);
        let target = dir.path().join("target");
        fs::write(&target, "precious").unwrap();
        let replace = || folder.lock()?.replace(Slot::State, 3, b"three", 0);
        symlink(&target, path.join("tmp")).unwrap();
        assert_eq!(refused(replace()), "state.b cannot be written: something else is in its place");
        fs::remove_file(path.join("tmp")).unwrap();
        fs::create_dir(path.join("tmp")).unwrap();
        refused(replace());
        fs::remove_dir(path.join("tmp")).unwrap();
        fs::rename(path.join("lock"), dir.path().join("lock")).unwrap();
        symlink(&target, path.join("lock")).unwrap();
        assert_eq!(refused(replace()), "lock cannot be opened: it is a symbolic link");
        assert_eq!(refused(folder.set_synced(1)), "lock cannot be written: it is a symbolic link");
        fs::remove_file(path.join("lock")).unwrap();
        fs::rename(dir.path().join("lock"), path.join("lock")).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"two");
        // What a crash left is ours, whoever may write to it, and under whatever names it is.
        fs::hard_link(&target, path.join("tmp")).unwrap();
        set_mode(&target, 0);
        replace().unwrap();
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"three");
        set_mode(&target, 0o600);
        assert_eq!(fs::read(&target).unwrap(), b"precious");
        fs::remove_file(path.join("state.a")).unwrap();
        fs::create_dir(path.join("state.a")).unwrap();
        refused(folder.find(Slot::State));
    }

    #[test]
    fn files_belong_to_whom_the_folder_does() {
        for (mode, expected) in [(0o700, 0o600), (0o2770, 0o660), (0o755, 0o644), (0o777, 0o666)] {
            let dir = tempfile::tempdir().unwrap();
            if is_root() {
                chown(dir.path(), Some(12_345), Some(23_456)).unwrap();
            }
            set_mode(dir.path(), mode);
            let owner = fs::metadata(dir.path()).unwrap();
            fs::write(dir.path().join("tmp"), "left over").unwrap();
            set_mode(&dir.path().join("tmp"), 0o400);
            used(dir.path());
            let names = ["lock", "state.a", "state.b"];
            for name in names {
                let it = fs::metadata(dir.path().join(name)).unwrap();
                assert_eq!(it.mode() & 0o7777, expected, "{name} in {mode:o}");
                assert_eq!((it.uid(), it.gid()), (owner.uid(), owner.gid()), "{name}");
            }
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), names.len());
        }
    }

    /// A folder whose lock is inherited by a child, as it is by one that is forked.
    #[derive(Debug)]
    struct Forking {
        disk: RealDisk,
        path: PathBuf,
        children: Mutex<Vec<Child>>,
    }

    impl Disk for Forking {
        fn open(&self, name: &str, how: How) -> io::Result<Box<dyn super::super::File>> {
            let opened = self.disk.open(name, how)?;
            if how != How::Make {
                return Ok(opened);
            }
            let file: File = OpenOptions::new().read(true).write(true).open(&self.path)?;
            let child =
                Command::new("sleep").arg("60").stdin(Stdio::from(file.try_clone()?)).spawn()?;
            self.children.lock().unwrap().push(child);
            Ok(Box::new(file))
        }

        fn rename(&self, from: &str, to: &str) -> io::Result<()> {
            self.disk.rename(from, to)
        }

        fn sync_folder(&self) -> io::Result<()> {
            self.disk.sync_folder()
        }

        fn check(&self) -> io::Result<()> {
            self.disk.check()
        }
    }

    #[test]
    fn a_forked_child_does_not_keep_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let children = Mutex::default();
        let path = dir.path().join("lock");
        let disk = Arc::new(Forking { disk: RealDisk::at(dir.path()), path, children });
        let parent = Folder::on(disk.clone());
        let other = Folder::at(dir.path());
        let locked = parent.lock().unwrap();
        assert!(other.try_lock().unwrap().is_none());
        drop(locked);
        let free = other.try_lock().unwrap().is_some();
        let mut children = disk.children.lock().unwrap();
        assert_eq!(children.len(), 1);
        for child in children.iter_mut() {
            assert!(child.try_wait().unwrap().is_none(), "the child ended early");
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert!(free);
    }

    /// A small disk; `None` where this process may not mount one.
    struct Small(tempfile::TempDir);

    impl Small {
        fn mount() -> Option<Small> {
            let dir = tempfile::tempdir().unwrap();
            let args = ["-t", "tmpfs", "-o", "size=256k", "licentia-test"];
            let mut mount = Command::new("mount");
            let mount = mount.args(args).arg(dir.path()).stderr(Stdio::null()).status();
            mount.is_ok_and(|it| it.success()).then_some(Small(dir))
        }

        fn fill(&self) {
            let mut size = 64 * 1024;
            let mut file = File::create(self.0.path().join("ballast")).unwrap();
            while size > 0 {
                if io::Write::write_all(&mut file, &vec![1; size]).is_err() {
                    size /= 2;
                }
            }
        }

        fn free(&self) {
            fs::remove_file(self.0.path().join("ballast")).unwrap();
        }
    }

    impl Drop for Small {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg(self.0.path()).status();
        }
    }

    #[test]
    fn a_full_disk_is_named_and_keeps_what_it_has() {
        let Some(disk) = Small::mount() else {
            return println!("skipped: a full disk (nothing can be mounted here)");
        };
        let path = disk.0.path().join("state");
        fs::create_dir(&path).unwrap();
        let folder = Folder::at(&path);
        disk.fill();
        assert_eq!(folder.lock().unwrap_err().code(), Code::DiskFull);
        assert_eq!(folder.find(Slot::State).unwrap(), None);
        disk.free();
        assert!(folder.lock().unwrap().is_first_run());
        used(&path);
        disk.fill();
        let payload = vec![3; 30_000];
        let replace = || folder.lock()?.replace(Slot::State, 3, &payload, 0);
        for _ in 0..3 {
            let error = replace().unwrap_err();
            assert_eq!(error.code(), Code::DiskFull, "{error}");
            assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, b"two");
        }
        // The lock has its room already.
        folder.set_synced(7).unwrap();
        assert_eq!(folder.synced().unwrap(), 7);
        disk.free();
        replace().unwrap();
        assert_eq!(folder.find(Slot::State).unwrap().unwrap().payload, payload);
    }
}
