//! Fetches the scripts of the desk: npm packages, of the versions and with the digests that
//! `desk/package-lock.json` names, into the folder of this build. They are then part of the binary.
//! Whoever names a folder of their own has had npm compare the digests there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Instead of npm: a folder that has the packages, such as a `node_modules` made elsewhere.
const FOLDER: &str = "LICENTIA_DESK_PACKAGES";

/// What is served, and the licenses of it.
const FILES: [&str; 5] = [
    "htmx.org/dist/htmx.min.js",
    "htmx.org/LICENSE",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
    "uplot/LICENSE",
];

fn main() {
    for file in ["desk/package.json", "desk/package-lock.json"] {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed={FOLDER}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder"));
    let packages = match env::var_os(FOLDER) {
        Some(folder) => watched(folder.into()),
        None => fetch(&out),
    };
    for file in FILES {
        let (from, to) = (packages.join(file), out.join(file.replace('/', "-")));
        if let Err(error) = fs::copy(&from, to) {
            panic!("{}: {error}: name a folder that has the packages ({FOLDER})", from.display());
        }
    }
}

/// A folder that somebody else fetched into, and answers for.
fn watched(folder: PathBuf) -> PathBuf {
    for file in FILES {
        println!("cargo::rerun-if-changed={}", folder.join(file).display());
    }
    folder
}

/// Has npm fetch them, which compares their digests and runs nothing of them.
fn fetch(out: &Path) -> PathBuf {
    let folder = out.join("desk");
    let made = fs::create_dir_all(&folder);
    let copied = ["package.json", "package-lock.json"]
        .map(|file| fs::copy(Path::new("desk").join(file), folder.join(file)));
    assert!(
        made.is_ok() && copied.iter().all(Result::is_ok),
        "{} cannot be written",
        out.display()
    );
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let ended = Command::new(npm).args(quiet).current_dir(&folder).output();
    let advice = format!(
        "the desk's two scripts are npm packages: install npm (Debian package npm), let it reach \
         its registry, or fetch them elsewhere (`npm ci` in server/desk) and name the folder \
         node_modules ({FOLDER})"
    );
    match ended {
        Ok(ended) if ended.status.success() => folder.join("node_modules"),
        Ok(ended) => panic!("{}\n{advice}", String::from_utf8_lossy(&ended.stderr)),
        Err(error) => panic!("npm: {error}\n{advice}"),
    }
}
