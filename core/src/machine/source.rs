//! Where a machine is read from: its own files, a folder laid out like them, or a test's map.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The files of a machine. Paths start with `/` and are the machine's own; links are followed
/// as that machine would follow them.
pub trait Source {
    /// The contents of a file, or its first `limit` bytes.
    ///
    /// # Errors
    /// `NotFound` and `NotADirectory` mean that there is nothing; any other error means that
    /// there is something which cannot be read.
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>>;

    /// The names in a folder, in any order.
    ///
    /// # Errors
    /// As for `read`.
    fn list(&self, path: &str) -> io::Result<Vec<String>>;

    /// Where a link leads, as it is written in it.
    ///
    /// # Errors
    /// As for `read`; any error if it is not a link.
    fn link(&self, path: &str) -> io::Result<String>;

    /// The permission bits of a file. They say who may read it, whoever is asking.
    ///
    /// # Errors
    /// As for `read`.
    fn mode(&self, path: &str) -> io::Result<u32>;

    /// What the kernel says about the root file system: `f_fsid` of `statfs`. A source that is
    /// not the running machine has none.
    fn file_system_id(&self) -> Option<u64> {
        None
    }
}

/// The most links on one path; Linux has the same limit.
const LINKS_MAX: usize = 40;

/// The real path behind `path` in a tree whose links `link` reads; it gives `None` for what is
/// no link. `..` above the root stays at the root, so no path leaves the tree.
///
/// # Errors
/// What `link` returns, or an error after 40 links.
pub fn resolve(
    path: &str,
    link: impl Fn(&str) -> io::Result<Option<String>>,
) -> io::Result<String> {
    let mut ahead: VecDeque<String> = path.split('/').map(str::to_owned).collect();
    let mut done: Vec<String> = Vec::new();
    let mut links = 0;
    while let Some(name) = ahead.pop_front() {
        match name.as_str() {
            "" | "." => continue,
            ".." => {
                done.pop();
                continue;
            }
            _ => done.push(name),
        }
        let Some(target) = link(&joined(&done))? else { continue };
        links += 1;
        if links > LINKS_MAX {
            return Err(io::Error::other("too many links"));
        }
        done.pop();
        if target.starts_with('/') {
            done.clear();
        }
        for name in target.split('/').rev() {
            ahead.push_front(name.to_owned());
        }
    }
    Ok(joined(&done))
}

fn joined(names: &[String]) -> String {
    format!("/{}", names.join("/"))
}

/// The folder of the process that asks, in a live /proc.
const SELF: &str = "/proc/self";

/// A folder that holds a machine's files: `/` for this machine, or a tree laid out like one.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    whole: bool,
}

impl Folder {
    /// The machine whose `/` is at `root`.
    pub fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned(), whole: root == Path::new("/") }
    }

    /// The path outside. In a tree, links are followed inside the tree.
    fn outside(&self, path: &str) -> io::Result<PathBuf> {
        if self.whole {
            return Ok(PathBuf::from(path));
        }
        // Where a host is mounted in a container, /proc/self is this process, which is in the
        // container; the first process is the host's.
        let live = path.starts_with(SELF) && fs::read_link(self.within(SELF)).is_ok();
        let path = if live { path.replacen("self", "1", 1) } else { path.to_owned() };
        let real = resolve(&path, |path| match fs::read_link(self.within(path)) {
            Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
            Err(_) => Ok(None),
        })?;
        Ok(self.within(&real))
    }

    fn within(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

impl Source for Folder {
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        fs::File::open(self.outside(path)?)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.outside(path)?)?;
        Ok(entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
    }

    fn link(&self, path: &str) -> io::Result<String> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let target = fs::read_link(self.outside(folder)?.join(name))?;
        Ok(target.to_string_lossy().into_owned())
    }

    fn mode(&self, path: &str) -> io::Result<u32> {
        let metadata = fs::metadata(self.outside(path)?)?;
        Ok(bits(&metadata))
    }

    fn file_system_id(&self) -> Option<u64> {
        if self.whole { root_id() } else { None }
    }
}

#[cfg(unix)]
fn bits(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[cfg(not(unix))]
fn bits(_: &fs::Metadata) -> u32 {
    0o444
}

#[cfg(target_os = "linux")]
fn root_id() -> Option<u64> {
    rustix::fs::statvfs("/").ok().map(|found| found.f_fsid)
}

#[cfg(not(target_os = "linux"))]
fn root_id() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(path: &str) -> io::Result<Option<String>> {
        Ok(match path {
            "/sys/class/net/eth0" => Some("../../devices/pci/net/eth0".to_owned()),
            "/etc/id" => Some("/run/id".to_owned()),
            "/up" => Some("../../../etc/passwd".to_owned()),
            "/loop" => Some("loop".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn links_are_followed_inside_the_tree_only() {
        let real = |path| resolve(path, links).unwrap();
        assert_eq!(real("/sys/class/net/eth0/address"), "/sys/devices/pci/net/eth0/address");
        assert_eq!(real("/etc/id"), "/run/id");
        assert_eq!(real("/up"), "/etc/passwd");
        assert_eq!(real("/../../x"), "/x");
        assert!(resolve("/loop", links).is_err());
    }
}
