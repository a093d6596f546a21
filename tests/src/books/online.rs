//! Asking the vendor's server where there is none: what fails before anything leaves the machine,
//! and what fails on its way.

use super::messages::licensed;
use crate::folder::Folder;
use crate::story::{Step, Story, step};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

const KEY: &str = "ABCD-EFGH-JKMN-PQRS-TVWX";

/// Every word that can be asked, with an argument.
const WORDS: &[(&str, &str)] = &[
    ("activation", KEY),
    ("deactivation", ""),
    ("renewal", ""),
    ("sync", ""),
    ("clock", ""),
    ("keys", ""),
    ("keys", KEY),
    ("revocations", ""),
    ("seat", "ann"),
    ("borrow", "7 ann"),
];

fn site(name: &str, value: &str) -> Step {
    Step::Site { name: name.into(), value: value.into() }
}

fn call(what: &str, argument: &str) -> Step {
    let argument = (!argument.is_empty()).then(|| argument.into());
    Step::Call { what: what.into(), argument }
}

fn seat(holder: &str, days: u32) -> Step {
    Step::Seat { holder: holder.into(), days }
}

/// It fails with this word.
fn fails(story: Story, code: &str) -> Story {
    Story { expect: code.into(), ..story }
}

fn without_a_server() -> Vec<Story> {
    let on = |name: String, step: Step| {
        let held = [("reason", "ok".into())];
        fails(Story::on(name, &licensed()).then(step::status(&held)).then(step), "no_transport")
    };
    let word = |(what, argument): &(&str, &str)| {
        on(format!("no server to call: {what} {argument}"), call(what, argument))
    };
    let mut all: Vec<Story> = WORDS.iter().map(word).collect();
    all.push(on("no server to sync with".into(), Step::Sync));
    all.push(on("no server that has seats".into(), seat("ann", 0)));
    all.push(on("no server to borrow from".into(), seat("ann", 7)));
    all
}

fn out_of_reach() -> Vec<Story> {
    let on = |name: String, step: Step| {
        let story = Story::on(name, &licensed())
            .then(site("proxy", "none"))
            .then(site("server", NOWHERE))
            .then(step);
        fails(story, "unreachable")
    };
    let word = |(what, argument): &(&str, &str)| {
        on(format!("nobody is there to call: {what} {argument}"), call(what, argument))
    };
    let mut all: Vec<Story> = WORDS.iter().map(word).collect();
    all.push(on("nobody is there to sync with".into(), Step::Sync));
    all.push(on("nobody is there who has seats".into(), seat("ann", 0)));
    all.push(on("nobody is there to borrow from".into(), seat("ann", 7)));
    all
}

fn misused() -> Vec<Story> {
    let wrong = [
        ("a word that there is not", call("nonsense", "")),
        ("a license key that is none", call("activation", "schlüssel")),
        ("a seat for nobody", seat("", 0)),
        ("a seat for a name that nobody can see", seat("a\u{7}b", 0)),
        ("a seat for a year and a day too many", seat("ann", 367)),
        ("a seat for days without a number", call("borrow", "ann")),
        ("a server that is no URL", site("server", "licenses.example.com")),
        ("a server with a password", site("server", "https://a:b@licenses.example.com/?x")),
        ("no patience", site("server_timeout", "0")),
        ("too much patience", site("server_timeout", "301")),
    ];
    let story = |(name, step): (&str, Step)| {
        fails(Story::on(name, &licensed()).then(step), "invalid_argument")
    };
    let mut all: Vec<Story> = wrong.into_iter().map(story).collect();
    let none = Story::on("nothing to renew", &Folder::new()).then(call("renewal", ""));
    all.push(fails(none, "not_licensed"));
    all
}

pub fn stories() -> Vec<Story> {
    [without_a_server(), out_of_reach(), misused()].concat()
}
