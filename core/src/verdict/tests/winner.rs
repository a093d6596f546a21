//! Which of several licenses decides.

use super::*;

const OTHER: &str = "00000000-0000-4000-8000-000000000001";

/// A license with an id, a token, a date of signature and an end.
fn license(id: &str, jti: &str, iat: i64, until: Option<i64>) -> Held {
    let mut claims = claims();
    claims.jti = jti.into();
    claims.iat = iat;
    claims.license.id = id.into();
    claims.license.valid_from = NOW - 50 * DAY;
    claims.license.valid_until = until;
    held(claims)
}

/// Every order of some licenses.
fn orders(helds: &[Held]) -> Vec<Vec<Held>> {
    if helds.len() < 2 {
        return vec![helds.to_vec()];
    }
    let mut all = Vec::new();
    for at in 0..helds.len() {
        let mut rest = helds.to_vec();
        let first = rest.remove(at);
        for mut order in orders(&rest) {
            order.insert(0, first.clone());
            all.push(order);
        }
    }
    all
}

const SOURCES: [Source; 4] = [Source::Installed, Source::File, Source::Environment, Source::Text];

/// The token that decides, whatever source each license comes from.
fn winner(helds: &[Held]) -> String {
    let mut winners: Vec<String> = orders(helds)
        .into_iter()
        .map(|order| {
            let pairs = SOURCES.into_iter().zip(order);
            let facts = with(pairs.map(|(source, held)| candidate(source, held)).collect());
            let verdict = judge(&facts, &at(NOW));
            let used: Vec<_> = verdict.sources.iter().filter(|it| it.used).collect();
            let winner = verdict.winner().unwrap().claims.jti.clone();
            assert_eq!(used.len(), 1);
            assert_eq!(used.first().and_then(|it| it.token_id.clone()), Some(winner.clone()));
            winner
        })
        .collect();
    winners.dedup();
    assert_eq!(winners.len(), 1, "the order of the sources decided: {winners:?}");
    winners.remove(0)
}

#[test]
fn every_criterion_counts_before_all_below_it() {
    let day = |days: i64| NOW + days * DAY;
    // In force, against a later end.
    let ended = license(ID, "z", day(-1), Some(day(-2)));
    let good = license(OTHER, "a", day(-9), Some(day(1)));
    assert_eq!(winner(&[ended.clone(), good]), "a");
    let mut elsewhere = license(OTHER, "z", NOW, None);
    elsewhere.binding = Err(Error::new(Code::WrongMachine, "2 of 3 parts match"));
    assert_eq!(winner(&[elsewhere.clone(), license(ID, "a", day(-9), Some(day(1)))]), "a");
    // In force is in force, in its grace period or not.
    let mut late = license(ID, "a", day(-1), Some(day(-1)));
    late.claims.license.stages = Some(Stages { ended: stage(None, Some(9)), ..Stages::default() });
    assert_eq!(winner(&[late.clone(), license(ID, "z", day(-9), Some(day(9)))]), "a");
    assert_eq!(brief(&installed(late.claims), NOW).0, Access::Warn);
    // Of one license the newest token, against a later end.
    let long = license(ID, "z", day(-9), None);
    let newest = license(ID, "a", day(-8), Some(day(1)));
    assert_eq!(winner(&[long.clone(), newest.clone()]), "a");
    // The latest end, against a newer token; no end is the latest.
    let end = license(OTHER, "a", day(-9), Some(day(2)));
    assert_eq!(winner(&[newest.clone(), end.clone()]), "a");
    assert_eq!(
        winner(&[license(ID, "z", NOW, Some(i64::MAX - 1)), license(OTHER, "a", 0, None)]),
        "a"
    );
    // The newest token, against a greater id.
    let older = license(ID, "z", day(-10), Some(day(2)));
    assert_eq!(winner(&[older, end.clone()]), "a");
    // The greatest id of a token, by bytes.
    assert_eq!(winner(&[end, license(ID, "Z", day(-9), Some(day(2)))]), "a");
}

#[test]
fn a_newer_token_of_one_license_takes_the_older_one_out_of_the_running() {
    // By itself, the older token would win over the third license, and the third over the newer.
    let day = |days: i64| NOW + days * DAY;
    let older = license(ID, "older", day(-9), Some(day(9)));
    let newer = license(ID, "newer", day(-8), Some(day(3)));
    let third = license(OTHER, "third", day(-20), Some(day(5)));
    assert_eq!(winner(&[older.clone(), newer.clone(), third.clone()]), "third");
    let fourth = license("00000000-0000-4000-8000-000000000002", "fourth", day(-30), Some(day(4)));
    assert_eq!(winner(&[older.clone(), newer, third, fourth]), "third");
    // A newer token that is not in force does not.
    let mut later = license(ID, "later", day(-1), Some(day(90)));
    later.claims.license.valid_from = day(9);
    assert_eq!(winner(&[older, later]), "older");
}

#[test]
fn where_none_is_in_force_what_can_be_read_counts_then_the_same_rule() {
    let day = |days: i64| NOW + days * DAY;
    let mut readable = license(ID, "a", day(-9), Some(day(-9)));
    readable.claims.license.stages =
        Some(Stages { ended: stage(Some(1), None), ..Stages::default() });
    let ended = license(OTHER, "z", day(-1), Some(day(-1)));
    let mut elsewhere = license(OTHER, "y", day(-2), None);
    elsewhere.binding = Err(Error::new(Code::WrongMachine, "2 of 3 parts match"));
    assert_eq!(winner(&[readable.clone(), ended.clone(), elsewhere.clone()]), "a");
    assert_eq!(brief(&installed(readable.claims), NOW).0, Access::ReadOnly);
    // The newest of one license, though the other has no end.
    assert_eq!(winner(&[ended.clone(), elsewhere]), "z");
    let older = license(ID, "y", day(-5), Some(day(-2)));
    assert_eq!(winner(&[ended, older]), "z");
}

#[test]
fn the_same_token_in_two_places_is_used_from_the_first() {
    let held = license(ID, "a", NOW, None);
    let places = [Source::Text, Source::File, Source::Installed];
    let facts = with(places.map(|source| candidate(source, held.clone())).to_vec());
    let verdict = judge(&facts, &at(NOW));
    let used: Vec<bool> = verdict.sources.iter().map(|source| source.used).collect();
    assert_eq!(used, [false, false, true]);
    assert_eq!(verdict.winner.map(|winner| winner.source), Some(Source::Installed));
}

#[test]
fn a_renewal_ahead_of_time_takes_over_without_a_gap() {
    let mut renewal = license(ID, "new", NOW, Some(NOW + 60 * DAY));
    renewal.claims.license.valid_from = NOW + DAY;
    let current = license(ID, "old", NOW - DAY, Some(NOW + DAY));
    let facts =
        with(vec![candidate(Source::Installed, current), candidate(Source::Installed, renewal)]);
    // Nothing warns of an end that is none.
    assert_eq!(brief(&facts, NOW + DAY - 1), (Access::Allow, "ok", vec![]));
    let now = judge(&facts, &at(NOW));
    assert_eq!(now.next_change_at, Some(NOW + DAY));
    assert_eq!(now.winner().map(|held| held.claims.jti.as_str()), Some("old"));
    let then = judge(&facts, &at(NOW + DAY));
    assert_eq!(then.winner().map(|held| held.claims.jti.as_str()), Some("new"));
    assert!(then.in_force);
    let events: Vec<_> = now.timeline.iter().map(|step| (step.event.slug(), step.access)).collect();
    assert!(events.contains(&("other_begins", Access::Allow)));
    assert!(events.contains(&("stops", Access::Allow)), "{events:?}");
}
