//! Moments for people: on the calendar, in UTC, and seen from another.

use crate::clock::{parse_time, rfc3339};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// For programs: RFC 3339.
    pub(super) iso: String,
    /// `13 Sep 2026, 12:00 UTC`.
    pub(super) told: String,
    /// `in 12 days`.
    pub(super) relative: String,
}

impl Moment {
    pub(super) fn new(at: i64, now: i64) -> Moment {
        Moment { iso: rfc3339(at), told: utc(at), relative: relative(at, now) }
    }
}

/// `13 Sep 2026, 12:00 UTC`; the number of its second where no calendar has it.
pub(super) fn utc(at: i64) -> String {
    let text = rfc3339(at);
    match time(at) {
        time if time.is_empty() => text,
        time => format!("{}, {time} UTC", day(at)),
    }
}

/// `13 Sep 2026`.
pub(super) fn day(at: i64) -> String {
    let text = rfc3339(at);
    let (date, _) = text.split_once('T').unwrap_or((&text, ""));
    let mut parts = date.splitn(3, '-');
    let mut named = || {
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(format!("{} {month} {year}", day.trim_start_matches('0')))
    };
    named().unwrap_or_else(|| date.to_string())
}

/// `in 12 days` or `3 hours ago`, in the largest unit. Of days to come, one that has begun counts,
/// as it does in the days that the license has left.
pub(super) fn relative(then: i64, now: i64) -> String {
    let apart = then.abs_diff(now);
    let begun = then > now && apart >= DAY;
    let span = span(if begun { apart.div_ceil(DAY).saturating_mul(DAY) } else { apart });
    match then.cmp(&now) {
        std::cmp::Ordering::Greater => format!("in {span}"),
        std::cmp::Ordering::Equal => "now".to_string(),
        std::cmp::Ordering::Less => format!("{span} ago"),
    }
}

/// `12:00`.
pub(super) fn time(at: i64) -> String {
    let text = rfc3339(at);
    text.split_once('T').and_then(|(_, time)| time.get(..5)).unwrap_or_default().to_string()
}

fn span(seconds: u64) -> String {
    let (unit, name) = match seconds {
        // A license has its last year counted in days.
        s if s >= 3 * YEAR => (YEAR, "year"),
        DAY.. => (DAY, "day"),
        HOUR.. => (HOUR, "hour"),
        MINUTE.. => (MINUTE, "minute"),
        _ => (1, "second"),
    };
    count(seconds / unit, name)
}

/// `1 day`, `1,024 days`.
pub(super) fn count(count: u64, of: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {of}{s}", number(count))
}

/// `1,234,567`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A text with its RFC 3339 times (`2026-09-13T12:00:00Z`) written as [`utc`] does.
pub(super) fn plain_times(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('Z') {
        let (before, after) = rest.split_at(at + 1);
        let start = before.len().saturating_sub("2026-09-13T12:00:00Z".len());
        let (head, word) = before.split_at_checked(start).unwrap_or((before, ""));
        match parse_time(word).filter(|at| rfc3339(*at) == word) {
            Some(at) => out = out + head + &utc(at),
            None => out += before,
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_the_largest_whole_unit() {
        const DAYS: i64 = DAY as i64;
        for (then, told) in [
            (0, "now"),
            (1, "in 1 second"),
            (59, "in 59 seconds"),
            (60, "in 1 minute"),
            (3_599, "in 59 minutes"),
            (3_600, "in 1 hour"),
            (86_399, "in 23 hours"),
            (86_400, "in 1 day"),
            (2 * DAYS - 1, "in 2 days"),
            (DAYS + 1, "in 2 days"),
            (1 - 2 * DAYS, "1 day ago"),
            (3 * 365 * DAYS - DAYS, "in 1,094 days"),
            (3 * 365 * DAYS, "in 3 years"),
            (-1, "1 second ago"),
            (-7_200, "2 hours ago"),
        ] {
            assert_eq!(relative(1_000_000_000 + then, 1_000_000_000), told);
        }
        assert_eq!(relative(i64::MAX, i64::MIN), "in 584,942,417,355 years");
    }

    #[test]
    fn moments_are_on_the_calendar() {
        assert_eq!(utc(1_736_937_059), "15 Jan 2025, 10:30 UTC");
        assert_eq!((day(0), day(253_402_300_799)), ("1 Jan 1970".into(), "31 Dec 9999".into()));
        assert_eq!(utc(253_402_300_800), "253402300800");
        assert_eq!(day(i64::MIN), i64::MIN.to_string());
        assert_eq!(
            (time(59), time(86_399), time(i64::MAX)),
            ("00:00".into(), "23:59".into(), "".into())
        );
    }

    #[test]
    fn times_in_sentences_are_told_like_others() {
        let text =
            "from 2025-01-15T10:30:00Z, Zoë, 2025-13-15T10:30:00Z until 2026-01-01T00:00:59Z";
        let told = "from 15 Jan 2025, 10:30 UTC, Zoë, 2025-13-15T10:30:00Z until \
                    1 Jan 2026, 00:00 UTC";
        assert_eq!(plain_times(text), told);
        for same in ["ZäZ", "", "ääääääääääääääääääääZ", "2025-01-15T10:30:00"]
        {
            assert_eq!(plain_times(same), same);
        }
    }

    #[test]
    fn numbers_have_commas() {
        for (given, told) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(number(given), told);
        }
        assert_eq!((count(1, "day"), count(0, "day")), ("1 day".into(), "0 days".into()));
    }
}
