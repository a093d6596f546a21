//! The page that `explain` prints: every check, what was found, and what to do.

use crate::output::pretty;
use licentia::{Code, Error, Result};

/// A tree of checks for people.
pub fn text(json: &str) -> Result<String> {
    let bug = |error| Error::new(Code::Internal, format!("the explanation: {error}"));
    Ok(pretty(&serde_json::from_str(json).map_err(bug)?) + "\n")
}
