//! Private keys that were given where the name of a file belongs: nothing of them is printed.

use std::path::Path;

/// What every private key in PEM has.
pub const PRIVATE: &str = "PRIVATE KEY-----";

/// This many characters of base64 may be a key: the smallest file, without its first and last
/// line, has 64.
const KEY_CHARS: usize = 60;
/// The same without a `/`, which names of files have more of than base64 does.
const WORD_CHARS: usize = 40;

/// An argument in a message: the name of a file as it is, and nothing of what may be a key.
pub fn told(argument: &str) -> String {
    // What is there is a name, however long.
    if !may_be_key(argument) || Path::new(argument).symlink_metadata().is_ok() {
        return format!("{argument:.80}");
    }
    let count = argument.chars().count();
    format!("the argument ({count} characters, which are not shown: they may be a key)")
}

/// The same for a path.
pub fn told_path(path: &Path) -> String {
    told(&path.to_string_lossy())
}

/// A message about arguments, with what may be a key left out.
pub fn redact(message: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut message = message.to_string();
    for argument in arguments.filter(|argument| argument.contains('\n')) {
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for part in [&argument, value].into_iter().filter(|part| may_be_key(part)) {
            message = message.replace(part, HIDDEN);
        }
    }
    let mut out = String::with_capacity(message.len());
    for piece in message.split_inclusive(|c| !is_base64(c)) {
        let run = piece.trim_end_matches(|c| !is_base64(c));
        out += if is_long(run) { HIDDEN } else { run };
        out += &piece[run.len()..];
    }
    out
}

const HIDDEN: &str = "(not shown)";

/// Whether an argument, or a part of it, looks as a key does.
pub fn may_be_key(text: &str) -> bool {
    text.contains('\n') || text.split(|c| !is_base64(c)).any(is_long)
}

fn is_long(run: &str) -> bool {
    run.len() >= KEY_CHARS || run.split('/').any(|word| word.len() >= WORD_CHARS)
}

/// Base64 of both alphabets (RFC 4648, sections 4 and 5).
fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_and_keys_are_not() {
        let word = "M".repeat(WORD_CHARS);
        let path = "ab/".repeat(KEY_CHARS / 3);
        for name in ["a.lic", &word[1..], &path[1..], &format!("{}.{}", &path[1..], &word[1..])] {
            assert_eq!(told(name), format!("{name:.80}"));
            assert_eq!(redact(name, [name.to_string()].into_iter()), name);
        }
        for key in [word.as_str(), &path, "a\nb", &format!("x.{word}"), &format!("--a={word}")] {
            assert!(told(key).starts_with("the argument ("), "{key}");
            let message = format!("error: '{key}' found\n  tip: '-- {key}'");
            let left = redact(&message, [key.to_string()].into_iter());
            assert!(!left.contains(key) && left.starts_with("error: '"), "{left}");
            assert_eq!(left.matches(HIDDEN).count(), 2, "{left}");
        }
    }

    #[test]
    fn a_file_that_is_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a".repeat(WORD_CHARS));
        assert!(told_path(&path).starts_with("the argument ("));
        std::fs::write(&path, "").unwrap();
        assert!(!told_path(&path).starts_with("the argument ("));
    }
}
