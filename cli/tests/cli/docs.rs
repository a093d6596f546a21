//! `docs/cli.md` has the help of every command, as it is.
//! `LICENTIA_BLESS=1 cargo test -p licentia-cli` rewrites it.

use std::process::Command;
use std::{env, fs, path::Path};

const COMMANDS: &[&[&str]] = &[
    &[],
    &["key", "new"],
    &["key", "show"],
    &["key", "sign-set"],
    &["issue"],
    &["redeem"],
    &["revocations"],
    &["product", "new"],
    &["product", "sign"],
    &["verify"],
    &["inspect"],
    &["fingerprint"],
    &["status"],
    &["simulate"],
    &["explain"],
    &["request"],
    &["apply"],
    &["sync"],
    &["activate"],
    &["call"],
    &["remove"],
    &["usage"],
    &["record"],
    &["first-use"],
    &["testkit"],
    &["serve"],
    &["agent"],
    &["agent", "password"],
    &["server", "backup"],
    &["server", "restore"],
    &["server", "rotate-keys"],
    &["server", "forget-clock"],
    &["server", "admin-key"],
    &["server", "import"],
    &["completions"],
    &["man"],
];

const START: &str = "<!-- help -->\n";
const END: &str = "<!-- /help -->\n";

#[test]
fn the_documented_help_is_the_help() {
    let mut help = String::new();
    for command in COMMANDS {
        let output = Command::new(env!("CARGO_BIN_EXE_licentia"))
            .args(*command)
            .arg("--help")
            .env_remove("LICENTIA_ISSUER")
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert!(output.status.success(), "{command:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        let name = [&["licentia"], *command].concat().join(" ");
        help += &format!("\n### {name}\n\n```text\n{}\n```\n", lines.join("\n"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{START}{help}\n{END}{after}");
    if env::var_os("LICENTIA_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(found == wanted, "docs/cli.md is stale: run with LICENTIA_BLESS=1 and commit it");
}
