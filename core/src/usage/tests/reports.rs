//! What a server makes of reports that are lost, sent twice and answered late; and what is kept.

use super::*;
use crate::limits::{METER_PERIODS_MAX, REPORT_ROWS_MAX};
use crate::store::simulated::{Dice, times};
use crate::usage::checkpoint::{self, Turn};
use crate::usage::meter::{Entry, Kind, Meter, Total};
use crate::usage::period::Per;
use crate::usage::totals::{Place, Report, Totals};
use std::collections::BTreeMap;

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// What a server knows: the highest it was ever told of each period.
#[derive(Default)]
struct Server(BTreeMap<(String, &'static str, Option<i64>), u64>);

impl Server {
    fn hear(&mut self, report: &Report) {
        for row in &report.rows {
            let known = self.0.entry((row.feature.clone(), row.kind, row.from)).or_default();
            *known = row.value.max(*known);
        }
    }

    fn sum(&self, feature: &str) -> u64 {
        self.0.iter().filter(|((id, ..), _)| id == feature).map(|(_, value)| value).sum()
    }
}

#[test]
fn a_server_hears_everything_once_whatever_is_lost_on_the_way() {
    for seed in 0..20 * times() {
        let mut dice = Dice(seed);
        let folder = folder_on(&SimDisk::default());
        let processes: Vec<Ledger> = (0..2).map(|_| process(&folder)).collect();
        let (mut server, mut sent, mut truth) = (Server::default(), Vec::new(), [0; 2]);
        let features = [count("pages", "hour"), count("calls", "month")];
        let mut at = NOON;
        for _ in 0..300 {
            let ledger = &processes[dice.below(2) as usize];
            at += dice.below(3000) as i64;
            match dice.below(10) {
                0 => sent.push(ledger.totals().unwrap().to_report()),
                // Any of those on their way arrives, perhaps again; its answer perhaps.
                1 if !sent.is_empty() => {
                    let report: &Report = &sent[dice.below(sent.len() as u64) as usize];
                    server.hear(report);
                    if dice.chance(500) {
                        let Place { seq, head } = &report.place;
                        let locked = folder.lock().unwrap();
                        ledger.acknowledge(&locked, *seq, head).unwrap();
                    }
                }
                _ => {
                    let which = dice.below(2) as usize;
                    let amount = dice.below(5);
                    ledger.record(&features[which], Entry::Add(amount), at).unwrap();
                    truth[which] += amount;
                }
            }
        }
        let totals = processes[0].totals().unwrap();
        server.hear(&totals.to_report());
        for (feature, truth) in features.iter().zip(truth) {
            assert_eq!(server.sum(&feature.id), truth, "seed {seed}: {}", feature.id);
        }
    }
}

#[test]
fn what_is_acknowledged_is_not_sent_again_and_a_copied_folder_is_told() {
    let disk = SimDisk::default();
    let folder = folder_on(&disk);
    let ledger = process(&folder);
    let add = |ledger: &Ledger| ledger.record(&count("a", "month"), Entry::Add(1), NOON).unwrap();
    add(&ledger);
    let first = ledger.totals().unwrap().to_report();
    assert_eq!(first.since, None);
    let copy = SimDisk::default();
    for name in ["lock", "usage.a", "usage.b"] {
        copy.put(name, &disk.get(name).unwrap());
    }
    let acknowledge = |folder: &Folder, ledger: &Ledger, place: &Place| {
        let locked = folder.lock().unwrap();
        ledger.acknowledge(&locked, place.seq, &place.head).unwrap();
    };
    acknowledge(&folder, &ledger, &first.place);
    assert!(ledger.totals().unwrap().to_report().rows.is_empty());
    add(&ledger);
    let second = ledger.totals().unwrap().to_report();
    assert_eq!((second.since.as_ref(), second.rows[0].value), (Some(&first.place), 2));
    // A server that knows less than it did has lost the rest, and is sent it again.
    acknowledge(&folder, &ledger, &second.place);
    acknowledge(&folder, &ledger, &first.place);
    let again = ledger.totals().unwrap().to_report();
    assert_eq!((again.since.as_ref(), &again.rows), (Some(&first.place), &second.rows));
    acknowledge(&folder, &ledger, &Place { seq: 0, head: "0".into() });
    assert_eq!(ledger.totals().unwrap().to_report().rows, second.rows);
    // The copy goes on from where it was: another head, and an older place to go on from.
    let copied = Folder::on(Arc::new(copy));
    let other = process(&copied);
    add(&other);
    let forked = other.totals().unwrap().to_report();
    assert_eq!(forked.since, None);
    assert_ne!(forked.place.head, second.place.head);
    // A server that is ahead of it makes its numbers go on from there.
    acknowledge(&copied, &other, &Place { seq: 1000, head: "ahead".into() });
    add(&other);
    let ahead = other.totals().unwrap().to_report();
    assert!(ahead.place.seq > 1000 && ahead.rows.len() == 1, "{ahead:?}");
}

/// Totals after records every so many seconds.
fn totals(feature: &Feature, every: i64, records: i64) -> Totals {
    let entries: Vec<_> =
        (0..records).map(|n| (feature.clone(), Entry::Add(1), NOON + n * every)).collect();
    Totals::made(&entries)
}

/// What is left of totals in the next checkpoint, as it is read again.
fn compacted(totals: &Totals, acknowledged: u64, at: i64) -> Totals {
    let turn = Turn {
        seq: totals.place().seq + 1,
        room: ROOM,
        at: Some(at),
        acknowledged: Some(Place { seq: acknowledged, head: String::new() }),
        ..Turn::default()
    };
    let (written, payload) = checkpoint::write(totals, &turn).unwrap();
    let (read, room) = checkpoint::read(&payload).unwrap();
    assert_eq!((&read.features, &read.meters), (&written.features, &written.meters));
    assert_eq!((read.place(), &read.acknowledged), (written.place(), &written.acknowledged));
    assert_eq!((read.seq, room), (turn.seq, ROOM));
    read
}

fn kept(totals: &Totals) -> (usize, u64, u64) {
    let meter = totals.meters.values().next().unwrap();
    let sum = meter.periods.values().map(|total| total.value).sum();
    (meter.periods.len(), sum, meter.earlier.value)
}

#[test]
fn unacknowledged_periods_stay_and_the_oldest_of_too_many_are_added_up() {
    let most = METER_PERIODS_MAX as i64;
    let hours = totals(&count("a", "hour"), HOUR, most + 7);
    let far = NOON + 9000 * DAY;
    assert_eq!(kept(&compacted(&hours, 0, far)), (METER_PERIODS_MAX, most as u64, 7));
    // Twice makes no difference.
    let again = compacted(&compacted(&hours, 0, far), 0, far);
    assert_eq!(kept(&again), (METER_PERIODS_MAX, most as u64, 7));
    // What the server has does not come back in the sum of what it has not.
    assert_eq!(kept(&compacted(&hours, 4, far)), (METER_PERIODS_MAX, most as u64, 3));
}

#[test]
fn acknowledged_periods_go_after_400_days() {
    let days = totals(&count("a", "day"), DAY, 100);
    let midnight = NOON - 43_200;
    assert_eq!(kept(&compacted(&days, 100, midnight + 400 * DAY)).0, 100);
    assert_eq!(kept(&compacted(&days, 100, midnight + 400 * DAY + 1)), (99, 99, 0));
    assert_eq!(kept(&compacted(&days, 60, NOON + 900 * DAY)), (40, 40, 0));
    assert!(compacted(&days, 100, NOON + 900 * DAY).meters.is_empty());
    let ever = totals(&count("a", "ever"), DAY, 100);
    assert_eq!(kept(&compacted(&ever, 100, NOON + 9000 * DAY)), (1, 100, 0));
    // A level stays what it was last set to, and its highest is known for ever.
    let level =
        Totals::made(&[(level("a"), Entry::Level(9), NOON), (level("a"), Entry::Level(4), NOON)]);
    let level = compacted(&level, 2, NOON + 900 * DAY);
    assert_eq!((kept(&level), level.of(&super::level("a"), NOON).used), ((0, 0, 9), 4));
}

#[test]
fn keys_go_when_no_window_can_hold_them() {
    let feature = distinct("a", 366);
    let seen = |n: u8| (feature.clone(), Entry::Key([n; 16]), NOON + i64::from(n) * DAY);
    let keys = Totals::made(&[seen(0), seen(1), seen(2)]);
    for later in 0..400 {
        let at = NOON + later * DAY;
        let after = compacted(&keys, 0, at);
        assert_eq!(after.of(&feature, at), keys.of(&feature, at), "{later} days later");
    }
    let meter = compacted(&keys, 0, NOON + 367 * DAY);
    assert_eq!(meter.meters.values().next().unwrap().keys.sorted().len(), 2);
}

#[test]
fn what_is_too_much_for_a_file_is_cut_down_and_counting_goes_on() {
    let total = |n: i64| (NOON + n * HOUR, Total { value: 1, seq: 1 });
    let meter = Meter { periods: (0..8000).map(total).collect(), ..Meter::default() };
    let mut much = totals(&count("a", "hour"), HOUR, 1);
    much.features = Arc::new((0..60).map(|n| format!("{n:064}")).collect());
    let place = |n: u16| ((n, Kind::Count(Per::Hour)), Arc::new(meter.clone()));
    much.meters = (0..60).map(place).collect();
    let turn = Turn { seq: much.place().seq + 1, room: ROOM, ..Turn::default() };
    let (less, payload) = checkpoint::write(&much, &turn).unwrap();
    assert!(payload.len() <= crate::limits::USAGE_MAX);
    let sums = less.meters.values().map(|meter| {
        meter.periods.values().map(|total| total.value).sum::<u64>() + meter.earlier.value
    });
    assert_eq!(sums.collect::<Vec<_>>(), [8000; 60]);
}

#[test]
fn a_long_report_is_sent_in_parts_the_oldest_first() {
    let (mut left, mut server) = (totals(&count("a", "hour"), HOUR, 1000), Server::default());
    for part in 0..5 {
        let report = left.to_report();
        assert_eq!(report.rows.len(), (1000 - part * REPORT_ROWS_MAX).min(REPORT_ROWS_MAX));
        server.hear(&report);
        left = compacted(&left, report.place.seq, NOON);
    }
    assert!(left.to_report().rows.is_empty());
    assert_eq!(server.sum("a"), 1000);
}
