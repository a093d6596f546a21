//! The page that `explain` prints: every check, what was found, and what to do.

use crate::output::{BAD, GOOD, LOOK};
use crate::standing::Standing;
use crate::status_page::{as_of, wrap};
use crate::words::{headline, tame};
use anstyle::Style;
use licentia::{Code, Error, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Explanation {
    checks: Vec<Check>,
}

/// One thing that was looked at, and those that it is made of.
#[derive(Deserialize)]
struct Check {
    /// `None` where it decides nothing here.
    ok: Option<bool>,
    looked_at: String,
    found: String,
    to_do: Option<String>,
    checks: Vec<Check>,
}

/// A tree of checks for people.
pub fn text(it: &Standing, json: &str, asked_for: bool) -> Result<String> {
    let bug = |error| Error::new(Code::Internal, format!("the explanation: {error}"));
    let tree: Explanation = serde_json::from_str(json).map_err(bug)?;
    let mut text = as_of(it, asked_for) + &headline(it).colored();
    for check in &tree.checks {
        text.push('\n');
        show(check, 0, &mut text);
    }
    Ok(text)
}

fn show(check: &Check, depth: usize, text: &mut String) {
    let (style, mark) = match check.ok {
        Some(true) if check.to_do.is_some() => (LOOK, "look"),
        Some(true) => (GOOD, "good"),
        Some(false) => (BAD, "bad"),
        None => (Style::new(), "-"),
    };
    let (start, indent) = (2 * depth, 2 * depth + 6);
    let looked_at = wrap(&tame(&check.looked_at), indent, indent);
    *text += &format!("{:start$}{style}{mark}{style:#}", "");
    *text += &looked_at[start + mark.len()..];
    *text += &wrap(&tame(&check.found), indent, indent);
    if let Some(to_do) = &check.to_do {
        *text += &wrap(&format!("To do: {}", tame(to_do)), indent, indent);
    }
    for inner in &check.checks {
        show(inner, depth + 1, text);
    }
}
