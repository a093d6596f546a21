//! What became of each try to deliver something.

use serde::{Deserialize, Serialize};

/// Tries that are remembered of one delivery: the latest.
pub const TRIES_MAX: usize = 30;

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// When it began, in seconds since 1970.
    pub at: i64,
    /// The status of the answer; `None` = there was none.
    pub status: Option<u16>,
    /// Why there was none, or why it does not count.
    pub error: Option<String>,
    /// How long it took.
    pub milliseconds: u64,
    /// How the answer begins.
    pub excerpt: String,
}

/// Those that are kept as text.
pub fn read(json: &str) -> Vec<Try> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The text with one more.
pub fn add(json: &str, one: Try) -> String {
    let mut all = read(json);
    all.push(one);
    let first = all.len().saturating_sub(TRIES_MAX);
    serde_json::to_string(&all.split_off(first)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_tries_are_remembered() {
        let one = |at| Try { at, status: None, error: None, milliseconds: 1, excerpt: "\0".into() };
        let mut json = "[]".to_string();
        for at in 0..TRIES_MAX as i64 + 5 {
            json = add(&json, one(at));
        }
        let all = read(&json);
        assert_eq!((all.len(), all[0].at), (TRIES_MAX, 5));
        assert!(!json.contains('\0'), "PostgreSQL keeps no such text");
        assert!(read("nonsense").is_empty());
    }
}
