//! What the library says of an installation: docs/verdict.md.

use licentia::{Code, Error, Result};
use serde::Deserialize;

/// The status of an installation, as far as the page shows it. All times are seconds since 1970.
#[derive(Debug, Deserialize)]
pub struct Standing {
    pub at: i64,
    pub in_force: bool,
    pub access: Access,
    pub reason: String,
    pub message: String,
    pub next_change_at: Option<i64>,
    pub license: Option<License>,
    pub features: Vec<Feature>,
    pub warnings: Vec<Warning>,
    pub timeline: Vec<Event>,
    pub sources: Vec<Source>,
    pub anchor: Option<Anchor>,
    pub issuer: Option<Issuer>,
    pub state: State,
}

/// What may be done, in rising order.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Deny,
    ReadOnly,
    Warn,
    Allow,
}

#[derive(Debug, Deserialize)]
pub struct License {
    pub id: String,
    pub serial: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub tier: Option<String>,
    pub customer: Option<Customer>,
    pub valid_until: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Customer {
    pub name: Option<String>,
    pub id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Feature {
    pub id: String,
    pub name: Option<String>,
    pub access: Access,
    pub reason: String,
    pub meter: Option<String>,
    pub per: Option<String>,
    pub days: Option<u32>,
    pub used: Option<u64>,
    pub max: Option<u64>,
    pub over: Option<u32>,
    pub resets_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Warning {
    pub code: String,
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub struct Event {
    pub at: i64,
    pub event: String,
    pub access: Access,
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub struct Source {
    pub source: String,
    pub name: Option<String>,
    pub used: bool,
    pub id: Option<String>,
    pub result: String,
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Anchor {
    pub at: i64,
    pub grace_until: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Issuer {
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct State {
    pub installation: Option<String>,
    pub ok: bool,
    pub code: Option<String>,
    pub message: Option<String>,
}

impl Standing {
    /// Reads the status that the library gave.
    pub fn parse(json: &str) -> Result<Standing> {
        let bug = |error| Error::new(Code::Internal, format!("the status: {error}"));
        serde_json::from_str(json).map_err(bug)
    }

    /// The code to give to a shell; `None` = it works. A folder that is not there is a slip of
    /// whoever named it, unless a license from elsewhere holds.
    pub fn code(&self) -> Option<Code> {
        let code = |slug: &str| Code::from_slug(slug).unwrap_or(Code::NotLicensed);
        if self.access < Access::Warn {
            return Some(code(&self.reason));
        }
        let unreachable = self.state.code.as_deref() == Some(Code::StateUnavailable.slug());
        (unreachable && self.license.is_none()).then_some(Code::StateUnavailable)
    }

    /// When less than now may be done for the first time, and that is less than a warning.
    pub fn stops_at(&self) -> Option<i64> {
        let worse = |event: &&Event| {
            event.at > self.at && event.access < self.access && event.access < Access::Warn
        };
        self.timeline.iter().find(worse).map(|event| event.at)
    }
}
