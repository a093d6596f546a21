//! Every second around each edge, and clocks that are wrong, as far as a license
//! alone can know.

use crate::case::{Case, DAY, Facts, Grant, NOW, OFF, ON, upto};
use crate::document::Doc;
use serde_json::{Value, json};

/// When the plain license was signed and begins.
const IAT: i64 = NOW - 10 * DAY;

/// When the plain license ends.
const END: i64 = NOW + 365 * DAY;

const ALL: &[Grant<'static>] = &[("pro", ON), ("users", upto(15))];
const NONE: &[Grant<'static>] = &[("pro", OFF), ("users", OFF)];

pub fn cases() -> Vec<Case> {
    let mut cases = begins();
    cases.extend(ends());
    cases.extend(overdue());
    cases.extend(wrong_clocks());
    cases.extend(spellings());
    cases.extend(held());
    cases
}

/// The seconds around an edge: the answer before it, and from it on.
fn around(name: &str, doc: &Doc, edge: i64, before: &str, after: &str) -> Vec<Case> {
    let license = doc.sign();
    let seconds = [(-2, before), (-1, before), (0, after), (1, after), (2, after)];
    let case = |(offset, slug): (i64, &str)| {
        let case = Case::verify(format!("{name}, second {offset:+}"), &*license).at(edge + offset);
        if slug == "ok" { case } else { case.fails(slug) }
    };
    seconds.into_iter().map(case).collect()
}

fn ended(stage: Value) -> Doc {
    Doc::license().set("/license/stages", json!({"ended": stage}))
}

fn begins() -> Vec<Case> {
    let from = NOW + 3 * DAY;
    let later = Doc::license().set("/license/valid_from", from);
    let nbf = Doc::license().set("/nbf", NOW + 5 * DAY);
    let both = later.clone().set("/nbf", NOW + 5 * DAY);
    let early = later.clone().set("/nbf", NOW + DAY);
    let mut cases = around("valid_from", &later, from, "not_yet_valid", "ok");
    cases.extend(around("nbf", &nbf, NOW + 5 * DAY, "not_yet_valid", "ok"));
    cases.extend(around("nbf after valid_from", &both, NOW + 5 * DAY, "not_yet_valid", "ok"));
    cases.extend(around("nbf before valid_from", &early, from, "not_yet_valid", "ok"));
    let zero = Doc::license().set("/license/valid_from", 0);
    cases.push(Case::verify("valid_from 0", zero.sign()));
    let never = Doc::license()
        .set("/license/valid_from", 253_402_300_799i64)
        .raw("/license/valid_until", "null");
    cases.push(Case::verify("valid_from at the end of time", never.sign()).fails("not_yet_valid"));
    let last = Case::verify("the last second of time", never.sign()).at(253_402_300_799);
    cases.push(last.says(Facts::usual().expires(None)));
    cases
}

fn ends() -> Vec<Case> {
    let day = |days: i64| END + days * DAY;
    let mut cases = Vec::new();
    for (name, doc, edge) in [
        ("valid_until", Doc::license(), END),
        ("no stages for ended", Doc::license().set("/license/stages", json!({})), END),
        (
            "stages for another cause",
            Doc::license().set("/license/stages", json!({"overdue": {"deny": 40}})),
            END,
        ),
        ("deny on day 0", ended(json!({"deny": 0})), END),
        ("read_only on day 0", ended(json!({"read_only": 0, "deny": 40})), END),
        ("deny on day 31", ended(json!({"deny": 31})), day(31)),
        ("read_only on day 10", ended(json!({"read_only": 10, "deny": 40})), day(10)),
        ("read_only alone", ended(json!({"read_only": 7})), day(7)),
        ("warn does not count", ended(json!({"warn": 3, "deny": 5})), day(5)),
        ("deny after 100 years", ended(json!({"deny": 36500})), day(36_500)),
    ] {
        cases.extend(around(&format!("end: {name}"), &doc, edge, "ok", "expired"));
    }
    let grace = ended(json!({"warn": 0, "deny": 10}));
    cases.extend(around("end: inside the grace period", &grace, END, "ok", "ok"));
    let far = 253_402_300_799;
    for (name, stage) in [("warns only", json!({"warn": 0})), ("no mode", json!({}))] {
        let license = ended(stage).sign();
        cases.push(Case::verify(format!("end: {name}, never stops"), license).at(far));
    }
    let endless = Doc::license().raw("/license/valid_until", "null");
    let facts = || Facts::usual().expires(None);
    cases.push(Case::verify("end: none, in the year 9999", endless.sign()).at(far).says(facts()));
    let staged = endless.set("/license/stages", json!({"ended": {"deny": 0}}));
    cases.push(Case::verify("end: none, with stages", staged.sign()).at(far).says(facts()));
    let second = Doc::license().set("/license/valid_until", IAT + 1);
    let facts = Facts::usual().expires(Some(IAT + 1));
    cases.push(Case::verify("end: its one second", second.sign()).at(IAT).says(facts));
    cases.push(
        Case::verify("end: after its one second", second.sign()).at(IAT + 1).fails("expired"),
    );
    let last = Doc::license()
        .set("/license/valid_until", far)
        .set("/license/stages", json!({"ended": {"deny": 36500}}));
    let facts = Facts::usual().expires(Some(far));
    cases.push(Case::verify("end: grace past the end of time", last.sign()).at(far).says(facts));
    cases
}

fn overdue() -> Vec<Case> {
    let exp = NOW + 20 * DAY;
    let with = |stages: Value| Doc::license().set("/exp", exp).set("/license/stages", stages);
    let day = |days: i64| exp + days * DAY;
    let mut cases = Vec::new();
    for (name, doc, edge) in [
        ("exp", Doc::license().set("/exp", exp), exp),
        ("stages for another cause", with(json!({"ended": {"deny": 40}})), exp),
        ("deny on day 30", with(json!({"overdue": {"warn": 0, "deny": 30}})), day(30)),
        ("read_only on day 2", with(json!({"overdue": {"read_only": 2, "deny": 4}})), day(2)),
        ("deny on day 0", with(json!({"overdue": {"deny": 0}})), exp),
    ] {
        cases.extend(around(&format!("overdue: {name}"), &doc, edge, "ok", "token_expired"));
    }
    let never = with(json!({"overdue": {"warn": 0}})).sign();
    cases.push(Case::verify("overdue: warns only, never stops", never).at(END - 1));
    let zero = Doc::license().set("/exp", 0).sign();
    cases.push(Case::verify("overdue: exp 0", zero).fails("token_expired"));
    let after = Doc::license().set("/exp", END + DAY);
    cases.extend(around("overdue: exp after the end", &after, END, "ok", "expired"));
    cases
}

/// `now` is `max(clock, iat)`.
fn wrong_clocks() -> Vec<Case> {
    let plain = Doc::license().sign();
    let mut cases = Vec::new();
    for (name, clock) in [
        ("a minute slow on the first day", IAT - 60),
        ("a day slow", IAT - DAY),
        ("at 1970", 0),
        ("at 2000", 946_684_800),
        ("before 1970", -1),
        ("at year -9999", -253_402_300_799),
    ] {
        cases.push(Case::verify(format!("clock {name}"), &*plain).at(clock));
    }
    cases.push(
        Case::verify("clock at the end of time", &*plain).at(253_402_300_799).fails("expired"),
    );
    // Signed after it ended, or before it begins: setting the clock back gains nothing.
    let late = Doc::license().set("/iat", END);
    cases.push(
        Case::verify("signed at its end, clock before", late.sign()).at(NOW).fails("expired"),
    );
    let just = Doc::license().set("/iat", END - 1);
    cases.push(Case::verify("signed in its last second, clock before", just.sign()).at(0));
    let stale = Doc::license().set("/iat", NOW + DAY).set("/exp", NOW + DAY);
    cases
        .push(Case::verify("signed at its exp, clock before", stale.sign()).fails("token_expired"));
    let future = Doc::license().set("/iat", NOW + 30 * DAY);
    cases.push(Case::verify("signed in the future", future.sign()));
    let early = Doc::license().set("/license/valid_from", NOW + 30 * DAY);
    let signed = early.clone().set("/iat", NOW + 30 * DAY).sign();
    cases.push(Case::verify("begins when it was signed, clock behind", signed));
    cases.push(
        Case::verify("begins later, clock behind", early.sign()).at(0).fails("not_yet_valid"),
    );
    let signed = Doc::license().set("/nbf", NOW).set("/iat", NOW).sign();
    cases.push(Case::verify("nbf is iat, clock behind", signed).at(NOW - 180));
    cases
}

/// What the setting `clock` may look like.
fn spellings() -> Vec<Case> {
    let plain = Doc::license().sign();
    let mut cases = Vec::new();
    for (clock, slug) in [
        ("1800000000", "ok"),
        ("2027-01-15T08:00:00Z", "ok"),
        ("2027-01-15T09:00:00+01:00", "ok"),
        ("2027-01-15", "ok"),
        ("2028-01-15T07:59:59Z", "ok"),
        ("2028-01-15T08:00:00Z", "expired"),
        ("2028-01-15T08:59:59+01:00", "ok"),
        ("2028-01-15T09:00:00+01:00", "expired"),
        ("2028-01-15", "ok"),
        ("2028-01-16", "expired"),
    ] {
        let case = Case::verify(format!("clock {clock:?}"), &*plain).set("clock", clock);
        cases.push(if slug == "ok" { case } else { case.fails(slug) });
    }
    cases
}

/// A license that is held answers for the moment of the question.
fn held() -> Vec<Case> {
    let grace = ended(json!({"warn": 0, "read_only": 10, "deny": 40}));
    let exp = Doc::license().set("/exp", NOW + DAY);
    let bounds = END + 10 * DAY;
    vec![
        Case::verify("held past its end", Doc::license().sign())
            .grants(ALL)
            .later(END - 1, ALL)
            .later(END, NONE)
            .later(END + 1, NONE)
            .later(253_402_300_799, NONE),
        Case::verify("held past its grace", grace.sign())
            .grants(ALL)
            .later(END, ALL)
            .later(bounds - 1, ALL)
            .later(bounds, NONE),
        Case::verify("held past its exp", exp.sign())
            .grants(ALL)
            .later(NOW + DAY - 1, ALL)
            .later(NOW + DAY, NONE),
        Case::verify("held, clock set back", Doc::license().sign())
            .grants(ALL)
            .later(IAT - 1, ALL)
            .later(0, ALL)
            .later(END, NONE)
            .later(NOW, ALL),
        Case::verify("held before it begins", Doc::license().set("/iat", IAT - DAY).sign())
            .grants(ALL)
            .later(IAT - 1, NONE)
            .later(IAT, ALL),
        Case::inspect("inspected before it begins", Doc::license().set("/iat", IAT - DAY).sign())
            .at(IAT - 1)
            .grants(NONE)
            .later(IAT, ALL)
            .later(END, NONE),
        Case::inspect("inspected after it ended", Doc::license().sign())
            .at(END)
            .grants(NONE)
            .later(END - 1, ALL),
    ]
}
