//! docs/verdict.md says what the code says. `LICENTIA_BLESS=1` rewrites the tables of words.

use super::*;
use crate::usage::Entry;
use std::collections::BTreeSet;
use std::{env, fs, path::PathBuf};

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/verdict.md")
}

fn page() -> String {
    fs::read_to_string(path()).unwrap()
}

/// Every table of words, by the name of its place in the page.
fn tables() -> [(&'static str, String); 4] {
    let mut reasons =
        "| reason | when | stages | what it leaves |\n|---|---|---|---|\n".to_string();
    for (code, when) in super::causes::PRECEDENCE {
        let (when, stages) = when.split_once(": stages of ").unwrap_or((when, "none"));
        let leaves = if stages == "none" { "`deny`" } else { "as its stages say" };
        reasons += &format!("| `{}` | {when} | {stages} | {leaves} |\n", code.slug());
    }
    let mut others = "| reason | what it means |\n|---|---|\n".to_string();
    for (reason, meaning) in Reason::GOOD {
        others += &row(reason.slug(), meaning);
    }
    for code in [Code::LimitExceeded, Code::NotLicensed] {
        others += &row(code.slug(), code.meaning());
    }
    let mut warnings = "| warning | what it means |\n|---|---|\n".to_string();
    for alert in Alert::ALL {
        warnings += &row(alert.slug(), alert.meaning());
    }
    let mut timeline = "| event | what it means |\n|---|---|\n".to_string();
    for event in Event::ALL {
        timeline += &row(event.slug(), event.meaning());
    }
    [("reasons", reasons), ("others", others), ("warnings", warnings), ("timeline", timeline)]
}

fn row(word: &str, meaning: &str) -> String {
    format!("| `{word}` | {} |\n", meaning.trim())
}

#[test]
fn the_tables_of_words_are_those_of_the_code() {
    let mut wanted = page();
    for (name, table) in tables() {
        let start = format!("<!-- {name} -->\n");
        let (before, rest) = wanted.split_once(&start).unwrap_or_else(|| panic!("no {name}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        wanted = format!("{before}{start}{table}<!-- end -->{after}");
    }
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(path(), &wanted).unwrap();
    }
    assert!(page() == wanted, "docs/verdict.md is stale: LICENTIA_BLESS=1 rewrites it");
}

/// Where everything is, so that no member of the status is null or empty.
fn everything() -> Facts {
    let mut claims = claims();
    let license = &mut claims.license;
    let some = || Some("x".to_string());
    license.customer =
        Some(crate::Customer { name: some(), email: some(), account: some(), slug: some() });
    let parts = ["disk", "nic", "board"].map(|kind| (kind.to_string(), vec!["A".repeat(22)]));
    license.binding = Some(crate::Binding {
        machine: Some(crate::machine::Binding::new(2, parts.into()).unwrap()),
        installation: Some(ID.into()),
        instance: Some("https://acme.example".into()),
    });
    license.notice = Some(crate::Notice { license: Some(40), token: Some(40) });
    license.metadata =
        Some([("limit_by".to_string(), crate::Metadata::Text("users".into()))].into());
    let mut held = held(claims);
    let changed = vec!["nic".to_string()];
    held.binding = Ok(Drift { matched: 2, need: 2, of: 3, changed });
    let mut facts =
        with(vec![candidate(Source::File, held), refused(Source::Text, Code::Malformed)]);
    let exports = Feature {
        meter: Some("count".into()),
        per: Some("ever".into()),
        max: Some(5),
        ..Feature::new("exports")
    };
    facts.usage = Arc::new(Totals::made(&[(exports, Entry::Add(5), NOW)]));
    facts.anchor = Some(Anchor { at: NOW });
    facts.issuer = Some(issuer(IssuerStatus::Ok, NOW));
    let (code, message) = ("unreachable".to_string(), "no route".to_string());
    facts.failure = Some(Failure { at: NOW, pause: 60, code, message });
    facts
}

/// The paths of all members, with `[]` for the elements of a list. What the vendor notes is his.
fn members(value: &serde_json::Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) if path != "license.metadata" => {
            for (name, value) in map {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if !value.is_array() || path.ends_with(".changed") {
                    found.insert(path.clone());
                }
                members(value, &path, found);
            }
        }
        serde_json::Value::Array(list) if !path.ends_with(".changed") => {
            assert!(!list.is_empty(), "{path} is empty: this test sees nothing in it");
            found.insert(format!("{path}[]"));
            list.iter().for_each(|value| members(value, &format!("{path}[]"), found));
        }
        _ => {}
    }
}

/// The words in the first column of the table after a heading.
fn first_column(heading: &str) -> BTreeSet<String> {
    let page = page();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n##").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let words =
        rows.flat_map(|cell| cell.split(", ").map(|word| word.trim_matches('`').to_string()));
    words.collect()
}

#[test]
fn every_member_of_the_status_is_described_and_no_other() {
    let json = judge(&everything(), &at(NOW)).to_json();
    let mut found = BTreeSet::new();
    members(&serde_json::from_str(&json).unwrap(), "", &mut found);
    assert_eq!(found, first_column("The status"));
    assert!(found.len() > 80, "{found:?}");
}

#[test]
fn every_check_is_described_and_no_other() {
    fn words(checks: &serde_json::Value, found: &mut BTreeSet<String>) {
        for check in checks.as_array().unwrap() {
            let members: Vec<_> = check.as_object().unwrap().keys().map(String::as_str).collect();
            let mut wanted = ["check", "ok", "looked_at", "found", "to_do", "checks"];
            wanted.sort_unstable();
            assert_eq!(BTreeSet::from_iter(members), BTreeSet::from(wanted));
            found.insert(check["check"].as_str().unwrap().to_string());
            words(&check["checks"], found);
        }
    }
    let mut facts = everything();
    facts.candidates.push(refused(Source::Environment, Code::Malformed));
    facts.candidates.push(refused(Source::Installed, Code::Malformed));
    let tree: serde_json::Value = serde_json::from_str(&explain(&facts, &at(NOW))).unwrap();
    let mut found = BTreeSet::new();
    words(&tree["checks"], &mut found);
    assert_eq!(found, first_column("The explanation"));
}

#[test]
fn the_status_is_in_its_order() {
    let json = judge(&nothing(), &at(NOW)).to_json();
    let wanted = "{\"at\":1763942400,\"product\":\"myapp\",\"in_force\":false,\"access\":\"deny\",\
        \"reason\":\"not_licensed\",\"message\":\"There is no license: apply a license.\",\
        \"next_change_at\":null,\"license\":null,\"features\":[],\"warnings\":[],\"timeline\":[],\
        \"sources\":[],\"time\":{\"clock\":1763942400,\"now\":1763942400,\"behind\":0,\
        \"floor\":null,\"floor_by\":null,\"suspect\":false,\
        \"message\":\"The clock shows 2025-11-24T00:00:00Z.\"},\"anchor\":null,\
        \"issuer\":{\"status\":null,\"message\":null,\"last_contact\":null,\
        \"next_contact\":null,\"next_sync_by\":null,\"failure\":null},\
        \"state\":{\"installation\":null,\"ok\":true,\"code\":null,\"message\":null}}";
    assert_eq!(json, wanted);
}
