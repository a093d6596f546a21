//! A server with a webhook, killed at any moment: whatever happened arrives, and what comes again
//! is the same.

use crate::client::Client;
use crate::dice::{Dice, seed, times};
use crate::postgres::{Cluster, Fsync};
use crate::receiver::{Receiver, Reply};
use crate::running::{Running, Start};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a killed server had taken comes free after a minute, where there are others.
const PATIENCE: Duration = Duration::from_secs(180);

fn run(start: &Start) -> Running {
    let mut command = start.command();
    command.env("LICENTIA_WEBHOOK_NETWORK", "127.0.0.0/8");
    Running::of(command, &start.log).unwrap_or_else(|said| panic!("it does not start: {said}"))
}

/// A consumer that fails three times of ten when it sees an event for the first time.
fn unreliable(seed: u64) -> Receiver {
    let state = Mutex::new((Dice(seed), HashSet::new()));
    Receiver::with(move |got| {
        let mut state = state.lock().unwrap();
        let (dice, seen) = &mut *state;
        match seen.insert(got.id().to_string()) && dice.chance(30) {
            false => Reply::status(200),
            true if dice.chance(30) => Reply::Close,
            true if dice.chance(30) => Reply::Half,
            true => Reply::status(500),
        }
    })
}

/// Makes products until it is told to stop. Gives how many were acknowledged.
fn write(admin: &Client, prefix: &str, stop: &AtomicBool) -> usize {
    let mut done = 0;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let body = json!({ "name": "P", "code": format!("{prefix}-{number}") });
        if admin.try_ask("POST", "/api/v1/products", Some(&body)).is_ok_and(|it| it.status == 201) {
            done += 1;
        }
    }
    done
}

/// The names of all events of a kind.
fn happened(admin: &Client) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/events?kind=product.created&per_page=100{cursor}");
        let page = admin.get(&path).good();
        let names = page["events"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap());
        all.extend(names.map(str::to_string));
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

fn kills(start: &Start, count: usize) {
    let seed = seed();
    let mut dice = Dice(seed);
    let to = unreliable(seed);
    let mut server = run(start);
    let webhook = json!({ "url": to.url(), "events": ["product.created"] });
    let webhook = server.admin().post("/api/v1/webhooks", webhook).good();
    let mut done = 0;
    for round in 0..count {
        let pause = Duration::from_millis(700 + dice.below(1500) as u64);
        println!("seed {seed}, round {round}: killed after {pause:?}");
        let (stop, admin) = (AtomicBool::new(false), server.admin());
        let prefix = format!("r{round}");
        done += std::thread::scope(|threads| {
            let writer = threads.spawn(|| write(&admin, &prefix, &stop));
            std::thread::sleep(pause);
            server.kill();
            stop.store(true, Ordering::Relaxed);
            writer.join().unwrap()
        });
        server = run(start);
    }
    let wanted = happened(&server.admin());
    assert!(done > count && wanted.len() >= done, "{done} acknowledged, {} events", wanted.len());
    let waiting = "/api/v1/deliveries?state=waiting&per_page=1";
    let until = Instant::now() + PATIENCE;
    let is_left = |server: &Running| {
        let left = server.admin().get(waiting).good();
        left["deliveries"] != json!([])
            || to.got().iter().map(|it| it.id().to_string()).collect::<BTreeSet<_>>() != wanted
    };
    while is_left(&server) {
        assert!(Instant::now() < until, "{} of {} arrived", to.count(), wanted.len());
        std::thread::sleep(Duration::from_millis(200));
    }
    let again = judge(&to, &webhook, &wanted);
    println!(
        "tried: {count} kills of a server with a webhook, {done} writes acknowledged, {} events, \
         {again} arrivals again, 0 lost",
        wanted.len()
    );
}

/// Every arrival is signed in both ways and the same as before. Gives how many came again.
fn judge(to: &Receiver, webhook: &Value, wanted: &BTreeSet<String>) -> usize {
    let mut bodies: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let got = to.got();
    for one in &got {
        assert_eq!(one.json()["id"], one.id());
        for by in ["secret", "public_key"] {
            assert!(one.is_signed(webhook[by].as_str().unwrap()), "{by}: {:?}", one.headers);
        }
        let first = bodies.entry(one.id().to_string()).or_insert_with(|| one.body.clone());
        assert_eq!(*first, one.body, "{}", one.id());
    }
    assert_eq!(bodies.into_keys().collect::<BTreeSet<_>>(), *wanted);
    got.len() - wanted.len()
}

#[test]
fn webhooks_of_a_killed_server_on_sqlite_arrive() {
    let folder = tempfile::tempdir().unwrap();
    kills(&Start::new(folder.path(), None), times(4));
}

/// Where others might be at it, what was taken comes free after a minute: there has to be time.
#[test]
fn webhooks_of_a_killed_server_on_postgresql_arrive() {
    if times(1) == 1 {
        return;
    }
    let Some(cluster) = Cluster::start(Fsync::On) else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.url(&cluster.create("template0"));
    kills(&Start::new(folder.path(), Some(url)), times(4));
}
