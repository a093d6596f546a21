//! The machines in tests/fixtures/machines, in memory and laid out in folders.
#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use licentia::machine::{Report, Source, resolve};
use serde_json::Value;

/// The product that the vectors are for.
pub const PRODUCT: &str = "myapp";

/// Who looks at a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    Root,
    Nobody,
}

impl User {
    pub fn named(name: &str) -> User {
        match name {
            "root" => User::Root,
            "nobody" => User::Nobody,
            other => panic!("no user {other}"),
        }
    }
}

#[derive(Clone, Debug)]
pub enum Entry {
    File { text: String, mode: u32 },
    Link(String),
}

/// A machine from its manifest.
#[derive(Clone, Debug, Default)]
pub struct Fixture {
    pub entries: BTreeMap<String, Entry>,
}

/// The folder of a repository's files for tests.
pub fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests")
}

fn fixtures_folder() -> PathBuf {
    tests_folder().join("fixtures/machines")
}

/// The names of every machine, sorted.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(fixtures_folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort();
    names
}

impl Fixture {
    pub fn named(name: &str) -> Fixture {
        let path = fixtures_folder().join(format!("{name}.json"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let manifest: Value = serde_json::from_str(&text).unwrap();
        let files = manifest["files"].as_object().unwrap();
        Fixture { entries: files.iter().map(|(path, e)| (path.clone(), entry(e))).collect() }
    }

    pub fn with(mut self, path: &str, text: &str) -> Fixture {
        self.entries.insert(path.to_owned(), Entry::File { text: text.to_owned(), mode: 0o644 });
        self
    }

    pub fn with_mode(mut self, path: &str, text: &str, mode: u32) -> Fixture {
        self.entries.insert(path.to_owned(), Entry::File { text: text.to_owned(), mode });
        self
    }

    pub fn with_link(mut self, path: &str, target: &str) -> Fixture {
        self.entries.insert(path.to_owned(), Entry::Link(target.to_owned()));
        self
    }

    pub fn without(mut self, prefix: &str) -> Fixture {
        self.entries.retain(|path, _| !path.starts_with(prefix));
        self
    }

    /// The machine as one user sees it.
    pub fn seen_by(self, user: User) -> Seen {
        Seen { fixture: self, user, fsid: None }
    }

    pub fn report(self, user: User) -> Report {
        Report::read_from(PRODUCT, &self.seen_by(user), &[])
    }

    /// Puts the machine's files under a folder, with their modes and links.
    pub fn lay_out(&self, folder: &Path) {
        for (path, entry) in &self.entries {
            let place = folder.join(path.trim_start_matches('/'));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            match entry {
                Entry::Link(target) => std::os::unix::fs::symlink(target, place).unwrap(),
                Entry::File { text, mode } => {
                    fs::write(&place, text).unwrap();
                    fs::set_permissions(&place, fs::Permissions::from_mode(*mode)).unwrap();
                }
            }
        }
    }

    /// What is in its files that no report may repeat: whole lines, and what follows a sign.
    pub fn raw_values(&self) -> Vec<String> {
        let mut values = Vec::new();
        for entry in self.entries.values() {
            let Entry::File { text, .. } = entry else { continue };
            for line in text.lines() {
                values.push(line.trim_matches(['\0', ' ', '\t']).to_owned());
                values.extend(line.split_once('=').map(|(_, value)| value.trim().to_owned()));
                values.extend(line.split_once(": ").map(|(_, value)| value.trim().to_owned()));
            }
        }
        values.retain(|value| value.len() >= 6);
        values
    }
}

fn entry(value: &Value) -> Entry {
    if let Some(text) = value.as_str() {
        return Entry::File { text: text.to_owned(), mode: 0o644 };
    }
    if let Some(target) = value["link"].as_str() {
        return Entry::Link(target.to_owned());
    }
    let mode = u32::from_str_radix(value["mode"].as_str().unwrap(), 8).unwrap();
    Entry::File { text: value["text"].as_str().unwrap().to_owned(), mode }
}

/// A machine and who looks at it.
pub struct Seen {
    pub fixture: Fixture,
    pub user: User,
    pub fsid: Option<u64>,
}

impl Seen {
    fn real(&self, path: &str) -> io::Result<String> {
        resolve(path, |path| match self.fixture.entries.get(path) {
            Some(Entry::Link(target)) => Ok(Some(target.clone())),
            _ => Ok(None),
        })
    }

    /// The names below a path, which is a folder if there are any.
    fn below(&self, path: &str) -> Vec<String> {
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let mut names: Vec<String> = self
            .fixture
            .entries
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix))
            .map(|rest| rest.split('/').next().unwrap().to_owned())
            .collect();
        names.dedup();
        names
    }
}

impl Source for Seen {
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        match self.fixture.entries.get(&self.real(path)?) {
            Some(Entry::File { mode, .. }) if self.user == User::Nobody && mode & 0o004 == 0 => {
                Err(ErrorKind::PermissionDenied.into())
            }
            Some(Entry::File { text, .. }) => {
                Ok(text.bytes().take(usize::try_from(limit).unwrap()).collect())
            }
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let names = self.below(&self.real(path)?);
        if names.is_empty() { Err(ErrorKind::NotFound.into()) } else { Ok(names) }
    }

    fn link(&self, path: &str) -> io::Result<String> {
        let (folder, name) = path.rsplit_once('/').unwrap();
        match self.fixture.entries.get(&format!("{}/{name}", self.real(folder)?)) {
            Some(Entry::Link(target)) => Ok(target.clone()),
            Some(Entry::File { .. }) => Err(ErrorKind::InvalidInput.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn mode(&self, path: &str) -> io::Result<u32> {
        let real = self.real(path)?;
        match self.fixture.entries.get(&real) {
            Some(Entry::File { mode, .. }) => Ok(*mode),
            _ if !self.below(&real).is_empty() => Ok(0o755),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn file_system_id(&self) -> Option<u64> {
        self.fsid
    }
}
