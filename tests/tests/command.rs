//! The command line answers every case as Rust does.
//!
//! Each case is a call of `licentia verify --json`. Where a license is refused for its dates or
//! its place only, `verify` still shows it as `inspect` does, at the time and on the machine that
//! were set: that is the answer to the cases of `inspect`. A product or a key set without a
//! license is asked with an empty license, which is malformed once the keys are good. Questions
//! about a later time are further calls.

use licentia_tests::case::{Case, Deed};
use licentia_tests::command::{self, Answer, same};
use licentia_tests::{paths, protocol, runner, runners, topics};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

/// What a license that is empty comes to.
const EMPTY: &str = "malformed";

/// Why a case cannot be said on the command line.
fn unsayable(case: &Case) -> Option<&'static str> {
    let bad = |name: &String| name.is_empty() || name.contains('=');
    case.set.keys().any(bad).then_some("`--set` takes NAME=VALUE, and the name is empty or has a =")
}

#[test]
fn the_command_line_answers_every_case() {
    let Some(command) = runners::ready("cli") else { return };
    env::set_current_dir(paths::root()).unwrap();
    let program = PathBuf::from(command.get_program());
    let cases = topics::committed();
    let (skipped, asked): (Vec<_>, Vec<_>) = cases.iter().partition(|it| unsayable(it).is_some());
    for case in &skipped {
        println!("skipped {}: {}", case.name, unsayable(case).unwrap());
    }
    // Two at a time: most of the time goes into starting processes.
    let (left, right) = asked.split_at(asked.len() / 2);
    let wrong: Vec<String> = thread::scope(|scope| {
        let half = |name, cases| {
            let desk = Desk::new(&program, name);
            scope.spawn(move || judge_all(&desk, cases))
        };
        let halves = [half("left", left), half("right", right)];
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked.len() >= 300 && skipped.len() * 100 < cases.len(), "{} asked", asked.len());
    println!("cli: {} cases, {} skipped", asked.len(), skipped.len());
}

/// `inspect` has no settings; who a license is for does not depend on them.
#[test]
fn inspect_shows_what_verify_may_refuse() {
    let Some(command) = runners::ready("cli") else { return };
    let desk = Desk::new(&PathBuf::from(command.get_program()), "inspect");
    let sayable = |case: &Case| case.deed == Deed::Inspect && !case.set.contains_key("issuer");
    // A key set is no license, but `inspect` shows it as what it is.
    let cases = topics::committed().into_iter().filter(|it| it.expect != "wrong_kind");
    let cases: Vec<Case> = cases.filter(sayable).collect();
    for case in &cases {
        let answer = desk.call(case, "inspect", None).unwrap();
        let code = same("code", answer.code(), &case.expect);
        code.unwrap_or_else(|why| panic!("{}: {why}", case.name));
        let facts = case.facts.clone().unwrap_or_default();
        let shown = (answer.text("serial"), answer.text("customer"));
        assert_eq!(shown, (&*facts.serial, &*facts.customer), "{}", case.name);
        assert_eq!(answer.json["valid_until"].as_i64(), facts.expires, "{}", case.name);
    }
    assert!(cases.len() >= 30, "{}", cases.len());
}

fn judge_all(desk: &Desk, cases: &[&Case]) -> Vec<String> {
    let judge = |case: &&Case| desk.judge(case).err().map(|why| format!("{}: {why}", case.name));
    cases.iter().filter_map(judge).collect()
}

/// Where the files of one call lie.
struct Desk {
    program: PathBuf,
    folder: PathBuf,
}

impl Desk {
    fn new(program: &Path, name: &str) -> Desk {
        let folder = paths::target().join("runners/cli").join(name);
        fs::create_dir_all(&folder).unwrap();
        Desk { program: program.to_path_buf(), folder }
    }

    fn file(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, data).unwrap();
        path
    }

    fn verify(&self, case: &Case, clock: Option<&str>) -> Result<Answer, String> {
        self.call(case, "verify", clock)
    }

    fn call(&self, case: &Case, name: &str, clock: Option<&str>) -> Result<Answer, String> {
        let mut command = Command::new(&self.program);
        command.args([name, "--json", &format!("--product={}", case.product)]);
        for (index, keys) in std::iter::once(&case.keys).chain(&case.trust).enumerate() {
            command.arg("--keys").arg(self.file(&format!("keys-{index}"), keys.as_bytes()));
        }
        for (name, value) in case.set.iter().filter(|_| name == "verify") {
            let value = clock.filter(|_| name == "clock").unwrap_or(value);
            command.arg(format!("--set={name}={value}"));
        }
        command.arg(self.file("license", &case.data().unwrap_or_default()));
        command::call(&mut command)
    }

    fn judge(&self, case: &Case) -> Result<(), String> {
        let answer = self.verify(case, None)?;
        let reference = runner::answer(&protocol::request(case));
        let message = reference.split('\t').nth(1).unwrap_or_default();
        match (case.deed, case.expect.as_str()) {
            (Deed::Product | Deed::Trust, "ok") => same("code", answer.code(), EMPTY),
            (Deed::Inspect, "ok") => self.judge_facts(case, &answer, &reference),
            (Deed::Verify, "ok") => {
                same("code", answer.code(), "ok")?;
                self.judge_facts(case, &answer, &reference)
            }
            _ => {
                same("code", answer.code(), &case.expect)?;
                // A wrong use of the command is told in its own words, and a file that is far too
                // large is not read to its end.
                if answer.status == Some(2) || case.spaces > 0 || case.keys.len() > 60_000 {
                    return Ok(());
                }
                let said = protocol::escape(answer.text("message").as_bytes());
                same("message", &said, message)
            }
        }
    }

    fn judge_facts(&self, case: &Case, answer: &Answer, reference: &str) -> Result<(), String> {
        let facts = case.facts.as_ref().ok_or("a case without facts")?;
        same("serial", answer.text("serial"), &facts.serial)?;
        same("customer", answer.text("customer"), &facts.customer)?;
        let until = answer.json["valid_until"].as_i64();
        same("valid_until", &format!("{until:?}"), &format!("{:?}", facts.expires))?;
        let json = reference.split('\t').find_map(|field| field.strip_prefix("json="));
        let json = json.and_then(protocol::unescape).unwrap_or_default();
        let signed: Value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        same("license", &answer.json["license"].to_string(), &signed.to_string())?;
        check_grants(answer, &facts.allows, &facts.limits)?;
        for later in &case.later {
            let answer = self.verify(case, Some(&later.clock))?;
            let at = |why| format!("at {}: {why}", later.clock);
            check_grants(&answer, &later.allows, &later.limits).map_err(at)?;
        }
        Ok(())
    }
}

/// A feature that the license does not list is not in the table: it is not allowed.
fn check_grants(
    answer: &Answer,
    allows: &BTreeMap<String, bool>,
    limits: &BTreeMap<String, Option<u64>>,
) -> Result<(), String> {
    for (id, yes) in allows {
        let entry = answer.json["allows"].get(id);
        let allowed = entry.is_some_and(|entry| entry["allowed"] == true);
        let limit = entry.map_or(Some(0), |entry| entry["limit"].as_u64());
        let found = protocol::grant(id, allowed, limit);
        let wanted = protocol::grant(id, *yes, limits.get(id).copied().flatten());
        same("grant", &found, &wanted)?;
    }
    Ok(())
}
