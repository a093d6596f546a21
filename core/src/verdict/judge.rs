//! The one function from what is known to what holds.

use crate::verdict::causes::Case;
use crate::verdict::facts::{Access, Candidate, Facts, Held, Issuer, Now};
use crate::verdict::features;
use crate::verdict::moment::{Decision, Scene};
use crate::verdict::sentences::{Voice, sentence};
use crate::verdict::status::{Gate, SourceVerdict, Verdict, Winner};
use crate::verdict::summary::days_until;
use crate::verdict::timeline::timeline;
use crate::verdict::warnings::{clock_evidence, warnings};
use crate::verdict::words::Reason;
use std::sync::Arc;

/// What holds at a moment. Pure: no clock, no files.
pub(crate) fn judge(facts: &Facts, now: &Now) -> Verdict {
    let scene = Scene::new(facts);
    let decision = scene.decide(now.at);
    let features = features::verdicts(&scene, &decision, now.at);
    let winner = scene.winner(&decision);
    let voice = Voice::new(&scene, now);
    let failure = facts.failure.as_ref().map(|failure| failure.seen_at(now));
    Verdict {
        now: *now,
        product: facts.product.clone(),
        in_force: decision.in_force(),
        access: decision.access,
        reason: decision.reason,
        message: voice.whole(&scene, &decision, now.at),
        found: voice.why(&scene, &decision, now.at),
        next_change_at: scene.next_change(now, &decision),
        winner: winner.map(|case| describe(case, now.at)),
        warnings: warnings(&scene, &decision, &features, now),
        features,
        timeline: timeline(&scene, &decision, failure.as_ref()),
        sources: sources(&voice, &scene, &decision, now.at),
        anchor: facts.anchor,
        grace_days: facts.terms.grace_days,
        grace_until: scene.grace_end(),
        suspicion: clock_evidence(&voice, now).map(|evidence| sentence(&evidence)),
        issuer: issuer(&scene, &decision).cloned(),
        failure,
        state: facts.state.clone(),
    }
}

/// The same as `judge(facts, now).gate()`, without the sentences.
pub(crate) fn gate(facts: &Facts, now: &Now) -> Gate {
    let scene = Scene::new(facts);
    let decision = scene.decide(now.at);
    let mut features = features::accesses(&scene, &decision, now.at);
    features.sort_unstable();
    Gate {
        features: features.into(),
        otherwise: decision.otherwise(),
        next_change_at: scene.next_change(now, &decision),
    }
}

/// Who decides at a moment, and what that comes to: what recording has to know.
pub(crate) struct Ruling {
    /// What may be done with what the license lists.
    pub(crate) access: Access,
    /// What may be done with everything else.
    pub(crate) otherwise: Access,
    /// The license that decides, in force or not.
    pub(crate) held: Option<Arc<Held>>,
}

/// The same decision as [`judge`], and nothing else.
pub(crate) fn rule(facts: &Facts, now: &Now) -> Ruling {
    let scene = Scene::new(facts);
    let decision = scene.decide(now.at);
    Ruling {
        access: decision.access,
        otherwise: decision.otherwise(),
        held: scene.winner(&decision).map(|case| case.held.clone()),
    }
}

fn describe(case: &Case<'_>, at: i64) -> Winner {
    let end = case.held.claims.license.valid_until;
    Winner {
        held: case.held.clone(),
        source: case.candidate.source,
        name: case.candidate.name.clone(),
        grace_until: case.ended.and_then(|span| span.grace_end()),
        days_left: end.map(|end| days_until(case.time(at), end)),
    }
}

/// What the issuer said of the license that decides; of any, where there is none.
pub(crate) fn issuer<'a>(scene: &Scene<'a>, decision: &Decision) -> Option<&'a Issuer> {
    match scene.winner(decision) {
        Some(case) => case.issuer,
        None => scene.facts.issuer.as_ref(),
    }
}

fn sources(
    voice: &Voice<'_>,
    scene: &Scene<'_>,
    decision: &Decision,
    at: i64,
) -> Vec<SourceVerdict> {
    let mut place = 0;
    let mut judge = |candidate: &Candidate| {
        let mut found = SourceVerdict {
            source: candidate.source,
            name: candidate.name.clone(),
            used: false,
            id: None,
            token_id: None,
            serial: None,
            valid_from: None,
            valid_until: None,
            result: Reason::Ok,
            message: String::new(),
        };
        let case = match &candidate.license {
            Ok(_) => scene.cases.get(place),
            Err(error) => {
                found.result = Reason::No(error.code());
                found.message = voice.error(error);
                None
            }
        };
        if let Some(case) = case {
            found.used = decision.winner == Some(place);
            place += 1;
            let license = &case.held.claims.license;
            found.id = Some(license.id.clone());
            found.serial = license.serial.clone();
            (found.valid_from, found.valid_until) = (Some(license.valid_from), license.valid_until);
            found.token_id = Some(case.held.claims.jti.clone());
            let standing = case.standing(at);
            found.result = standing.code.map_or(Reason::Ok, Reason::No);
            found.message = match (standing.code, found.used) {
                (Some(_), _) => voice.refusal(case, &standing, at),
                (None, true) => "It decides.".to_string(),
                (None, false) => sentence("it is in force, and another license decides"),
            };
        }
        found
    };
    scene.facts.candidates.iter().map(&mut judge).collect()
}
