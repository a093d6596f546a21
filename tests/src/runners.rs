//! Where the runner of each language is, and how it is made.

use crate::paths;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::{fs, io};

/// The command that runs a language's runner. `None` if something is missing, which is printed;
/// a panic if `LICENTIA_REQUIRE` names the language.
pub fn ready(language: &str) -> Option<Command> {
    let made = match language {
        "c" => compiled("cc", "c", "runner.c", &["-std=c99"]),
        "cpp" => compiled("c++", "cpp", "runner.cpp", &["-std=c++17"]),
        "python" => python(),
        "node" => node(),
        "cli" => cli(),
        other => Err(format!("there is no language {other}")),
    };
    match made {
        Ok(command) => Some(command),
        Err(why) => {
            let required = std::env::var("LICENTIA_REQUIRE").unwrap_or_default();
            assert!(!required.split(',').any(|it| it == language), "{language}: {why}");
            println!("skipped {language}: {why}");
            None
        }
    }
}

/// The same under valgrind, which ends with a status of its own where memory is misused or lost.
/// `None` if there is none, which is printed.
pub fn watched(runner: &Command) -> Option<Command> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: there is no valgrind");
        return None;
    }
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
    command.arg("--error-exitcode=9").arg(runner.get_program());
    Some(command)
}

fn there(path: PathBuf, how: &str) -> Result<PathBuf, String> {
    if path.exists() { Ok(path) } else { Err(format!("no {}: {how}", path.display())) }
}

/// Runners that this process has compiled: a program that runs cannot be written over.
static MADE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Compiles a runner against the header and the library of the repository.
fn compiled(tool: &str, folder: &str, file: &str, flags: &[&str]) -> Result<Command, String> {
    let built = paths::target().join("release/liblicentia.so");
    let library = there(built, "run `cargo build --release -p licentia-ffi`")?;
    let program = paths::target().join("runners").join(folder).join("runner");
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.contains(&program) {
        return Ok(Command::new(program));
    }
    let source = paths::root().join("tests/runners").join(folder).join(file);
    let home = paths::target().join("runners").join(folder);
    linked(&home, &library).map_err(|error| format!("{}: {error}", home.display()))?;
    let status = Command::new(tool)
        .args(flags)
        .args(["-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-I"])
        .arg(paths::root().join("include"))
        .arg(source)
        .arg("-o")
        .arg(&program)
        .arg(format!("-L{}", home.display()))
        .args(["-llicentia", "-Wl,-rpath,$ORIGIN"])
        .status()
        .map_err(|error| format!("{tool}: {error}"))?;
    assert!(status.success(), "{folder}: the runner does not compile");
    made.push(program.clone());
    Ok(Command::new(program))
}

/// Puts the library into a folder under both of its names: the linker's and the loader's.
fn linked(home: &Path, library: &Path) -> io::Result<()> {
    fs::create_dir_all(home)?;
    for name in ["liblicentia.so", "liblicentia.so.1"] {
        let link = home.join(name);
        if fs::symlink_metadata(&link).is_ok() {
            fs::remove_file(&link)?;
        }
        std::os::unix::fs::symlink(library, &link)?;
    }
    Ok(())
}

fn python() -> Result<Command, String> {
    let own = paths::root().join(".venv/bin/python");
    let python = std::env::var_os("LICENTIA_PYTHON").map_or(own, PathBuf::from);
    let works = Command::new(&python)
        .args(["-c", "import licentia"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        return Err(format!("{} cannot import licentia", python.display()));
    }
    Ok(script(&python, "python/runner.py"))
}

fn node() -> Result<Command, String> {
    let addon = "const l = require('./bindings/node'); if (!l.Product) process.exit(1)";
    let output = Command::new("node").args(["-e", addon]).current_dir(paths::root()).output();
    match output {
        Ok(output) if output.status.success() => Ok(script(Path::new("node"), "node/runner.mjs")),
        Ok(_) => Err("bindings/node has no addon for this machine".into()),
        Err(error) => Err(format!("node: {error}")),
    }
}

fn script(interpreter: &Path, file: &str) -> Command {
    let mut command = Command::new(interpreter);
    command.arg(paths::root().join("tests/runners").join(file));
    command
}

fn cli() -> Result<Command, String> {
    let program = paths::target().join("debug/licentia");
    there(program, "run `make command`").map(Command::new)
}
