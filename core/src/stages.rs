//! What happens after something ends, and when: docs/format.md, section 3.5.

use crate::errors::{Code, Error, Result};
use crate::json::Map;
use crate::limits::STAGE_DAYS_MAX;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Modes in one stage: there are three, and later versions may have a few more.
const MODES_MAX: usize = 16;

/// Seconds in a day, for every rule that counts days.
pub(crate) const DAY: i64 = 86_400;

/// The schedule of each cause. A cause without one denies at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stages {
    /// `valid_until` passed.
    #[serde(default, deserialize_with = "stage", skip_serializing_if = "Option::is_none")]
    pub ended: Option<Stage>,
    /// `exp` passed, or the issuer was not reached when it should have been.
    #[serde(default, deserialize_with = "stage", skip_serializing_if = "Option::is_none")]
    pub overdue: Option<Stage>,
    /// The vendor put it on hold.
    #[serde(default, deserialize_with = "stage", skip_serializing_if = "Option::is_none")]
    pub suspended: Option<Stage>,
}

/// The first day of each mode, counted from the second at which the cause began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// Everything works, and a warning is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<u32>,
    /// What is there can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<u32>,
    /// Nothing works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<u32>,
}

impl Stages {
    pub(crate) fn check(&self) -> Result<()> {
        let causes =
            [("ended", self.ended), ("overdue", self.overdue), ("suspended", self.suspended)];
        for (cause, stage) in causes {
            let days: Vec<u32> = stage
                .iter()
                .flat_map(|stage| [stage.warn, stage.read_only, stage.deny])
                .flatten()
                .collect();
            let rise = days.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            if !rise || days.iter().any(|day| *day > STAGE_DAYS_MAX) {
                let what = format!("the days of license.stages.{cause} do not rise with severity");
                return Err(Error::new(Code::Malformed, what));
            }
        }
        Ok(())
    }
}

impl Stage {
    /// The first second of `read_only` or `deny` after a cause that began at `start`, which is
    /// where the grace period ends. `None` = never.
    pub(crate) fn grace_end(stage: Option<&Stage>, start: i64) -> Option<i64> {
        let Some(stage) = stage else { return Some(start) };
        let day = stage.read_only.or(stage.deny)?;
        Some(start.saturating_add(i64::from(day) * DAY))
    }
}

impl<'de> Deserialize<'de> for Stage {
    /// An unknown mode is refused: what it would take away cannot be guessed.
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Stage, D::Error> {
        let modes = Map::<Option<u32>, MODES_MAX>::deserialize(from)?.0;
        let mut stage = Stage::default();
        for (mode, day) in modes.into_iter().filter(|(_, day)| day.is_some()) {
            match mode.as_str() {
                "warn" => stage.warn = day,
                "read_only" => stage.read_only = day,
                "deny" => stage.deny = day,
                _ => return Err(D::Error::custom(format!("unknown mode {mode:.40} in stages"))),
            }
        }
        Ok(stage)
    }
}

fn stage<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Stage>, D::Error> {
    Option::deserialize(from)
}
