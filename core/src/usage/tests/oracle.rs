//! Thousands of random operations by several processes, beside a model that keeps every event and
//! reckons with another calendar.

use super::*;
use crate::errors::Code;
use crate::store::simulated::{Dice, times};
use crate::usage::meter::Entry;
use crate::usage::totals::Use;
use jiff::civil::{Date, DateTime, date};
use std::collections::BTreeMap;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const DAY: i64 = 86_400;

fn civil(at: i64) -> DateTime {
    EPOCH.checked_add(jiff::SignedDuration::from_secs(at)).unwrap()
}

fn seconds(date: Date) -> i64 {
    date.to_datetime(jiff::civil::Time::midnight()).duration_since(EPOCH).as_secs()
}

/// Everything that was ever recorded, in order.
#[derive(Default)]
struct Model(Vec<(String, Entry, i64)>);

impl Model {
    fn of(&self, feature: &Feature, at: i64) -> Use {
        let mine = || self.0.iter().filter(|(id, ..)| *id == feature.id);
        let now = civil(at);
        match feature.meter.as_deref().unwrap() {
            "count" => {
                let per = feature.per.as_deref().unwrap();
                let name = |time: DateTime| match per {
                    "hour" => time.strftime("%Y-%m-%d %H").to_string(),
                    "day" => time.strftime("%Y-%m-%d").to_string(),
                    "month" => time.strftime("%Y-%m").to_string(),
                    "year" => time.strftime("%Y").to_string(),
                    _ => String::new(),
                };
                let inside = mine().filter(|(_, _, time)| name(civil(*time)) == name(now));
                let used = inside.map(|(_, entry, _)| amount(entry)).sum();
                let day = now.date();
                let resets_at = match per {
                    "hour" => Some(at - at.rem_euclid(3600) + 3600),
                    "day" => Some(seconds(day) + DAY),
                    "month" => Some(seconds(day.last_of_month()) + DAY),
                    "year" => Some(seconds(date(day.year() + 1, 1, 1))),
                    _ => None,
                };
                Use { used, high: used, resets_at }
            }
            "level" => {
                let (mut value, mut high) = (0, BTreeMap::new());
                for (_, entry, time) in mine() {
                    let month = civil(*time).strftime("%Y-%m").to_string();
                    let highest = high.entry(month).or_insert(value);
                    value = amount(entry);
                    *highest = value.max(*highest);
                }
                let month = now.strftime("%Y-%m").to_string();
                let high = high.get(&month).copied().unwrap_or(0).max(value);
                Use { used: value, high, resets_at: None }
            }
            _ => {
                let mut days = BTreeMap::new();
                for (_, entry, time) in mine() {
                    if let Entry::Key(key) = entry {
                        days.insert(*key, seconds(civil(*time).date()) / DAY);
                    }
                }
                let window = i64::from(feature.days.unwrap());
                let today = seconds(now.date()) / DAY;
                let inside = days.values().filter(|day| (today - window + 1..=today).contains(day));
                let used = inside.clone().count() as u64;
                let resets_at = inside.min().map(|oldest| (oldest + window) * DAY);
                Use { used, high: used, resets_at }
            }
        }
    }

    /// Whether an entry is taken; noted if so.
    fn record(&mut self, feature: &Feature, entry: Entry, at: i64) -> bool {
        let before = self.of(feature, at).used;
        self.0.push((feature.id.clone(), entry, at));
        let after = self.of(feature, at).used;
        let line = feature.max.map(|max| max + max * u64::from(feature.over.unwrap()) / 100);
        let stops = feature.then.as_deref() == Some("stop");
        let taken = !stops || after <= before || line.is_none_or(|line| after <= line);
        if !taken {
            self.0.pop();
        }
        taken
    }
}

fn amount(entry: &Entry) -> u64 {
    match entry {
        Entry::Add(amount) | Entry::Level(amount) => *amount,
        Entry::Key(_) => 0,
    }
}

fn features() -> Vec<Feature> {
    vec![
        count("hourly", "hour"),
        limited(count("daily", "day"), 25, 10, "stop"),
        limited(count("monthly", "month"), 40, 10, "count"),
        limited(count("yearly", "year"), 700, 0, "stop"),
        count("ever", "ever"),
        level("gauge"),
        limited(level("seats"), 15, 20, "stop"),
        limited(distinct("keys", 30), 8, 25, "stop"),
        distinct("users", 3),
    ]
}

fn entry(feature: &Feature, dice: &mut Dice) -> Entry {
    match feature.meter.as_deref().unwrap() {
        "count" => Entry::Add(dice.below(4)),
        "level" => Entry::Level(dice.below(25)),
        _ => Entry::Key([dice.below(16) as u8; 16]),
    }
}

/// One life of a folder with several processes.
fn live(seed: u64) {
    let mut dice = Dice(seed);
    let disk = SimDisk::default();
    let folder = folder_on(&disk);
    let (features, mut model) = (features(), Model::default());
    let mut processes: Vec<Ledger> = (0..3).map(|_| process(&folder)).collect();
    let mut at = NOON;
    for step in 0..400 {
        at += match dice.below(20) {
            0 => dice.below(40 * 86_400) as i64,
            1 => -(dice.below(7200) as i64),
            _ => dice.below(3600) as i64,
        };
        let which = dice.below(3) as usize;
        let feature = &features[dice.below(features.len() as u64) as usize];
        match dice.below(40) {
            0 => processes[which] = process(&folder),
            1 => {
                let place = processes[which].totals().unwrap().to_report().place;
                let locked = folder.lock().unwrap();
                processes[which].acknowledge(&locked, place.seq, &place.head).unwrap();
            }
            2 => processes[which].flush().unwrap(),
            kind => {
                let entry = entry(feature, &mut dice);
                let done = match kind % 2 {
                    0 => processes[which].record(feature, entry, at),
                    _ => processes[which].record_later(feature, entry, at),
                };
                let taken = model.record(feature, entry, at);
                match done {
                    Ok(()) => assert!(taken, "seed {seed}, step {step}: {entry:?} {feature:?}"),
                    Err(error) => {
                        assert_eq!(error.code(), Code::LimitExceeded, "seed {seed}: {error}");
                        assert!(!taken, "seed {seed}, step {step}: {entry:?} {error}");
                    }
                }
            }
        }
        let reader = &processes[dice.below(3) as usize];
        let found = reader.totals().unwrap().of(feature, at);
        assert_eq!(found, model.of(feature, at), "seed {seed}, step {step}: {feature:?}");
        assert_eq!(reader.damaged(), None, "seed {seed}, step {step}");
    }
    let found = process(&folder).totals().unwrap();
    for feature in &features {
        assert_eq!(found.of(feature, at), model.of(feature, at), "seed {seed}: {feature:?}");
    }
}

#[test]
fn all_processes_count_as_a_plain_list_would() {
    for seed in 0..20 * times() {
        live(seed);
    }
}

#[test]
fn a_wrong_verb_is_told_the_right_one() {
    let folder = folder_on(&SimDisk::default());
    let ledger = process(&folder);
    let newer = Feature { meter: Some("mean".into()), ..Feature::new("a") };
    for (feature, entry, says) in [
        (count("a", "day"), Entry::Level(1), "the feature a is a counter: use record"),
        (level("a"), Entry::Add(0), "the feature a is a level: use record_level"),
        (distinct("a", 3), Entry::Add(1), "the feature a counts different keys: use record_key"),
        (
            Feature::new("a"),
            Entry::Add(1),
            "the feature a has no meter: there is nothing to record",
        ),
        (newer, Entry::Add(1), "the feature a has a meter that this version does not know"),
    ] {
        for done in [ledger.record(&feature, entry, 0), ledger.record_later(&feature, entry, 0)] {
            let error = done.unwrap_err();
            assert_eq!((error.code(), error.detail()), (Code::InvalidArgument, says));
        }
    }
}

#[test]
fn the_largest_number_is_counted_and_none_beyond() {
    let folder = folder_on(&SimDisk::default());
    let (ledger, feature, most) = (process(&folder), count("a", "ever"), (1 << 53) - 1);
    ledger.record(&feature, Entry::Add(most - 1), i64::MIN).unwrap();
    ledger.record(&feature, Entry::Add(1), i64::MAX).unwrap();
    for more in [1, most, u64::MAX] {
        let error = ledger.record(&feature, Entry::Add(more), NOON).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
    }
    let error = ledger.record(&level("b"), Entry::Level(most + 1), NOON).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(used(&folder, &feature, NOON), most);
}

#[test]
fn what_changes_nothing_is_not_written() {
    let disk = SimDisk::default();
    let folder = folder_on(&disk);
    let (ledger, keys, seats) = (process(&folder), distinct("keys", 30), level("seats"));
    let totals = || ledger.totals().unwrap();
    ledger.record(&keys, Entry::Key([7; 16]), NOON).unwrap();
    ledger.record(&seats, Entry::Level(3), NOON).unwrap();
    let before = totals();
    ledger.record(&keys, Entry::Key([7; 16]), NOON + 60).unwrap();
    ledger.record(&seats, Entry::Level(3), NOON + 60).unwrap();
    ledger.record(&count("c", "day"), Entry::Add(0), NOON).unwrap();
    assert!(Arc::ptr_eq(&before, &totals()), "nothing is read where nothing is new");
    // Tomorrow the key is seen again, and next month has a highest level of its own.
    ledger.record(&keys, Entry::Key([7; 16]), NOON + DAY).unwrap();
    ledger.record(&seats, Entry::Level(3), NOON + 31 * DAY).unwrap();
    assert_eq!(totals().place().seq, before.place().seq + 2);
}

/// A renewal may lower a limit below what is in use: whoever goes towards it is not stopped.
#[test]
fn going_down_and_known_keys_are_recorded_above_the_limit() {
    let folder = folder_on(&SimDisk::default());
    let (ledger, key) = (process(&folder), |n: u8| Entry::Key([n; 16]));
    let (seats, keys) = (level("seats"), distinct("keys", 30));
    ledger.record(&seats, Entry::Level(10), NOON).unwrap();
    for n in 0..4 {
        ledger.record(&keys, key(n), NOON).unwrap();
    }
    let (seats, keys) = (limited(seats, 5, 0, "stop"), limited(keys, 2, 0, "stop"));
    ledger.record(&seats, Entry::Level(8), NOON).unwrap();
    ledger.record(&keys, key(3), NOON + DAY).unwrap();
    for (feature, entry) in [(&seats, Entry::Level(9)), (&keys, key(9))] {
        let error = ledger.record(feature, entry, NOON + DAY).unwrap_err();
        assert_eq!(error.code(), Code::LimitExceeded);
    }
    assert_eq!(used(&folder, &seats, NOON + DAY), 8);
    // It was seen a day later than the others, and so it leaves a day later.
    assert_eq!([29, 30, 31].map(|days| used(&folder, &keys, NOON + days * DAY)), [4, 1, 0]);
}
