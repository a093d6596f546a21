//! Clocks that are set back, that were wrongly ahead, and what heals them.

use super::messages::{answer, clock_reset};
use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::folder::Folder;
use crate::story::{Step, Story, step};
use serde_json::{Value, json};

fn licensed() -> Folder {
    Folder::new().license(Doc::license().sign())
}

fn time(now: i64, behind: i64, by: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("time.now", json!(now)),
        ("time.behind", json!(behind)),
        ("time.floor_by", json!(by)),
        ("time.suspect", json!(behind > 0)),
    ]
}

/// Seen in a far future by mistake.
fn poisoned() -> Folder {
    licensed().state("/floors/seen", NOW + 500 * DAY)
}

fn set_back() -> Vec<Story> {
    let mut stories = Vec::new();
    for back in [1, 3_600, 30 * DAY, NOW] {
        let later = NOW + 100 * DAY;
        let mut is = time(later, back + 100 * DAY, "seen");
        is.push(("license.days_left", json!(265)));
        is.push(("in_force", json!(true)));
        is.push(("warnings", json!(["clock_suspect"])));
        stories.push(
            Story::on(format!("set back by {back} s"), &licensed())
                .then(step::clock(later))
                .then(step::access("pro", "allow"))
                .then(step::clock(NOW - back))
                .then(step::status(&is))
                .then(step::access("pro", "allow")),
        );
    }
    stories
}

fn ahead() -> Vec<Story> {
    let ended = step::holds(false, "deny", "expired");
    vec![
        Story::on("an end that was seen stays seen", &licensed())
            .then(step::clock(NOW + 366 * DAY))
            .then(step::access("pro", "deny"))
            .then(step::clock(NOW))
            .then(step::status(&ended))
            .then(step::clock(NOW + 366 * DAY))
            .then(Step::Reopen)
            .then(step::clock(NOW))
            .then(Step::Reopen)
            .then(step::status(&ended)),
        Story::on("far ahead for a moment", &licensed())
            .then(step::clock(NOW + 4_000 * DAY))
            .then(Step::Reopen)
            .then(step::access("pro", "deny"))
            .then(step::clock(NOW + 60))
            .then(step::access("pro", "allow"))
            .then(Step::Reopen)
            .then(step::access("pro", "allow")),
        Story::on("far ahead for ten minutes", &licensed())
            .then(step::clock(NOW + 4_000 * DAY))
            .then(Step::Reopen)
            .then(step::clock(NOW + 4_000 * DAY + 600))
            .then(Step::Reopen)
            .then(step::clock(NOW + 60))
            .then(step::access("pro", "deny")),
        Story::on("what was seen by another process", &poisoned()).then(step::status(&time(
            NOW + 500 * DAY,
            500 * DAY,
            "seen",
        ))),
        Story::on("a time that the issuer signed", &licensed().state("/floors/signed", NOW + 9))
            .then(step::status(&time(NOW + 9, 9, "server"))),
    ]
}

fn healed() -> Vec<Story> {
    let works = step::holds(true, "allow", "ok");
    let renewal =
        Doc::license().set("/iat", NOW).set("/license/valid_until", NOW + 400 * DAY).sign();
    vec![
        Story::on("a reset heals", &poisoned())
            .then(step::access("pro", "deny"))
            .then(step::apply(clock_reset(0, NOW)))
            .then(step::status(&works))
            .then(Step::Reopen)
            .then(step::access("pro", "allow")),
        Story::on("a reset works once", &poisoned())
            .then(step::apply(clock_reset(0, NOW)))
            .then(step::apply(clock_reset(0, NOW)))
            .fails("already_used"),
        Story::on("a reset that was used before", &licensed().state("/resets", 3))
            .then(step::apply(clock_reset(2, NOW)))
            .fails("already_used"),
        Story::on("a reset of a request that was never made", &licensed())
            .then(step::apply(clock_reset(1, NOW)))
            .fails("wrong_installation"),
        Story::on("a reset is a floor of its own", &licensed())
            .then(step::apply(clock_reset(0, NOW + DAY)))
            .then(step::status(&time(NOW + DAY, DAY, "server"))),
        Story::on("a sync answer heals", &poisoned())
            .then(step::apply(answer(0, 1, json!({"server_time": NOW}))))
            .then(step::status(&works)),
        Story::on("a license that is over by what was seen only", &poisoned())
            .then(step::apply(renewal))
            .fails("clock_rollback"),
    ]
}

pub fn stories() -> Vec<Story> {
    [set_back(), ahead(), healed()].concat()
}
