//! The agent keeps to its OpenAPI document, whatever it is sent: schemathesis makes the requests.

use licentia_tests::http::client::token;
use licentia_tests::http::hosts::Host;
use licentia_tests::http::sites::{self, Site};
use licentia_tests::http::{agent, golden};
use licentia_tests::paths;
use std::path::Path;
use std::process::Command;

/// Requests to each operation, by default; with `LICENTIA_SOAK` this many times as many.
const EXAMPLES: u32 = 10;

/// Without a license, with one, and where nothing can be written: an answer of each family comes
/// from other code.
const SITES: &[&str] = &["not_licensed", "active", "no_folder"];

#[test]
fn the_agent_keeps_to_its_document() {
    let program = paths::root().join(".venv/bin/st");
    if !program.exists() {
        println!("skipped: schemathesis (no {}: make python)", program.display());
        return;
    }
    let sites: Vec<Site> =
        sites::all().into_iter().filter(|site| SITES.contains(&site.name)).collect();
    golden::prepare("agent", &sites);
    for site in &sites {
        let Some(command) = agent::command(site) else { return };
        let host = Host::start(command).unwrap();
        // A stranger is told the same of every site.
        let callers: &[&str] = match site.name {
            "active" => &["administrator", "stranger"],
            _ => &["administrator"],
        };
        for who in callers {
            let wrong = check(&program, &host.root, who).err();
            assert!(wrong.is_none(), "{}: {}", site.name, wrong.unwrap_or_default());
        }
        host.stop().unwrap();
    }
}

fn check(program: &Path, root: &str, who: &str) -> Result<(), String> {
    let soak = std::env::var("LICENTIA_SOAK").ok().and_then(|times| times.parse().ok());
    let examples = EXAMPLES * soak.unwrap_or(1);
    let mut command = Command::new(program);
    command
        .current_dir(paths::target().join("http"))
        .arg("--config-file")
        .arg(paths::root().join("tests/schemathesis.toml"))
        .args(["run", &format!("{root}/api/license/openapi.json")])
        .args(["--url", root])
        .args(["--checks", "all"])
        .args(["--seed", "1", "--max-examples", &examples.to_string()])
        .args(["--no-shrink", "--warnings", "off"]);
    if who != "stranger" {
        command.args(["--header", &format!("Authorization: Bearer {}", token(who))]);
    }
    let run = command.output().map_err(|error| format!("schemathesis: {error}"))?;
    let told = String::from_utf8_lossy(&run.stdout);
    if run.status.success() && told.contains("passed") {
        return Ok(());
    }
    Err(format!("{who}: {}\n{told}{}", run.status, String::from_utf8_lossy(&run.stderr)))
}
