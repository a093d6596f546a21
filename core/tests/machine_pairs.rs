//! Pairs of machines: what a license bound to the one says on the other.

mod machine_support;

use std::fs;

use licentia::machine::{Binding, Kind, Options, Outcome, Report, State};
use machine_support::{Fixture, PRODUCT, User, tests_folder};
use serde_json::{Value, json};

fn report(case: &Value, which: &str) -> Report {
    let user = User::named(case[format!("{which}_as")].as_str().unwrap());
    Fixture::named(case[which].as_str().unwrap()).report(user)
}

fn options(case: &Value) -> Options {
    let kind = |word: &Value| Kind::from_word(word.as_str().unwrap()).unwrap();
    Options {
        need: case["need"].as_u64().map(|need| u32::try_from(need).unwrap()),
        kinds: case["kinds"].as_array().map(|words| words.iter().map(kind).collect()),
        allow_weak: case["allow_weak"].as_bool().unwrap_or(false),
    }
}

/// Whether it holds is decided in the file; only the sentence is written by LICENTIA_BLESS=1.
#[test]
fn every_pair_is_as_the_vectors_say() {
    let path = tests_folder().join("vectors/machine_pairs.json");
    let mut cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let bless = std::env::var_os("LICENTIA_BLESS").is_some();
    for case in &mut cases {
        let name = case["name"].as_str().unwrap().to_owned();
        let bound = Binding::bind(&report(case, "bound"), PRODUCT, &options(case));
        let says = match (&bound, case["refused"].as_str()) {
            (Err(error), Some(slug)) => {
                assert_eq!(error.slug(), slug, "{name}");
                error.detail().to_owned()
            }
            (Ok(binding), None) => {
                let comparison = binding.compare(&report(case, "seen"));
                assert_eq!(json!(comparison.holds()), case["holds"], "{name}: {comparison}");
                comparison.to_string()
            }
            (found, wanted) => panic!("{name}: {found:?}, not {wanted:?}"),
        };
        if bless {
            case["says"] = json!(says);
        }
        assert_eq!(json!(says), case["says"], "{name}: LICENTIA_BLESS=1 writes the sentence");
    }
    assert!(cases.iter().filter(|case| case["holds"] != json!(true)).count() >= 20);
    if bless {
        fs::write(&path, serde_json::to_string_pretty(&cases).unwrap() + "\n").unwrap();
    }
}

#[test]
fn unreadable_is_not_different() {
    let kinds = Some(vec![Kind::Product, Kind::Board, Kind::MachineId, Kind::Nic]);
    let root = Fixture::named("server-dell").report(User::Root);
    let binding = Binding::bind(&root, PRODUCT, &Options { kinds, ..Options::default() }).unwrap();
    let outcome = |seen: &str, user, word: &str| {
        let comparison = binding.compare(&Fixture::named(seen).report(user));
        comparison.parts.iter().find(|part| part.kind == word).unwrap().outcome
    };
    let unreadable = Outcome::Absent(State::Unreadable);
    assert_eq!(outcome("server-dell", User::Root, "product"), Outcome::Matched);
    assert_eq!(outcome("server-dell", User::Nobody, "product"), unreadable);
    assert_eq!(outcome("server-dell-two", User::Nobody, "product"), unreadable);
    assert_eq!(outcome("server-dell-two", User::Root, "product"), Outcome::Drifted);
    let missing = Outcome::Absent(State::Missing);
    assert_eq!(outcome("server-dell-no-sys", User::Root, "product"), missing);
    let junk = Outcome::Absent(State::Junk);
    assert_eq!(outcome("desktop-to-be-filled", User::Root, "product"), junk);
    let elsewhere = Outcome::Absent(State::Virtual);
    assert_eq!(outcome("vm-vmware", User::Root, "nic"), elsewhere);
    // Under Xen one place can be read and another cannot: the hidden one may be the bound one.
    assert_eq!(outcome("vm-xen", User::Nobody, "product"), unreadable);
    assert_eq!(outcome("vm-xen", User::Root, "product"), Outcome::Drifted);
}

#[test]
fn every_two_different_machines_are_told_apart() {
    // The same machine at another time, under another name.
    let families = ["server-dell", "laptop-thinkpad", "id-"];
    let same = |a: &str, b: &str| families.iter().any(|f| a.starts_with(f) && b.starts_with(f));
    let reports: Vec<(String, Report)> = machine_support::names()
        .into_iter()
        .map(|name| (name.clone(), Fixture::named(&name).report(User::Root)))
        .collect();
    let mut pairs = 0;
    for (a, bound) in &reports {
        let Ok(binding) = Binding::bind(bound, PRODUCT, &Options::default()) else { continue };
        assert!(binding.compare(bound).holds(), "{a}");
        for (b, seen) in reports.iter().filter(|(b, _)| a != b && !same(a, b)) {
            pairs += 1;
            let comparison = binding.compare(seen);
            assert!(!comparison.holds(), "{a} on {b}: {comparison}");
        }
    }
    assert!(pairs > 1000, "{pairs}");
}
