//! The library under test, and the compilers that build hosts for it.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};
use std::sync::OnceLock;
use std::{env, fs, io};

/// A private copy of the library, so that nothing that builds meanwhile changes it, in a folder
/// for the hosts.
pub struct Library {
    folder: PathBuf,
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

pub fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(name)
}

pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Says that something was not tested, past the capture of cargo's tests, which hides `eprintln!`.
#[expect(clippy::explicit_write)]
pub fn skip(what: &str) {
    writeln!(io::stderr(), "skipped: {what}").unwrap();
}

pub fn has(tool: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap()).any(|folder| folder.join(tool).is_file())
}

/// Runs a command to its end. It has to succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

pub fn shown(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The library with Rust's own checks in it, built once for all tests.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::copy("dev"))
}

/// The library as it ships.
pub fn release() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::copy("release"))
}

/// An empty folder that outlives this process, so that a failure can be looked into; the next
/// run removes it.
fn fresh_folder(name: &str) -> PathBuf {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts");
    let alive = |process: &str| Path::new("/proc").join(process).exists();
    for entry in fs::read_dir(&all).into_iter().flatten().flatten() {
        if !entry.file_name().to_str().is_some_and(alive) {
            // Another run may be removing the same one.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let folder = all.join(process::id().to_string()).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Builds the shared and the static library as a product ships them: on their own, so that no
/// other crate of the workspace turns on a feature for them.
fn build(profile: &str) -> Vec<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--locked", "--quiet", "--package", "licentia-ffi", "--lib"]);
    cargo.args(["--message-format", "json", "--profile", profile]).current_dir(repository());
    let messages: Vec<Value> =
        run(&mut cargo).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ours = messages.iter().filter(|message| message["target"]["name"] == "licentia");
    let signs = |message: &Value| message["features"].to_string().contains("issue");
    assert!(!ours.clone().any(signs), "the library is built with the feature that signs");
    let files: Vec<PathBuf> = ours
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .map(|file| PathBuf::from(file.as_str().unwrap()))
        .filter(|file| file.extension().is_some_and(|end| end == "so" || end == "a"))
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    files
}

impl Library {
    fn copy(profile: &str) -> Library {
        let folder = fresh_folder(profile);
        for built in build(profile) {
            fs::copy(&built, folder.join(built.file_name().unwrap())).unwrap();
        }
        let soname = folder.join("liblicentia.so.1");
        std::os::unix::fs::symlink("liblicentia.so", soname).unwrap();
        Library { folder }
    }

    pub fn shared(&self) -> PathBuf {
        self.folder.join("liblicentia.so")
    }

    /// A new place in the folder that all tests share.
    pub fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A compiler that finds the header and complains about everything.
    pub fn compiler(&self, compiler: &str) -> Command {
        let mut command = Command::new(compiler);
        command.args(["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-g"]);
        command.arg("-I").arg(repository().join("include")).arg("-I").arg(source(""));
        command
    }

    /// Compiles and links a program against the shared library.
    pub fn host(&self, name: &str, source: &Path, flags: &[&str]) -> PathBuf {
        let cpp = source.extension() == Some(OsStr::new("cpp"));
        let program = self.place(name);
        let mut command = self.compiler(if cpp { "g++" } else { "gcc" });
        command.arg(if cpp { "-std=c++17" } else { "-std=c11" }).args(flags).arg(source);
        command.arg("-o").arg(&program).arg("-L").arg(&self.folder).arg("-llicentia");
        // Before LD_LIBRARY_PATH, in which cargo names the folders that it builds into.
        command.arg(format!("-Wl,--disable-new-dtags,-rpath,{}", self.folder.display()));
        run(command.args(["-pthread", "-ldl"]));
        program
    }
}
