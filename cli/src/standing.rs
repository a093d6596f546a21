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
    pub time: Time,
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
    pub token_id: String,
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
    pub left: Option<u64>,
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
    pub token_id: Option<String>,
    pub serial: Option<String>,
    pub valid_from: Option<i64>,
    pub valid_until: Option<i64>,
    pub result: String,
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Time {
    pub clock: i64,
    pub floor: Option<i64>,
    pub floor_by: Option<String>,
    pub suspect: bool,
}

#[derive(Debug, Deserialize)]
pub struct Anchor {
    pub at: i64,
    pub grace_until: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Issuer {
    pub message: Option<String>,
    pub last_contact: Option<i64>,
    pub next_contact: Option<i64>,
    pub failure: Option<Failure>,
}

/// Why the vendor's server could not be asked.
#[derive(Debug, Deserialize)]
pub struct Failure {
    pub at: i64,
    pub message: String,
}

#[derive(Debug, Deserialize)]
pub struct State {
    pub installation: Option<String>,
    pub ok: bool,
    pub code: Option<String>,
    pub message: Option<String>,
}

/// A license by its serial, or by the beginning of its id.
fn name(serial: Option<&String>, id: &str) -> String {
    serial.cloned().unwrap_or_else(|| format!("{id:.8}"))
}

impl State {
    /// Whether this user may not read it.
    pub fn is_denied(&self) -> bool {
        self.message.as_ref().is_some_and(|said| said.contains("ermission denied"))
    }
}

impl Source {
    /// What its license is called.
    pub fn title(&self) -> String {
        name(self.serial.as_ref(), self.id.as_deref().unwrap_or_default())
    }
}

impl License {
    /// What it is called.
    pub fn title(&self) -> String {
        name(self.serial.as_ref(), &self.id)
    }
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

    /// What may be done at a time, as far as the timeline tells.
    fn access_at(&self, at: i64) -> Option<Access> {
        let begun = self.timeline.iter().take_while(|event| event.at <= at).last();
        begun.or(self.timeline.iter().find(|it| it.event == "begins")).map(|it| it.access)
    }

    /// A time that the clock of this machine once showed, where that alone is in the way.
    pub fn once_showed(&self) -> Option<i64> {
        let by_clock = self.time.suspect && self.time.floor_by.as_deref() == Some("seen");
        let floor = self.time.floor.filter(|_| by_clock)?;
        let then = (self.access_at(floor), self.access_at(self.time.clock));
        (self.access < Access::Warn && then.0 < then.1).then_some(floor)
    }

    /// The other licenses that are here and may be used, now or later.
    pub fn others(&self) -> impl Iterator<Item = &Source> {
        let good = |it: &&Source| matches!(it.result.as_str(), "ok" | "not_yet_valid");
        self.sources.iter().filter(|it| !it.used && it.id.is_some()).filter(good)
    }

    /// The license that waits and takes over while none is needed, and when.
    pub fn takes_over(&self) -> Option<(&Source, i64)> {
        let works = |at: i64| self.access_at(at).is_some_and(|it| it == Access::Allow);
        let last = self.anchor.as_ref().and_then(|it| it.grace_until).unwrap_or(i64::MAX);
        let waits = self.sources.iter().filter(|it| it.result == "not_yet_valid");
        let begins = waits.filter_map(|it| Some((it, it.valid_from?)));
        begins.filter(|(_, at)| *at <= last && works(*at)).min_by_key(|(_, at)| *at)
    }

    /// The licenses that go on from the end of the one that decides, one after the other without
    /// a day between, and the end of the last; `None` = it has none.
    pub fn follow(&self) -> (Vec<&Source>, Option<i64>) {
        let mut chain: Vec<&Source> = Vec::new();
        let mut end = self.license.as_ref().and_then(|license| license.valid_until);
        while let Some(at) = end {
            let goes_on = |it: &&Source| {
                it.valid_from.is_some_and(|from| from <= at)
                    && it.valid_until.is_none_or(|until| until > at)
            };
            let Some(next) = self.others().find(goes_on) else { break };
            chain.push(next);
            end = next.valid_until;
        }
        (chain, end)
    }

    /// When less than now may be done for the first time, and that is less than a warning.
    pub fn stops_at(&self) -> Option<i64> {
        let worse = |event: &&Event| {
            event.at > self.at && event.access < self.access && event.access < Access::Warn
        };
        self.timeline.iter().find(worse).map(|event| event.at)
    }
}
