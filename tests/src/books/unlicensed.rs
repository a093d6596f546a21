//! Without a license: the vendor's terms decide.

use crate::case::{DAY, NOW};
use crate::document::Doc;
use crate::folder::Folder;
use crate::story::{Step, Story, step};

fn first_use(at: Option<i64>) -> Step {
    Step::FirstUse { at }
}

fn gate(code: Option<&str>) -> Step {
    Step::Gate { feature: "pro".into(), is: code.map(|code| (400, code.to_string())) }
}

fn terms() -> Vec<Story> {
    let new = Folder::new();
    let free = |reason: &str| [("reason", reason.into()), ("in_force", false.into())];
    vec![
        Story::on("no terms", &new)
            .then(step::status(&step::holds(false, "deny", "not_licensed")))
            .then(gate(Some("not_licensed"))),
        Story::on("no terms and a first use", &new)
            .then(first_use(None))
            .then(step::access("pro", "deny")),
        Story::on("nothing is needed yet", &new)
            .set("grace_days", "31")
            .then(step::status(&free("not_needed")))
            .then(step::access("anything", "allow"))
            .then(gate(None)),
        Story::on("the vendor runs it", &new)
            .set("deployment", "saas")
            .then(step::status(&free("not_enforced")))
            .then(step::access("anything", "allow")),
        Story::on("no days of grace", &new)
            .set("grace_days", "0")
            .then(step::access("pro", "allow"))
            .then(first_use(None))
            .then(step::access("pro", "deny"))
            .then(gate(Some("not_licensed"))),
        Story::on("the earliest first use holds", &new)
            .set("grace_days", "10")
            .then(first_use(Some(NOW - 5 * DAY)))
            .then(first_use(None))
            .then(step::status(&[("anchor.at", (NOW - 5 * DAY).into())]))
            .then(first_use(Some(NOW - 10 * DAY)))
            .then(step::access("pro", "deny")),
        Story::on("a first use that has not come", &new)
            .then(first_use(Some(NOW + 1)))
            .fails("invalid_argument"),
        Story::on("a first use that is no time", &new)
            .then(first_use(Some(-1)))
            .fails("invalid_argument"),
        Story::on("a license ends the grace's freedom", &new.clone().state("/anchor", NOW))
            .set("grace_days", "31")
            .then(step::access("anything", "allow"))
            .then(step::apply(Doc::license().sign()))
            .then(step::access("anything", "deny"))
            .then(step::access("pro", "allow"))
            .then(Step::Remove { had: true })
            .then(Step::Remove { had: false })
            .then(step::access("anything", "allow")),
        Story::on("recording without a license", &new)
            .then(step::record("pro", 1))
            .fails("not_licensed"),
        Story::on("recording in the grace counts nothing", &new.clone().state("/anchor", NOW))
            .set("grace_days", "31")
            .then(step::record("pro", 1))
            .then(Step::Usage { feature: "pro".into(), used: 0, limit: None, resets_at: None }),
    ]
}

/// The last second of the grace, and what comes after it.
fn ends() -> Vec<Story> {
    let end = NOW + 31 * DAY;
    let ask = |(offset, access): (i64, &str)| {
        let folder = Folder::new().state("/anchor", NOW);
        let code = (access == "deny").then_some("not_licensed");
        let reason = code.unwrap_or("unlicensed_grace");
        Story::on(format!("31 days {offset:+}"), &folder)
            .set("grace_days", "31")
            .then(step::status_at(end + offset, &step::holds(false, access, reason)))
            .then(step::clock(end + offset))
            .then(step::access("anything", access))
            .then(gate(code))
    };
    [(-1, "allow"), (0, "deny"), (1, "deny")].into_iter().map(ask).collect()
}

pub fn stories() -> Vec<Story> {
    [terms(), ends()].concat()
}
