//! Runner processes: a line in, a line out.

use crate::paths;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

/// Gives a runner all lines and takes as many answers. Fails with a sentence if it ends early
/// or with a status other than 0.
pub fn converse(mut command: Command, lines: Vec<String>) -> Result<Vec<String>, String> {
    let shown = format!("{command:?}");
    let mut child = command
        .current_dir(paths::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let count = lines.len();
    // A thread of its own: the runner answers while it is still being asked.
    let writer = thread::spawn(move || {
        for line in lines {
            if writeln!(input, "{line}").is_err() {
                break;
            }
        }
    });
    let answers: Vec<String> = output.lines().map_while(Result::ok).collect();
    writer.join().map_err(|_| "the writer panicked")?;
    let status = child.wait().map_err(|error| format!("{shown}: {error}"))?;
    if !status.success() || answers.len() != count {
        return Err(format!("{shown}: {} answers of {count}, {status}", answers.len()));
    }
    Ok(answers)
}
