//! Texts of others on the page. The template escapes them; here they are made harmless to read.

use super::when::plain_times;
use crate::errors::is_bidi;

/// Characters of one text that are shown.
const SHOWN_MAX: usize = 300;

/// This many characters of base64 may be a license: a thumbprint has 43, and the digest of a
/// container 64 without a capital.
const TOKEN_CHARS: usize = 48;

/// A text as somebody wrote it: cut where it is endless, and without what reorders or hides the
/// text around it.
pub(super) fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut rest = text.trim().chars().filter(|c| !is_bidi(*c)).map(visible);
    let mut out: String = rest.by_ref().take(SHOWN_MAX).collect();
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

/// The beginning of a text that may be long.
pub(super) fn brief(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_string(),
    }
}

/// With a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + rest.as_str()
}

/// A sentence of the verdict, with times as the page tells them. It may quote a path that
/// somebody has set, and that may be a license by mistake: nothing of it is shown.
pub(super) fn said(text: &str) -> String {
    shown(&hide_tokens(&plain_times(&without_numbers(text))))
}

/// What a sentence of the verdict says was found, without what to do: the page says that once.
pub(super) fn found(message: &str) -> String {
    let found = message.rsplit_once(": ").map_or(message, |(found, _)| found);
    // A part of a machine "drifted": to people it has changed.
    let found = said(&found.replace(" drifted", " changed"));
    match found.ends_with('…') {
        true => found,
        false => format!("{}.", found.trim_end_matches('.')),
    }
}

/// Begins with a capital and ends with a full stop.
pub(super) fn sentence(text: &str) -> String {
    format!("{}.", capital(text).trim_end_matches('.'))
}

/// Without the numbers that the system has for its errors.
fn without_numbers(message: &str) -> String {
    let Some((before, rest)) = message.split_once(" (os error ") else {
        return message.to_string();
    };
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

fn hide_tokens(text: &str) -> String {
    let is_token = |run: &str| {
        let long = |word: &str| {
            let hex = word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            word.len() >= TOKEN_CHARS && !hex
        };
        run.split('/').any(long)
    };
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_.".contains(c);
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !is_base64(c)) {
        let run = piece.trim_end_matches(|c| !is_base64(c));
        out += if is_token(run) { "(not shown: it may be a license)" } else { run };
        out += piece.get(run.len()..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_and_reordering_texts_are_tamed() {
        assert_eq!(shown("  Zoë & <b>\u{202e}🙂\u{0}\n "), "Zoë & <b>🙂\u{fffd}");
        assert_eq!(shown("שלום"), "שלום");
        assert_eq!(shown(&"ä".repeat(SHOWN_MAX)), "ä".repeat(SHOWN_MAX));
        assert_eq!(shown(&"ä".repeat(4_000)).chars().count(), SHOWN_MAX + 1);
    }

    #[test]
    fn what_may_be_a_license_is_not_shown() {
        let token = format!("eyJhbGciOiJFZERTQSJ9.{}.x-_y", "aB3".repeat(20));
        let coat = "q/0".repeat(12) + &"Zm9v".repeat(20) + "/aa==";
        for secret in [&token, &coat] {
            let told = said(&format!("the license_file {secret}: it is gone (os error 2)"));
            assert_eq!(told, "the license_file (not shown: it may be a license): it is gone");
        }
        let digest = "0123456789abcdef".repeat(4);
        for path in ["/var/lib/docker/volumes/my_data/_data/licenses/production.lic", &digest] {
            assert_eq!(said(path), path);
        }
        let thumbprint = "JCH6XwhkHva9xnTZYnF-LJKb9B7Y4dE7dJ9I5iQwWTQ";
        assert_eq!(said(thumbprint), thumbprint);
    }

    #[test]
    fn what_was_found_is_told_without_what_to_do() {
        let message = "The license ended on 2026-09-13T12:00:00Z: ask the vendor.";
        assert_eq!(found(message), "The license ended on 13 Sep 2026, 12:00 UTC.");
        assert_eq!(found("It decides."), "It decides.");
        assert_eq!(found("Too long…: ask."), "Too long…");
        assert_eq!(found("1 is needed: disk drifted: wait."), "1 is needed: disk changed.");
        assert_eq!(sentence("ask ACME Inc."), "Ask ACME Inc.");
    }
}
