//! A folder of this machine.

use std::fs::{self, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::disk::{Disk, File, How};

/// Opens a file, and does not wait for whoever might write to it: somebody may have put a pipe in
/// its place.
pub(crate) fn open_to_read(path: &Path) -> io::Result<fs::File> {
    system::open_to_read(path)
}

/// A folder by its path, and whatever is there at the moment.
#[derive(Debug)]
pub(super) struct RealDisk {
    path: PathBuf,
}

impl RealDisk {
    /// Touches nothing. The path means the same even if the process changes its folder.
    pub(super) fn at(path: &Path) -> RealDisk {
        RealDisk { path: std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()) }
    }

    /// Makes a file that is not there, as the folder would have it.
    fn make(&self, path: &Path) -> io::Result<fs::File> {
        let folder = fs::metadata(&self.path)?;
        let file = system::make(path, &folder)?;
        system::adopt(&file, &folder);
        Ok(file)
    }

    /// Takes away what a crash left behind. Nothing else: it is not ours.
    fn remove_left_over(&self, path: &Path) -> io::Result<()> {
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(io::Error::new(ErrorKind::AlreadyExists, "something else is in its place"));
        }
        fs::remove_file(path)
    }
}

impl Disk for RealDisk {
    fn open(&self, name: &str, how: How) -> io::Result<Box<dyn File>> {
        let path = self.path.join(name);
        let file = match how {
            How::Read => open_to_read(&path),
            How::Write => system::open(&path),
            How::Make => match system::open(&path) {
                // Made by another in between: then it is there now.
                Err(error) if is(&error, ErrorKind::NotFound) => match self.make(&path) {
                    Err(error) if is(&error, ErrorKind::AlreadyExists) => system::open(&path),
                    made => made,
                },
                opened => opened,
            },
            How::Renew => match self.make(&path) {
                Err(error) if is(&error, ErrorKind::AlreadyExists) => {
                    self.remove_left_over(&path).and_then(|()| self.make(&path))
                }
                made => made,
            },
        };
        Ok(Box::new(file?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync_folder(&self) -> io::Result<()> {
        system::sync_folder(&self.path)
    }

    fn check(&self) -> io::Result<()> {
        fs::read_dir(&self.path).map(drop)
    }
}

fn is(error: &io::Error, kind: ErrorKind) -> bool {
    error.kind() == kind
}

impl File for fs::File {
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        system::read_at(self, into, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        system::write_at(self, bytes, at)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn sync_all(&self) -> io::Result<()> {
        fs::File::sync_all(self)
    }

    fn sync_data(&self) -> io::Result<()> {
        fs::File::sync_data(self)
    }

    fn try_lock(&self) -> io::Result<bool> {
        match fs::File::try_lock(self) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(system::lock_error(error)),
        }
    }

    fn unlock(&self) -> io::Result<()> {
        fs::File::unlock(self)
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{File, Metadata, OpenOptions, Permissions};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
    use std::path::Path;

    use rustix::fs::OFlags;
    use rustix::io::Errno;

    fn options() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(OFlags::NOFOLLOW.bits() as i32);
        options
    }

    pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        options().open(path).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::LOOP) => io::Error::new(ErrorKind::AlreadyExists, "it is a symbolic link"),
            _ => error,
        })
    }

    pub(super) fn make(path: &Path, folder: &Metadata) -> io::Result<File> {
        options().create_new(true).mode(mode(folder)).open(path)
    }

    fn mode(folder: &Metadata) -> u32 {
        folder.mode() & 0o666
    }

    /// Gives a new file to whom the folder belongs: `sudo` must not lock the product out. As far
    /// as this process may: the rest is for whoever set the folder up.
    pub(super) fn adopt(file: &File, folder: &Metadata) {
        if let Ok(now) = file.metadata() {
            let owner = (now.uid() != folder.uid()).then(|| folder.uid());
            let group = (now.gid() != folder.gid()).then(|| folder.gid());
            if let (Err(_), Some(_)) = (fchown(file, owner, group), group) {
                let _ = fchown(file, None, group);
            }
            // After the owner: changing that takes bits away. Whatever the umask says.
            let _ = file.set_permissions(Permissions::from_mode(mode(folder)));
        }
    }

    /// What a file system says that has no locks, or whose server gives none.
    pub(super) fn lock_error(error: io::Error) -> io::Error {
        match Errno::from_io_error(&error) {
            Some(Errno::NOLCK) => io::Error::new(ErrorKind::Unsupported, error),
            _ => error,
        }
    }

    pub(super) fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
        file.read_at(into, at)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
        file.write_at(bytes, at)
    }

    pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
        match File::open(path)?.sync_all() {
            // Some network file systems have no such thing: a rename is all they promise.
            Err(error)
                if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) =>
            {
                Ok(())
            }
            done => done,
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, Metadata, OpenOptions};
    use std::io;
    use std::os::windows::fs::FileExt;
    use std::path::Path;

    pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
        File::open(path)
    }

    pub(super) fn open(path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    pub(super) fn make(path: &Path, _folder: &Metadata) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    /// A new file inherits what the folder allows.
    pub(super) fn adopt(_file: &File, _folder: &Metadata) {}

    pub(super) fn lock_error(error: io::Error) -> io::Error {
        error
    }

    pub(super) fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
        file.seek_read(into, at)
    }

    pub(super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<usize> {
        file.seek_write(bytes, at)
    }

    /// A rename is in the journal of the file system when it returns.
    pub(super) fn sync_folder(_path: &Path) -> io::Result<()> {
        Ok(())
    }
}
