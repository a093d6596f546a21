//! What may be done with each feature, and when its limit lets go.

use crate::errors::Code;
use crate::feature::Feature;
use crate::stages::DAY;
use crate::usage::limit::{self, Reach, Standing};
use crate::usage::totals::Use;
use crate::verdict::facts::{Access, Facts};
use crate::verdict::moment::{Decision, Scene};
use crate::verdict::status::FeatureVerdict;
use crate::verdict::words::Reason;

/// How a use stands to the limit of a feature.
fn reach(feature: &Feature, used: u64) -> (Reach, Access) {
    let reach = limit::verdict(feature, used);
    let access = match reach.standing {
        Standing::Stopped => Access::Deny,
        Standing::Warn => Access::Warn,
        Standing::Allow => Access::Allow,
    };
    (reach, access)
}

/// How much was used of a metered feature that this version knows.
fn used(feature: &Feature, facts: &Facts, at: i64) -> Option<Use> {
    (feature.meter.is_some() && feature.is_known()).then(|| facts.usage.of(feature, at))
}

/// What its own limit leaves of a feature at a time.
fn own(feature: &Feature, facts: &Facts, at: i64) -> Access {
    if feature.max.is_none() {
        return Access::Allow;
    }
    used(feature, facts, at).map_or(Access::Allow, |it| reach(feature, it.used).1)
}

/// What may be done with a feature that the license lists, and why.
fn answer(feature: &Feature, decision: &Decision, own: Access) -> (Access, Reason) {
    match () {
        () if decision.reason.is_free() => (decision.access, decision.reason),
        () if !feature.is_known() => (Access::Deny, Reason::No(Code::TooNew)),
        () if own >= decision.access => (decision.access, decision.reason),
        () if own >= Access::Warn => (own, Reason::Ok),
        () => (own, Reason::No(Code::LimitExceeded)),
    }
}

/// Only the answers, for the hot path.
pub(crate) fn accesses(scene: &Scene<'_>, decision: &Decision, at: i64) -> Vec<(Box<str>, Access)> {
    let judge = |feature: &Feature| {
        // Where the license leaves nothing, its use does not matter.
        let own = match decision.access {
            Access::Deny => Access::Deny,
            _ => own(feature, scene.facts, at),
        };
        (feature.id.as_str().into(), answer(feature, decision, own).0)
    };
    listed(scene, decision).iter().map(judge).collect()
}

/// Everything there is to say of each feature.
pub(crate) fn verdicts(scene: &Scene<'_>, decision: &Decision, at: i64) -> Vec<FeatureVerdict> {
    let judge = |feature: &Feature| {
        let using = used(feature, scene.facts, at);
        let own = own(feature, scene.facts, at);
        let (access, reason) = answer(feature, decision, own);
        let max = feature.max.zip(using);
        let reach = max.map(|(_, it)| reach(feature, it.used).0);
        FeatureVerdict {
            access,
            reason,
            used: using.map(|it| it.used),
            high: using.map(|it| it.high),
            stops_at: reach.and_then(|reach| reach.stops_at),
            left: max.map(|(max, it)| max.saturating_sub(it.used)),
            reached: reach.is_some_and(|reach| reach.reached),
            resets_at: using.and_then(|it| it.resets_at),
            over_limit: own < Access::Allow,
            feature: feature.clone(),
        }
    };
    listed(scene, decision).iter().map(judge).collect()
}

/// What the license that decides lists.
pub(crate) fn listed<'a>(scene: &Scene<'a>, decision: &Decision) -> &'a [Feature] {
    let case = decision.winner.and_then(|place| scene.cases.get(place));
    case.map_or(&[], |case| case.held.claims.license.features.as_slice())
}

/// The first second after `at` and before `end` at which the limit of a feature leaves something
/// else than it does at `at`, if nothing more is used.
pub(crate) fn next_change(
    scene: &Scene<'_>,
    decision: &Decision,
    at: i64,
    end: Option<i64>,
) -> Option<i64> {
    if decision.reason.is_free() || decision.access == Access::Deny {
        return None;
    }
    let turns = listed(scene, decision).iter().filter_map(|it| turn(it, scene, decision, at));
    turns.filter(|turn| end.is_none_or(|end| *turn < end)).min()
}

/// When the limit of one feature leaves something else. Time alone only ever gives back: a
/// counter starts again, or keys leave the window, each at the end of a day.
fn turn(feature: &Feature, scene: &Scene<'_>, decision: &Decision, at: i64) -> Option<i64> {
    let shown =
        |own: Access| (answer(feature, decision, own), decision.in_force() && own < Access::Allow);
    let now = own(feature, scene.facts, at);
    if now == Access::Allow {
        return None;
    }
    let differs = |then: &i64| shown(own(feature, scene.facts, *then)) != shown(now);
    let Some(days) = feature.days.map(i64::from) else {
        let reset = used(feature, scene.facts, at)?.resets_at.filter(|reset| *reset > at)?;
        return Some(reset).filter(differs);
    };
    let day = |n: i64| at.div_euclid(DAY).saturating_add(n).saturating_mul(DAY);
    // Whether it differs rises with the day: the first one is found by halving.
    let (mut same, mut other) = (0, days);
    differs(&day(other)).then_some(())?;
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        match differs(&day(middle)) {
            true => other = middle,
            false => same = middle,
        }
    }
    Some(day(other))
}
