//! What to know while things work, each with what to do.

use crate::clock::rfc3339;
use crate::errors::Code;
use crate::feature::Feature;
use crate::limits::DAMAGE_DAYS;
use crate::verdict::causes::{Case, Span};
use crate::verdict::facts::Now;
use crate::verdict::moment::{Decision, Scene};
use crate::verdict::sentences::{Voice, sentence};
use crate::verdict::status::{FeatureVerdict, Warning};
use crate::verdict::words::{Alert, Reason, Topic};

/// Every warning of a moment, in the order of the words.
pub(crate) fn warnings(
    scene: &Scene<'_>,
    decision: &Decision,
    features: &[FeatureVerdict],
    now: &Now,
) -> Vec<Warning> {
    let voice = Voice::new(scene, now);
    let mut found = Vec::new();
    let mut warn = |alert, message: String, at| {
        found.push(Warning { code: Topic::Alert(alert), message: sentence(&message), at });
    };
    let alerts = scene.alerts(decision, now.at);
    if let Some(case) = scene.winner(decision) {
        for alert in Alert::ALL.iter().filter(|alert| alerts.has(**alert)) {
            if let Some((message, at)) = of_license(&voice, case, *alert, now.at) {
                warn(*alert, message, at);
            }
        }
        if decision.in_force() && !decision.reason.is_free() {
            of_machine(case, &mut warn);
            of_features(&voice, features, &mut warn);
        }
    }
    if alerts.has(Alert::GraceEndsSoon) {
        let end = scene.grace_end();
        let date = end.map(rfc3339).unwrap_or_default();
        warn(
            Alert::GraceEndsSoon,
            format!("the days without a license end on {date}: apply a license"),
            end,
        );
    }
    of_sources(&voice, scene, decision, &mut warn);
    of_clock(&voice, now, &mut warn);
    of_state(&voice, scene, decision, &mut found);
    found
}

/// A warning about the license as a whole, and the time it is about.
fn of_license(
    voice: &Voice<'_>,
    case: &Case<'_>,
    alert: Alert,
    at: i64,
) -> Option<(String, Option<i64>)> {
    let license = &case.held.claims.license;
    let vendor = voice.vendor();
    let date = |at: Option<i64>| at.map(rfc3339).unwrap_or_default();
    let grace = |code, span: Option<Span>| {
        Some((voice.grace(case, code), span.and_then(|span| span.grace_end())))
    };
    let since = case.issuer.map(|issuer| issuer.since);
    match alert {
        Alert::EndsSoon => {
            let (end, remedy) = (license.valid_until, voice.remedy(Code::Expired));
            Some((format!("the license ends on {}: {remedy}", date(end)), end))
        }
        Alert::TokenDue => {
            let (end, remedy) = (case.held.claims.exp, voice.remedy(Code::TokenExpired));
            Some((format!("the license is to be renewed by {}: {remedy}", date(end)), end))
        }
        Alert::InGrace => grace(Code::Expired, case.ended),
        Alert::RenewDue => grace(Code::TokenExpired, case.token),
        Alert::SyncDue => grace(Code::SyncOverdue, case.sync),
        Alert::Suspended => grace(Code::Suspended, case.suspended),
        Alert::IssuerExpired => {
            let remedy = voice.remedy(Code::Expired);
            Some((format!("by {vendor}'s record the license has ended: {remedy}"), since))
        }
        Alert::IssuerNotFound => {
            Some((format!("{vendor}'s server knows no such license: ask {vendor} why"), since))
        }
        Alert::SupportEndsSoon | Alert::SupportEnded => {
            let end = license.support_until;
            let verb = if alert == Alert::SupportEnded { "ended" } else { "ends" };
            Some((format!("support {verb} on {}: ask {vendor} to extend it", date(end)), end))
        }
        Alert::NotInForce => {
            let code = case.standing(at).code?;
            let remedy = voice.remedy(code);
            Some((format!("{}, and none is needed yet: {remedy}", voice.found(case, code)), None))
        }
        _ => None,
    }
}

type Warn<'a> = dyn FnMut(Alert, String, Option<i64>) + 'a;

fn of_machine(case: &Case<'_>, warn: &mut Warn<'_>) {
    let Ok(drift) = &case.held.binding else { return };
    if drift.changed.is_empty() {
        return;
    }
    let (changed, of, need) = (drift.changed.len(), drift.of, drift.need);
    let parts = drift.changed.join(", ");
    let what = format!("{changed} of {of} parts of this machine have changed ({parts})");
    let todo = "have the license bound to it again before more of it changes";
    warn(Alert::MachineDrifted, format!("{what}, and {need} have to match: {todo}"), None);
}

fn of_features(voice: &Voice<'_>, features: &[FeatureVerdict], warn: &mut Warn<'_>) {
    for found in features.iter().filter(|found| found.over_limit) {
        let (what, todo, at) = limit(voice, found);
        warn(Alert::LimitReached, format!("{what}: {todo}"), at);
    }
    for found in features.iter().filter(|found| !found.feature.is_known()) {
        let (name, remedy) = (title(&found.feature), voice.remedy(Code::TooNew));
        warn(Alert::FeatureTooNew, format!("{name} needs something newer: {remedy}"), None);
    }
}

/// What a limit came to, what to do, and when it lets go by itself.
pub(crate) fn limit(voice: &Voice<'_>, found: &FeatureVerdict) -> (String, String, Option<i64>) {
    let (used, max) = (found.used.unwrap_or(0), found.feature.max.unwrap_or(0));
    let stop = match (found.stops_at, found.reason) {
        (_, Reason::No(_)) => ", and no more are left".to_string(),
        (Some(stop), _) if stop > max => format!(", and it stops at {stop}"),
        _ => String::new(),
    };
    let todo = match found.resets_at {
        Some(at) => format!("wait until {}, or ask", rfc3339(at)),
        None => "ask".to_string(),
    };
    let name = title(&found.feature);
    let vendor = voice.vendor();
    let what = format!("{used} of {max} of {name} are used{stop}");
    (what, format!("{todo} {vendor} for a higher limit"), found.resets_at)
}

/// A feature, for people.
fn title(feature: &Feature) -> &str {
    feature.name.as_deref().unwrap_or(&feature.id)
}

fn of_sources(voice: &Voice<'_>, scene: &Scene<'_>, decision: &Decision, warn: &mut Warn<'_>) {
    // The first one may be the reason itself.
    let told = usize::from(decision.winner.is_none() && !decision.reason.is_free());
    for (candidate, error) in scene.refusals().skip(told) {
        warn(Alert::SourceRefused, voice.refused(candidate, error), None);
    }
}

fn of_clock(voice: &Voice<'_>, now: &Now, warn: &mut Warn<'_>) {
    if let Some(evidence) = clock_evidence(voice, now) {
        let todo = voice.remedy(Code::ClockRollback);
        warn(Alert::ClockSuspect, format!("{evidence}: {todo}"), now.floor.map(|it| it.at));
    }
}

/// Why the clock is not believed, as half a sentence; `None` = it is.
pub(crate) fn clock_evidence(voice: &Voice<'_>, now: &Now) -> Option<String> {
    let floor = now.floor.filter(|floor| now.clock < floor.at)?;
    let (clock, then) = (rfc3339(now.clock), rfc3339(floor.at));
    Some(match floor.signed {
        true => format!("the clock shows {clock}, and {} has signed {then}", voice.vendor()),
        false => format!("the clock shows {clock}, and it has shown {then} before"),
    })
}

/// What was damaged and what that cost, as half a sentence.
pub(crate) fn recovered(what: &str) -> String {
    let lost = what.contains("anew") || what.contains(" lost");
    let cost = match lost {
        true => "",
        false => ", and the copy beside it is used, so that the last change at most is lost",
    };
    format!("{what}{cost} (this is told for {DAMAGE_DAYS} days)")
}

fn of_state(voice: &Voice<'_>, scene: &Scene<'_>, decision: &Decision, found: &mut Vec<Warning>) {
    let state = &scene.facts.state;
    let mut add = |code, message| found.push(Warning { code, message, at: None });
    if let Some(what) = &state.recovered {
        let message = format!("{}: check the disk", recovered(what));
        add(Topic::Alert(Alert::StateRecovered), sentence(&message));
    }
    if state.shared {
        let message = "Another machine uses the same folder: give each machine one of its own.";
        add(Topic::Alert(Alert::SharedFolder), message.to_string());
    }
    let told = decision.winner.is_none()
        && !decision.reason.is_free()
        && scene.refusals().next().is_none();
    if let Some(error) = state.error.as_ref().filter(|_| !told) {
        add(Topic::State(error.code()), voice.error(error));
    }
}
