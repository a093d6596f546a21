//! What was once given stays: `ffi/abi/1` is append-only.
//!
//! `LICENTIA_BLESS=1` adds what is new to its lists. It never takes anything out.

use crate::declared::{constants, functions, todays_header};
use crate::fixtures::fixtures;
use crate::library::{has, library, read, release, repository, run, skip};
use licentia_core::Code;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn first(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("abi/1").join(name)
}

/// Compares a list with what there is today: nothing may be missing, and what is new is added
/// by `LICENTIA_BLESS=1`.
fn keeps(list: &str, today: &BTreeSet<String>) {
    let promised: BTreeSet<String> = read(first(list)).lines().map(str::to_string).collect();
    let missing: Vec<_> = promised.difference(today).collect();
    assert!(missing.is_empty(), "ffi/abi/1/{list} promises what is gone: {missing:?}");
    let added: Vec<_> = today.difference(&promised).collect();
    if env::var_os("LICENTIA_BLESS").is_some() {
        let all: Vec<_> = promised.union(today).map(|line| format!("{line}\n")).collect();
        fs::write(first(list), all.concat()).unwrap();
    } else {
        assert!(added.is_empty(), "run `make bless` to add to ffi/abi/1/{list}: {added:?}");
    }
}

fn exported(library: &Path) -> BTreeSet<String> {
    let symbols = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    symbols.lines().map(|line| line.rsplit(' ').next().unwrap().to_string()).collect()
}

#[test]
fn the_library_exports_what_the_header_declares_and_what_was_promised() {
    let declared = functions(&todays_header()).into_iter().map(|one| one.name).collect();
    assert_eq!(exported(&library().shared()), declared);
    keeps("symbols.txt", &declared);
}

#[test]
fn no_constant_is_renumbered_or_taken_away() {
    let today = constants(&todays_header());
    let (statuses, others): (Vec<_>, Vec<_>) = today.iter().partition(|one| is_status(&one.0));
    assert!(statuses.len() > 40 && others.len() >= 4, "{statuses:?} {others:?}");
    let list = |constants: Vec<&(String, i32)>| {
        constants.iter().map(|(name, number)| format!("{number:02} {name}")).collect()
    };
    keeps("status.txt", &list(statuses));
    keeps("constants.txt", &list(others));
}

fn is_status(name: &str) -> bool {
    let word = name.trim_start_matches("LICENTIA_").to_lowercase();
    word == "ok" || Code::ALL.iter().any(|code| code.slug() == word)
}

/// The compiler compares every declaration of the first header with today's.
#[test]
fn the_first_declarations_still_hold() {
    let declarations: Vec<_> =
        functions(&read(first("licentia.h"))).iter().map(|one| one.text.clone() + ";\n").collect();
    assert!(declarations.len() >= 18);
    let file = library().place("first.c");
    fs::write(&file, format!("#include <licentia.h>\n{}", declarations.concat())).unwrap();
    run(library().compiler("gcc").arg("-fsyntax-only").arg(&file));
}

#[test]
fn a_program_compiled_with_the_first_header_runs() {
    let program = library().place("first-program");
    let mut gcc = Command::new("gcc");
    gcc.arg("-I").arg(first("")).arg(first("program.c")).arg("-o").arg(&program);
    run(gcc.arg("-L").arg(library().place("")).arg("-llicentia"));
    let mut command = Command::new(&program);
    run(command.arg(fixtures()).env("LD_LIBRARY_PATH", library().place("")));
}

/// A library of empty functions with the types of a header, for abidiff.
///
/// The types that rustc writes for a debugger show what is inside the opaque structs, so that
/// any change of the code would look like a change of the interface. C's do not.
fn skeleton(name: &str, folder: &Path) -> PathBuf {
    let header = read(folder.join("licentia.h"));
    let mut code = String::from("#include <licentia.h>\n");
    for function in functions(&header) {
        let result = if function.gives == "void" { "" } else { "return 0; " };
        code += &format!("{} {{ {result}}}\n", function.text);
    }
    let (source, object) = (library().place(&format!("{name}.c")), library().place(name));
    fs::write(&source, code).unwrap();
    let mut gcc = Command::new("gcc");
    gcc.args(["-g", "-shared", "-fPIC", "-Wl,-soname,liblicentia.so.1", "-I"]).arg(folder);
    run(gcc.arg(&source).arg("-o").arg(&object));
    object
}

#[test]
fn abidiff_finds_no_change_of_what_was_there() {
    if !has("abidiff") {
        return skip("abidiff is not installed");
    }
    let old = skeleton("skeleton-1.so", &first(""));
    let new = skeleton("skeleton-today.so", &repository().join("include"));
    run(Command::new("abidiff").arg("--no-added-syms").arg(old).arg(new));
}

#[test]
fn the_library_is_named_for_its_abi_and_stays_loaded() {
    let dynamic = run(Command::new("readelf").arg("-dW").arg(library().shared()));
    assert!(dynamic.contains("soname: [liblicentia.so.1]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

/// A product must not be able to mint its own license. The words are those of the vendor's half
/// of the core, the head of every document that it signs among them; they are in this test, which
/// signs, and must not be in the library. What the library does sign, with a key of the
/// installation's own, are its requests.
#[test]
fn the_library_signs_requests_and_no_license() {
    let words = [
        &b"a perpetual license has no end"[..],
        b"Ed25519 PRIVATE KEY",
        br#"{"alg":"EdDSA","kid":""#,
    ];
    let contains = |file: &Path, word: &[u8]| {
        fs::read(file).unwrap().windows(word.len()).any(|part| part == word)
    };
    let this_test = env::current_exe().unwrap();
    // Makes the linker keep them here.
    assert!(licentia_core::SecretKey::from_pem("").is_err());
    for word in words {
        let word_text = String::from_utf8_lossy(word);
        assert!(contains(&this_test, word), "{word_text:?} is no longer a word of signing");
        assert!(!contains(&library().shared(), word), "{word_text:?} is in the library");
    }
    assert!(contains(&library().shared(), b"licentia-request\n"), "what is in it is found");
    let symbols = run(Command::new("nm").arg(library().shared()));
    for symbol in ["8licentia8messages5proof", "ed25519_dalek"] {
        assert!(symbols.contains(symbol), "{symbol}: a library with symbols shows what is in it");
    }
    let signing = run(Command::new("nm").arg(&this_test));
    for symbol in ["8licentia6secret", "8licentia5issue", "8licentia5token4sign"] {
        assert!(signing.contains(symbol), "{symbol} is no longer a symbol of signing");
        assert!(!symbols.contains(symbol), "{symbol} is in the library");
    }
}

#[test]
fn the_release_build_exports_the_same() {
    assert_eq!(exported(&release().shared()), exported(&library().shared()));
}
