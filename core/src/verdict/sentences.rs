//! What a verdict says to people: what holds, a colon, and what to do. Never who the customer is.

use crate::clock::rfc3339;
use crate::errors::{Code, Error};
use crate::verdict::causes::{Case, Span, Standing};
use crate::verdict::facts::{Access, Candidate, Floor, Now, Source};
use crate::verdict::moment::{Decision, Scene};
use crate::verdict::words::{Alert, Reason};

/// Speaks of the vendor by name, where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Voice<'a> {
    vendor: &'a str,
    /// A time that this machine's clock once showed, and that alone is in the way.
    ahead: Option<i64>,
}

impl<'a> Voice<'a> {
    pub(crate) fn new(scene: &Scene<'a>, now: &Now) -> Voice<'a> {
        let vendor = scene.facts.terms.vendor.as_deref().filter(|name| !name.is_empty());
        let was_ahead = |floor: &Floor| {
            let then = |at: i64| scene.decide(at).access;
            !floor.signed && now.clock < floor.at && then(floor.at) < then(now.clock)
        };
        let ahead = now.floor.filter(was_ahead).map(|floor| floor.at);
        Voice { vendor: vendor.unwrap_or("the vendor"), ahead }
    }

    /// The vendor's name.
    pub(crate) fn vendor(&self) -> &'a str {
        self.vendor
    }

    /// What to do about an error. A renewal is no help against a clock that was once ahead.
    pub(crate) fn remedy(&self, code: Code) -> String {
        let ends = [Code::Expired, Code::TokenExpired, Code::SyncOverdue, Code::NotLicensed];
        let is_time = self.ahead.is_some() && ends.contains(&code);
        let code = if is_time { Code::ClockRollback } else { code };
        code.remedy().replace("the vendor", self.vendor)
    }

    /// A whole error.
    pub(crate) fn error(&self, error: &Error) -> String {
        sentence(&format!("{}: {}", error.detail(), self.remedy(error.code())))
    }

    /// What is wrong with a license, as half a sentence.
    pub(crate) fn found(&self, case: &Case<'_>, code: Code) -> String {
        let on = |span: Option<Span>| span.map(|span| rfc3339(span.start)).unwrap_or_default();
        match code {
            Code::Revoked => format!("{} withdrew the license", self.vendor),
            Code::Suspended => {
                format!("{} put the license on hold on {}", self.vendor, on(case.suspended))
            }
            Code::NotYetValid => format!("the license begins on {}", rfc3339(case.begins)),
            Code::Expired => format!("the license ended on {}", on(case.ended)),
            Code::TokenExpired => format!("the license was to be renewed by {}", on(case.token)),
            Code::SyncOverdue => {
                format!("{}'s server was to be reached by {}", self.vendor, on(case.sync))
            }
            _ => case.misplaced().map(|error| error.detail().to_string()).unwrap_or_default(),
        }
    }

    /// Why a license is not in force, and what to do.
    pub(crate) fn refusal(&self, case: &Case<'_>, standing: &Standing, at: i64) -> String {
        let Some(code) = standing.code else { return String::new() };
        let found = self.obstacle(case, code, standing.access, at);
        sentence(&format!("{found}: {}", self.remedy(code)))
    }

    /// Why a license is not in force, as half a sentence.
    pub(crate) fn obstacle(&self, case: &Case<'_>, code: Code, access: Access, at: i64) -> String {
        let at = case.time(at);
        let span = span_of(case, code);
        let left = match (access, span.and_then(|span| span.deny)) {
            (Access::ReadOnly, Some(end)) => {
                format!(", and until {} what is there can only be read", rfc3339(end))
            }
            (Access::ReadOnly, None) => ", and what is there can only be read".to_string(),
            _ => match span.and_then(|span| Some((span.start, span.grace_end()?))) {
                Some((start, end)) if start < end && end <= at => {
                    let its = match code {
                        Code::Expired => ", its grace period",
                        _ => ", and its grace period ended",
                    };
                    format!("{its} on {}", rfc3339(end))
                }
                _ => String::new(),
            },
        };
        format!("{}{left}", self.found(case, code))
    }

    /// What is wrong already, and how long it works nevertheless.
    pub(crate) fn grace(&self, case: &Case<'_>, code: Code) -> String {
        let (found, lasts) = (self.found(case, code), self.lasts(case, code));
        sentence(&format!("{found}, and {lasts}: {}", self.remedy(code)))
    }

    /// How long it works nevertheless, as half a sentence.
    pub(crate) fn lasts(&self, case: &Case<'_>, code: Code) -> String {
        match span_of(case, code).and_then(|span| span.grace_end()) {
            Some(end) => format!("it works until {}", rfc3339(end)),
            None => "it goes on working".to_string(),
        }
    }

    /// What holds as a whole.
    pub(crate) fn whole(&self, scene: &Scene<'_>, decision: &Decision, at: i64) -> String {
        match decision.reason {
            Reason::NotEnforced => {
                sentence(&format!("{} runs the product here: nothing is enforced", self.vendor))
            }
            Reason::NotNeeded => {
                let free = "No license is needed before the first use";
                match scene.takes_over(at).map(rfc3339) {
                    Some(begin) => format!(
                        "{free}, and the one that is here begins on {begin}: there is nothing to \
                         do."
                    ),
                    None => format!("{free}: apply one when you have it."),
                }
            }
            Reason::UnlicensedGrace => {
                let free = "Everything works without a license until";
                match (scene.takes_over(at).map(rfc3339), scene.grace_end().map(rfc3339)) {
                    (Some(begin), _) => {
                        format!(
                            "{free} the one that is here begins on {begin}: there is nothing to do."
                        )
                    }
                    (_, end) => {
                        format!("{free} {}: apply one before then.", end.unwrap_or_default())
                    }
                }
            }
            Reason::Ok => scene
                .winner(decision)
                .map(|it| self.good(scene, decision, it, at))
                .unwrap_or_default(),
            Reason::No(code) => {
                let found = self.why(scene, decision, at);
                sentence(&format!("{found}: {}", self.remedy(code)))
            }
        }
    }

    /// Why not everything works, as half a sentence; empty where it does.
    pub(crate) fn why(&self, scene: &Scene<'_>, decision: &Decision, at: i64) -> String {
        let why = match (decision.reason, scene.winner(decision)) {
            (Reason::No(code), Some(case)) => self.obstacle(case, code, decision.access, at),
            (Reason::No(_), None) => self.nothing(scene),
            _ => return String::new(),
        };
        match self.ahead {
            Some(seen) => format!("{why}, as the clock once showed {}", rfc3339(seen)),
            None => why,
        }
    }

    /// A license in force.
    fn good(&self, scene: &Scene<'_>, decision: &Decision, case: &Case<'_>, at: i64) -> String {
        let causes = case.causes(at);
        let grace = causes.iter().find(|cause| cause.access == Access::Warn);
        if let Some(cause) = grace {
            return self.grace(case, cause.code);
        }
        let end = match case.held.claims.license.valid_until {
            Some(end) => format!("is in force until {}", rfc3339(end)),
            None => "is in force and has no end".to_string(),
        };
        match scene.alerts(decision, at).has(Alert::EndsSoon) {
            true => format!("The license {end}: {}.", self.remedy(Code::Expired)),
            false => format!("The license {end}: there is nothing to do."),
        }
    }

    /// No license at all, as half a sentence.
    fn nothing(&self, scene: &Scene<'_>) -> String {
        if let Some((candidate, error)) = scene.refusals().next() {
            return format!("{} was refused ({})", origin(candidate), error.detail());
        }
        if let Some(error) = &scene.facts.state.error {
            return error.detail().to_string();
        }
        match scene.grace_end() {
            Some(end) => format!("the days without a license ended on {}", rfc3339(end)),
            None => "there is no license".to_string(),
        }
    }

    /// What one source holds, refused.
    pub(crate) fn refused(&self, candidate: &Candidate, error: &Error) -> String {
        let what = format!("{} was refused ({})", origin(candidate), error.detail());
        sentence(&format!("{what}: {}", self.remedy(error.code())))
    }
}

/// The stages of a cause, where it has some.
fn span_of(case: &Case<'_>, code: Code) -> Option<Span> {
    match code {
        Code::Suspended => case.suspended,
        Code::Expired => case.ended,
        Code::TokenExpired => case.token,
        Code::SyncOverdue => case.sync,
        _ => None,
    }
}

/// Where a license comes from, for people.
pub(crate) fn origin(candidate: &Candidate) -> String {
    match candidate.source {
        Source::Installed => "the license that is installed".to_string(),
        Source::File => format!("the license in {}", candidate.name),
        Source::Environment => format!("the license in the variable {}", candidate.name),
        Source::Text => "the license in the setting `license`".to_string(),
    }
}

/// Begins with a capital, but for the name of a file, and ends with a full stop.
pub(crate) fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    if word.trim_end_matches('.').contains('.') {
        return format!("{}.", text.trim_end_matches('.'));
    }
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str().trim_end_matches('.'))
}
