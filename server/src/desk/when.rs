//! Times for people: in UTC, so that everybody means the same.

use licentia::rfc3339;

/// `2026-11-22 18:04` of `2026-11-22T18:04:05Z`, as templates write it beside the exact time.
pub fn minute(time: impl AsRef<str>) -> String {
    let text: String = time.as_ref().chars().take(16).collect();
    text.replace('T', " ")
}

/// `2026-11-22` of `2026-11-22T18:04:05Z`.
pub fn day(time: impl AsRef<str>) -> String {
    time.as_ref().chars().take(10).collect()
}

/// How far a time is from now: `in 3 days`, `2 hours ago`.
pub fn distance(seconds: i64) -> String {
    let (size, unit) = match seconds.unsigned_abs() {
        it @ 0..60 => (it, "second"),
        it @ 60..3_600 => (it / 60, "minute"),
        it @ 3_600..86_400 => (it / 3_600, "hour"),
        it => (it / 86_400, "day"),
    };
    let plural = if size == 1 { "" } else { "s" };
    match seconds {
        1.. => format!("in {size} {unit}{plural}"),
        _ => format!("{size} {unit}{plural} ago"),
    }
}

/// A time in RFC 3339.
pub fn exact(at: i64) -> String {
    rfc3339(at)
}
