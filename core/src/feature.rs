//! One feature of a license: docs/format.md, section 3.3.

use crate::errors::{Code, Error, Result};
use crate::json::INTEGER_MAX;
use serde::{Deserialize, Serialize};

/// A limit that is none.
pub const UNLIMITED: u64 = u64::MAX;

/// What a license grants, and how much of it. `meter`, `per` and `then` are kept as words: one
/// from a later version denies this feature and leaves the others alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// What the program asks for: `[a-z0-9][a-z0-9_.:-]{0,63}`.
    pub id: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `count`, `level` or `distinct`; `None` = not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meter: Option<String>,
    /// With `count`: `hour`, `day`, `month`, `year` or `ever`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per: Option<String>,
    /// With `distinct`: the window in days, 1 to 366.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
    /// The limit; `None` = no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Per cent over `max` before work stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<u32>,
    /// Past the limit: `stop` (the default) or `count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<String>,
}

impl Feature {
    /// A feature that is on and not measured.
    pub fn new(id: impl Into<String>) -> Feature {
        Feature { id: id.into(), ..Feature::default() }
    }

    /// The limit, or [`UNLIMITED`].
    pub fn limit(&self) -> u64 {
        self.max.unwrap_or(UNLIMITED)
    }

    /// Whether this version knows every word of it. One it does not is denied, as `too_new`.
    pub fn is_known(&self) -> bool {
        let known = |word: &Option<String>, words: &[&str]| {
            word.as_deref().is_none_or(|word| words.contains(&word))
        };
        known(&self.meter, &["count", "level", "distinct"])
            && known(&self.per, &["hour", "day", "month", "year", "ever"])
            && known(&self.then, &["stop", "count"])
    }

    /// Fails with `malformed` for what no license can say. What [`Feature::is_known`] denies is
    /// not judged.
    pub fn check(&self) -> Result<()> {
        let bad = |what: &str| {
            Err(Error::new(Code::Malformed, format!("the feature {:.64}: {what}", self.id)))
        };
        if !is_feature_id(&self.id) {
            return bad("its id is not [a-z0-9][a-z0-9_.:-]{0,63}");
        }
        if self.name.as_ref().is_some_and(|name| name.len() > 256) {
            return bad("name has more than 256 bytes");
        }
        if !self.is_known() {
            // Whatever a later version means by it: this feature is denied, and the rest works.
            return Ok(());
        }
        if self.max.is_some_and(|max| max > INTEGER_MAX) {
            return bad("max is too large");
        }
        if self.max.is_none() && (self.over.is_some() || self.then.is_some()) {
            return bad("over and then need a max");
        }
        if self.over.is_some_and(|over| over > 1000) {
            return bad("over is not 0 to 1000");
        }
        let (per, days) = (self.per.is_some(), self.days.is_some());
        match self.meter.as_deref() {
            None if per || days || self.max.is_some() => bad("per, days and max need a meter"),
            Some("count") if !per || days => bad("the meter count needs per, and no days"),
            Some("level") if per || days => bad("the meter level has neither per nor days"),
            Some("distinct") if per || !self.days.is_some_and(|days| (1..=366).contains(&days)) => {
                bad("the meter distinct needs days from 1 to 366, and no per")
            }
            _ => Ok(()),
        }
    }
}

/// Whether a text can be the id of a feature.
pub fn is_feature_id(id: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.len() <= 64
        && id.bytes().next().is_some_and(letter)
        && id.bytes().all(|byte| letter(byte) || b"_.:-".contains(&byte))
}
