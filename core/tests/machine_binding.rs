//! The wire forms of bindings and reports, and what they must refuse.

mod machine_support;

use std::collections::BTreeMap;

use licentia::machine::{Binding, Kind, Options, Outcome, Report};
use licentia::{Code, json};
use machine_support::{Fixture, PRODUCT, User};
use proptest::prelude::*;

const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAA";

fn dell() -> Report {
    Fixture::named("server-dell").report(User::Nobody)
}

fn parse(text: &str) -> licentia::Result<Binding> {
    json::parse(text.as_bytes(), 64 * 1024)
}

#[test]
fn a_binding_survives_its_json() {
    let binding = Binding::bind(&dell(), PRODUCT, &Options::default()).unwrap();
    let text = serde_json::to_string(&binding).unwrap();
    assert!(text.starts_with(r#"{"v":1,"need":3,"parts":{"asset_tag":[""#), "{text}");
    assert_eq!(parse(&text).unwrap(), binding);
}

#[test]
fn bindings_that_are_none_are_malformed() {
    let of = |need: &str, parts: &str| format!(r#"{{"v":1,"need":{need},"parts":{parts}}}"#);
    let one = format!(r#"{{"nic":["{HASH}"]}}"#);
    let kinds: Vec<String> = (0..33).map(|n| format!(r#""k{n}":["{HASH}"]"#)).collect();
    let hashes = vec![format!("\"{HASH}\""); 65].join(",");
    for bad in [
        of("0", &one),
        of("2", &one),
        of("-1", &one),
        of("4294967296", &one),
        of("\"1\"", &one),
        of("null", &one),
        of("1", "{}"),
        of("1", "[]"),
        of("1", "null"),
        of("1", r#"{"nic":null}"#),
        of("2", &format!(r#"{{"nic":["{HASH}"],"disk":null}}"#)),
        of("1", r#"{"nic":[]}"#),
        of("1", r#"{"nic":"AAAAAAAAAAAAAAAAAAAAAA"}"#),
        of("1", r#"{"nic":["AAAAAAAAAAAAAAAAAAAAA"]}"#),
        of("1", r#"{"nic":["AAAAAAAAAAAAAAAAAAAAAB"]}"#),
        of("1", r#"{"nic":["AAAAAAAAAAAAAAAAAAAA=="]}"#),
        of("1", r#"{"nic":["AAAAAAAAAAAAAAAAAAAA+/"]}"#),
        of("1", r#"{"nic":[null]}"#),
        of("1", &format!("{{{}}}", kinds.join(","))),
        of("1", &format!(r#"{{"nic":[{hashes}]}}"#)),
        format!(r#"[1,1,{one}]"#),
        format!(r#"{{"need":1,"parts":{one}}}"#),
        format!(r#"{{"v":1,"parts":{one}}}"#),
        r#"{"v":1,"need":1}"#.to_owned(),
        format!(r#"{{"v":0,"need":1,"parts":{one}}}"#),
        format!(r#"{{"v":"1","need":1,"parts":{one}}}"#),
        format!(r#"{{"v":1,"v":1,"need":1,"parts":{one}}}"#),
    ] {
        assert_eq!(parse(&bad).unwrap_err().code(), Code::Malformed, "{bad}");
        assert!(serde_json::from_str::<Binding>(&bad).is_err(), "{bad}");
    }
    assert!(parse(&of("1", &one)).is_ok());
    let null = parse(&of("1", &format!(r#"{{"nic":["{HASH}"],"disk":null}}"#)));
    assert_eq!(null.unwrap(), parse(&of("1", &one)).unwrap(), "null is as if it were not there");
}

#[test]
fn another_version_is_too_new_and_holds_for_no_machine() {
    for text in [
        r#"{"v":2}"#,
        r#"{"v":2,"need":0,"parts":[]}"#,
        r#"{"v":4294967296}"#,
        r#"{"v":4294967297,"need":1,"parts":{}}"#,
        r#"{"v":7,"weights":{"nic":3},"parts":{"nic":["x"]}}"#,
    ] {
        let binding = parse(text).unwrap();
        assert_eq!(binding.check_version().unwrap_err().code(), Code::TooNew, "{text}");
        assert!(!binding.compare(&dell()).holds(), "{text}");
    }
    assert!(Binding::bind(&dell(), PRODUCT, &Options::default()).unwrap().check_version().is_ok());
}

#[test]
fn a_kind_of_a_later_version_is_kept_and_never_matches() {
    let report = dell();
    let mut parts = Binding::bind(&report, PRODUCT, &Options::default()).unwrap().parts().clone();
    let stolen: Vec<String> = parts["nic"].clone();
    parts.insert("dna".to_owned(), stolen);
    let binding = Binding::new(3, parts).unwrap();
    let comparison = binding.compare(&report);
    assert!(comparison.holds());
    let dna = comparison.parts.iter().find(|part| part.kind == "dna").unwrap();
    assert_eq!(dna.outcome, Outcome::Unknown);
    assert!(comparison.to_string().ends_with("; dna is unknown"), "{comparison}");
}

#[test]
fn a_kind_counts_once_however_many_of_its_values_match() {
    let report = dell();
    let disks =
        Binding::bind(&report, PRODUCT, &Options::default()).unwrap().parts()["disk"].clone();
    assert_eq!(disks.len(), 2);
    let binding = Binding::new(1, BTreeMap::from([("disk".to_owned(), disks)])).unwrap();
    assert_eq!(binding.compare(&report).matched, 1);
}

#[test]
fn a_hash_of_one_kind_is_not_another_kinds() {
    let report = dell();
    let nics = Binding::bind(&report, PRODUCT, &Options::default()).unwrap().parts()["nic"].clone();
    let binding = Binding::new(1, BTreeMap::from([("disk".to_owned(), nics)])).unwrap();
    assert_eq!(binding.compare(&report).matched, 0);
}

#[test]
fn what_cannot_be_asked_for_is_said() {
    let ask =
        |need, kinds| Binding::bind(&dell(), PRODUCT, &Options { need, kinds, allow_weak: true });
    for (need, kinds) in [
        (Some(0), None),
        (Some(6), None),
        (None, Some(vec![Kind::Cloud])),
        (None, Some(vec![Kind::Nic, Kind::Identity])),
    ] {
        let error = ask(need, kinds.clone()).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{need:?} {kinds:?}");
    }
    assert_eq!(ask(None, Some(Vec::new())).unwrap_err().code(), Code::WeakBinding);
    assert_eq!(ask(Some(1), None).unwrap().need(), 1);
    // A machine as nobody sees it cannot be bound to what only root reads.
    let error = ask(None, Some(vec![Kind::Product])).unwrap_err();
    assert_eq!(error.detail(), "this machine has no product to bind to");
}

/// The Dell with some more disks.
fn with_disks(count: u32) -> Fixture {
    (0..count).fold(Fixture::named("server-dell"), |fixture, n| {
        let place = format!("/sys/devices/pci0000:17/host9/{n}");
        fixture
            .with_link(&format!("/sys/block/x{n}"), &format!("../..{place}/block/x{n}"))
            .with(&format!("{place}/block/x{n}/wwid"), &format!("naa.5000c500f00{n:05x}"))
    })
}

/// A report shows the 64 lowest hashes of a kind, and the bound ones may not be among them.
#[test]
fn a_machine_that_gains_hundreds_of_disks_keeps_its_license() {
    let options = Options { kinds: Some(vec![Kind::Disk]), need: Some(1), allow_weak: true };
    let binding = Binding::bind(&dell(), PRODUCT, &options).unwrap();
    let crowded = with_disks(900).report(User::Nobody);
    let shown: Vec<_> = crowded.components().iter().filter_map(|c| c.hash.as_ref()).collect();
    assert!(binding.parts()["disk"].iter().all(|hash| !shown.contains(&hash)), "a weak test");
    assert!(binding.compare(&crowded).holds());
    assert_eq!(crowded.components().iter().filter(|c| c.kind == Kind::Disk).count(), 64);
}

#[test]
fn a_report_for_another_product_is_not_bound() {
    let report = Report::from_identity("other", "6f1c2a34").unwrap();
    let error = Binding::bind(&report, PRODUCT, &Options::default()).unwrap_err();
    assert_eq!(error.code(), Code::WrongProduct);
    assert_eq!(error.detail(), "the machine report was made for other, not myapp");
    assert!(Binding::bind(&report, "other", &Options::default()).is_ok());
}

#[test]
fn many_disks_do_not_fill_the_license() {
    let report = with_disks(200).report(User::Nobody);
    let disks = report.components().iter().filter(|c| c.kind == Kind::Disk).count();
    assert_eq!(disks, 64);
    let binding = Binding::bind(&report, PRODUCT, &Options::default()).unwrap();
    assert_eq!(binding.parts()["disk"].len(), 16);
    assert!(binding.compare(&report).holds());
    assert_eq!(Report::from_json(&report.to_json()).unwrap(), report);
}

#[test]
fn an_identity_is_one_text_without_its_edges() {
    let of = |text: &str| Report::from_identity(PRODUCT, text);
    let plain = of("6f1c2a34-0b5e").unwrap();
    for same in ["6f1c2a34-0b5e\n", "\u{feff}6f1c2a34-0b5e\r\n", "\t 6f1c2a34-0b5e "] {
        assert_eq!(of(same).unwrap(), plain, "{same:?}");
    }
    for other in ["6F1C2A34-0B5E", "6f1c2a34 -0b5e", "6f1c2a34-0b5e."] {
        assert_ne!(of(other).unwrap(), plain, "{other:?}");
    }
    for bad in ["", " \r\n", "\u{feff}", &"x".repeat(4097)] {
        assert_eq!(of(bad).unwrap_err().code(), Code::InvalidArgument);
    }
    assert!(of(&format!(" {} ", "x".repeat(4096))).is_ok());
    // No machine without an identity is the one that was named, and the other way round.
    let named = Binding::bind(&plain, PRODUCT, &Options::default()).unwrap();
    assert_eq!(
        named.compare(&dell()).to_string(),
        "0 of 1 parts match and 1 is needed: identity is missing"
    );
    assert!(!Binding::bind(&dell(), PRODUCT, &Options::default()).unwrap().compare(&plain).holds());
}

#[test]
fn reports_that_are_none_are_refused() {
    let good = dell().to_json();
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let hash = dell().components()[0].hash.clone().unwrap();
    for bad in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        good[..good.len() - 1].to_owned(),
        good.clone() + "x",
        swap("\"v\": 1", "\"v\": 0"),
        swap("\"v\": 1", "\"v\": \"1\""),
        swap("\"v\": 1", "\"v\": 1, \"v\": 1"),
        swap("\"product\": \"myapp\"", "\"product\": \"\""),
        swap("\"components\": [", "\"components\": [[],"),
        swap(&format!("\"{hash}\""), "null"),
        swap(&format!("\"{hash}\""), "\"short\""),
        swap("\"state\": \"found\"", "\"state\": \"missing\""),
        swap("\"binds\": true", "\"binds\": 1"),
        swap("\"environment\": {", "\"environment\": {\"wsl\": [],"),
    ] {
        let error = Report::from_json(&bad).unwrap_err();
        assert_eq!(error.code(), Code::Malformed, "{bad}");
    }
    let error = Report::from_json(&swap("\"v\": 1", "\"v\": 2")).unwrap_err();
    assert_eq!(error.code(), Code::TooNew);
    for later in [r#"{"v": 9, "anything": [1]}"#, r#"{"v": 4294967297}"#] {
        assert_eq!(Report::from_json(later).unwrap_err().code(), Code::TooNew, "{later}");
    }
    let error = Report::from_json(&" ".repeat(300 * 1024)).unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
}

#[test]
fn a_report_of_a_later_version_with_more_kinds_is_read() {
    let row = format!(
        r#""components": [{{"kind": "dna", "state": "found", "hash": "{HASH}", "binds": true,
            "more": 1}},"#
    );
    let text = dell().to_json().replacen("\"components\": [", &row, 1);
    assert_eq!(Report::from_json(&text).unwrap(), dell());
}

proptest! {
    #[test]
    fn nothing_panics_on_any_report(text in "\\PC*", cut in 0usize..4000) {
        let _ = Report::from_json(&text);
        let good = dell().to_json();
        let cut = cut.min(good.len());
        prop_assert!(Report::from_json(&good[..cut]).is_err() || cut == good.len());
    }

    /// Whatever firmware, mounts and addresses hold, a report comes out and holds no bad hash.
    #[test]
    fn nothing_panics_on_any_file(text in "(\\PC|\\n|\\t|\0| ){0,200}", which in 0usize..9) {
        let path = ["/etc/machine-id", "/proc/self/mountinfo", "/proc/cpuinfo", "/proc/cmdline",
            "/etc/fstab", "/run/udev/data/b8:3", "/sys/devices/virtual/dmi/id/product_uuid",
            "/sys/devices/virtual/dmi/id/board_asset_tag", "/run/cloud-init/.instance-id"][which];
        let report = Fixture::named("server-dell").with(path, &text).report(User::Root);
        prop_assert_eq!(Report::from_json(&report.to_json()).unwrap(), report);
    }
}
