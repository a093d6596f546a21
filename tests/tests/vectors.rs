//! The committed vectors are those of the generator, and cover what they should.

use licentia::Code;
use licentia_tests::story::{Step, Story};
use licentia_tests::{books, case::Deed, paths, protocol, topics};
use std::collections::{BTreeMap, BTreeSet};

/// Codes that no case and no story can reach, and why.
const NOT_YET: &[(&str, &[Code])] = &[
    ("only a bug in licentia has it", &[Code::Internal]),
    (
        "vendors' tools have it, which the vectors do not drive",
        &[Code::KeyPermissions, Code::WeakBinding],
    ),
    ("a license server has it, as in tests/tests/online", &[Code::NoSeat, Code::Refused]),
    ("another test reaches it", &[Code::Busy, Code::DiskFull]),
    ("webhooks have it, whose vectors are webhooks.json", &[Code::BadTimestamp]),
];

/// Codes that need another process or another disk: the tests that reach them.
const ELSEWHERE: &[(Code, &str, &str)] = &[
    (Code::Busy, "core/src/store/crowd.rs", "who_waits_too_long_is_told"),
    (Code::DiskFull, "core/src/store/real_folder.rs", "a_full_disk_is_named_and_keeps_what_it_has"),
    (Code::DiskFull, "core/src/usage/tests/disk.rs", "a_full_disk_is_named_and_loses_nothing"),
];

#[test]
fn committed_files_are_what_the_generator_writes() {
    let topics = topics::all().into_iter().map(|(name, topic)| (name, topics::text(&topic)));
    let books = books::all().into_iter().map(|(name, book)| (name, books::text(&book)));
    for (name, text) in topics.chain(books) {
        let path = paths::vectors().join(format!("{name}.json"));
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
    let cases = topics::committed().into_iter().map(|case| case.expect);
    for slug in cases.chain(books::committed().iter().flat_map(codes)) {
        *reached.entry(slug).or_default() += 1;
    }
    for &code in Code::ALL {
        let reason = NOT_YET.iter().find(|(_, codes)| codes.contains(&code)).map(|it| it.0);
        match (reached.get(code.slug()), reason) {
            (None, None) => panic!("no case and no story expects {code}"),
            (Some(_), Some(_)) => panic!("{code} is reached: take it off the list"),
            _ => {}
        }
    }
    println!("{reached:#?}");
}

/// The codes of a story: of the step that fails, of refusals, and of why it is not in force.
fn codes(story: &Story) -> Vec<String> {
    let of = |step: &Step| match step {
        Step::Gate { is: Some((_, code)), .. } => Some(code.clone()),
        Step::Status { is, .. } => is.get("reason")?.as_str().map(Into::into),
        _ => None,
    };
    story.steps.iter().filter_map(of).chain([story.expect.clone()]).collect()
}

#[test]
fn what_is_tested_elsewhere_is_there() {
    for (code, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(paths::root().join(file)).unwrap();
        let body = text.split_once(&format!("fn {test}()")).map_or("", |(_, after)| after);
        let body = body.split_once("#[test]").map_or(body, |(body, _)| body);
        assert!(body.contains(&format!("Code::{code:?}")), "{file}: no {code} in {test}");
    }
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
