//! Why, as a tree of checks: what each looked at, what it found, and what to do. They are the
//! answers of the same functions that judge, and never a second opinion.

use crate::clock::rfc3339;
use crate::errors::Code;
use crate::verdict::causes::{Case, Cause};
use crate::verdict::facts::{Access, Deployment, Facts, Failure, Now};
use crate::verdict::features;
use crate::verdict::moment::{Decision, Scene};
use crate::verdict::sentences::{Voice, origin, sentence};
use crate::verdict::status::FeatureVerdict;
use crate::verdict::warnings::{clock_evidence, limit, recovered};
use crate::verdict::words::Reason;
use serde::Serialize;

#[derive(Serialize)]
struct Explanation {
    at: i64,
    in_force: bool,
    reason: Reason,
    checks: Vec<Check>,
}

/// One check. `ok` is null where there is nothing to look at, and false where it takes something
/// away.
#[derive(Serialize)]
struct Check {
    check: &'static str,
    ok: Option<bool>,
    looked_at: String,
    found: String,
    to_do: Option<String>,
    checks: Vec<Check>,
}

impl Check {
    fn new(check: &'static str, ok: Option<bool>, looked_at: &str, found: &str) -> Check {
        let (looked_at, found) = (sentence(looked_at), sentence(found));
        Check { check, ok, looked_at, found, to_do: None, checks: Vec::new() }
    }

    /// With what to do about it.
    fn advise(self, what: &str) -> Check {
        Check { to_do: Some(sentence(what)), ..self }
    }
}

/// Why, as a tree of checks in JSON: docs/verdict.md.
pub(crate) fn explain(facts: &Facts, now: &Now) -> String {
    let scene = Scene::new(facts);
    let decision = scene.decide(now.at);
    let voice = Voice::new(&scene, now);
    let mut checks = vec![clock(&voice, now), state(&voice, facts)];
    checks.extend(facts.failure.as_ref().map(|failure| server(&voice, &failure.seen_at(now))));
    checks.extend([
        deployment(&voice, facts),
        sources(&voice, &scene, &decision, now.at),
        unlicensed(&voice, &scene, &decision, now.at),
        listed(&voice, &scene, &decision, now.at),
    ]);
    let (in_force, reason) = (decision.in_force(), decision.reason);
    let explanation = Explanation { at: now.at, in_force, reason, checks };
    // Texts and integers only: there is nothing that could fail.
    serde_json::to_string(&explanation).unwrap_or_default()
}

fn clock(voice: &Voice<'_>, now: &Now) -> Check {
    let looked = match now.floor {
        Some(floor) => format!("the clock, and the time already seen: {}", rfc3339(floor.at)),
        None => "the clock: no other time has been seen".to_string(),
    };
    match clock_evidence(voice, now) {
        Some(evidence) => Check::new("clock", Some(false), &looked, &evidence)
            .advise(&voice.remedy(Code::ClockRollback)),
        None => {
            let found = format!("the clock shows {}", rfc3339(now.clock));
            Check::new("clock", Some(true), &looked, &found)
        }
    }
}

fn state(voice: &Voice<'_>, facts: &Facts) -> Check {
    let looked = "the folder of this installation";
    match (&facts.state.error, &facts.state.recovered) {
        (Some(error), _) => Check::new("state", Some(false), looked, error.detail())
            .advise(&voice.remedy(error.code())),
        (None, Some(what)) => {
            let found = recovered(what);
            Check::new("state", Some(true), looked, &found).advise("check the disk")
        }
        (None, None) => Check::new("state", Some(true), looked, "it is sound"),
    }
}

/// That a call came to nothing takes nothing away.
fn server(voice: &Voice<'_>, failure: &Failure) -> Check {
    let looked = format!("the last call to {}'s server: {}", voice.vendor(), rfc3339(failure.at));
    let again = rfc3339(failure.again());
    let found = format!("{}; the next is due at {again}", failure.message);
    Check::new("server", Some(true), &looked, &found)
}

fn deployment(voice: &Voice<'_>, facts: &Facts) -> Check {
    let looked = "the setting `deployment` of the product";
    let found = match facts.terms.deployment {
        Deployment::Saas => format!("{} runs it: nothing is enforced", voice.vendor()),
        Deployment::OnPremise => "it runs with the customer: a license decides".to_string(),
    };
    Check::new("deployment", Some(true), looked, &found)
}

fn sources(voice: &Voice<'_>, scene: &Scene<'_>, decision: &Decision, at: i64) -> Check {
    let count = scene.facts.candidates.len();
    let found = match scene.winner(decision) {
        Some(case) => format!("{} decides", origin(case.candidate)),
        None => "no source holds a verified license".to_string(),
    };
    let looked = format!("every source that holds something: {count}");
    let mut check = Check::new("licenses", Some(decision.in_force()), &looked, &found);
    check.checks = scene
        .refusals()
        .map(|(candidate, error)| {
            let looked =
                format!("{}: its form, key, signature, issuer and product", origin(candidate));
            Check::new(candidate.source.word(), Some(false), &looked, error.detail())
                .advise(&voice.remedy(error.code()))
        })
        .collect();
    check.checks.extend(scene.cases.iter().map(|case| license(voice, case, at)));
    check
}

/// One verified license: everything that can be wrong with it.
fn license(voice: &Voice<'_>, case: &Case<'_>, at: i64) -> Check {
    let standing = case.standing(at);
    let claims = &case.held.claims;
    let looked = format!(
        "{}: the license {}, token {}",
        origin(case.candidate),
        claims.license.id,
        claims.jti
    );
    let found = match standing.in_force() {
        true => "it is in force by itself".to_string(),
        false => voice.refusal(case, &standing, at),
    };
    let mut check =
        Check::new(case.candidate.source.word(), Some(standing.in_force()), &looked, &found);
    let causes = case.causes(at);
    check.checks.push(binding(voice, case));
    let row = |cause: &Cause| row(voice, case, cause, at);
    check.checks.extend(causes.iter().filter_map(row));
    check
}

fn binding(voice: &Voice<'_>, case: &Case<'_>) -> Check {
    let bound = case.held.claims.license.binding.as_ref();
    let machine = bound.and_then(|bound| bound.machine.as_ref());
    let machine = machine.map(|it| (it.need(), it.parts().len()));
    let parts: Vec<String> = [
        machine.map(|(need, of)| format!("{need} of {of} parts of the machine")),
        bound.and_then(|it| Some(format!("the installation {}", it.installation.as_ref()?))),
        bound.and_then(|it| Some(format!("the instance {}", it.instance.as_ref()?))),
    ]
    .into_iter()
    .flatten()
    .collect();
    let looked = match parts.is_empty() {
        true => "what the license is bound to: nothing".to_string(),
        false => format!("what the license is bound to: {}", parts.join(", ")),
    };
    match &case.held.binding {
        Err(error) => Check::new("binding", Some(false), &looked, error.detail())
            .advise(&voice.remedy(error.code())),
        Ok(_) if parts.is_empty() => {
            Check::new("binding", None, &looked, "it may be used anywhere")
        }
        Ok(drift) => {
            let found = match (drift.of, drift.changed.is_empty()) {
                (0, _) => "it holds".to_string(),
                (_, true) => format!("{} parts match", drift.matched),
                _ => format!("{} parts match, not {}", drift.matched, drift.changed.join(", ")),
            };
            Check::new("binding", Some(true), &looked, &found)
        }
    }
}

/// The check of one cause but a binding.
fn row(voice: &Voice<'_>, case: &Case<'_>, cause: &Cause, at: i64) -> Option<Check> {
    let date = |at: Option<i64>| at.map_or("never".to_string(), rfc3339);
    let license = &case.held.claims.license;
    let said = match case.issuer {
        Some(it) => {
            let (vendor, when) = (voice.vendor(), rfc3339(it.last_contact));
            format!("what {vendor}'s server said on {when}: {}", it.status.word())
        }
        None => format!("what {}'s server said: nothing yet", voice.vendor()),
    };
    let (check, known, looked, good) = match cause.code {
        Code::Revoked => {
            ("revoked", true, format!("the withdrawn licenses, and {said}"), "it is not withdrawn")
        }
        Code::Suspended => ("suspended", case.issuer.is_some(), said, "it is not on hold"),
        Code::NotYetValid => {
            ("begins", true, format!("its begin: {}", rfc3339(case.begins)), "it has begun")
        }
        Code::Expired => {
            let end = license.valid_until;
            ("ends", end.is_some(), format!("its end: {}", date(end)), "it has not ended")
        }
        Code::TokenExpired => {
            let end = case.held.claims.exp;
            let looked = format!("when it is to be renewed: {}", date(end));
            ("renewal", end.is_some(), looked, "it need not be renewed yet")
        }
        Code::SyncOverdue => {
            let by = case.issuer.and_then(|issuer| issuer.next_sync_by);
            let looked = format!("when {}'s server is to be reached: {}", voice.vendor(), date(by));
            ("contact", by.is_some(), looked, "it need not be reached yet")
        }
        _ => return None,
    };
    Some(match cause.access {
        Access::Allow => Check::new(check, known.then_some(true), &looked, good),
        Access::Warn => {
            let found = voice.found(case, cause.code);
            let found = format!("{found}, and {}", voice.lasts(case, cause.code));
            Check::new(check, Some(true), &looked, &found).advise(&voice.remedy(cause.code))
        }
        access => {
            let found = voice.obstacle(case, cause.code, access, at);
            Check::new(check, Some(false), &looked, &found).advise(&voice.remedy(cause.code))
        }
    })
}

fn unlicensed(voice: &Voice<'_>, scene: &Scene<'_>, decision: &Decision, at: i64) -> Check {
    let anchor = scene.facts.anchor.map_or("never".to_string(), |anchor| rfc3339(anchor.at));
    let days = scene.facts.terms.grace_days;
    let Some(days) = days else {
        let looked = "the setting `grace_days` of the product";
        return Check::new("unlicensed", None, looked, "nothing works without a license");
    };
    let looked = format!("the first use: {anchor}; days without a license: {days}");
    let (ok, found) = match (scene.unlicensed(at), scene.grace_end()) {
        (Some(_), Some(end)) => (true, format!("none is needed until {}", rfc3339(end))),
        (Some(_), None) => (true, "none is needed before the first use".to_string()),
        (None, Some(end)) => (false, format!("those days ended on {}", rfc3339(end))),
        (None, None) => (false, "what is kept here cannot be read".to_string()),
    };
    let check = Check::new("unlicensed", Some(ok), &looked, &found);
    match decision.reason.is_free() || decision.in_force() {
        true => check,
        false => check.advise(&voice.remedy(Code::NotLicensed)),
    }
}

fn listed(voice: &Voice<'_>, scene: &Scene<'_>, decision: &Decision, at: i64) -> Check {
    let features = features::verdicts(scene, decision, at);
    let stopped = features.iter().filter(|it| it.access < Access::Warn).count();
    let looked = format!("the features that the license lists: {}", features.len());
    let found = match stopped {
        _ if features.is_empty() => "there are none".to_string(),
        0 => "all of them may be used".to_string(),
        some => format!("{some} of them may not be used"),
    };
    let ok = (!features.is_empty()).then_some(stopped == 0);
    let mut check = Check::new("features", ok, &looked, &found);
    check.checks = features.iter().map(|it| feature(voice, decision, it)).collect();
    check
}

fn feature(voice: &Voice<'_>, decision: &Decision, it: &FeatureVerdict) -> Check {
    let looked = match (it.used, it.feature.max) {
        (Some(used), Some(max)) => format!("`{}`: {used} of {max} used", it.feature.id),
        (Some(used), None) => format!("`{}`: {used} used, without a limit", it.feature.id),
        _ => format!("`{}`", it.feature.id),
    };
    let ok = Some(it.access >= Access::Warn);
    let check = |found: &str| Check::new("feature", ok, &looked, found);
    let limited = it.over_limit && decision.in_force() && !decision.reason.is_free();
    match it.reason {
        Reason::No(Code::TooNew) if decision.reason != it.reason => {
            check("it needs something newer").advise(&voice.remedy(Code::TooNew))
        }
        reason if limited || reason == Reason::No(Code::LimitExceeded) => {
            let (found, to_do, _) = limit(voice, it);
            check(&found).advise(&to_do)
        }
        Reason::No(code) => check(&format!("the license is not in force: {code}")),
        _ => check("it may be used"),
    }
}
