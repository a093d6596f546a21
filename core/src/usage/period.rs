//! The periods in which counters count: of the UTC calendar, without leap seconds.

use crate::limits::TIME_MAX;
use crate::stages::DAY;

const HOUR: i64 = 3_600;

/// How long a counter counts before it starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Per {
    /// From each full hour.
    Hour,
    /// From each midnight.
    Day,
    /// From the first of each month.
    Month,
    /// From the first of January.
    Year,
    /// Once.
    Ever,
}

impl Per {
    /// By its word in a license.
    pub(crate) fn of(word: &str) -> Option<Per> {
        Some(match word {
            "hour" => Per::Hour,
            "day" => Per::Day,
            "month" => Per::Month,
            "year" => Per::Year,
            "ever" => Per::Ever,
            _ => return None,
        })
    }

    /// The first second of the period that holds a time. 0 where there is only one period.
    pub(crate) fn start(self, at: i64) -> i64 {
        let at = bounded(at);
        match self {
            Per::Hour => at - at.rem_euclid(HOUR),
            Per::Day => at - at.rem_euclid(DAY),
            Per::Month => {
                let (year, month) = year_and_month(day(at));
                first_of(year, month) * DAY
            }
            Per::Year => first_of(year_and_month(day(at)).0, 1) * DAY,
            Per::Ever => 0,
        }
    }

    /// The first second after the period that holds a time; `None` = never.
    pub(crate) fn end(self, at: i64) -> Option<i64> {
        let start = self.start(at);
        let (year, month) = year_and_month(day(start));
        Some(match self {
            Per::Hour => start + HOUR,
            Per::Day => start + DAY,
            Per::Month if month == 12 => first_of(year + 1, 1) * DAY,
            Per::Month => first_of(year, month + 1) * DAY,
            Per::Year => first_of(year + 1, 1) * DAY,
            Per::Ever => return None,
        })
    }
}

/// The nearest time that a calendar can show: no clock is right beyond it.
pub(crate) fn bounded(at: i64) -> i64 {
    at.clamp(-TIME_MAX, TIME_MAX)
}

/// Days since 1970, in UTC.
pub(crate) fn day(at: i64) -> i64 {
    bounded(at).div_euclid(DAY)
}

/// Days in 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// From 0000-03-01, where an era begins, to 1970-01-01. A year that begins in March has its leap
/// day at its end.
const EPOCH: i64 = 719_468;

/// The year and month (1 to 12) of a day since 1970.
fn year_and_month(day: i64) -> (i64, i64) {
    let day = day + EPOCH;
    let in_era = day.rem_euclid(ERA);
    let years = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (years * 365 + years / 4 - years / 100);
    // Five months from March have 153 days, and so have the next five.
    let from_march = (in_year * 5 + 2) / 153;
    let year = day.div_euclid(ERA) * 400 + years;
    if from_march < 10 { (year, from_march + 3) } else { (year + 1, from_march - 9) }
}

/// The first day of a month, in days since 1970.
fn first_of(year: i64, month: i64) -> i64 {
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let years = year.rem_euclid(400);
    let in_era = years * 365 + years / 4 - years / 100 + (153 * from_march + 2) / 5;
    year.div_euclid(400) * ERA + in_era - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date};

    const EPOCH: Date = date(1970, 1, 1);

    fn seconds(date: Date) -> i64 {
        date.duration_since(EPOCH).as_secs()
    }

    /// The periods of three seconds of a day.
    fn check(date: Date) {
        let from = seconds(date);
        let next = from + DAY;
        let month = (seconds(date.first_of_month()), seconds(date.last_of_month()) + DAY);
        let year = (seconds(date.first_of_year()), seconds(date.last_of_year()) + DAY);
        for at in [from, from + 45_296, next - 1] {
            let period = |per: Per| (per.start(at), per.end(at));
            assert_eq!(period(Per::Day), (from, Some(next)), "{date}");
            assert_eq!(period(Per::Month), (month.0, Some(month.1)), "{date}");
            assert_eq!(period(Per::Year), (year.0, Some(year.1)), "{date}");
            assert_eq!(day(at), from / DAY);
        }
    }

    /// The edges of every month of ten millennia, and every day of two centuries.
    #[test]
    fn every_day_has_the_periods_that_another_calendar_gives_it() {
        let months = (-400..10_000).flat_map(|year| (1..=12).map(move |month| (year, month)));
        for (year, month) in months {
            let first = date(year, month, 1);
            check(first);
            // The last day of all has no tomorrow.
            if (year, month) != (9999, 12) {
                check(first.last_of_month());
            }
        }
        let from = date(1899, 12, 1);
        let days = std::iter::successors(Some(from), |date| date.tomorrow().ok());
        days.take_while(|date| date.year() < 2101).for_each(check);
    }

    #[test]
    fn hours_begin_and_end_on_the_hour() {
        for hour in -50_000..50_000 {
            let from = hour * 3600;
            for at in [from, from + 1799, from + 3599] {
                assert_eq!((Per::Hour.start(at), Per::Hour.end(at)), (from, Some(from + 3600)));
            }
        }
    }

    #[test]
    fn edges_are_where_they_are_known_to_be() {
        let month = |at| (Per::Month.start(at), Per::Month.end(at));
        // 2024-02-29T23:59:59Z, a leap day; 2100 has none, 2000 had one.
        assert_eq!(month(1_709_251_199), (1_706_745_600, Some(1_709_251_200)));
        assert_eq!(month(4_107_542_399), (4_105_123_200, Some(4_107_542_400)));
        assert_eq!(month(951_868_799), (949_363_200, Some(951_868_800)));
        // The last second of 1969, the first of 1970, and the last of 9999.
        assert_eq!(month(-1), (-2_678_400, Some(0)));
        assert_eq!(Per::Year.start(0), 0);
        assert_eq!(Per::Hour.start(-1), -3600);
        assert_eq!(Per::Year.end(TIME_MAX), Some(TIME_MAX + 1));
        assert_eq!((Per::Ever.start(-5), Per::Ever.end(5)), (0, None));
        // Beyond any calendar: no overflow, and the last period of all.
        for per in [Per::Hour, Per::Day, Per::Month, Per::Year, Per::Ever] {
            assert_eq!(per.start(i64::MAX), per.start(TIME_MAX));
            assert_eq!(per.end(i64::MIN), per.end(-TIME_MAX));
        }
    }
}
