//! When what did not arrive is tried again.

use sea_orm::prelude::Uuid;

/// Seconds after each failure until the next try (Standard Webhooks, "Deliverability and
/// reliability"). After the last of them nothing is tried any more.
pub const DELAYS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The longest that an endpoint may ask us to wait, in seconds.
pub const ASKED_MAX: i64 = 86_400;

/// No try is put off for longer, in seconds: the longest of the delays, and the tenth.
pub const LONGEST: i64 = 86_400 + 8_640;

/// Seconds until the next try after so many failures, from 1; `None` = there is none. What has to
/// be tried at one time spreads over a tenth more, by its id.
pub fn delay(failures: i64, id: Uuid, asked: Option<u64>) -> Option<i64> {
    let at = usize::try_from(failures.checked_sub(1)?).ok()?;
    let delay = *DELAYS.get(at)?;
    let asked = asked.map_or(0, |asked| i64::try_from(asked).unwrap_or(ASKED_MAX).min(ASKED_MAX));
    // The last bits of an id are random.
    let [.., random] = id.as_u64_pair().1.to_be_bytes();
    let delay = delay.max(asked);
    Some(delay.saturating_add(delay.saturating_mul(i64::from(random)) / 2_560))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_and_no_more() {
        let none = Uuid::nil();
        let all: Vec<_> = (1..).map_while(|failures| delay(failures, none, None)).collect();
        assert_eq!(all, DELAYS, "one try at once, and nine after");
        assert_eq!(delay(10, none, Some(5)), None);
        assert_eq!(delay(0, none, None), None);
        assert_eq!(delay(i64::MIN, none, None), None);
    }

    #[test]
    fn it_waits_as_long_as_it_is_asked_to_within_bounds() {
        let none = Uuid::nil();
        assert_eq!(delay(1, none, Some(60)), Some(60));
        assert_eq!(delay(2, none, Some(60)), Some(300), "never sooner than it would");
        assert_eq!(delay(1, none, Some(u64::MAX)), Some(ASKED_MAX));
    }

    #[test]
    fn a_delay_spreads_over_a_tenth() {
        let last = Uuid::from_u128(u128::MAX);
        for (at, seconds) in DELAYS.into_iter().enumerate() {
            let most = delay(at as i64 + 1, last, None).unwrap();
            assert!((seconds..=seconds + seconds / 10).contains(&most), "{most}");
        }
        assert!(delay(9, last, None).unwrap() > 94_000);
    }
}
