//! Reports: what charts are drawn from.

mod expiring;
mod overview;
mod series;
mod table;
mod usage;

use super::Shared;
use crate::error::{Code, Error, Result};
use crate::reports::{DAY, day_of};
use crate::store::{meta, products};
use crate::terms::Moment;
use licentia::{parse_time, rfc3339};
use sea_orm::prelude::Uuid;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The paths.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(overview::overview))
        .routes(routes!(series::series))
        .routes(routes!(expiring::expiring))
        .routes(routes!(usage::usage))
}

/// Days in one report, at most.
const DAYS_MAX: i64 = 800;

/// A day (UTC): a date in JSON, its first second in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = Date, example = "2025-01-15")]
pub struct Day(i64);

impl Day {
    /// As it is written.
    fn text(self) -> String {
        rfc3339(self.0).chars().take("2025-01-15".len()).collect()
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text())
    }
}

/// The days that a report is of: the first one, and the one after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days {
    from: i64,
    to: i64,
}

impl Days {
    /// From one date to another, both with it. Without the last one it is today, without the first
    /// one there are so many days.
    ///
    /// Fails with `malformed` for what is no date, for a first one after the last, and for too
    /// many days.
    fn read(from: Option<&str>, to: Option<&str>, now: i64, count: i64) -> Result<Days> {
        let last = date("to", to)?.unwrap_or_else(|| day_of(now));
        let to = last.saturating_add(DAY);
        let from = date("from", from)?.unwrap_or_else(|| to.saturating_sub(count * DAY));
        let days = to.saturating_sub(from) / DAY;
        if !(1..=DAYS_MAX).contains(&days) {
            let what = format!("from is no later than to, and there are at most {DAYS_MAX} days");
            return Err(Error::new(Code::Malformed, what));
        }
        Ok(Days { from, to })
    }

    /// Each of them.
    fn each(self) -> impl Iterator<Item = i64> {
        let count = self.to.saturating_sub(self.from) / DAY;
        (0..count).map(move |number| self.from.saturating_add(number.saturating_mul(DAY)))
    }
}

fn date(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let wrong = || Error::new(Code::Malformed, format!("{name} is a date such as 2025-01-15"));
    let read = |text: &str| {
        let is_date = text.len() == "2025-01-15".len() && text.contains('-');
        parse_time(text).filter(|_| is_date).ok_or_else(wrong)
    };
    text.map(read).transpose()
}

/// When figures were reckoned last, by the name of that time; `None` = not yet.
async fn reckoned_at(server: &Shared, name: &str) -> Result<Option<Moment>> {
    Ok(meta::number(server.store.read(), name).await?.map(Moment))
}

/// Fails with `not_found` for a product that the organization does not have.
async fn check_product(server: &Shared, organization: Uuid, product: Option<Uuid>) -> Result<()> {
    let Some(id) = product else { return Ok(()) };
    let row = products::get(server.store.read(), organization, id).await?;
    row.map(drop).ok_or_else(|| Error::not_found("product"))
}

/// Seconds of so many days.
const fn days(count: i64) -> i64 {
    count * DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_768_473_000;

    #[test]
    fn days_are_read_with_both_ends() {
        let read = |from, to| Days::read(from, to, NOW, 30);
        let one = read(Some("2026-01-15"), Some("2026-01-15")).unwrap();
        assert_eq!(one.each().collect::<Vec<_>>(), [day_of(NOW)]);
        assert_eq!(Day(day_of(NOW)).text(), "2026-01-15");
        let usual = read(None, None).unwrap();
        assert_eq!((usual.each().count(), usual.each().last()), (30, Some(day_of(NOW))));
        assert_eq!(read(Some("2024-01-01"), Some("2026-03-10")).unwrap().each().count(), 800);
        for (from, to) in [
            (Some("2026-01-16"), None),
            (Some("2024-01-01"), Some("2026-03-11")),
            (Some("2026-1-1"), None),
            (Some("1768473000"), None),
            (None, Some("2026-01-15T00:00:00Z")),
            (None, Some("2026-02-30")),
            (Some("9999-99-99"), None),
        ] {
            assert_eq!(read(from, to).unwrap_err().code(), Code::Malformed, "{from:?} {to:?}");
        }
    }
}
