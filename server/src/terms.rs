//! The terms of a license beyond its dates, features and counts: as the API takes and shows them,
//! as they are kept, and as the license says them.

use crate::api::given::object;
use crate::error::{Error, Result};
use licentia::limits::{
    BORROW_DAYS_MAX, METADATA_MAX, METADATA_VALUE_MAX, NOTICE_DAYS_MAX, STAGE_DAYS_MAX, TIME_MAX,
};
use licentia::machine::Kind;
use licentia::{Metadata, parse_time, rfc3339};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The shortest and the longest life of a seat without a heartbeat, in seconds.
const SEAT_SECONDS: std::ops::RangeInclusive<u32> = 30..=2_592_000;

/// Bytes of a text for people.
const TEXT_MAX: usize = 1024;

/// A time: RFC 3339 with `Z` in JSON, seconds since 1970 in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2025-01-15T10:30:00Z")]
pub struct Moment(pub i64);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339(self.0))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
        let text = String::deserialize(from)?;
        // A number in a text is no time, though the command takes one.
        let at = parse_time(&text).filter(|_| text.contains('-'));
        let at = at.filter(|at| (0..=TIME_MAX).contains(at));
        at.map(Moment).ok_or_else(|| {
            serde::de::Error::custom("a time is written like 2025-01-15T10:30:00Z (RFC 3339)")
        })
    }
}

/// Terms of a license. A member that is absent or null is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// The tier, such as Enterprise, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// A sentence about it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The end of support; absent = without end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_until: Option<Moment>,
    /// What happens after an end; absent = it denies at once.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    pub stages: Option<Stages>,
    /// How many days before an end to warn.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    pub notice: Option<Notice>,
    /// The product is to fetch a new token this often, in days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3650)]
    pub refresh_days: Option<u32>,
    /// A token is good for this many days and has to have been renewed by then; goes with
    /// `refresh_days`, and is more. Absent = a token lives as long as the license.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 36500)]
    pub token_days: Option<u32>,
    /// The product has to have reported within this many days; absent = it need not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 3650)]
    pub sync_days: Option<u32>,
    /// A seat can be borrowed for this many days at most; absent or 0 = not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 366)]
    pub borrow_days: Option<u32>,
    /// A seat comes back by itself this many seconds after its last heartbeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 30, maximum = 2592000)]
    pub seat_seconds: Option<u32>,
    /// How often the license may leave one machine for another; absent = as often as it likes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_transfers: Option<u32>,
    /// What an activation binds to.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    pub bind: Option<BindRule>,
    /// Whatever else you note: at most 64 members, each a text, an integer or a boolean.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, MetadataValue>>)]
    pub metadata: Option<BTreeMap<String, Metadata>>,
}

/// A text, an integer or a boolean.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it is there for its schema")]
enum MetadataValue {
    Flag(bool),
    Integer(i64),
    Text(String),
}

/// What happens after each end. A cause that is absent denies at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stages {
    /// The license ended.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    pub ended: Option<Stage>,
    /// The token was not renewed, or the server not reached, when it had to be.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    pub overdue: Option<Stage>,
    /// The license was suspended.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    pub suspended: Option<Stage>,
}

/// The first day of each mode after an end. The days rise from mode to mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stage {
    /// Everything works, and a warning is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36500)]
    pub warn: Option<u32>,
    /// What is there can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36500)]
    pub read_only: Option<u32>,
    /// Nothing works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36500)]
    pub deny: Option<u32>,
}

/// How many days before an end to warn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notice {
    /// Before the license ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub license: Option<u32>,
    /// Before the token has to have been renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 3650)]
    pub token: Option<u32>,
}

/// What an activation binds a license to that is not bound yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindRule {
    /// Without a rule, `node_locked` licenses bind to the machine, or to the installation where
    /// the machine has too little to be told by; all others to the installation.
    pub to: BindTo,
    /// How many kinds of parts have to match; absent = three of five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 13)]
    pub need: Option<u32>,
    /// Which kinds of parts; absent = every one that tells machines apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<String>>,
    /// Bind even to what another machine may match.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_weak: bool,
}

/// What can be bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BindTo {
    /// The parts of the machine.
    Machine,
    /// The installation: the folder with its state.
    Installation,
    /// Nothing.
    Nothing,
}

impl Terms {
    /// Reads what is kept. Fails with `internal`.
    pub fn read(json: &str) -> Result<Terms> {
        serde_json::from_str(json).map_err(|error| {
            tracing::error!(%error, "terms of a license that cannot be read");
            Error::new(crate::error::Code::Internal, "The terms of the license cannot be read")
        })
    }

    /// As they are kept.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Fails with `invalid_argument` for what no license can say.
    pub fn check(&self) -> Result<()> {
        text("terms.tier", self.tier.as_deref(), 256)?;
        text("terms.description", self.description.as_deref(), TEXT_MAX)?;
        let days = |name: &str, days: Option<u32>, least: u32, most: u32| match days {
            Some(days) if !(least..=most).contains(&days) => {
                Err(Error::invalid(format!("terms.{name} is from {least} to {most}")))
            }
            _ => Ok(()),
        };
        days("refresh_days", self.refresh_days, 1, NOTICE_DAYS_MAX)?;
        days("token_days", self.token_days, 1, STAGE_DAYS_MAX)?;
        days("sync_days", self.sync_days, 1, NOTICE_DAYS_MAX)?;
        days("borrow_days", self.borrow_days, 0, BORROW_DAYS_MAX)?;
        days("seat_seconds", self.seat_seconds, *SEAT_SECONDS.start(), *SEAT_SECONDS.end())?;
        let notice = self.notice.unwrap_or_default();
        days("notice.license", notice.license, 0, NOTICE_DAYS_MAX)?;
        days("notice.token", notice.token, 0, NOTICE_DAYS_MAX)?;
        match (self.token_days, self.refresh_days) {
            (Some(token), Some(refresh)) if token > refresh => {}
            (None, _) => {}
            _ => {
                let what = "terms.token_days goes with terms.refresh_days, and is more: a token \
                            has to be renewed before it ends";
                return Err(Error::invalid(what));
            }
        }
        self.check_stages()?;
        self.check_bind()?;
        self.check_metadata()
    }

    fn check_stages(&self) -> Result<()> {
        let stages = self.stages.clone().unwrap_or_default();
        let causes =
            [("ended", stages.ended), ("overdue", stages.overdue), ("suspended", stages.suspended)];
        for (cause, stage) in causes {
            let stage = stage.unwrap_or_default();
            let days: Vec<u32> =
                [stage.warn, stage.read_only, stage.deny].into_iter().flatten().collect();
            let rise = days.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            if !rise || days.iter().any(|day| *day > STAGE_DAYS_MAX) {
                return Err(Error::invalid(format!(
                    "The days of terms.stages.{cause} rise from warn to read_only to deny, to \
                     {STAGE_DAYS_MAX} at the most"
                )));
            }
        }
        Ok(())
    }

    fn check_bind(&self) -> Result<()> {
        let Some(rule) = &self.bind else { return Ok(()) };
        let how = rule.need.is_some() || rule.parts.is_some() || rule.allow_weak;
        if how && rule.to != BindTo::Machine {
            let what = "terms.bind has need, parts and allow_weak only to bind to a machine";
            return Err(Error::invalid(what));
        }
        let parts = rule.parts.as_deref().unwrap_or_default();
        if let Some(part) = parts.iter().find(|part| Kind::from_word(part).is_none()) {
            let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
            return Err(Error::invalid(format!(
                "terms.bind.parts: {part:.40} is no kind of part: choose from {}",
                known.join(", ")
            )));
        }
        let most = if rule.parts.is_some() { parts.len() } else { Kind::ALL.len() };
        let need = rule.need.map(|need| usize::try_from(need).unwrap_or(usize::MAX));
        if most == 0 || most > Kind::ALL.len() || need.is_some_and(|need| need == 0 || need > most)
        {
            return Err(Error::invalid(format!("terms.bind.need is from 1 to {most}")));
        }
        Ok(())
    }

    fn check_metadata(&self) -> Result<()> {
        let mut metadata = self.metadata.iter().flatten();
        let fits = |(name, value): (&String, &Metadata)| {
            let value = if let Metadata::Text(text) = value { text.len() } else { 0 };
            !name.is_empty() && name.len() <= METADATA_VALUE_MAX && value <= METADATA_VALUE_MAX
        };
        let count = self.metadata.as_ref().map_or(0, BTreeMap::len);
        if count > METADATA_MAX || !metadata.all(fits) {
            return Err(Error::invalid(format!(
                "terms.metadata has at most {METADATA_MAX} members of at most \
                 {METADATA_VALUE_MAX} bytes"
            )));
        }
        Ok(())
    }
}

/// A text for people: not empty, not longer than `max` bytes.
fn text(name: &str, text: Option<&str>, max: usize) -> Result<()> {
    match text {
        Some(text) if text.is_empty() || text.len() > max => {
            Err(Error::invalid(format!("{name} has 1 to {max} bytes: leave it out to say nothing")))
        }
        _ => Ok(()),
    }
}

impl From<&Stages> for licentia::Stages {
    fn from(stages: &Stages) -> licentia::Stages {
        let stage = |stage: &Stage| licentia::Stage {
            warn: stage.warn,
            read_only: stage.read_only,
            deny: stage.deny,
        };
        licentia::Stages {
            ended: stages.ended.as_ref().map(stage),
            overdue: stages.overdue.as_ref().map(stage),
            suspended: stages.suspended.as_ref().map(stage),
        }
    }
}
