//! The routes of a product beside the license API.

use crate::fixtures::{PRODUCT, fixtures};
use crate::library::run;
use crate::webserver::of_cpp;
use std::process::Command;
use tempfile::TempDir;

#[test]
fn the_mount_in_cpp_takes_no_path_from_the_product() {
    let Some(program) = of_cpp("ffi/tests/c/routes.cpp", false).build() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    run(Command::new(program).arg(fixtures().join("keys")).arg(PRODUCT).arg(folder.path()));
}
