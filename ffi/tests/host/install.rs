//! What `make install` puts down is found, linked and run from outside the repository.

use crate::fixtures::{PRODUCT, fixtures};
use crate::library::{has, library, repository, run, skip};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// Installs for one place and moves it to another: nothing may remember the first.
fn install(name: &str, libdir: Option<&str>) -> PathBuf {
    let stage = library().place(&format!("{name}-stage"));
    let mut install = Command::new(repository().join("ffi/install.sh"));
    install.env("PREFIX", "/opt/licentia").env("DESTDIR", &stage).env_remove("LIBDIR");
    run(install.envs(libdir.map(|folder| ("LIBDIR", folder))));
    let place = library().place(name);
    fs::rename(stage.join("opt/licentia"), &place).unwrap();
    place
}

fn installed() -> &'static Path {
    static PLACE: OnceLock<PathBuf> = OnceLock::new();
    PLACE.get_or_init(|| install("installed", None))
}

/// A folder elsewhere, with a copy of the C quickstart in it.
fn elsewhere() -> TempDir {
    let folder = TempDir::new().unwrap();
    let example = repository().join("examples/c/quickstart.c");
    fs::copy(example, folder.path().join("quickstart.c")).unwrap();
    folder
}

fn pkg_config(libraries: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = Command::new("pkg-config");
    command.args(arguments).arg("licentia").env("PKG_CONFIG_PATH", libraries.join("pkgconfig"));
    run(&mut command).split_whitespace().map(str::to_string).collect()
}

fn verifies(program: impl AsRef<OsStr>, libraries: Option<&Path>) {
    let mut command = Command::new(program);
    command.arg(fixtures().join("keys")).arg(PRODUCT).arg(fixtures().join("ok"));
    command.arg("clock=2026-01-02").env_remove("LD_LIBRARY_PATH");
    if let Some(folder) = libraries {
        command.env("LD_LIBRARY_PATH", folder);
    }
    assert!(run(&mut command).contains("allows reports: yes"));
}

#[test]
fn every_header_is_installed() {
    let mut found: Vec<_> = fs::read_dir(installed().join("include"))
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    found.sort();
    assert_eq!(found, ["licentia.h", "licentia.hpp", "licentia_testing.h"]);
}

#[test]
fn pkg_config_is_all_a_program_needs() {
    if !has("pkg-config") {
        return skip("pkg-config is not installed");
    }
    let other = install("installed-elsewhere", Some("lib/some-arch")).join("lib/some-arch");
    for libraries in [installed().join("lib"), other] {
        let folder = elsewhere();
        let mut gcc = Command::new("gcc");
        gcc.current_dir(&folder).args(["quickstart.c", "-o", "quickstart"]);
        run(gcc.args(pkg_config(&libraries, &["--cflags", "--libs"])));
        verifies(folder.path().join("quickstart"), Some(&libraries));
        let version = pkg_config(&libraries, &["--modversion"]);
        assert_eq!(version, [env!("CARGO_PKG_VERSION")]);
    }
}

#[test]
fn pkg_config_links_the_static_library_where_there_is_no_other() {
    if !has("pkg-config") {
        return skip("pkg-config is not installed");
    }
    let folder = elsewhere();
    let copy = folder.path().join("installed");
    run(Command::new("cp").arg("-a").arg(installed()).arg(&copy));
    let libraries = copy.join("lib");
    for shared in ["liblicentia.so", "liblicentia.so.1"] {
        fs::remove_file(libraries.join(shared)).unwrap();
    }
    let mut gcc = Command::new("gcc");
    gcc.current_dir(&folder).args(["quickstart.c", "-o", "quickstart"]);
    run(gcc.args(pkg_config(&libraries, &["--static", "--cflags", "--libs"])));
    verifies(folder.path().join("quickstart"), None);
}

const CMAKE_LISTS: &str = "
cmake_minimum_required(VERSION 3.16)
project(elsewhere C)
find_package(licentia @VERSION@ REQUIRED)
add_executable(with_shared quickstart.c)
target_link_libraries(with_shared PRIVATE licentia::licentia)
add_executable(with_static quickstart.c)
target_link_libraries(with_static PRIVATE licentia::licentia_static)
";

fn cmake(folder: &Path, version: &str) -> bool {
    let lists = CMAKE_LISTS.replace("@VERSION@", version);
    fs::write(folder.join("CMakeLists.txt"), lists).unwrap();
    let mut command = Command::new("cmake");
    command.current_dir(folder).args(["-S", ".", "-B", version]);
    let prefix = format!("-DCMAKE_PREFIX_PATH={}", installed().display());
    command.arg(prefix).output().unwrap().status.success()
}

#[test]
fn cmake_finds_the_shared_and_the_static_library() {
    if !has("cmake") {
        return skip("cmake is not installed");
    }
    let folder = elsewhere();
    assert!(cmake(folder.path(), "0.1"));
    run(Command::new("cmake").current_dir(&folder).args(["--build", "0.1"]));
    verifies(folder.path().join("0.1/with_shared"), None);
    verifies(folder.path().join("0.1/with_static"), None);
    for another in ["99.0", "1.0"] {
        assert!(!cmake(folder.path(), another), "version {another} is not installed");
    }
}

#[test]
fn nothing_installed_remembers_where_it_was_made() {
    let libraries = installed().join("lib");
    for file in ["pkgconfig/licentia.pc", "cmake/licentia/licentia-config.cmake"] {
        let text = fs::read_to_string(libraries.join(file)).unwrap();
        assert!(!text.contains("/opt") && !text.contains('@'), "{text}");
    }
    let link = fs::read_link(libraries.join("liblicentia.so")).unwrap();
    assert_eq!(link, Path::new("liblicentia.so.1"));
    assert!(!libraries.join("liblicentia.so.1").is_symlink());
}
