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

#[cfg(test)]
mod tests {
    use super::*;
    use licentia::machine::{Component, State};

    const HERE: &str = "6f1c2a34-0b5e-4f6d-8c7a-9d0e1f2a3b4c";

    fn license(kind: &str, binding: Option<&str>, terms: &str) -> licenses::Model {
        licenses::Model {
            id: Uuid::nil(),
            organization_id: Uuid::nil(),
            product_id: Uuid::nil(),
            policy_id: None,
            serial: String::new(),
            license_type: kind.into(),
            customer_id: None,
            customer_email: None,
            customer_email_lower: None,
            customer_name: None,
            valid_from: 0,
            valid_until: None,
            features_json: "[]".into(),
            max_seats: 1,
            max_machines: None,
            hardware_binding_json: binding.map(str::to_string),
            terms_json: terms.into(),
            token: String::new(),
            token_id: String::new(),
            token_at: 0,
            key_digest: None,
            key_hint: None,
            suspended_at: None,
            revoked_at: None,
            reason: None,
            announced: 0,
            transfers: 0,
            created_at: 0,
            updated_at: 0,
            search: String::new(),
        }
    }

    /// A machine with these parts, each of another hash.
    fn machine(kinds: &[(Kind, u8)]) -> Report {
        let part = |(kind, n): &(Kind, u8)| Component {
            kind: *kind,
            state: State::Found,
            hash: Some(hash(*n)),
            binds: true,
            note: String::new(),
        };
        let components: Vec<Component> = kinds.iter().map(part).collect();
        let report = serde_json::json!({"v": 1, "product": "app", "components": components});
        Report::from_json(&report.to_string()).unwrap()
    }

    fn hash(n: u8) -> String {
        format!("{}AA", char::from(b'A' + n).to_string().repeat(20))
    }

    const PARTS: [(Kind, u8); 3] = [(Kind::Product, 1), (Kind::Board, 2), (Kind::Disk, 3)];

    fn bound(license: &licenses::Model, machine: Option<&Report>) -> Result<Option<Binding>> {
        at_activation(license, "app", HERE, machine)
    }

    #[test]
    fn a_license_that_is_not_bound_is_bound_to_who_activates_it() {
        let here = Some(Binding { installation: Some(HERE.into()), ..Binding::default() });
        let strong = machine(&PARTS);
        let weak = machine(&PARTS[..1]);
        for kind in ["subscription", "floating", "perpetual", "trial"] {
            assert_eq!(bound(&license(kind, None, "{}"), Some(&strong)).unwrap(), here);
        }
        let locked = license("node_locked", None, "{}");
        let to = bound(&locked, Some(&strong)).unwrap().unwrap();
        assert!(to.machine.unwrap().compare(&strong).holds() && to.installation.is_none());
        // A container has nothing to bind to, and its owner has paid.
        assert_eq!(bound(&locked, Some(&weak)).unwrap(), here);
        assert_eq!(bound(&locked, None).unwrap(), here);
    }

    #[test]
    fn a_rule_is_kept_to() {
        let strong = machine(&PARTS);
        let weak = machine(&PARTS[..1]);
        let rule = |rule: &str| license("node_locked", None, &format!(r#"{{"bind": {rule}}}"#));
        assert_eq!(bound(&rule(r#"{"to": "nothing"}"#), Some(&strong)).unwrap(), None);
        let to = bound(&rule(r#"{"to": "installation"}"#), Some(&strong)).unwrap().unwrap();
        assert!(to.installation.is_some() && to.machine.is_none());
        let machine = rule(r#"{"to": "machine"}"#);
        let refused = bound(&machine, Some(&weak)).unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(bound(&machine, None).unwrap_err().code(), Code::InvalidArgument);
        let some = rule(r#"{"to": "machine", "need": 3}"#);
        let to = bound(&some, Some(&strong)).unwrap().unwrap().machine.unwrap();
        assert_eq!(to.need(), 3);
        let parts = rule(r#"{"to": "machine", "parts": ["board", "nic"], "allow_weak": true}"#);
        let to = bound(&parts, Some(&strong)).unwrap().unwrap().machine.unwrap();
        assert_eq!(to.parts().keys().collect::<Vec<_>>(), ["board"]);
    }

    #[test]
    fn a_license_that_is_bound_is_for_its_machine() {
        let given = HardwareBinding {
            components: Some(
                PARTS.map(|(kind, n)| Part { kind: kind.word().into(), hash: hash(n) }).into(),
            ),
            ..HardwareBinding::default()
        };
        let given = given.complete("app").unwrap();
        assert_eq!(given.threshold, Some(2));
        let json = serde_json::to_string(&given).unwrap();
        let license = license("node_locked", Some(&json), "{}");
        assert_eq!(bound(&license, Some(&machine(&PARTS))).unwrap(), None);
        assert_eq!(bound(&license, Some(&machine(&PARTS[..2]))).unwrap(), None);
        let other = bound(&license, Some(&machine(&PARTS[..1]))).unwrap_err();
        assert_eq!(other.code(), Code::WrongMachine);
        assert_eq!(bound(&license, None).unwrap_err().code(), Code::InvalidArgument);
    }
}
