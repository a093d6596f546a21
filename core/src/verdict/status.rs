//! A verdict, and the JSON of it.

use crate::errors::{Code, Error};
use crate::feature::Feature;
use crate::verdict::facts::{Access, Anchor, Failure, Held, Issuer, Now, Source, StateHealth};
use crate::verdict::words::{Event, Reason, Topic};
use serde::Serialize;
use std::sync::Arc;

/// What holds at a moment, and when that changes.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// The moment, and what the clock said.
    pub(crate) now: Now,
    /// The product's code.
    pub(crate) product: String,
    /// Whether a license is in force here.
    pub(crate) in_force: bool,
    /// What may be done with what the license lists.
    pub(crate) access: Access,
    /// Why.
    pub(crate) reason: Reason,
    /// What holds and what to do, in one sentence.
    pub(crate) message: String,
    /// Why not everything works, without what to do; empty where it does.
    pub(crate) found: String,
    /// The first later second at which any of this changes by itself.
    pub(crate) next_change_at: Option<i64>,
    /// The license that decides, in force or not.
    pub(crate) winner: Option<Winner>,
    /// What it lists, in its order.
    pub(crate) features: Vec<FeatureVerdict>,
    /// What to know.
    pub(crate) warnings: Vec<Warning>,
    /// Every date, past and future.
    pub(crate) timeline: Vec<Step>,
    /// Every source, with what became of it.
    pub(crate) sources: Vec<SourceVerdict>,
    /// The first use.
    pub(crate) anchor: Option<Anchor>,
    /// Days without a license, from the anchor.
    pub(crate) grace_days: Option<u32>,
    /// The first second after the time without a license.
    pub(crate) grace_until: Option<i64>,
    /// Why the clock is not believed; `None` = it is.
    pub(crate) suspicion: Option<String>,
    /// What the issuer last said of the license that decides.
    pub(crate) issuer: Option<Issuer>,
    /// Why it could not be asked since.
    pub(crate) failure: Option<Failure>,
    /// How the folder is.
    pub(crate) state: StateHealth,
}

/// The license that decides.
#[derive(Clone, Debug)]
pub(crate) struct Winner {
    /// The license.
    pub(crate) held: Arc<Held>,
    /// Where it comes from.
    pub(crate) source: Source,
    /// The path or the variable; empty for the others.
    pub(crate) name: String,
    /// The end of its grace period; `None` = it has none, or nothing ever stops.
    pub(crate) grace_until: Option<i64>,
    /// Days until its end, begun ones included; `None` = no end.
    pub(crate) days_left: Option<i64>,
}

/// What holds for one feature.
#[derive(Clone, Debug)]
pub(crate) struct FeatureVerdict {
    /// What the license says.
    pub(crate) feature: Feature,
    /// What may be done with it.
    pub(crate) access: Access,
    /// Why.
    pub(crate) reason: Reason,
    /// How much was used, where it is metered.
    pub(crate) used: Option<u64>,
    /// The highest level of the month; of the other meters, the same as `used`.
    pub(crate) high: Option<u64>,
    /// Where work stops; `None` = nowhere.
    pub(crate) stops_at: Option<u64>,
    /// What is left of `max`.
    pub(crate) left: Option<u64>,
    /// Whether `max` was reached.
    pub(crate) reached: bool,
    /// When a counter starts again, or the oldest key leaves the window.
    pub(crate) resets_at: Option<i64>,
    /// Whether its own limit warns or stops it.
    pub(crate) over_limit: bool,
}

/// Something to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Warning {
    /// What it is about.
    pub(crate) code: Topic,
    /// What holds and what to do.
    pub(crate) message: String,
    /// The time it is about, where there is one.
    pub(crate) at: Option<i64>,
}

/// Something that happens at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// When.
    pub(crate) at: i64,
    /// What.
    pub(crate) event: Event,
    /// What may be done from then on with what the license lists.
    pub(crate) access: Access,
    /// What, in a sentence.
    pub(crate) message: String,
}

/// What became of one source.
#[derive(Clone, Debug)]
pub(crate) struct SourceVerdict {
    /// Which it is.
    pub(crate) source: Source,
    /// The path or the variable; empty for the others.
    pub(crate) name: String,
    /// Whether it decides.
    pub(crate) used: bool,
    /// The license.
    pub(crate) id: Option<String>,
    /// The token.
    pub(crate) token_id: Option<String>,
    /// The name of the license for people.
    pub(crate) serial: Option<String>,
    /// The first second of the license.
    pub(crate) valid_from: Option<i64>,
    /// The first second after it; `None` = it has no end.
    pub(crate) valid_until: Option<i64>,
    /// `Ok` where the license would be in force by itself.
    pub(crate) result: Reason,
    /// What was found, and what to do.
    pub(crate) message: String,
}

/// What the hot path keeps of a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    /// What the license lists, sorted by id.
    pub(crate) features: Box<[(Box<str>, Access)]>,
    /// What may be done with everything else.
    pub(crate) otherwise: Access,
    /// The first later second at which any of this changes by itself.
    pub(crate) next_change_at: Option<i64>,
}

impl Gate {
    /// What may be done with a feature.
    pub(crate) fn access(&self, feature: &[u8]) -> Access {
        let found = self.features.binary_search_by(|(id, _)| id.as_bytes().cmp(feature));
        let listed = found.ok().and_then(|at| self.features.get(at));
        listed.map_or(self.otherwise, |(_, access)| *access)
    }
}

impl Verdict {
    /// What may be done with what no license lists.
    #[cfg(test)]
    pub(crate) fn otherwise(&self) -> Access {
        if self.reason.is_free() { self.access } else { Access::Deny }
    }

    /// What may be done with a feature.
    #[cfg(test)]
    pub(crate) fn access(&self, feature: &str) -> Access {
        self.feature(feature).map_or(self.otherwise(), |found| found.access)
    }

    /// What the hot path keeps: `verdict::gate` gives the same, and sooner.
    #[cfg(test)]
    pub(crate) fn gate(&self) -> Gate {
        let mut features: Vec<(Box<str>, Access)> =
            self.features.iter().map(|it| (it.feature.id.as_str().into(), it.access)).collect();
        features.sort_unstable();
        let (otherwise, next_change_at) = (self.otherwise(), self.next_change_at);
        Gate { features: features.into(), otherwise, next_change_at }
    }

    /// The license that decides, in force or not.
    #[cfg(test)]
    pub(crate) fn winner(&self) -> Option<&Held> {
        self.winner.as_ref().map(|winner| &*winner.held)
    }

    /// Why not everything works, as an error.
    pub(crate) fn error(&self) -> Error {
        match self.reason {
            Reason::No(code) => Error::new(code, &self.found),
            _ => Error::new(Code::Internal, "there is nothing in the way"),
        }
    }

    /// What holds for a feature that the license lists.
    pub(crate) fn feature(&self, id: &str) -> Option<&FeatureVerdict> {
        self.features.iter().find(|found| found.feature.id == id)
    }
}
