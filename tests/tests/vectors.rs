//! The committed vectors are those of the generator, and cover what they should.

use licentia::Code;
use licentia_tests::{case::Deed, paths, protocol, topics};
use std::collections::{BTreeMap, BTreeSet};

/// Codes that no case can reach yet, and why.
const NOT_YET: &[(&str, &[Code])] = &[
    ("only a bug in licentia has it", &[Code::Internal]),
    (
        "vendors' tools have it, which the vectors do not drive",
        &[Code::KeyPermissions, Code::WeakBinding],
    ),
    (
        "comes with the installation",
        &[
            Code::Revoked,
            Code::Suspended,
            Code::ClockRollback,
            Code::SyncOverdue,
            Code::NotLicensed,
            Code::NotGranted,
            Code::LimitExceeded,
            Code::NoSeat,
            Code::AlreadyUsed,
            Code::Unreachable,
            Code::Refused,
            Code::NoTransport,
            Code::StateCorrupt,
            Code::StateUnavailable,
            Code::Busy,
            Code::DiskFull,
        ],
    ),
];

#[test]
fn committed_files_are_what_the_generator_writes() {
    for (name, topic) in topics::all() {
        let path = paths::vectors().join(format!("{name}.json"));
        let text = topics::text(&topic);
        if std::env::var_os("LICENTIA_BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == text,
            "tests/vectors/{name}.json differs from its generator: run \
             `cargo run -p licentia-tests --bin vectors`, and look at what changed"
        );
    }
}

#[test]
fn names_are_unique_and_most_cases_are_refusals() {
    let cases = topics::committed();
    let mut names = BTreeSet::new();
    for case in &cases {
        assert!(names.insert(&case.name), "{} is there twice", case.name);
        let good = case.expect == "ok";
        assert!(good || Code::from_slug(&case.expect).is_some(), "{}: {}", case.name, case.expect);
        assert!(good || (case.facts.is_none() && case.later.is_empty()), "{}", case.name);
        let licensed = matches!(case.deed, Deed::Verify | Deed::Inspect);
        assert_eq!(case.data().is_some(), licensed, "{}", case.name);
        if let Some(facts) = &case.facts {
            assert!(facts.allows.keys().eq(facts.limits.keys()), "{}", case.name);
        }
    }
    let refused = cases.iter().filter(|case| case.expect != "ok").count();
    assert!(cases.len() >= 300 && refused * 2 > cases.len(), "{refused} of {}", cases.len());
}

#[test]
fn every_code_is_reached_or_has_a_reason() {
    let mut reached: BTreeMap<String, usize> = BTreeMap::new();
    for case in topics::committed() {
        *reached.entry(case.expect).or_default() += 1;
    }
    for &code in Code::ALL {
        let reason = NOT_YET.iter().find(|(_, codes)| codes.contains(&code)).map(|it| it.0);
        match (reached.get(code.slug()), reason) {
            (None, None) => panic!("no case expects {code}"),
            (Some(_), Some(_)) => panic!("{code} is reached: take it off the list"),
            _ => {}
        }
    }
    println!("{reached:#?}");
}

#[test]
fn escaping_is_lossless_and_one_line() {
    let bytes: Vec<u8> = (0..=255).collect();
    let text = protocol::escape(&bytes);
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains('='));
    assert_eq!(protocol::unescape(&text).unwrap(), bytes);
    for bad in ["%", "%4", "%zz"] {
        assert_eq!(protocol::unescape(bad), None);
    }
}
