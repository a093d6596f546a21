//! What a license grants and for how long: from what was asked, the policy and the product.

use crate::api::given::{self, object, objects};
use crate::api::products::VALID_DAYS_MAX;
use crate::binding::HardwareBinding;
use crate::claims::DAY;
use crate::error::{Code, Error, Result};
use crate::store::products;
use crate::terms::{Moment, Terms};
use licentia::Feature;
use licentia::limits::TIME_MAX;
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Seats and machines of one license, at most.
pub const COUNT_MAX: i64 = 1_000_000;

/// What kind of license it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LicenseType {
    /// Without end.
    Perpetual,
    /// For a time.
    Subscription,
    /// For a time, to try it.
    Trial,
    /// For the machine that activates it first, or that it is bound to.
    NodeLocked,
    /// With seats that come and go.
    Floating,
}

impl LicenseType {
    /// Every one.
    pub const ALL: [LicenseType; 5] = [
        LicenseType::Perpetual,
        LicenseType::Subscription,
        LicenseType::Trial,
        LicenseType::NodeLocked,
        LicenseType::Floating,
    ];

    /// The one with a word.
    pub fn of(word: &str) -> Option<LicenseType> {
        LicenseType::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            LicenseType::Perpetual => "perpetual",
            LicenseType::Subscription => "subscription",
            LicenseType::Trial => "trial",
            LicenseType::NodeLocked => "node_locked",
            LicenseType::Floating => "floating",
        }
    }
}

/// A feature in full: docs/format.md, section 3.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Entitlement {
    /// What the program asks for.
    #[schema(pattern = "^[a-z0-9][a-z0-9_.:-]{0,63}$")]
    pub id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 256)]
    pub name: Option<String>,
    /// How its use is measured: `count`, `level` or `distinct`; absent = not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// With `count`: the counter starts anew each `hour`, `day`, `month`, `year`, or for `ever`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// With `distinct`: the window in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 366)]
    pub days: Option<u32>,
    /// The limit; absent = none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 9007199254740991_i64)]
    pub max: Option<u64>,
    /// Per cent over the limit before work stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1000)]
    pub over: Option<u32>,
    /// Past the limit: `stop`, or `count` on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

impl From<Entitlement> for Feature {
    fn from(it: Entitlement) -> Feature {
        let Entitlement { id, name, meter, per, days, max, over, then } = it;
        Feature { id, name, meter, per, days, max, over, then }
    }
}

impl From<Feature> for Entitlement {
    fn from(it: Feature) -> Entitlement {
        let Feature { id, name, meter, per, days, max, over, then } = it;
        Entitlement { id, name, meter, per, days, max, over, then }
    }
}

/// What licenses begin with: all that a policy says, and what is asked for a license.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Absent = subscription.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_type: Option<LicenseType>,
    /// How long licenses are valid; 0 = without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 36525)]
    pub valid_days: Option<i64>,
    /// The ids of what is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1024)]
    pub features: Option<Vec<String>>,
    /// Features in full; those that are not among `features` come after them.
    #[serde(default, deserialize_with = "objects", skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 1024)]
    pub entitlements: Option<Vec<Entitlement>>,
    /// How many seats there are to take at a time; absent = 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    pub max_seats: Option<i64>,
    /// On how many machines a license may be activated; absent = `max_seats`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000000)]
    pub max_machines: Option<i64>,
    /// All else.
    #[serde(default, deserialize_with = "object", skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
}

impl Template {
    /// Fails with `invalid_argument` for what no license can be made from.
    pub fn check(&self) -> Result<()> {
        given::within("valid_days", self.valid_days, 0, VALID_DAYS_MAX)?;
        given::within("max_seats", self.max_seats, 1, COUNT_MAX)?;
        given::within("max_machines", self.max_machines, 1, COUNT_MAX)?;
        match (self.license_type, self.valid_days) {
            (Some(LicenseType::Perpetual), Some(1..)) => return Err(no_end()),
            (Some(LicenseType::Trial), Some(0)) => return Err(trial_ends()),
            _ => {}
        }
        let (features, entitlements) = (self.features.as_deref(), self.entitlements.clone());
        combine(features.unwrap_or_default(), entitlements.unwrap_or_default())?;
        self.terms.as_ref().map_or(Ok(()), Terms::check)
    }
}

/// A license to be.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLicense {
    /// The product it is for.
    pub product_id: Uuid,
    /// A policy: whatever is absent here is as it says.
    pub policy_id: Option<Uuid>,
    /// Absent = subscription.
    pub license_type: Option<LicenseType>,
    /// Your id of the customer.
    #[schema(min_length = 1, max_length = 255)]
    pub customer_id: Option<String>,
    /// Where to write to the customer.
    #[schema(min_length = 1, max_length = 320)]
    pub customer_email: Option<String>,
    /// What the customer is called.
    #[schema(min_length = 1, max_length = 255)]
    pub customer_name: Option<String>,
    /// The ids of what is enabled; absent = the default features of the product.
    #[schema(max_items = 1024)]
    pub features: Option<Vec<String>>,
    /// Features in full; those that are not among `features` come after them.
    #[serde(default, deserialize_with = "objects")]
    #[schema(max_items = 1024)]
    pub entitlements: Option<Vec<Entitlement>>,
    /// How long it is valid, in days; 0 = without end, absent = as the product says.
    #[schema(minimum = 0, maximum = 36525)]
    pub valid_days: Option<i64>,
    /// When it begins; absent = now.
    pub valid_from: Option<Moment>,
    /// When it ends, instead of `valid_days`.
    pub valid_until: Option<Moment>,
    /// How many seats there are to take at a time; absent = 1.
    #[schema(minimum = 1, maximum = 1000000)]
    pub max_seats: Option<i64>,
    /// On how many machines it may be activated; absent = `max_seats`.
    #[schema(minimum = 1, maximum = 1000000)]
    pub max_machines: Option<i64>,
    /// Where it may be used; null = anywhere, and node_locked binds at the first activation.
    #[serde(default, deserialize_with = "object")]
    pub hardware_binding: Option<HardwareBinding>,
    /// Terms; a member that is absent is as the policy says, one that is null is not said.
    #[schema(value_type = Option<Terms>)]
    pub terms: Option<Map<String, Value>>,
}

/// Type, beginning and end of a license.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dates {
    /// The type.
    pub kind: LicenseType,
    /// The first second in force.
    pub from: i64,
    /// The first second after it.
    pub until: Option<i64>,
}

impl NewLicense {
    /// Its dates. Fails with `invalid_argument` where they contradict each other.
    pub fn dates(&self, policy: &Template, product: &products::Model, now: i64) -> Result<Dates> {
        given::within("valid_days", self.valid_days, 0, VALID_DAYS_MAX)?;
        if self.valid_days.is_some() && self.valid_until.is_some() {
            return Err(Error::invalid("Send valid_days or valid_until, not both"));
        }
        let kind = self.license_type.or(policy.license_type);
        let from = self.valid_from.map_or(now, |at| at.0);
        let until = match (kind, self.valid_days, self.valid_until) {
            (Some(LicenseType::Perpetual), Some(1..), _)
            | (Some(LicenseType::Perpetual), _, Some(_)) => return Err(no_end()),
            (Some(LicenseType::Perpetual), ..) => None,
            (_, Some(days), _) => end(from, days)?,
            (_, None, Some(until)) => Some(until.0),
            _ => end(from, policy.valid_days.unwrap_or(product.default_valid_days))?,
        };
        if until.is_some_and(|until| until <= from) {
            return Err(Error::invalid("valid_until is after valid_from"));
        }
        Ok(Dates { kind: kind_of(kind, until)?, from, until })
    }

    /// What it grants.
    pub fn granted(&self, policy: &Template, product: &products::Model) -> Result<Vec<Feature>> {
        let from_policy = policy.entitlements.clone().unwrap_or_default();
        if let (Some(features), None) = (&self.features, &self.entitlements) {
            return defined(features, from_policy);
        }
        let features = self.features.clone().or_else(|| policy.features.clone());
        let features = match (features, &policy.entitlements) {
            (Some(features), _) => features,
            // A policy that lists entitlements says all.
            (None, Some(_)) => Vec::new(),
            (None, None) => product.default_features(),
        };
        combine(&features, self.entitlements.clone().unwrap_or(from_policy))
    }
}

/// A subscription without end is called perpetual.
pub fn kind_of(kind: Option<LicenseType>, until: Option<i64>) -> Result<LicenseType> {
    match (kind.unwrap_or(LicenseType::Subscription), until) {
        (LicenseType::Subscription, None) => Ok(LicenseType::Perpetual),
        (LicenseType::Trial, None) => Err(trial_ends()),
        (LicenseType::Perpetual, Some(_)) => Err(no_end()),
        (kind, _) => Ok(kind),
    }
}

fn no_end() -> Error {
    Error::invalid(
        "A perpetual license has no end: leave valid_days and valid_until out, or choose another \
         license_type",
    )
}

fn trial_ends() -> Error {
    Error::invalid("A trial has an end: say valid_days, 1 or more")
}

/// So many days after `from`; 0 = never.
pub fn end(from: i64, days: i64) -> Result<Option<i64>> {
    if days == 0 {
        return Ok(None);
    }
    let until = days.checked_mul(DAY).and_then(|seconds| from.checked_add(seconds));
    let until = until.filter(|until| *until <= TIME_MAX);
    until.map(Some).ok_or_else(|| Error::invalid("The end is later than the year 9999"))
}

/// Exactly these features, in full where `known` has them.
pub fn defined(ids: &[String], known: Vec<Entitlement>) -> Result<Vec<Feature>> {
    let listed: HashMap<String, Entitlement> =
        known.into_iter().map(|it| (it.id.clone(), it)).collect();
    let chosen = ids.iter().filter_map(|id| listed.get(id).cloned()).collect();
    combine(ids, chosen)
}

/// These features, and after them those that only `entitlements` has. Fails with
/// `invalid_argument` for what no license can grant.
pub fn combine(ids: &[String], entitlements: Vec<Entitlement>) -> Result<Vec<Feature>> {
    given::feature_ids("features", ids.iter().map(String::as_str))?;
    given::feature_ids("entitlements", entitlements.iter().map(|it| it.id.as_str()))?;
    let mut full: Vec<Feature> = Vec::with_capacity(ids.len() + entitlements.len());
    full.extend(ids.iter().map(Feature::new));
    for entitlement in entitlements {
        let feature = Feature::from(entitlement);
        if !feature.is_known() {
            return Err(Error::invalid(format!(
                "entitlements: {}: meter is count, level or distinct, per is hour, day, month, \
                 year or ever, then is stop or count",
                feature.id
            )));
        }
        feature.check().map_err(|error| Error::invalid(format!("entitlements: {error}")))?;
        match full.iter_mut().find(|known| known.id == feature.id) {
            Some(known) => *known = feature,
            None => full.push(feature),
        }
    }
    given::feature_ids("features", full.iter().map(|feature| feature.id.as_str()))?;
    Ok(full)
}

/// Terms with some members otherwise: one that is null is taken away. Fails with `malformed` for
/// members that there are not, and with `invalid_argument` for what no license can say.
pub fn changed_terms(before: &Terms, change: Option<Map<String, Value>>) -> Result<Terms> {
    let Some(change) = change else { return Ok(before.clone()) };
    let Ok(Value::Object(mut all)) = serde_json::to_value(before) else {
        return Err(Error::new(Code::Internal, "The terms cannot be written"));
    };
    for (name, value) in change {
        // A member that is null may also be one that is not known: it is read to find out.
        all.insert(name, value);
    }
    let terms: Terms = serde_json::from_value(Value::Object(all))
        .map_err(|error| Error::new(Code::Malformed, format!("terms: {error:.200}")))?;
    terms.check()?;
    Ok(terms)
}
