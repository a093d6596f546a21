//! Where a license may be used: as the API says it, and as the license does.

use crate::api::given::objects;
use crate::error::{Code, Error, Result};
use crate::store::licenses;
use crate::terms::{BindRule, BindTo, Terms};
use licentia::machine::{self, Kind, Options, Report};
use licentia::{Binding, Code as Core};
use sea_orm::prelude::Uuid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How the parts of a machine are hashed: docs/machine.md, version 1.
pub const ALGORITHM: &str = "licentia-machine-1";

/// Characters of a fingerprint.
const FINGERPRINT_MAX: usize = 256;

/// Where a license may be used: everything that is present has to hold. Of `components` and
/// `fingerprint` there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HardwareBinding {
    /// How the components are hashed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "licentia-machine-1")]
    pub algorithm: Option<String>,
    /// How many kinds of components have to match; absent = three of five.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 32)]
    pub threshold: Option<u32>,
    /// Parts of the machine, as its report has them. A kind counts once, by any one of its hashes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "objects")]
    #[schema(min_items = 1, max_items = 2048)]
    pub components: Option<Vec<Part>>,
    /// What the host says the machine is (the setting `machine` of the product): an exact match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 256)]
    pub fingerprint: Option<String>,
    /// The id of an installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub installation: Option<Uuid>,
    /// The root URL of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 1024)]
    pub instance: Option<String>,
}

/// One part of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The kind, such as `machine_id`.
    #[schema(min_length = 1, max_length = 64)]
    pub kind: String,
    /// Its hash for this product: 22 characters.
    #[schema(min_length = 22, max_length = 22)]
    pub hash: String,
}

impl HardwareBinding {
    /// Reads what is kept. Fails with `internal`.
    pub fn read(json: &str) -> Result<HardwareBinding> {
        serde_json::from_str(json).map_err(|error| {
            tracing::error!(%error, "a binding of a license that cannot be read");
            Error::new(Code::Internal, "The binding of the license cannot be read")
        })
    }

    /// With what it leaves to us filled in. Fails with `invalid_argument` for what no license of
    /// the product `code` can be bound to.
    pub fn complete(mut self, code: &str) -> Result<HardwareBinding> {
        if let (Some(parts), None) = (&self.components, self.threshold) {
            let mut kinds: Vec<&str> = parts.iter().map(|part| part.kind.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            self.threshold = u32::try_from((3 * kinds.len()).div_ceil(5)).ok();
        }
        if self.components.is_some() && self.algorithm.is_none() {
            self.algorithm = Some(ALGORITHM.to_string());
        }
        self.binding(code)?;
        Ok(self)
    }

    /// As a license of the product `code` says it.
    pub fn binding(&self, code: &str) -> Result<Binding> {
        let machine = self.machine(code)?;
        if let Some(url) = &self.instance {
            let good = url.starts_with("https://") || url.starts_with("http://");
            if !good || url.len() > 1024 || url.chars().any(|c| c.is_control() || c == ' ') {
                let what = "hardware_binding.instance is a URL of at most 1024 bytes";
                return Err(Error::invalid(what));
            }
        }
        let installation = self.installation.map(|id| id.hyphenated().to_string());
        let binding = Binding { machine, installation, instance: self.instance.clone() };
        if binding == Binding::default() {
            let what = "hardware_binding binds to nothing: give it components or a fingerprint, \
                        or make it null";
            return Err(Error::invalid(what));
        }
        Ok(binding)
    }

    fn machine(&self, code: &str) -> Result<Option<machine::Binding>> {
        let wrong = |what: String| Err(Error::invalid(format!("hardware_binding: {what}")));
        if self.algorithm.as_deref().is_some_and(|algorithm| algorithm != ALGORITHM) {
            return wrong(format!("the algorithm that is known is {ALGORITHM}"));
        }
        let counted = self.algorithm.is_some() || self.threshold.is_some();
        match (&self.components, &self.fingerprint) {
            (Some(_), Some(_)) => wrong("give components or a fingerprint, not both".to_string()),
            (None, _) if counted => wrong("algorithm and threshold go with components".to_string()),
            (Some(parts), None) => {
                let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
                for part in parts {
                    if Kind::from_word(&part.kind).is_none() {
                        return wrong(format!("{:.40} is no kind of component", part.kind));
                    }
                    kinds.entry(part.kind.clone()).or_default().push(part.hash.clone());
                }
                let bound = machine::Binding::new(self.threshold.unwrap_or_default(), kinds);
                bound.map(Some).or_else(|error| wrong(error.detail().to_string()))
            }
            (None, Some(text)) => {
                if text.trim().is_empty() || text.chars().count() > FINGERPRINT_MAX {
                    return wrong(format!("a fingerprint has 1 to {FINGERPRINT_MAX} characters"));
                }
                Ok(Some(identity(code, text)?))
            }
            (None, None) => Ok(None),
        }
    }
}

/// The binding to the one machine of which the host says that it is `text`.
fn identity(code: &str, text: &str) -> Result<machine::Binding> {
    let report = Report::from_identity(code, text)?;
    Ok(machine::Binding::bind(&report, code, &Options::default())?)
}

/// What a license is to be bound to where `installation` activates it on the machine of the
/// report. `None` = what the license itself says is enough.
///
/// Fails with `wrong_machine` where the license is bound already, and elsewhere, with
/// `invalid_argument` where it binds to machines and the request has none.
pub fn at_activation(
    license: &licenses::Model,
    code: &str,
    installation: &str,
    machine: Option<&Report>,
) -> Result<Option<Binding>> {
    if let Some(given) = license.hardware_binding()? {
        given_holds(&given.binding(code)?, installation, machine)?;
        return Ok(None);
    }
    let here = || Binding { installation: Some(installation.to_string()), ..Binding::default() };
    match license.terms()?.bind {
        Some(BindRule { to: BindTo::Nothing, .. }) => Ok(None),
        Some(BindRule { to: BindTo::Installation, .. }) => Ok(Some(here())),
        Some(rule) => to_machine(&rule, code, machine).map(Some).map_err(Error::from),
        None if license.license_type == "node_locked" => {
            let rule = BindRule { to: BindTo::Machine, need: None, parts: None, allow_weak: false };
            match to_machine(&rule, code, machine) {
                // A container has no parts of its own, and its owner has paid.
                Err(error) if error.code() == Core::WeakBinding => Ok(Some(here())),
                bound => Ok(Some(bound?)),
            }
        }
        None => Ok(Some(here())),
    }
}

fn given_holds(given: &Binding, installation: &str, machine: Option<&Report>) -> Result<()> {
    let elsewhere = |what: String| Err(Error::new(Code::WrongMachine, what));
    if given.installation.as_ref().is_some_and(|id| !id.eq_ignore_ascii_case(installation)) {
        return elsewhere("The license is for another installation: have it reissued".to_string());
    }
    let Some(wanted) = &given.machine else { return Ok(()) };
    let Some(report) = machine else {
        return Err(Error::invalid("The license is for one machine, and the request names none"));
    };
    let compared = wanted.compare(report);
    match compared.holds() {
        true => Ok(()),
        false => elsewhere(format!("The license is for another machine: {compared}")),
    }
}

fn to_machine(
    rule: &BindRule,
    code: &str,
    machine: Option<&Report>,
) -> Result<Binding, licentia::Error> {
    let nothing = "the license binds to the machine, and the request names none";
    let report = machine.ok_or_else(|| licentia::Error::new(Core::WeakBinding, nothing))?;
    let kinds = rule.parts.as_ref().map(|parts| {
        // A part that this machine has not is left out: the threshold decides.
        let known = parts.iter().filter_map(|part| Kind::from_word(part));
        let has = |kind: &Kind| {
            report.components().iter().any(|row| row.kind == *kind && row.hash.is_some())
        };
        known.filter(has).collect()
    });
    let options = Options { need: rule.need, kinds, allow_weak: rule.allow_weak };
    let machine = machine::Binding::bind(report, code, &options)?;
    Ok(Binding { machine: Some(machine), ..Binding::default() })
}

impl licenses::Model {
    /// What it is bound to, as it was given.
    pub fn hardware_binding(&self) -> Result<Option<HardwareBinding>> {
        self.hardware_binding_json.as_deref().map(HardwareBinding::read).transpose()
    }

    /// Its terms.
    pub fn terms(&self) -> Result<Terms> {
        Terms::read(&self.terms_json)
    }
}
