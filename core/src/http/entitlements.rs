//! `GET` and `POST /api/v1/license`: what the license grants, and a license key or a license to
//! put in its place.

use super::Answer;
use super::assign::folder_status;
use super::body;
use super::call::Call;
use super::refusal::Refusal;
use crate::clock::rfc3339;
use crate::errors::{Code, Error};
use crate::feature::Feature;
use crate::installation::Known;
use crate::limits::LICENSE_KEY_MAX;
use crate::stages::Stages;
use crate::verdict::{IssuerStatus, Reason, Verdict, Winner};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Every answer but a refusal.
#[derive(Serialize)]
struct Envelope<'a> {
    data: Data<'a>,
    message: &'a str,
    status: &'a str,
}

#[derive(Serialize)]
struct Data<'a> {
    license: Option<License<'a>>,
    monthly_tx_counter: u64,
    monthly_tx_limit_reached: bool,
    status: &'static str,
}

#[derive(Serialize)]
struct License<'a> {
    created: String,
    customer_name: Option<&'a str>,
    delay_expiry_days: Option<u32>,
    delay_max_uses_perc: u32,
    entitlements: Entitlements<'a>,
    expiry: Option<String>,
    id: &'a str,
    key: Option<&'a str>,
    last_validated: Option<String>,
    max_machines: Option<u64>,
    ordered_entitlements_keys: Vec<&'a str>,
    policy: Option<&'a str>,
    status: &'static str,
    suspended: bool,
    updated: String,
}

/// An object with a member for each feature, in the order of the license.
struct Entitlements<'a>(&'a [Feature]);

#[derive(Serialize)]
struct Entitlement<'a> {
    is_limited: bool,
    max_uses: Option<MaxUses>,
    name: &'a str,
}

/// How much may be used of what is measured.
enum MaxUses {
    Number(u64),
    Unlimited,
}

pub(crate) fn show(call: &Call<'_>) -> Result<Answer, Refusal> {
    Ok(answer(call, "License info"))
}

/// What can be a license key goes to the issuer; anything else is applied as what it is.
pub(crate) fn insert(call: &Call<'_>) -> Result<Answer, Refusal> {
    let refuse = |what: &str| Refusal::of(400, &Error::new(Code::Malformed, what));
    let members = body::members(call)?;
    let given = members.get("license_key").ok_or_else(|| refuse("license_key is required"))?;
    let given = given.as_str().ok_or_else(|| refuse("license_key is not a text"))?.trim();
    let inserted = match is_key(given) {
        true => call.it.activate(given),
        false => call.it.apply(given.as_bytes()),
    };
    inserted.map_err(|error| {
        let (known, _) = call.verdict();
        let folder = folder_status(known.view.facts.state.error.as_ref(), &error);
        // No such key, and nobody to take it to, is what a caller can do something about.
        let other = if error.code() == Code::Unreachable { 502 } else { 400 };
        Refusal::of(folder.unwrap_or(other), &error)
    })?;
    Ok(answer(call, "License succesfully inserted"))
}

/// Whether a text can be what a person types. No signed document is that short.
fn is_key(text: &str) -> bool {
    (1..=LICENSE_KEY_MAX).contains(&text.len())
}

fn answer(call: &Call<'_>, message: &str) -> Answer {
    let (known, verdict) = call.verdict();
    let monthly = known.view.facts.terms.monthly_meter.as_str();
    let meter = verdict.feature(monthly);
    let status = word(verdict.standing());
    let data = Data {
        license: verdict.winner.as_ref().map(|it| license(it, &known, &verdict, status)),
        monthly_tx_counter: meter
            .and_then(|it| it.used)
            .unwrap_or_else(|| used_this_month(&known, monthly)),
        monthly_tx_limit_reached: meter.is_some_and(|it| it.reached),
        status,
    };
    Answer::json(200, &Envelope { data, message, status: "ok" })
}

fn license<'a>(
    winner: &'a Winner,
    known: &'a Known,
    verdict: &'a Verdict,
    status: &'static str,
) -> License<'a> {
    let claims = &winner.held.claims;
    let license = &claims.license;
    let over = |id: &str| verdict.feature(id).and_then(|it| it.feature.over);
    let issuer = verdict.issuer.as_ref();
    License {
        created: instant(license.created_at.unwrap_or(claims.iat)),
        customer_name: license.customer.as_ref().and_then(|it| it.name.as_deref()),
        delay_expiry_days: delay(license.stages.as_ref()),
        delay_max_uses_perc: over(&known.view.facts.terms.monthly_meter).unwrap_or(0),
        entitlements: Entitlements(&license.features),
        expiry: license.valid_until.map(instant),
        id: &license.id,
        key: known.view.state.as_ref().and_then(|state| state.key_of(&license.id)),
        last_validated: issuer.map(|issuer| instant(issuer.last_contact)),
        max_machines: license.machines,
        ordered_entitlements_keys: license.features.iter().map(|it| it.id.as_str()).collect(),
        policy: license.policy.as_deref(),
        status,
        suspended: issuer.is_some_and(|issuer| issuer.status == IssuerStatus::Suspended),
        updated: instant(license.updated_at.unwrap_or(claims.iat)),
    }
}

/// What a license comes to. One that works is active, whatever was said of it; `none` is said of
/// one that does not hold here, or has not begun.
fn word(standing: Option<Reason>) -> &'static str {
    match standing {
        Some(Reason::No(Code::Revoked)) => "revoked",
        Some(Reason::No(Code::Suspended)) => "suspended",
        Some(Reason::No(Code::Expired | Code::TokenExpired | Code::SyncOverdue)) => "expired",
        Some(Reason::No(_)) | None => "none",
        Some(_) => "active",
    }
}

/// Days after the end for which everything works; `None` = for ever.
fn delay(stages: Option<&Stages>) -> Option<u32> {
    let Some(ended) = stages.and_then(|stages| stages.ended) else { return Some(0) };
    ended.read_only.or(ended.deny)
}

/// What was counted in this month of a feature that the license does not list.
fn used_this_month(known: &Known, id: &str) -> u64 {
    let (meter, per) = (Some("count".to_string()), Some("month".to_string()));
    let feature = Feature { meter, per, ..Feature::new(id) };
    known.view.facts.usage.of(&feature, known.now.at).used
}

/// An instant with milliseconds: of whole seconds, none.
fn instant(at: i64) -> String {
    let text = rfc3339(at);
    text.strip_suffix('Z').map(|time| format!("{time}.000Z")).unwrap_or(text)
}

impl Serialize for Entitlements<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for feature in self.0 {
            let is_limited = feature.meter.is_some();
            let unlimited = is_limited.then_some(MaxUses::Unlimited);
            let entitlement = Entitlement {
                is_limited,
                max_uses: feature.max.map(MaxUses::Number).or(unlimited),
                name: feature.name.as_deref().unwrap_or(&feature.id),
            };
            map.serialize_entry(&feature.id, &entitlement)?;
        }
        map.end()
    }
}

impl Serialize for MaxUses {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            MaxUses::Number(max) => to.serialize_u64(*max),
            MaxUses::Unlimited => to.serialize_str("unlimited"),
        }
    }
}
