//! What was used, on its way to the issuer: in batches, over answers that are lost, requests that
//! come twice, servers that forget and disks that are set back.

mod house_support;
mod http_support;
mod installation_support;

use house_support::*;
use http_support::Site;
use installation_support::*;
use licentia::issue::{Ledger, read_request};
use licentia::{Code, Error, Feature, Issuer, Product, issue};
use std::sync::Arc;

const METERS: usize = 20;

/// A license of twenty meters by the day.
fn metered_license() -> String {
    let mut claims = claims();
    claims.license.valid_from = NOW - 400 * DAY;
    claims.iat = NOW - 400 * DAY;
    claims.license.valid_until = Some(NOW + 400 * DAY);
    claims.license.features = (0..METERS)
        .map(|number| Feature {
            meter: Some("count".into()),
            per: Some("day".into()),
            ..Feature::new(format!("meter{number}"))
        })
        .collect();
    issue::sign(&key(LICENSES), &claims).unwrap()
}

fn begun(counter: &Arc<Counter>) -> (Site, Product) {
    let product = product_at("test", NOW);
    let mut it = Site::within(&product, light_folder());
    it.apply(metered_license().as_bytes()).unwrap();
    it.connect(counter.clone() as Arc<dyn Issuer>);
    (it, product)
}

/// Records so many days of all meters, and gives the sum.
fn use_for(it: &Site, product: &mut Product, days: std::ops::Range<i64>) -> u64 {
    let mut sum = 0;
    for day in days {
        product.set("clock", &(NOW + day * DAY).to_string()).unwrap();
        for meter in 0..METERS {
            let amount = 1 + day as u64 + meter as u64;
            it.record_later(&format!("meter{meter}"), amount).unwrap();
            sum += amount;
        }
    }
    it.flush().unwrap();
    sum
}

fn heard(counter: &Counter) -> u64 {
    counter.house().used.values().sum()
}

fn unreported(it: &Site) -> usize {
    let request = read_request(it.request("sync", None).unwrap().as_bytes()).unwrap();
    request.sync.unwrap().usage.len()
}

#[test]
fn months_without_a_network_are_told_in_several_reports() {
    let counter = Counter::new(House::default());
    let (it, mut product) = begun(&counter);
    let sum = use_for(&it, &mut product, 0..60);
    it.sync().unwrap();
    // 1,200 totals of 240 each.
    assert_eq!(counter.words(), ["sync"; 5]);
    assert_eq!((heard(&counter), unreported(&it)), (sum, 0));
    it.sync().unwrap();
    assert_eq!((heard(&counter), counter.words().len()), (sum, 1));
}

/// Whoever goes on recording while it is told is not told for ever.
#[test]
fn what_is_recorded_meanwhile_goes_with_the_next() {
    let counter = Counter::new(House::default());
    let (it, mut product) = begun(&counter);
    use_for(&it, &mut product, 0..3);
    let busy = product.open(it.folder.path()).unwrap();
    counter.bend(move |_, _| {
        busy.record("meter0", 1).unwrap();
        None
    });
    it.sync().unwrap();
    assert_eq!(counter.words().len(), 1);
    counter.mend();
    it.sync().unwrap();
    assert_eq!(unreported(&it), 0);
}

#[test]
fn lost_answers_and_requests_that_come_twice_count_nothing_twice() {
    let counter = Counter::new(House::default());
    let (it, mut product) = begun(&counter);
    let mut sum = use_for(&it, &mut product, 0..30);
    for lost in 0..6 {
        // The report arrives, once or twice, and the answer to it does not.
        let mut left = lost;
        counter.bend(move |house, request| {
            let first = house.answer(request);
            let twice = house.answer(request);
            left -= 1;
            match left {
                0 => Some(Err(Error::new(Code::Unreachable, "cut off"))),
                1 => Some(first.map(String::into_bytes)),
                _ => Some(twice.map(String::into_bytes)),
            }
        });
        let outcome = it.sync();
        assert!(outcome.is_ok() || outcome.unwrap_err().code() == Code::Unreachable, "{lost}");
        sum += use_for(&it, &mut product, 30 + lost..31 + lost);
    }
    counter.mend();
    it.sync().unwrap();
    assert_eq!((heard(&counter), unreported(&it)), (sum, 0));
}

/// A server whose backup is of weeks ago is told again, in the same call.
#[test]
fn a_server_that_has_lost_reports_is_told_them_again() {
    let counter = Counter::new(House::default());
    let (it, mut product) = begun(&counter);
    use_for(&it, &mut product, 0..10);
    it.sync().unwrap();
    let backup = counter.house().clone();
    let sum = use_for(&it, &mut product, 10..40) + heard(&counter);
    it.sync().unwrap();
    assert_eq!(heard(&counter), sum);
    let seq = counter.house().seq;
    *counter.house() = House { seq, ..backup };
    counter.words();
    // It says how far it has got, until it has heard the rest.
    counter.bend(|house, request| {
        let told = request.sync.as_ref()?;
        let known = house.heard.get(&request.installation).cloned()?;
        let goes_on = told.since.as_ref() == Some(&known);
        let answer = house.answer(request).unwrap();
        if goes_on {
            return Some(Ok(answer.into_bytes()));
        }
        house.heard.insert(request.installation.clone(), known.clone());
        let mut said = house.said(request);
        said.ack = Some(known);
        Some(Ok(house.sign(&said).into_bytes()))
    });
    it.sync().unwrap();
    assert_eq!((heard(&counter), unreported(&it)), (sum, 0));
    assert!(counter.words().len() >= 3);
}

/// Whatever a server says it has got, a call comes to its end.
#[test]
fn no_server_keeps_a_sync_going() {
    type Acking = fn(&mut u64, &Ledger) -> Option<Ledger>;
    let servers: [(&str, Acking); 5] = [
        ("nothing", |_, _| None),
        ("always the first", |_, told| Some(Ledger { seq: 1, head: told.head.clone() })),
        ("to and fro", |turn, told| {
            *turn += 1;
            Some(Ledger { seq: 1 + 9 * (*turn % 2), head: told.head.clone() })
        }),
        ("one more each time", |turn, told| {
            *turn += 1;
            Some(Ledger { seq: *turn, head: told.head.clone() })
        }),
        ("more than there is", |_, told| Some(Ledger { seq: 1 << 50, head: told.head.clone() })),
    ];
    for (what, acking) in servers {
        let counter = Counter::new(House::default());
        let (it, mut product) = begun(&counter);
        use_for(&it, &mut product, 0..30);
        let mut turn = 0;
        counter.bend(move |house, request| {
            let told = request.sync.as_ref().and_then(|sync| sync.ledger.clone())?;
            let mut answer = house.said(request);
            answer.ack = acking(&mut turn, &told);
            Some(Ok(house.sign(&answer).into_bytes()))
        });
        it.sync().unwrap();
        let asked = counter.words().len();
        assert!(asked <= 64, "{what}: {asked} requests");
        assert!(it.allows("meter0"), "{what}");
        it.record("meter0", 5).unwrap();
    }
}

/// A disk that was set back goes on; what the server has heard stays heard.
#[test]
fn a_disk_that_was_set_back_takes_nothing_from_what_was_heard() {
    let counter = Counter::new(House::default());
    let (it, mut product) = begun(&counter);
    use_for(&it, &mut product, 0..5);
    let saved: Vec<_> = http_support::bytes_of(it.folder.path());
    use_for(&it, &mut product, 5..9);
    it.sync().unwrap();
    let before = heard(&counter);
    for (name, bytes) in saved {
        std::fs::write(it.folder.path().join(name), bytes).unwrap();
    }
    let mut restored = product.open(it.folder.path()).unwrap();
    restored.connect(counter.clone() as Arc<dyn Issuer>);
    restored.record("meter0", 1_000).unwrap();
    restored.sync().unwrap();
    assert!(heard(&counter) >= before + 900, "what is used from then on counts");
    assert!(restored.allows("meter0"));
    restored.sync().unwrap();
}

/// Of a hundred who ask at once one is heard, and what is recorded before a call goes with it.
#[test]
fn of_a_hundred_syncs_at_once_one_reaches_the_issuer() {
    let counter = Counter::new(House::default());
    let (it, _) = begun(&counter);
    counter.bend(|_, _| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        None
    });
    let start = std::sync::Barrier::new(100);
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                start.wait();
                it.sync().unwrap();
            });
        }
    });
    assert!(counter.words().len() <= 2);
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                it.record("meter0", 1).unwrap();
                it.sync().unwrap();
            });
        }
    });
    assert_eq!((heard(&counter), unreported(&it)), (10, 0), "each has told what it has used");
    it.sync().unwrap();
    it.sync().unwrap();
    assert!(counter.words().len() > 2, "one after the other, each asks");
}

/// The network goes in the middle of many reports: what has come holds, and nothing has failed.
#[test]
fn what_has_come_of_many_reports_is_no_failure() {
    let counter = Counter::new(House::default());
    let (it, mut product) = begun(&counter);
    let sum = use_for(&it, &mut product, 0..30);
    let mut reports = 0;
    counter.bend(move |_, request| {
        reports += usize::from(request.what == "sync");
        (reports > 1).then(|| Err(Error::new(Code::Unreachable, "no route")))
    });
    it.sync().unwrap();
    assert_eq!(status(&it)["issuer"]["failure"], serde_json::Value::Null);
    assert!(unreported(&it) > 0 && heard(&counter) < sum);
    assert_eq!(it.sync().unwrap_err().code(), Code::Unreachable);
    counter.mend();
    it.sync().unwrap();
    assert_eq!((unreported(&it), heard(&counter)), (0, sum));
}
