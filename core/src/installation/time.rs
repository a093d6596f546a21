//! The one maker of [`Now`]: no clock is believed to run backwards, and no wrong clock locks
//! anybody out for ever. docs/state.md, "Time".

use crate::clock::{Clock, boot_id, boot_seconds};
use crate::verdict::{Floor, Now};
use serde::{Deserialize, Serialize};

/// A clock may fall behind the boot clock by this many seconds before it counts as set back: a
/// time server corrects by less.
const SLACK: i64 = 60;

/// A clock that is this many seconds ahead of all that was seen is probably wrong: 400 days. It
/// is believed when it has gone on for [`SETTLED`].
const FAR_AHEAD: i64 = 400 * 86_400;

/// How long a clock has to stay far ahead before it is remembered, in seconds.
const SETTLED: i64 = 600;

/// `seen` is written again by whoever opens a folder when it is this old, in seconds.
const WHEN_OPENED: i64 = 60;

/// The same, by a program that only asks.
const WHEN_ASKED: i64 = 3_600;

/// The times before which it cannot be, as they are kept. All in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Floors {
    /// Rises whenever signed time took the place of what was seen.
    pub(crate) era: u64,
    /// The newest time that the issuer signed for this installation.
    pub(crate) signed: Option<i64>,
    /// The latest time that the clock of this machine has shown.
    pub(crate) seen: Option<i64>,
    /// Which start of the machine `seen` belongs to, and the boot clock at that moment.
    pub(crate) boot: Option<Boot>,
    /// What the clock showed when it was first far ahead of `seen`.
    pub(crate) ahead: Option<i64>,
}

/// A moment of the boot clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Boot {
    /// Which start of the machine.
    pub(crate) id: String,
    /// Seconds since then.
    pub(crate) at: i64,
}

impl Floors {
    /// Signed time takes the place of what was seen: a clock that was ahead is forgotten.
    pub(crate) fn heal(&mut self, server_time: i64) {
        let signed = self.signed.map_or(server_time, |signed| signed.max(server_time));
        *self = Floors {
            era: self.era.saturating_add(1),
            signed: Some(signed),
            seen: Some(server_time),
            ..Floors::default()
        };
    }

    /// A new set of keys clears what the keys before it have signed.
    pub(crate) fn forget_signed(&mut self) {
        self.era = self.era.saturating_add(1);
        self.signed = None;
    }

    fn base(&self) -> Option<i64> {
        self.signed.max(self.seen)
    }
}

/// What one process has seen of the time.
#[derive(Debug)]
pub(crate) struct Keeper {
    era: u64,
    /// The latest time it gave.
    high: Option<i64>,
    /// By how much the clock was ever ahead of the boot clock.
    lead: Option<i64>,
    boot_id: Option<String>,
}

impl Keeper {
    pub(crate) fn new() -> Keeper {
        Keeper { era: 0, high: None, lead: None, boot_id: boot_id() }
    }

    /// The time, for one call: everything in it uses this one.
    pub(crate) fn now(&mut self, clock: &Clock, floors: &Floors) -> Now {
        let boot = if clock.fixed().is_some() { None } else { boot_seconds() };
        self.reckon(clock.now(), boot, floors)
    }

    fn reckon(&mut self, clock: i64, boot: Option<i64>, floors: &Floors) -> Now {
        if self.era != floors.era {
            *self =
                Keeper { era: floors.era, high: None, lead: None, boot_id: self.boot_id.take() };
        }
        let base = floors.base().max(self.high);
        let line = self.line(boot, floors);
        let held_back = line.is_some_and(|line| clock < line - SLACK);
        let set_back = base.is_some_and(|base| clock < base);
        let floor = if held_back || set_back { base.max(line) } else { base };
        let at = floor.map_or(clock, |floor| floor.max(clock));
        if !is_far_ahead(clock, floors) {
            self.high = self.high.max(Some(at));
            self.lead = self.lead.max(boot.map(|boot| clock.saturating_sub(boot)));
        }
        let signed = floors.signed.is_some() && floors.signed == floor;
        Now { at, clock, floor: floor.map(|at| Floor { at, signed }) }
    }

    /// Where the clock should be by now, from what it has shown since this machine was started.
    fn line(&self, boot: Option<i64>, floors: &Floors) -> Option<i64> {
        let boot = boot?;
        let same = floors.boot.as_ref().filter(|then| Some(&then.id) == self.boot_id.as_ref());
        let kept = floors.seen.zip(same);
        let kept = kept.map(|(seen, then)| seen.saturating_add((boot - then.at).max(0)));
        kept.max(self.lead.map(|lead| lead.saturating_add(boot)))
    }

    /// What is to be written of the time, if anything: by a program that has just opened the
    /// folder, or by one that only asks.
    pub(crate) fn due(&self, now: &Now, floors: &Floors, opened: bool) -> Option<Floors> {
        let noted = self.noted(now, floors);
        let age = if opened { WHEN_OPENED } else { WHEN_ASKED };
        let old = match (floors.seen, noted.seen) {
            (Some(was), Some(is)) => is - was >= age,
            (was, is) => was != is,
        };
        (old || noted.ahead.is_some() != floors.ahead.is_some()).then_some(noted)
    }

    /// The floors with this moment in them: what every write keeps.
    pub(crate) fn noted(&self, now: &Now, floors: &Floors) -> Floors {
        let mut noted = floors.clone();
        if is_far_ahead(now.clock, floors) {
            let settled = |since: i64| (SETTLED..FAR_AHEAD).contains(&(now.clock - since));
            if !floors.ahead.is_some_and(settled) {
                // One that has moved again, or was never far ahead before, starts anew.
                let going =
                    floors.ahead.is_some_and(|since| (0..SETTLED).contains(&(now.clock - since)));
                noted.ahead = if going { floors.ahead } else { Some(now.clock) };
                return noted;
            }
        }
        noted.ahead = None;
        noted.seen = noted.seen.max(Some(now.at));
        noted.boot = self.boot_id.clone().zip(boot_seconds()).map(|(id, at)| Boot { id, at });
        noted
    }
}

fn is_far_ahead(clock: i64, floors: &Floors) -> bool {
    floors.seen.is_some() && floors.base().is_some_and(|base| clock - base > FAR_AHEAD)
}
