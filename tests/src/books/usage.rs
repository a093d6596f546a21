//! Meters: what is counted, when it starts again, and where it stops.

use crate::case::NOW;
use crate::document::Doc;
use crate::folder::Folder;
use crate::story::{Step, Story, step};
use serde_json::{Value, json};

/// The first second of the months after the time of almost every case, 2027-01-15T08:00:00Z.
const FEBRUARY: i64 = 1_801_440_000;

fn with(feature: Value) -> Folder {
    Folder::new().license(Doc::license().features(json!([feature])).sign())
}

fn used(used: u64, limit: Option<u64>, resets_at: Option<i64>) -> Step {
    Step::Usage { feature: "f".into(), used, limit, resets_at }
}

fn is(access: &str) -> Step {
    step::access("f", access)
}

fn level(level: u64) -> Step {
    Step::RecordLevel { feature: "f".into(), level }
}

fn key(key: &str) -> Step {
    Step::RecordKey { feature: "f".into(), key: key.into() }
}

fn counter(per: &str, max: u64) -> Value {
    json!({"id": "f", "meter": "count", "per": per, "max": max})
}

fn periods() -> Vec<Story> {
    // 08:00 on a Friday: the hour, the day, the month and the year after it.
    let cases = [
        ("hour", NOW + 3_600),
        ("day", NOW + 57_600),
        ("month", FEBRUARY),
        ("year", 1_830_297_600),
    ];
    let mut stories: Vec<Story> = cases
        .iter()
        .map(|(per, next)| {
            Story::on(format!("a counter of a {per} starts again"), &with(counter(per, 2)))
                .then(step::record("f", 2))
                .then(used(2, Some(2), Some(*next)))
                .then(is("deny"))
                .then(step::clock(next - 1))
                .then(is("deny"))
                .then(step::clock(*next))
                .then(is("allow"))
                .then(Step::Status { at: Some(*next), is: Default::default() })
        })
        .collect();
    stories.push(
        Story::on("a counter for ever never starts again", &with(counter("ever", 2)))
            .then(step::record("f", 2))
            .then(used(2, Some(2), None))
            .then(step::clock(NOW + 300 * 86_400))
            .then(is("deny")),
    );
    stories
}

fn limits() -> Vec<Story> {
    let over = |then: &str| {
        json!({
            "id": "f", "meter": "count", "per": "month", "max": 10, "over": 25, "then": then,
        })
    };
    let stop = with(counter("month", 3));
    vec![
        Story::on("up to the limit", &stop)
            .then(step::record("f", 2))
            .then(is("allow"))
            .then(step::record("f", 1))
            .then(is("deny"))
            .then(Step::Gate { feature: "f".into(), is: Some((429, "limit_exceeded".into())) })
            .then(Step::Reopen)
            .then(used(3, Some(3), Some(FEBRUARY))),
        Story::on("past the limit", &stop).then(step::record("f", 4)).fails("limit_exceeded"),
        Story::on("what is refused counts nothing", &stop)
            .then(step::record("f", 3))
            .then(used(3, Some(3), Some(FEBRUARY)))
            .then(step::record("f", 1))
            .fails("limit_exceeded"),
        Story::on("without waiting", &stop)
            .then(Step::RecordLater { feature: "f".into(), amount: 3 })
            .then(used(3, Some(3), Some(FEBRUARY)))
            .then(Step::RecordLater { feature: "f".into(), amount: 1 })
            .fails("limit_exceeded"),
        Story::on("nothing is recorded as nothing", &stop).then(step::record("f", 0)).then(used(
            0,
            Some(3),
            Some(FEBRUARY),
        )),
        Story::on("a quarter over, then it stops", &with(over("stop")))
            .then(step::record("f", 9))
            .then(is("allow"))
            .then(step::record("f", 1))
            .then(is("warn"))
            .then(step::record("f", 2))
            .then(is("deny"))
            .then(step::status(&[("features", json!(["f deny limit_exceeded"]))]))
            .then(step::record("f", 1))
            .fails("limit_exceeded"),
        Story::on("a quarter over, then it goes on counting", &with(over("count")))
            .then(step::record("f", 12))
            .then(is("warn"))
            .then(step::record("f", 1))
            .then(is("deny"))
            .then(step::record("f", 100))
            .then(used(113, Some(10), Some(FEBRUARY))),
    ]
}

/// No limit, no meter, none that is known.
fn unlimited() -> Vec<Story> {
    let stop = with(counter("month", 3));
    vec![
        Story::on("without a limit", &with(json!({"id": "f", "meter": "count", "per": "ever"})))
            .then(step::record("f", 1_000_000))
            .then(is("allow"))
            .then(used(1_000_000, None, None)),
        Story::on("not measured", &with(json!({"id": "f"})))
            .then(step::record("f", 5))
            .then(used(0, None, None)),
        Story::on("an unknown meter", &with(json!({"id": "f", "meter": "tokens"})))
            .then(is("deny"))
            .then(step::status(&[("features", json!(["f deny too_new"]))]))
            .then(step::record("f", 1))
            .fails("too_new"),
        Story::on("not listed", &stop).then(step::record("g", 1)).fails("not_granted"),
        Story::on("no id of a feature", &stop).then(step::record("F", 1)).fails("invalid_argument"),
        Story::on(
            "more than can be counted",
            &with(json!(
                {"id": "f", "meter": "count", "per": "ever"}
            )),
        )
        .then(step::record("f", (1 << 53) - 1))
        .then(step::record("f", 1))
        .fails("invalid_argument"),
    ]
}

fn levels() -> Vec<Story> {
    let two = with(json!({"id": "f", "meter": "level", "max": 2, "over": 50}));
    vec![
        Story::on("a level at its limit is in use", &two)
            .then(level(2))
            .then(is("allow"))
            .then(level(3))
            .then(is("warn"))
            .then(level(1))
            .then(is("allow"))
            .then(used(1, Some(2), None)),
        Story::on("a level past its limit", &two).then(level(4)).fails("limit_exceeded"),
        Story::on("the wrong verb for a level", &two)
            .then(step::record("f", 1))
            .fails("invalid_argument"),
        Story::on("the wrong verb for a counter", &with(counter("month", 3)))
            .then(level(1))
            .fails("invalid_argument"),
    ]
}

fn keys() -> Vec<Story> {
    let two = with(json!({"id": "f", "meter": "distinct", "days": 7, "max": 2}));
    let midnight = NOW - NOW % 86_400;
    let leaves = midnight + 7 * 86_400;
    vec![
        Story::on("different keys", &two)
            .then(key("a"))
            .then(key("b"))
            .then(key("a"))
            .then(used(2, Some(2), Some(leaves)))
            .then(is("allow")),
        Story::on("one key too many", &two)
            .then(key("a"))
            .then(key("b"))
            .then(key("c"))
            .fails("limit_exceeded"),
        Story::on("a key leaves the window", &two)
            .then(key("a"))
            .then(step::clock(leaves - 1))
            .then(used(1, Some(2), Some(leaves)))
            .then(step::clock(leaves))
            .then(used(0, Some(2), None)),
        Story::on("a key that comes again stays", &two)
            .then(key("a"))
            .then(step::clock(midnight + 86_400))
            .then(key("a"))
            .then(step::clock(leaves))
            .then(used(1, Some(2), Some(leaves + 86_400))),
        Story::on("no key", &two).then(key("")).fails("invalid_argument"),
        Story::on("the wrong verb for keys", &two)
            .then(step::record("f", 1))
            .fails("invalid_argument"),
    ]
}

/// What a later reader finds: totals that another program has written.
fn kept() -> Vec<Story> {
    let january = 1_798_761_600;
    let folder = with(counter("month", 10))
        .usage("/features", json!(["f"]))
        .usage("/seq", 5)
        .usage("/meters", json!([{"feature": 0, "kind": "month", "periods": [[january, 7, 5]]}]));
    vec![
        Story::on("a checkpoint is read", &folder)
            .then(used(7, Some(10), Some(FEBRUARY)))
            .then(step::record("f", 3))
            .then(Step::Reopen)
            .then(used(10, Some(10), Some(FEBRUARY)))
            .then(is("deny")),
    ]
}

pub fn stories() -> Vec<Story> {
    [periods(), limits(), unlimited(), levels(), keys(), kept()].concat()
}
