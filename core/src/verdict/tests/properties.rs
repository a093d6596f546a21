//! What holds of every installation: made at random, seeded, and more of them with LICENTIA_SOAK.

use super::*;
use crate::limits::TIME_MAX;
use crate::usage::Entry;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const OTHER: &str = "00000000-0000-4000-8000-000000000001";

/// The same cases at every run, and as many times more as is asked for.
fn check<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let soak = std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok());
    let cases = cases.saturating_mul(soak.unwrap_or(1));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(strategy, |value| {
        test(value);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// Days and seconds about now, the edges of days more often than not.
fn time() -> BoxedStrategy<i64> {
    (-60i64..60, prop_oneof![3 => Just(0), 1 => -2i64..3, 1 => 0..DAY])
        .prop_map(|(days, seconds)| NOW + days * DAY + seconds)
        .boxed()
}

fn extreme() -> BoxedStrategy<i64> {
    prop_oneof![Just(0), Just(TIME_MAX), Just(TIME_MAX - DAY), 0..TIME_MAX, time()].boxed()
}

fn days() -> impl Strategy<Value = Option<Stage>> {
    let day = || prop::option::of(0u32..20);
    let stage = (day(), day(), day()).prop_map(|(warn, first, more)| {
        let read_only = first.map(|days| days + warn.map_or(0, |warn| warn + 1));
        let least = read_only.or(warn).map_or(0, |days| days + 1);
        Stage { warn, read_only, deny: more.map(|days| days + least) }
    });
    prop::option::of(stage)
}

fn stages() -> impl Strategy<Value = Option<Stages>> {
    let all = (days(), days(), days());
    prop::option::of(all.prop_map(|(ended, overdue, suspended)| Stages {
        ended,
        overdue,
        suspended,
    }))
}

fn feature(id: &'static str) -> impl Strategy<Value = Feature> {
    let per = prop::sample::select(vec!["hour", "day", "month", "year", "ever"]);
    let meter = prop_oneof![
        Just(Feature::new(id)),
        per.prop_map(move |per| Feature {
            meter: Some("count".into()),
            per: Some(per.into()),
            ..Feature::new(id)
        }),
        Just(Feature { meter: Some("level".into()), ..Feature::new(id) }),
        (1u32..40).prop_map(move |days| Feature {
            meter: Some("distinct".into()),
            days: Some(days),
            ..Feature::new(id)
        }),
        Just(Feature { meter: Some("tokens".into()), ..Feature::new(id) }),
    ];
    let max = prop::option::of(0u64..6);
    let over = prop::option::of(prop::sample::select(vec![0u32, 20, 100]));
    let then = prop::option::of(prop::sample::select(vec!["stop", "count"]));
    (meter, max, over, then).prop_map(|(meter, max, over, then)| {
        let max = max.filter(|_| meter.meter.is_some());
        let some = max.is_some();
        let (over, then) = (over.filter(|_| some), then.filter(|_| some).map(Into::into));
        Feature { max, over, then, ..meter }
    })
}

fn binding() -> impl Strategy<Value = Result<Drift, Error>> {
    let codes = vec![Code::TooNew, Code::WrongMachine, Code::WrongInstallation, Code::Io];
    prop_oneof![
        6 => Just(Ok(Drift::default())),
        1 => Just(Ok(Drift { matched: 2, need: 2, of: 3, changed: vec!["disk".into()] })),
        1 => prop::sample::select(codes).prop_map(|code| Err(Error::new(code, "elsewhere"))),
    ]
}

fn license(time: BoxedStrategy<i64>) -> impl Strategy<Value = Held> {
    let some = |time: BoxedStrategy<i64>| prop::option::weighted(0.3, time);
    let dates = (time.clone(), time.clone(), prop::option::weighted(0.8, time.clone()));
    let more = (some(time.clone()), some(time.clone()), some(time));
    let notice = prop::option::of((prop::option::of(0u32..40), prop::option::of(0u32..10)));
    let id = prop::sample::select(vec![ID, OTHER]);
    (id, "[a-z0-9]{8}", dates, more, notice, stages(), (feature("a"), feature("b")), binding())
        .prop_map(|(id, jti, (iat, from, until), more, notice, stages, (a, b), binding)| {
            let mut claims = claims();
            let (exp, nbf, support) = more;
            claims.jti = jti;
            (claims.iat, claims.exp, claims.nbf) = (iat, exp, nbf);
            let license = &mut claims.license;
            license.id = id.into();
            license.valid_from = from;
            license.valid_until = until.map(|until| until.max(from + 1));
            license.support_until = support;
            license.stages = stages;
            license.notice = notice.map(|(license, token)| crate::Notice { license, token });
            license.features = vec![a, b];
            Held { binding, ..held(claims) }
        })
}

fn said(time: BoxedStrategy<i64>) -> impl Strategy<Value = Option<Issuer>> {
    let status = prop::sample::select(IssuerStatus::ALL.to_vec());
    let by = prop::option::of(time.clone());
    let said = (prop::sample::select(vec![ID, OTHER]), status, time, by);
    prop::option::of(said.prop_map(|(id, status, since, by)| Issuer {
        license_id: id.into(),
        next_sync_by: by,
        ..issuer(status, since)
    }))
}

/// What was used of `a` and `b` until now, by every kind of meter.
fn usage() -> impl Strategy<Value = Vec<(bool, u8, i64)>> {
    prop::collection::vec((any::<bool>(), 0u8..6, -40 * DAY..=0), 0..12)
}

fn totals(facts: &Facts, used: &[(bool, u8, i64)], now: i64) -> Totals {
    let features: Vec<Feature> = facts
        .candidates
        .iter()
        .filter_map(|it| it.license.as_ref().ok())
        .flat_map(|held| held.claims.license.features.clone())
        .collect();
    let mut entries = Vec::new();
    for (first, amount, ago) in used {
        let id = if *first { "a" } else { "b" };
        for feature in features.iter().filter(|feature| feature.id == id) {
            let entry = match feature.meter.as_deref() {
                Some("count") => Entry::Add(u64::from(*amount)),
                Some("level") => Entry::Level(u64::from(*amount)),
                _ => Entry::Key([*amount; 16]),
            };
            entries.push((feature.clone(), entry, now + ago));
        }
    }
    entries.sort_by_key(|(_, _, at)| *at);
    Totals::made(&entries)
}

/// An installation and a moment; whatever was used, was used before.
fn scene(time: BoxedStrategy<i64>) -> impl Strategy<Value = (Facts, i64)> {
    let one = prop_oneof![5 => license(time.clone()).prop_map(Ok), 1 => Just(Err(()))];
    let sources = prop::collection::vec(one, 0..5);
    let terms = (any::<bool>(), prop::option::of(0u32..60), 0u32..40);
    let anchor = prop::option::of(time.clone());
    let state = (prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    let told = (said(time.clone()), prop::bool::weighted(0.1));
    (sources, terms, anchor, state, told, usage(), time).prop_map(
        |(sources, (onpremise, grace_days, warning_days), anchor, state, told, used, now)| {
            let mut facts = nothing();
            let order = [Source::Installed, Source::Installed, Source::File, Source::Text];
            let one = |(source, it): (Source, Result<Held, ()>)| match it {
                Ok(held) => candidate(source, held),
                Err(()) => refused(source, Code::BadSignature),
            };
            facts.candidates = order.into_iter().zip(sources).map(one).collect();
            facts.terms.grace_days = grace_days;
            facts.terms.warning_days = warning_days;
            if !onpremise && warning_days == 0 {
                facts.terms.deployment = Deployment::Saas;
            }
            facts.anchor = anchor.map(|at| Anchor { at });
            facts.state.error = state.0.then(|| Error::new(Code::StateCorrupt, "damaged"));
            facts.state.shared = state.1;
            facts.issuer = told.0;
            if told.1 {
                revoke(&mut facts, OTHER);
            }
            facts.usage = Arc::new(totals(&facts, &used, now));
            (facts, now)
        },
    )
}

/// Everything that may not change before `next_change_at`.
fn shown(verdict: &Verdict) -> impl PartialEq + std::fmt::Debug + use<> {
    let features: Vec<_> =
        verdict.features.iter().map(|it| (it.feature.id.clone(), it.access, it.reason)).collect();
    let warnings: Vec<_> = verdict.warnings.iter().map(|warning| warning.code).collect();
    let winner = verdict.winner().map(|held| held.claims.jti.clone());
    let whole = (verdict.access, verdict.otherwise(), verdict.reason, verdict.in_force);
    (whole, winner, features, warnings)
}

#[test]
fn nothing_changes_before_the_next_change_and_something_does_then() {
    check(600, &(scene(time()), 0.0..1.0f64), |((facts, now), part)| {
        let here = judge(&facts, &at(now));
        let end = here.next_change_at.unwrap_or(now + 300 * DAY);
        assert!(end > now);
        let middle = now + ((end - 1 - now) as f64 * part) as i64;
        for then in [middle, end - 1] {
            assert_eq!(shown(&judge(&facts, &at(then))), shown(&here), "{}", then - now);
        }
        if here.next_change_at.is_some() {
            assert_ne!(shown(&judge(&facts, &at(end))), shown(&here));
        }
    });
}

#[test]
fn the_gate_is_the_verdict() {
    check(400, &scene(time()), |(facts, now)| {
        let verdict = judge(&facts, &at(now));
        let gate = gate(&facts, &at(now));
        assert_eq!(gate, verdict.gate());
        for id in ["a", "b", "c", ""] {
            assert_eq!(gate.access(id.as_bytes()), verdict.access(id));
        }
    });
}

#[test]
fn the_order_of_the_licenses_does_not_matter() {
    let shuffled = scene(time()).prop_flat_map(|(facts, now)| {
        let order = Just(facts.candidates.clone()).prop_shuffle();
        (Just(facts), Just(now), order)
    });
    check(400, &shuffled, |(facts, now, order)| {
        // Of refusals the first is the reason, so only what was verified changes places.
        let verified = |it: &Candidate| it.license.is_ok();
        let facts =
            Facts { candidates: facts.candidates.into_iter().filter(verified).collect(), ..facts };
        let other =
            Facts { candidates: order.into_iter().filter(verified).collect(), ..facts.clone() };
        let (one, two) = (judge(&facts, &at(now)), judge(&other, &at(now)));
        assert_eq!(shown(&one), shown(&two));
        assert_eq!(one.next_change_at, two.next_change_at);
        assert_eq!(gate(&facts, &at(now)), gate(&other, &at(now)));
    });
}

#[test]
fn one_more_source_never_takes_work_away() {
    let more = (scene(time()), prop::option::of(license(time())));
    check(400, &more, |((mut facts, now), more)| {
        let before = judge(&facts, &at(now));
        facts.candidates.push(match more {
            Some(held) => candidate(Source::Text, held),
            None => refused(Source::Text, Code::Malformed),
        });
        let after = judge(&facts, &at(now));
        let least = before.access.min(Access::Warn);
        assert!(after.access >= least, "{:?} became {:?}", before.access, after.access);
        assert!(after.in_force >= before.in_force);
    });
}

#[test]
fn what_is_taken_away_is_worse_and_what_is_given_is_better() {
    check(400, &scene(time()), |(mut facts, now)| {
        let here = judge(&facts, &at(now));
        // Days without a license only ever give.
        let mut generous = facts.clone();
        generous.terms.grace_days = Some(facts.terms.grace_days.unwrap_or(0) + 1_000);
        assert!(judge(&generous, &at(now)).access >= here.access);
        // More use never opens a feature.
        let used: Vec<_> = [(true, 5, 0), (false, 5, 0), (true, 5, 0)].into();
        let more = Facts { usage: Arc::new(totals(&facts, &used, now)), ..facts.clone() };
        let none = Facts { usage: Arc::new(Totals::default()), ..facts.clone() };
        let (more, none) = (judge(&more, &at(now)), judge(&none, &at(now)));
        for id in ["a", "b", "c"] {
            assert!(more.access(id) <= none.access(id));
            assert!(here.access(id) <= none.access(id));
        }
        // A license that is withdrawn is never in force again.
        [ID, OTHER].map(|id| uuid::Uuid::try_parse(id).unwrap()).into_iter().for_each(|id| {
            Arc::make_mut(&mut facts.revoked).insert(*id.as_bytes());
        });
        let after = judge(&facts, &at(now));
        assert!(!after.in_force);
        assert!(
            after.access <= here.access
                || after.reason == Reason::NotNeeded
                || after.reason == Reason::UnlicensedGrace
        );
    });
}

/// A customer who has paid, with every clock wrong by up to a day.
#[test]
fn an_honest_customer_is_never_refused() {
    let off = || -DAY..=DAY;
    let clocks = (off(), off(), prop::option::of(off()));
    let span = (2i64..400, 0i64..=DAY, 0.0..1.0f64);
    let cause = (days(), prop::bool::ANY, prop::bool::ANY);
    check(3_000, &(clocks, span, cause), |((vendor, here, server), (days, wait, part), cause)| {
        // The vendor signs at its own time; the customer gets it `wait` seconds later, and uses it
        // until a part of its time has passed, by the true clock.
        let signed = NOW + vendor;
        let until = signed + days * DAY;
        let truth = NOW + wait + (((days - 2) * DAY - wait).max(0) as f64 * part) as i64;
        let (ended, renewed, synced) = cause;
        let mut claims = claims();
        claims.iat = signed;
        claims.license.valid_from = signed;
        claims.license.valid_until = Some(until);
        claims.license.stages = Some(Stages { ended, ..Stages::default() });
        // What has to come back in time has two days more than the longest way.
        claims.exp = renewed.then_some(truth + 4 * DAY);
        let mut facts = installed(claims);
        if synced {
            let mut said = issuer(IssuerStatus::Ok, truth + vendor);
            said.next_sync_by = Some(truth + 4 * DAY);
            facts.issuer = Some(said);
        }
        let clock = truth + here;
        let floor = server.map(|server| Floor { at: (truth + server).max(signed), signed: true });
        let effective = floor.map_or(clock, |floor| floor.at.max(clock));
        let now = Now { at: effective, clock, floor };
        let verdict = judge(&facts, &now);
        if effective < until {
            assert!(verdict.in_force, "{} at {}", verdict.message, truth - NOW);
            assert!(verdict.access("reports") >= Access::Warn);
        }
        // Nobody loses more than the two days by which the clocks differ.
        assert!(effective < until || truth > until - 2 * DAY - 1);
    });
}

#[test]
fn no_dates_and_no_use_are_too_much() {
    check(150, &(scene(extreme()), extreme(), any::<bool>()), |((facts, now), floor, signed)| {
        for now in [now, 0, TIME_MAX, i64::MIN, i64::MAX] {
            let floor = Some(Floor { at: floor, signed });
            let now = Now { at: now, clock: now, floor };
            let verdict = judge(&facts, &now);
            let json: serde_json::Value = serde_json::from_str(&verdict.to_json()).unwrap();
            assert_eq!(json["access"], verdict.access.word());
            let tree: serde_json::Value = serde_json::from_str(&explain(&facts, &now)).unwrap();
            assert_eq!(tree["reason"], json["reason"]);
            assert_eq!(tree["in_force"], json["in_force"]);
            assert_eq!(gate(&facts, &now), verdict.gate());
        }
    });
}

#[test]
fn every_step_of_the_timeline_is_what_holds_then() {
    check(300, &scene(time()), |(facts, now)| {
        let verdict = judge(&facts, &at(now));
        let mut last = i64::MIN;
        for step in &verdict.timeline {
            assert!(step.at >= last, "{:?} is not sorted", verdict.timeline);
            last = step.at;
            assert_eq!(step.access, judge(&facts, &at(step.at)).access, "{step:?}");
        }
        // Whatever changes as a whole by itself, is announced.
        let whole = |now| judge(&facts, &at(now)).access;
        if let Some(next) = verdict.next_change_at.filter(|next| whole(*next) != verdict.access) {
            assert!(verdict.timeline.iter().any(|step| step.at == next), "{next}");
        }
    });
}

#[test]
fn an_explanation_is_no_second_opinion() {
    check(300, &scene(time()), |(facts, now)| {
        let verdict = judge(&facts, &at(now));
        let tree: serde_json::Value = serde_json::from_str(&explain(&facts, &at(now))).unwrap();
        let checks = tree["checks"].as_array().unwrap();
        let find = |word: &str| checks.iter().find(|check| check["check"] == word).unwrap();
        let ok = |check: &serde_json::Value| check["ok"] == true;
        let under = |word: &str| find(word)["checks"].as_array().unwrap().clone();
        // Refused ones first, then each license in the order of its source.
        let licenses = under("licenses");
        let (good, bad): (Vec<_>, Vec<_>) =
            facts.candidates.iter().zip(&verdict.sources).partition(|it| it.0.license.is_ok());
        assert_eq!(licenses.len(), good.len() + bad.len());
        for (check, (_, source)) in licenses.iter().zip(bad.iter().chain(&good)) {
            assert_eq!(check["check"], source.source.word());
            assert_eq!(ok(check), source.result == Reason::Ok, "{check}");
            let checks = check["checks"].as_array().unwrap();
            let wrong: Vec<_> = checks.iter().filter(|check| check["ok"] == false).collect();
            assert_eq!(wrong.is_empty(), ok(check) || checks.is_empty(), "{check}");
            assert!(wrong.iter().all(|check| check["to_do"].is_string()));
        }
        assert_eq!(ok(find("licenses")), verdict.in_force);
        for (check, feature) in under("features").iter().zip(&verdict.features) {
            assert_eq!(ok(check), feature.access >= Access::Warn, "{check}");
        }
        let free = matches!(verdict.reason, Reason::NotNeeded | Reason::UnlicensedGrace);
        assert!(!free || ok(find("unlicensed")));
    });
}

#[test]
fn time_takes_away_and_never_gives_once_a_license_has_begun() {
    let moments = (license(time()), said(time()), time(), 0i64..90 * DAY);
    check(400, &moments, |(held, said, now, later)| {
        let claims = &held.claims;
        let begun = now.max(claims.license.valid_from).max(claims.nbf.unwrap_or(now));
        let facts = Facts { issuer: said, ..with(vec![candidate(Source::File, held)]) };
        let (here, then) = (judge(&facts, &at(begun)), judge(&facts, &at(begun + later)));
        assert!(then.access <= here.access, "{} then {}", here.message, then.message);
        let left = |verdict: &Verdict| verdict.winner.as_ref().and_then(|it| it.days_left);
        assert!(left(&then) <= left(&here));
    });
}
