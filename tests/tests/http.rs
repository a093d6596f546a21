//! The license API answers alike everywhere: the core, every mount over real HTTP, the agent.
//!
//! A mount whose tools are missing is skipped by name; `LICENTIA_REQUIRE=c,cpp,python,node,cli`
//! makes that a failure.

use licentia_tests::http::golden::{self, Golden, Told};
use licentia_tests::http::hosts::{self, Host};
use licentia_tests::http::script::{self, Ask};
use licentia_tests::http::sites::{self, Site};
use licentia_tests::http::{agent, client};
use licentia_tests::paths;
use std::collections::BTreeSet;

/// How many differences are shown.
const SHOWN: usize = 20;

#[test]
fn the_committed_file_is_what_the_core_answers() {
    let text = golden::text(&golden::generate());
    let path = paths::vectors().join("http.json");
    if std::env::var_os("LICENTIA_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "tests/vectors/http.json differs from what the core answers: run \
         `cargo run -p licentia-tests --bin vectors`, and look at what changed"
    );
}

#[test]
fn every_site_is_asked_everything_by_everybody() {
    let golden = golden::committed();
    let names: BTreeSet<&str> = sites::all().iter().map(|site| site.name).collect();
    assert_eq!(names.len(), sites::all().len(), "a name is there twice");
    assert_eq!(golden.cases.len(), names.len());
    let asked: usize = golden.cases.iter().map(|case| case.asked.len()).sum();
    assert!(asked >= 4_000, "{asked}");
    // Wherever a stranger is told anything of a site, it is in few words, and the same for many.
    let statuses: BTreeSet<u16> = golden.answers.iter().map(|told| told.status).collect();
    for status in [200, 202, 204, 400, 401, 403, 404, 405, 413, 415, 422, 502] {
        assert!(statuses.contains(&status), "nothing is answered with {status}");
    }
}

#[test]
fn no_answer_is_kept_by_a_cache() {
    for told in golden::committed().answers {
        assert_eq!(told.cache_control, "no-store", "{told:?}");
    }
}

#[test]
fn strangers_are_told_nothing_private() {
    let golden = golden::committed();
    for (site, ask, told) in told(&golden) {
        let opened = site.site.get("public_status").is_some_and(|value| value == "full");
        let known = script::kinds().iter().any(|kind| kind.name == ask.who && has_all(kind));
        if opened || known || told.status == 204 {
            continue;
        }
        for private in sites::PRIVATE {
            assert!(!told.body.contains(private), "{}: {ask:?} is told {private}", site.name);
        }
    }
}

fn has_all(kind: &script::Kind) -> bool {
    kind.rights.is_some_and(|rights| rights.bits() & 7 != 0)
}

#[test]
fn nobody_is_told_a_token() {
    for told in golden::committed().answers {
        assert!(!told.body.contains("eyJhbGciOi"), "{told:?}");
    }
}

/// Everything that is committed, with its site.
fn told(golden: &Golden) -> Vec<(Site, Ask, Told)> {
    let sites = sites::all().into_iter();
    let of = |(site, case): (Site, &golden::Case)| {
        let asks = script::of(&site);
        assert_eq!(asks.len(), case.asked.len(), "{}", site.name);
        let pair = |(ask, (label, place)): (Ask, &(String, usize))| {
            assert_eq!(golden::label(&ask), *label);
            (site.clone(), ask, golden.answers[*place].clone())
        };
        asks.into_iter().zip(&case.asked).map(pair).collect::<Vec<_>>()
    };
    sites.zip(&golden.cases).flat_map(of).collect()
}

#[test]
fn wsgi_answers_alike() {
    mounted("wsgi");
}

#[test]
fn asgi_answers_alike() {
    mounted("asgi");
}

#[test]
fn node_answers_alike() {
    mounted("node");
}

#[test]
fn express_answers_alike() {
    mounted("express");
}

#[test]
fn fastify_answers_alike() {
    mounted("fastify");
}

#[test]
fn c_answers_alike() {
    mounted("c");
}

#[test]
fn cpp_answers_alike() {
    mounted("cpp");
}

/// One host serves every site, each below a path of its own.
fn mounted(mount: &str) {
    let sites = sites::all();
    golden::prepare(mount, &sites);
    let Some(command) = hosts::command(mount, &sites) else { return };
    let host = Host::start(command).unwrap();
    let wrong = replay(&golden::committed(), &host.root);
    none(mount, wrong);
    host.stop().unwrap();
}

/// An agent serves one site.
#[test]
fn the_agent_answers_alike() {
    let golden = golden::committed();
    let sites = sites::all();
    golden::prepare("agent", &sites);
    let mut wrong = Vec::new();
    for (site, case) in sites.iter().zip(&golden.cases) {
        let Some(command) = agent::command(site) else { return };
        let host = Host::start(command).unwrap();
        wrong.extend(replay_site(&golden, case, site, &host.root, ""));
        host.stop().unwrap();
    }
    none("agent", wrong);
}

fn replay(golden: &Golden, root: &str) -> Vec<String> {
    let sites = sites::all();
    let each = sites.iter().zip(&golden.cases);
    let of = |(site, case)| replay_site(golden, case, site, root, &hosts::mount(site));
    each.flat_map(of).collect()
}

fn replay_site(
    golden: &Golden,
    case: &golden::Case,
    site: &Site,
    root: &str,
    mount: &str,
) -> Vec<String> {
    let agent = client::client();
    let asks = script::of(site).into_iter().zip(&case.asked);
    let differ = |(ask, (label, place)): (Ask, &(String, usize))| {
        let expected = golden.answers.get(*place)?;
        match client::ask(&agent, root, mount, &ask) {
            Ok(told) if told == *expected => None,
            // A path that is not ours is the host's, which has its own way of saying so.
            Ok(told) if !mount.is_empty() && is_not_ours(expected) && told.status == 404 => None,
            Ok(told) => Some(format!("{}: {label}\n  {told:?}\n  {expected:?}", site.name)),
            Err(why) => Some(format!("{}: {label}: {why}", site.name)),
        }
    };
    asks.filter_map(differ).collect()
}

fn is_not_ours(told: &Told) -> bool {
    told.status == 404 && told.body.contains(r#""code":"not_found""#)
}

fn none(mount: &str, wrong: Vec<String>) {
    let shown: Vec<&str> = wrong.iter().take(SHOWN).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{mount}: {} wrong:\n{}", wrong.len(), shown.join("\n"));
}
