//! What a host answers where a feature may not be used: the texts of seed 000 where it has one.

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
    let vendor = terms.vendor.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
    let manager = format!("Please contact your {vendor}account manager for assistance");
    let representative = format!("Please contact your {vendor}account representative");
    let (status, detail) = match reason {
        "not_licensed" => match terms.grace_days {
            Some(days) => (
                400,
                format!(
                    "A license is required after {days} days of datastore connectivity. \
                     {representative}"
                ),
            ),
            None => (400, format!("A license is required. {representative}")),
        },
        "expired" => (400, format!("License has expired. {manager}")),
        "bad_signature" => (400, format!("Invalid license signature. {manager}.")),
        "wrong_machine" => {
            (400, format!("License is invalid due to fingerprint mismatch. {manager}"))
        }
        "state_corrupt" => {
            (400, format!("This deployment's data is in an invalid state. {representative}"))
        }
        "not_granted" => (403, format!("The license does not include this. {representative}")),
        "limit_exceeded" => {
            (429, format!("The license's limit has been reached. {representative}"))
        }
        _ => (400, verdict.message.clone()),
    };
    let body = serde_json::json!({ "detail": detail, "code": reason }).to_string();
    Refusal { status, body }
}
