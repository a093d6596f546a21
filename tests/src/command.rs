//! What a call of the command line with `--json` came to.

use serde_json::Value;
use std::process::Command;

/// The answer of a call.
pub struct Answer {
    /// The exit status.
    pub status: Option<i32>,
    /// The object that it printed.
    pub json: Value,
    /// The same as it was printed.
    pub text: String,
}

/// Calls it. Fails with a sentence if it prints no object, or if the exit status is not that of
/// the code in it: docs/cli.md.
pub fn call(command: &mut Command) -> Result<Answer, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    let json = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = Answer { status: output.status.code(), json, text };
    let wanted = match answer.code() {
        "ok" => 0,
        "invalid_argument" => 2,
        "io" | "internal" | "unreachable" | "no_transport" | "state_unavailable" | "busy"
        | "disk_full" => 3,
        _ => 1,
    };
    same("exit status", &format!("{:?}", answer.status), &format!("{:?}", Some(wanted)))?;
    Ok(answer)
}

impl Answer {
    /// The word for what happened.
    pub fn code(&self) -> &str {
        self.text("code")
    }

    /// A member that is text.
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_default()
    }
}

/// Fails with a sentence if something is not what it should be.
pub fn same(what: &str, found: &str, wanted: &str) -> Result<(), String> {
    let short = |text: &str| text.chars().take(300).collect::<String>();
    if found == wanted {
        return Ok(());
    }
    Err(format!("{what} is {}, not {}", short(found), short(wanted)))
}
