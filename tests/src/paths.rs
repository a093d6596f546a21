//! Where things are in the repository.

use std::path::{Path, PathBuf};

/// The root of the repository. Paths in vectors are relative to it, and runners start in it.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("a folder above tests").to_path_buf()
}

/// The folder of the vectors.
pub fn vectors() -> PathBuf {
    root().join("tests/vectors")
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(set.unwrap_or_else(|| "target".into()))
}
