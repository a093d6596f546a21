//! The one maker of [`Now`]: no clock is believed to run backwards, and no wrong clock locks
//! anybody out for ever. docs/state.md, "Time".

use crate::clock::{Clock, boot_id, boot_seconds};
use crate::verdict::{Floor, Now};
use serde::{Deserialize, Serialize};

/// A clock may fall behind the boot clock by this many seconds before it counts as set back: a
/// time server corrects by less.
const SLACK: i64 = 60;

/// One more second for so many that go by: the boot clock runs as fast as the quartz does, which
/// a time server that sets the clock again and again makes up for.
const DRIFT: i64 = 1_000;

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

impl Boot {
    /// The end of the second `at` of the boot clock. The seconds of the two clocks begin at
    /// different moments: reckoned from the start of it, the time that went by could be a second
    /// too long, and the time ahead of the true one until something takes it back.
    fn after(id: String, at: i64) -> Boot {
        Boot { id, at: at.saturating_add(1) }
    }
}

/// What one process has seen of the time.
#[derive(Debug)]
pub(crate) struct Keeper {
    era: u64,
    /// The latest time it gave.
    high: Option<i64>,
    /// By how much the time was ever ahead of the boot clock, and the boot clock when it last was.
    lead: Option<(i64, i64)>,
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
        let held_back = self.held_back(clock, boot, floors);
        // One that is a little behind waits: time goes neither back nor ahead of the clock.
        let floor = base.max(held_back);
        let at = floor.map_or(clock, |floor| floor.max(clock));
        if !is_far_ahead(clock, floors) {
            self.high = self.high.max(Some(at));
            let lead = boot.map(|boot| (at.saturating_sub(boot), boot));
            self.lead = self.lead.max(lead);
        }
        let signed = floors.signed.is_some() && floors.signed == floor;
        Now { at, clock, floor: floor.map(|at| Floor { at, signed }) }
    }

    /// Where the clock should be by now, from what was seen since this machine was started, if it
    /// is behind that.
    fn held_back(&self, clock: i64, boot: Option<i64>, floors: &Floors) -> Option<i64> {
        let boot = boot?;
        let same = floors.boot.as_ref().filter(|then| Some(&then.id) == self.boot_id.as_ref());
        let kept = floors.seen.zip(same).map(|(seen, then)| {
            let gone = boot.saturating_sub(then.at).max(0);
            (seen.saturating_add(gone), SLACK)
        });
        let lead = self.lead.map(|(lead, since)| {
            let slack = SLACK.saturating_add(boot.saturating_sub(since).max(0) / DRIFT);
            (lead.saturating_add(boot), slack)
        });
        let lines = kept.into_iter().chain(lead);
        lines.filter(|(at, slack)| clock < at.saturating_sub(*slack)).map(|(at, _)| at).max()
    }

    /// What is to be written of the time, if anything: by a program that has just opened the
    /// folder, or by one that only asks.
    pub(crate) fn due(&self, now: &Now, floors: &Floors, opened: bool) -> Option<Floors> {
        let noted = self.noted(now, floors);
        let age = if opened { WHEN_OPENED } else { WHEN_ASKED };
        let old = match (floors.seen, noted.seen) {
            (Some(was), Some(is)) => is.saturating_sub(was) >= age,
            (was, is) => was != is,
        };
        // Where the clock does not say what time it is, the boot clock has to.
        let id = |floors: &Floors| floors.boot.as_ref().map(|boot| boot.id.clone());
        let old = old || (now.clock < now.at && id(&noted) != id(floors));
        (old || noted.ahead.is_some() != floors.ahead.is_some()).then_some(noted)
    }

    /// The floors with this moment in them: what every write keeps.
    pub(crate) fn noted(&self, now: &Now, floors: &Floors) -> Floors {
        let mut noted = floors.clone();
        if is_far_ahead(now.clock, floors) {
            let settled =
                |since: i64| (SETTLED..FAR_AHEAD).contains(&now.clock.saturating_sub(since));
            if !floors.ahead.is_some_and(settled) {
                // One that has moved again, or was never far ahead before, starts anew.
                let going = |since: i64| (0..SETTLED).contains(&now.clock.saturating_sub(since));
                let going = floors.ahead.is_some_and(going);
                noted.ahead = if going { floors.ahead } else { Some(now.clock) };
                return noted;
            }
        }
        noted.ahead = None;
        noted.seen = noted.seen.max(Some(now.at));
        noted.boot = self.boot_id.clone().zip(boot_seconds()).map(|(id, at)| Boot::after(id, at));
        noted
    }
}

fn is_far_ahead(clock: i64, floors: &Floors) -> bool {
    floors.seen.is_some()
        && floors.base().is_some_and(|base| clock.saturating_sub(base) > FAR_AHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const NOW: i64 = 1_800_000_000;

    fn keeper() -> Keeper {
        Keeper { era: 0, high: None, lead: None, boot_id: Some("this".into()) }
    }

    fn seen(seen: i64, boot: Option<(&str, i64)>) -> Floors {
        let boot = boot.map(|(id, at)| Boot { id: id.into(), at });
        Floors { seen: Some(seen), boot, ..Floors::default() }
    }

    #[test]
    fn a_clock_that_was_set_back_goes_on_with_the_boot_clock() {
        let mut keeper = keeper();
        let floors = seen(NOW, None);
        assert_eq!(keeper.reckon(NOW + 10, Some(1_000), &floors).at, NOW + 10);
        for later in [0, 5, 3_600, 30 * DAY] {
            let now = keeper.reckon(NOW - 9 * DAY, Some(1_000 + later), &floors);
            assert_eq!(now.at, NOW + 10 + later);
            assert_eq!(now.floor, Some(Floor { at: now.at, signed: false }));
        }
        let dead_battery = keeper.reckon(0, Some(1_000 + 40 * DAY), &floors);
        assert_eq!(dead_battery.at, NOW + 10 + 40 * DAY, "an hourly limit goes on resetting");
    }

    #[test]
    fn what_another_process_reckons_is_never_ahead_of_the_true_time() {
        // The first looked when its clock had just begun a second and the boot clock had nearly
        // ended one; the other looks at the moment `later` milliseconds after.
        let (clock, boot) = (NOW * 1000 + 50, 500_950);
        for later in [0, 49, 51, 950, 1_050, 2_049, 2_050, 60_000] {
            let noted = Floors {
                seen: Some(clock / 1000),
                boot: Some(Boot::after("this".into(), boot / 1000)),
                ..Floors::default()
            };
            let now = keeper().reckon(0, Some((boot + later) / 1000), &noted);
            let behind = (clock + later) / 1000 - now.at;
            assert!((0..=1).contains(&behind), "{later}: {behind}");
        }
    }

    #[test]
    fn another_process_of_the_same_boot_goes_on_where_the_first_was() {
        let floors = seen(NOW, Some(("this", 500)));
        assert_eq!(keeper().reckon(NOW - DAY, Some(1_500), &floors).at, NOW + 1_000);
        let other = seen(NOW, Some(("another", 500)));
        assert_eq!(keeper().reckon(NOW - DAY, Some(1_500), &other).at, NOW);
    }

    #[test]
    fn a_clock_that_is_held_back_is_noticed_though_it_runs_forward() {
        let mut keeper = keeper();
        let floors = seen(NOW, None);
        keeper.reckon(NOW, Some(0), &floors);
        let slack = keeper.reckon(NOW + DAY - SLACK, Some(DAY), &floors);
        assert_eq!(slack.at, NOW + DAY - SLACK, "a time server corrects by less");
        let held = keeper.reckon(NOW + DAY - SLACK - DAY / DRIFT - 1, Some(DAY), &floors);
        assert_eq!(held.at, NOW + DAY);
        assert!(held.floor.is_some_and(|floor| floor.at > held.clock));
    }

    #[test]
    fn a_clock_that_lost_its_battery_goes_on_from_what_was_seen_before() {
        let (mut keeper, floors) = (keeper(), seen(NOW, Some(("another", 9_999))));
        let now = keeper.reckon(7, Some(7), &floors);
        assert_eq!(now.at, NOW);
        let next = keeper.reckon(7 + DAY, Some(7 + DAY), &floors);
        assert_eq!(next.at, NOW + DAY, "a daily limit starts again");
        // Whoever comes next, in this boot, goes on there: it is written down, once.
        let noted = keeper.due(&now, &floors, false).unwrap();
        assert_eq!(noted.boot.as_ref().unwrap().id, "this");
        assert_eq!(keeper.due(&now, &noted, true), None);
        let healthy = Now { clock: NOW, ..now };
        assert_eq!(keeper.due(&healthy, &floors, false), None, "a clock that is right needs none");
    }

    #[test]
    fn a_correction_by_a_time_server_is_over_when_the_clock_has_caught_up() {
        let (mut keeper, floors) = (keeper(), seen(NOW, Some(("this", 0))));
        keeper.reckon(NOW + 100, Some(100), &floors);
        let held = keeper.reckon(NOW + 96, Some(101), &floors);
        assert_eq!(held.at, NOW + 100, "it never goes back");
        let caught_up = keeper.reckon(NOW + 105, Some(110), &floors);
        assert_eq!(caught_up.at, NOW + 105);
        assert!(caught_up.floor.is_some_and(|floor| floor.at <= NOW + 105), "nothing is suspect");
    }

    #[test]
    fn a_quartz_that_runs_fast_makes_no_clock_suspect() {
        let mut keeper = keeper();
        // A time server takes nine seconds away every day, for a year, and another process writes
        // the time down.
        for day in 1..365 {
            let floors = seen(NOW + day * DAY, Some(("this", day * (DAY + 9))));
            let now = keeper.reckon(NOW + day * DAY, Some(day * (DAY + 9)), &floors);
            assert_eq!(now.at, NOW + day * DAY, "day {day}");
        }
    }

    #[test]
    fn no_time_that_is_kept_overflows() {
        let extremes = [i64::MIN, -1, 0, NOW, i64::MAX];
        let boots = extremes.map(|at| Some(Boot { id: "this".into(), at }));
        for (seen, boot) in extremes.iter().zip(boots.iter().cycle().skip(2)) {
            for (ahead, clock) in extremes.iter().flat_map(|a| extremes.map(|b| (*a, b))) {
                let floors = Floors {
                    seen: Some(*seen),
                    boot: boot.clone(),
                    ahead: Some(ahead),
                    ..Floors::default()
                };
                let mut keeper = keeper();
                for boot in [Some(5), None, Some(i64::MAX)] {
                    let now = keeper.reckon(clock, boot, &floors);
                    keeper.due(&now, &floors, true);
                }
            }
        }
    }

    #[test]
    fn signed_time_and_a_new_era_forget_what_was_seen() {
        let mut keeper = keeper();
        let mut floors = seen(NOW + 300 * DAY, Some(("this", 0)));
        assert_eq!(keeper.reckon(NOW, Some(10), &floors).at, NOW + 300 * DAY + 10);
        floors.heal(NOW);
        assert_eq!(keeper.reckon(NOW + 5, Some(20), &floors).at, NOW + 5);
        let signed = keeper.reckon(NOW - DAY, None, &floors);
        assert_eq!(signed.at, NOW + 5, "what was seen since holds again");
        floors.heal(NOW - 30 * DAY);
        assert_eq!(floors.signed, Some(NOW), "signed time never falls");
        assert_eq!(keeper.reckon(NOW - DAY, None, &floors).floor.map(|it| it.signed), Some(true));
        floors.forget_signed();
        assert_eq!(floors.signed, None);
    }

    #[test]
    fn far_ahead_is_believed_when_it_stays() {
        let mut keeper = keeper();
        let floors = seen(NOW, None);
        let far = NOW + FAR_AHEAD + 1;
        let now = keeper.reckon(far, None, &floors);
        assert_eq!(now.at, far, "as long as the clock says so");
        assert_eq!(keeper.reckon(NOW + 1, None, &floors).at, NOW + 1);
        let noted = keeper.noted(&now, &floors);
        assert_eq!((noted.seen, noted.ahead), (Some(NOW), Some(far)));
        let mut at = |clock: i64, floors: &Floors| {
            let now = keeper.reckon(clock, None, floors);
            keeper.noted(&now, floors)
        };
        assert_eq!(at(far + SETTLED - 1, &noted), noted);
        assert_eq!(at(far + SETTLED, &noted).seen, Some(far + SETTLED));
        assert_eq!(at(far + 2 * FAR_AHEAD, &noted).ahead, Some(far + 2 * FAR_AHEAD), "moved again");
        let back = at(NOW + 9, &noted);
        assert_eq!((back.seen, back.ahead), (Some(NOW + 9), None));
        assert_eq!(at(NOW + FAR_AHEAD, &floors).seen, Some(NOW + FAR_AHEAD), "not far");
    }

    #[test]
    fn the_time_is_written_when_it_is_due() {
        let mut keeper = keeper();
        let floors = seen(NOW, None);
        let mut due = |clock: i64, opened: bool| {
            let now = keeper.reckon(clock, None, &floors);
            keeper.due(&now, &floors, opened).is_some()
        };
        assert!(!due(NOW, true) && !due(NOW + WHEN_OPENED - 1, true));
        assert!(due(NOW + WHEN_OPENED, true) && !due(NOW + WHEN_OPENED, false));
        assert!(due(NOW + WHEN_ASKED, false));
        let first = keeper.reckon(NOW, None, &Floors::default());
        assert!(keeper.due(&first, &Floors::default(), true).is_some());
    }
}
