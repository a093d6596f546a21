//! Moments for people: on the calendar, in UTC, and seen from another.

use licentia::rfc3339;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `2026-12-31 10:30 UTC`.
pub fn utc(at: i64) -> String {
    let text = rfc3339(at);
    match (text.split_once('T'), text.ends_with('Z')) {
        (Some((date, time)), true) => format!("{date} {:.5} UTC", time),
        _ => text,
    }
}

/// A text with its RFC 3339 times (`2026-12-31T10:30:00Z`) written as `utc` does.
pub fn plain_times(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('Z') {
        let (before, after) = rest.split_at(at + 1);
        let start = before.len().saturating_sub("2026-12-31T10:30:00Z".len());
        let time = before.get(start..).and_then(|word| Some((word, licentia::parse_time(word)?)));
        match time.filter(|(word, at)| rfc3339(*at) == *word) {
            Some((_, at)) => out += &format!("{}{}", &before[..start], utc(at)),
            None => out += before,
        }
        rest = after;
    }
    out + rest
}

/// `in 12 days` or `3 hours ago`, in the largest whole unit.
pub fn relative(then: i64, now: i64) -> String {
    let span = span(then.abs_diff(now));
    match then.cmp(&now) {
        std::cmp::Ordering::Greater => format!("in {span}"),
        std::cmp::Ordering::Equal => "now".to_string(),
        std::cmp::Ordering::Less => format!("{span} ago"),
    }
}

/// Both: `2026-12-31 10:30 UTC, in 12 days`.
pub fn both(then: i64, now: i64) -> String {
    format!("{}, {}", utc(then), relative(then, now))
}

fn span(seconds: u64) -> String {
    let (unit, name) = match seconds {
        DAY.. => (DAY, "day"),
        HOUR.. => (HOUR, "hour"),
        MINUTE.. => (MINUTE, "minute"),
        _ => (1, "second"),
    };
    count(seconds / unit, name)
}

/// `1 day`, `2 days`.
pub fn count(count: u64, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_the_largest_whole_unit() {
        for (then, told) in [
            (0, "now"),
            (1, "in 1 second"),
            (59, "in 59 seconds"),
            (60, "in 1 minute"),
            (3_599, "in 59 minutes"),
            (3_600, "in 1 hour"),
            (86_399, "in 23 hours"),
            (86_400, "in 1 day"),
            (2 * 86_400 - 1, "in 1 day"),
            (400 * 86_400, "in 400 days"),
            (-1, "1 second ago"),
            (-7_200, "2 hours ago"),
        ] {
            assert_eq!(relative(1_000_000_000 + then, 1_000_000_000), told);
        }
        let text =
            "from 2025-01-15T10:30:00Z, Zoë, 2025-13-15T10:30:00Z until 2026-01-01T00:00:59Z";
        let told =
            "from 2025-01-15 10:30 UTC, Zoë, 2025-13-15T10:30:00Z until 2026-01-01 00:00 UTC";
        assert_eq!(plain_times(text), told);
        assert_eq!((plain_times("ZäZ"), plain_times("")), ("ZäZ".to_string(), String::new()));
        assert!(relative(i64::MAX, i64::MIN).starts_with("in 213503982334601 days"));
        assert_eq!(both(1_736_937_059, 1_736_937_000), "2025-01-15 10:30 UTC, in 59 seconds");
        assert_eq!(utc(253_402_300_800), "253402300800");
    }
}
