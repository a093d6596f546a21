//! The headers compile, without a word, wherever they should.

use crate::library::{has, library, run, skip, source};

/// Compiles two units that include a header, one of them twice, and links and runs them.
fn two_units(compiler: &str, standard: &str, extension: &str, define: &str) {
    if !has(compiler) {
        return skip(&format!("{compiler} -std={standard}: {compiler} is not installed"));
    }
    let place = library().place(&format!("units-{compiler}-{standard}{define}"));
    std::fs::create_dir(&place).unwrap();
    let unit = |name: &str| source(&format!("{name}.{extension}"));
    for flags in [&[][..], &["-fshort-enums", "-O2"]] {
        let mut command = library().compiler(compiler);
        command.arg(format!("-std={standard}")).args(flags).arg(define);
        command.arg(unit("unit_one")).arg(unit("unit_two"));
        command.arg("-o").arg(place.join("program")).arg(library().shared());
        run(&mut command);
        let mut program = std::process::Command::new(place.join("program"));
        run(program.env("LD_LIBRARY_PATH", library().place("")));
    }
}

#[test]
fn the_header_compiles_as_every_c_and_cpp() {
    for compiler in ["gcc", "clang"] {
        for standard in ["c99", "c11", "c17"] {
            two_units(compiler, standard, "c", "-DHEADER=<licentia.h>");
        }
    }
    for compiler in ["g++", "clang++"] {
        for standard in ["c++11", "c++17", "c++20"] {
            two_units(compiler, standard, "cpp", "-DHEADER=<licentia.h>");
        }
    }
}

#[test]
fn the_wrapper_compiles_as_cpp_17_and_20() {
    for compiler in ["g++", "clang++"] {
        for standard in ["c++17", "c++20"] {
            two_units(compiler, standard, "cpp", "-DHEADER=<licentia.hpp>");
        }
    }
}

#[test]
fn the_kit_for_tests_compiles_as_every_c_and_cpp() {
    for (compiler, cpp) in [("gcc", "g++"), ("clang", "clang++")] {
        for standard in ["c99", "c17"] {
            two_units(compiler, standard, "c", "-DHEADER=<licentia_testing.h>");
        }
        for standard in ["c++11", "c++17", "c++20"] {
            two_units(cpp, standard, "cpp", "-DHEADER=<licentia_testing.h>");
        }
    }
}

/// A result that must not be ignored: what breaks the other programs here would break this one.
#[test]
fn ignoring_a_status_is_an_error() {
    let ignoring = "#include <licentia.h>\nint main(void) { licentia_product_trust(0, 0, 0); }\n";
    let file = library().place("ignoring.c");
    std::fs::write(&file, ignoring).unwrap();
    let mut gcc = library().compiler("gcc");
    let output = gcc.arg("-c").arg(&file).args(["-o", "/dev/null"]).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && complaint.contains("unused-result"), "{complaint}");
}
