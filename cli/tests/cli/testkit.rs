//! `testkit`.

use crate::run::Folder;
use serde_json::{Value, json};

#[test]
fn it_has_the_features_that_were_asked_for() {
    let folder = Folder::empty();
    let made = folder.run("testkit --product acme-tool --feature a --entitlement b=5 --out k.json");
    assert_eq!(made.err, "written to k.json\n");
    let kit: Value = serde_json::from_str(&folder.read("k.json")).unwrap();
    assert_eq!((&kit["testkit"], &kit["product"]), (&json!(1), &json!("acme-tool")));
    assert_eq!(kit["features"], json!([{"id": "a"}, {"id": "b", "meter": "level", "max": 5}]));
    for state in kit["states"].as_array().unwrap() {
        let access = state["expect"]["access"].as_object().unwrap();
        assert_eq!(access.keys().collect::<Vec<_>>(), ["a", "b"], "{state}");
    }
    assert_eq!(folder.fails("testkit --product a --out k.json"), "io");
    folder.run("testkit --product b --out k.json --force").good();
    assert!(folder.read("k.json").contains("\"counter\""), "the usual features");
}

#[test]
fn it_is_printed_where_no_file_is_named() {
    let folder = Folder::empty();
    let printed = folder.run("testkit --product myapp").good();
    let kit: Value = serde_json::from_str(&printed).unwrap();
    let told = folder.json("testkit --product myapp");
    let names = |kit: &Value| {
        let states = kit["states"].as_array().unwrap();
        states.iter().map(|state| state["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&kit), *told["states"].as_array().unwrap());
    assert_eq!(names(&told["kit"]), names(&kit));
    assert_ne!(told["keys"], kit["keys"], "every kit has a key of its own");
    let header = folder.run("testkit --product my-app --format header --out -").good();
    assert!(header.contains("#define LICENTIA_TESTING_PRODUCT \"my-app\"\n"), "{header:.900}");
    assert!(!header.contains('@'), "a place was not filled");
}

/// The default kit is compiled and run with the library.
#[test]
fn a_header_of_own_features_compiles_without_a_word() {
    let folder = Folder::empty();
    let features = "--feature a.b:c-d_e --entitlement requests=900/month+10%,count";
    folder.run(&format!("testkit --product my-app {features} --format header --out k.h")).good();
    folder.write("k.c", "#include \"k.h\"\n#include \"k.h\"\nint main(void) { return 0; }\n");
    let include = concat!(env!("CARGO_MANIFEST_DIR"), "/../include");
    let strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", include];
    for language in [["-xc", "-std=c99"], ["-xc++", "-std=c++17"]] {
        let mut gcc = std::process::Command::new("gcc");
        let ran = gcc.args(strict).args(language).arg(folder.path("k.c")).output();
        let Ok(ran) = ran else { return eprintln!("skipped: gcc is not installed") };
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn without_a_limit_there_is_none_to_reach() {
    let folder = Folder::empty();
    let run = folder.run("testkit --product myapp --feature a --entitlement b=unlimited/month");
    assert!(run.err.contains("no feature has a limit"), "{run:?}");
    let kit: Value = serde_json::from_str(&run.good()).unwrap();
    let states = kit["states"].as_array().unwrap();
    assert!(states.len() == 20 && states.iter().all(|it| it["name"] != "limit_reached"));
}

#[test]
fn what_no_license_or_folder_could_hold_is_wrong_usage() {
    let folder = Folder::empty();
    for line in [
        "testkit",
        "testkit --product My_App",
        "testkit --product myapp --feature a --feature a",
        "testkit --product myapp --entitlement a=10001/30d",
        "testkit --product myapp --entitlement a=9007199254740991",
        "testkit --product myapp --format yaml",
        "testkit --product myapp --force",
    ] {
        assert_eq!(folder.fails(line), "invalid_argument", "{line}");
    }
    assert_eq!(std::fs::read_dir(folder.path(".")).unwrap().count(), 0, "nothing is left");
}
