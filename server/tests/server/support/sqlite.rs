//! SQLite in a folder of its own, which is removed with it.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with a database file.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::Builder::new().prefix("licentia-sqlite-").tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn database(&self) -> PathBuf {
        self.path().join("licentia.db")
    }
}
