//! `GET /api/license`: what everybody may know, and what an administrator sees there.

use super::Answer;
use super::call::Call;
use super::refusal::Refusal;
use crate::clock::rfc3339;
use crate::feature::Feature;
use crate::installation::Known;
use crate::verdict::{Access, Support, Verdict, Winner};
use serde::Serialize;

/// Days over which leases are counted, where neither the license nor the site says.
const LEASE_WINDOW: u32 = 30;

/// The meter of leases, and the one of accounts.
const LEASES: &str = "leases";
const USERS: &str = "users";

/// Every member, in its order: what is empty, zero or false is left out where it may be.
#[derive(Serialize)]
struct Status<'a> {
    valid: bool,
    licensed: bool,
    #[serde(skip_serializing_if = "is_empty")]
    license_id: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    customer_name: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    tier: &'a str,
    ipv4_enabled: bool,
    ipv6_enabled: bool,
    #[serde(skip_serializing_if = "is_zero")]
    max_users: u64,
    #[serde(skip_serializing_if = "is_zero")]
    max_active_leases: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    support_expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_lease_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_count_window: Option<u32>,
    #[serde(skip_serializing_if = "is_false")]
    lease_count_exceeded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_expires: Option<String>,
    support_valid: bool,
    license_valid: bool,
    #[serde(skip_serializing_if = "is_zero")]
    days_remaining: u64,
    message: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    license_type: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    binding_mode: &'a str,
    #[serde(skip_serializing_if = "is_empty")]
    bound_installation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    installation_id: Option<&'a str>,
    warning_days_before: u32,
    automation_enabled: bool,
    llm_analysis_enabled: bool,
    strategic_analysis_enabled: bool,
    trial_expired: bool,
    support_expired: bool,
    warning_active: bool,
    #[serde(skip_serializing_if = "is_empty")]
    warning_message: &'a str,
}

/// The whole object for an administrator, and for everybody where the site says so. Strangers
/// may ask as often as they like: for them nothing is looked at more than once a second.
pub(crate) fn status(call: &Call<'_>) -> Result<Answer, Refusal> {
    let knows = call.caller().is_some_and(|caller| caller.is_administrator());
    let (known, verdict) = if knows { call.verdict() } else { call.glance() };
    let minimal = minimal(&known, &verdict);
    if !knows && !call.it.site().tells_all {
        return Ok(Answer::json(200, &minimal));
    }
    let warnings: Vec<&str> = verdict.warnings.iter().map(|it| it.message.as_str()).collect();
    let warnings = warnings.join(" ");
    let mut status = full(call, &known, &verdict, minimal);
    status.warning_message = &warnings;
    Ok(Answer::json(200, &status))
}

/// What anybody may know: no name, no date, no count, and nothing that this license says but
/// which of the features work that a page has to know before anybody signs in.
fn minimal(known: &Known, verdict: &Verdict) -> Status<'static> {
    let (works, support) = (verdict.works(), verdict.support());
    let works_with = |feature: &str| known.gate.access(feature.as_bytes()) >= Access::Warn;
    let is_trial = verdict.winner.as_ref().is_some_and(|it| kind(it) == "trial");
    let warning_active = !verdict.warnings.is_empty();
    Status {
        valid: works && support == Support::Holds,
        licensed: verdict.winner.is_some(),
        license_id: "",
        customer_name: "",
        description: "",
        tier: "",
        ipv4_enabled: works_with("ipv4"),
        ipv6_enabled: works_with("ipv6"),
        max_users: 0,
        max_active_leases: 0,
        support_expires: None,
        active_lease_count: None,
        lease_count_window: None,
        lease_count_exceeded: false,
        license_expires: None,
        support_valid: support == Support::Holds,
        license_valid: works,
        days_remaining: 0,
        message: message(verdict, support),
        license_type: "",
        binding_mode: "",
        bound_installation_id: "",
        installation_id: None,
        warning_days_before: known.view.facts.terms.warning_days,
        automation_enabled: works_with("automation"),
        llm_analysis_enabled: works_with("llm_analysis"),
        strategic_analysis_enabled: works_with("strategic_analysis"),
        trial_expired: is_trial && verdict.has_expired(),
        support_expired: support == Support::Ended,
        warning_active,
        warning_message: if warning_active { ATTENTION } else { "" },
    }
}

/// The fixed texts for strangers.
const ATTENTION: &str = "The license needs attention: an administrator can see why.";

fn message(verdict: &Verdict, support: Support) -> &'static str {
    match (verdict.works(), support, verdict.winner.is_some()) {
        (true, Support::Ended, _) => {
            "The license is valid, and its support has ended: an administrator can see more."
        }
        (true, _, true) => "The license is valid.",
        (true, _, false) => "No license is needed now.",
        (false, _, true) => "The license is not valid: an administrator can see why.",
        (false, _, false) => "A license is needed: an administrator can apply one.",
    }
}

/// Everything, on top of what anybody may know.
fn full<'a>(
    call: &'a Call<'_>,
    known: &'a Known,
    verdict: &'a Verdict,
    minimal: Status<'a>,
) -> Status<'a> {
    let leases = verdict.feature(LEASES).map(|it| &it.feature);
    let max = |id: &str| verdict.feature(id).and_then(|it| it.feature.max);
    let window = leases.and_then(|it| it.days).or(call.it.site().lease_window);
    let window = window.unwrap_or(LEASE_WINDOW);
    let count = active_leases(known, leases, window);
    let days = verdict.days_left().and_then(|days| u64::try_from(days).ok());
    let own = &call.it.product().settings().installation;
    let status = Status {
        max_users: max(USERS).unwrap_or(0),
        max_active_leases: max(LEASES).unwrap_or(0),
        active_lease_count: Some(count),
        lease_count_window: Some(window),
        lease_count_exceeded: max(LEASES).is_some_and(|max| count > max),
        days_remaining: days.unwrap_or(0),
        message: &verdict.message,
        installation_id: own.as_deref().or(verdict.state.installation.as_deref()).or(Some("")),
        ..minimal
    };
    match &verdict.winner {
        Some(winner) => with_license(winner, status),
        None => status,
    }
}

fn with_license<'a>(winner: &'a Winner, status: Status<'a>) -> Status<'a> {
    let license = &winner.held.claims.license;
    let customer = license.customer.as_ref();
    let binding = license.binding.as_ref();
    let notice = license.notice.as_ref().and_then(|notice| notice.license);
    let bound = binding.is_some_and(|it| {
        it.machine.is_some() || it.installation.is_some() || it.instance.is_some()
    });
    Status {
        license_id: &license.id,
        customer_name: text(customer.and_then(|it| it.name.as_ref())),
        description: text(license.description.as_ref()),
        tier: text(license.tier.as_ref()),
        support_expires: license.support_until.map(last_date),
        license_expires: license.valid_until.map(last_date),
        license_type: match (kind(winner), license.valid_until) {
            ("trial", _) => "trial",
            (_, None) => "permanent",
            (_, Some(_)) => "subscription",
        },
        binding_mode: if bound { "bound" } else { "any" },
        bound_installation_id: text(binding.and_then(|it| it.installation.as_ref())),
        warning_days_before: notice.unwrap_or(status.warning_days_before),
        ..status
    }
}

/// Leases of the last days, as the license measures them; if it does not, by their keys all the
/// same.
fn active_leases(known: &Known, feature: Option<&Feature>, window: u32) -> u64 {
    let measured = feature.filter(|it| it.meter.is_some() && it.is_known());
    let by_keys = || Feature {
        meter: Some("distinct".to_string()),
        days: Some(window),
        ..Feature::new(LEASES)
    };
    let feature = measured.cloned().unwrap_or_else(by_keys);
    known.view.facts.usage.of(&feature, known.now.at).used
}

fn kind(winner: &Winner) -> &str {
    &winner.held.claims.license.kind
}

/// The UTC date of the last second before an end.
fn last_date(end: i64) -> String {
    let text = rfc3339(end.saturating_sub(1));
    text.split('T').next().unwrap_or_default().to_string()
}

fn text(given: Option<&String>) -> &str {
    given.map(String::as_str).unwrap_or_default()
}

fn is_empty(text: &str) -> bool {
    text.is_empty()
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(it: &bool) -> bool {
    !*it
}
