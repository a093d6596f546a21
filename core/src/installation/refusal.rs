//! What a host answers where a feature may not be used.

use super::wording::Wording;
use super::{Installation, Refusal};
use crate::verdict::{self, Access, Verdict};

impl Installation {
    pub(crate) fn refuse(&self, feature: &[u8]) -> Option<Refusal> {
        // One for the answer and its reason: the next second may have another.
        let snapshot = self.answers();
        if snapshot.gate.access(feature) >= Access::Warn {
            return None;
        }
        let verdict = verdict::judge(&snapshot.view.facts, &snapshot.now);
        let feature = String::from_utf8_lossy(feature);
        Some(refusal(&verdict, &feature, &snapshot.view.facts.terms))
    }
}

fn refusal(verdict: &Verdict, feature: &str, terms: &verdict::Terms) -> Refusal {
    let of_feature = verdict.in_force.then(|| verdict.feature(feature));
    let reason = match &of_feature {
        Some(Some(feature)) => feature.reason.slug(),
        Some(None) => "not_granted",
        None => verdict.reason.slug(),
    };
    let detail = Wording::new(terms).of(reason).unwrap_or_else(|| verdict.message.clone());
    let status = match reason {
        "not_granted" => 403,
        "limit_exceeded" => 429,
        _ => 400,
    };
    let body = serde_json::json!({ "detail": detail, "code": reason }).to_string();
    Refusal { status, body }
}
