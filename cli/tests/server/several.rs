//! Several servers on one PostgreSQL, behind a balancer.

use crate::balancer::Balancer;
use crate::dice::{Dice, seed, times};
use crate::oracle::{self, SEATS, Shop, Writer};
use crate::postgres::{self, Cluster};
use crate::running::{Running, Start};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Servers.
const SERVERS: usize = 3;

/// Writers at a time.
const WRITERS: usize = 6;

/// Servers that share a database.
struct Group {
    folders: Vec<TempDir>,
    starts: Vec<Start>,
    servers: Vec<Option<Running>>,
}

impl Group {
    /// Starts all at once on an empty database.
    fn start(cluster: &Cluster) -> Group {
        let url = cluster.url(&cluster.create("template0"));
        let folders: Vec<TempDir> = (0..SERVERS).map(|_| tempfile::tempdir().unwrap()).collect();
        let starts: Vec<Start> =
            folders.iter().map(|it| Start::new(it.path(), Some(url.clone()))).collect();
        let servers = std::thread::scope(|threads| {
            let starting: Vec<_> =
                starts.iter().map(|start| threads.spawn(|| start.run())).collect();
            starting.into_iter().map(|it| Some(it.join().unwrap())).collect()
        });
        Group { folders, starts, servers }
    }

    fn balancer(&self) -> Balancer {
        Balancer::new(self.servers.iter().flatten().map(|it| it.address).collect())
    }

    /// Kills one, and starts it again.
    fn strike(&mut self, at: usize, balancer: &Balancer) {
        let server = self.servers[at].take().unwrap();
        let old = server.address;
        server.kill();
        let server = self.starts[at].run();
        balancer.replace(old, server.address);
        self.servers[at] = Some(server);
    }

    /// How often each event was delivered, by the logs of all.
    fn delivered(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for folder in &self.folders {
            for line in events(&folder.path().join("log")) {
                *times.entry(line).or_default() += 1;
            }
        }
        times
    }
}

/// The names of the events that a log says were delivered.
fn events(log: &Path) -> Vec<String> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let name = |line: Value| {
        let fields = if line["fields"].is_object() { &line["fields"] } else { &line };
        (fields["message"] == "event").then(|| fields["id"].as_str().unwrap().to_string())
    };
    lines.filter_map(name).collect()
}

fn admin(group: &Group, balancer: &Balancer) -> crate::client::Client {
    group.servers.iter().flatten().next().unwrap().admin().at(balancer.address)
}

#[test]
fn several_servers_lose_no_write_and_give_no_seat_twice_whoever_is_killed() {
    let Some(cluster) = postgres::shared() else { return };
    let mut group = Group::start(cluster);
    let balancer = group.balancer();
    let admin = admin(&group, &balancer);
    let shop = Shop::open(&admin);
    let seed = seed();
    let mut dice = Dice(seed);
    let writers = (0..WRITERS).map(|at| Writer::new(&format!("w{at}"), seed + at as u64));
    let mut writers: Vec<Writer> = writers.collect();
    let kills = times(4);
    for round in 0..kills {
        println!("seed {seed}, round {round}");
        let stop = AtomicBool::new(false);
        std::thread::scope(|threads| {
            for writer in &mut writers {
                let (admin, shop, stop) = (&admin, &shop, &stop);
                threads.spawn(move || {
                    // A server that dies with a request is not the end: the balancer has others.
                    while !stop.load(Ordering::Relaxed) {
                        writer.write(admin, shop, stop);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(100 + dice.below(200) as u64));
            let at = dice.below(SERVERS);
            group.strike(at, &balancer);
            std::thread::sleep(Duration::from_millis(50));
            stop.store(true, Ordering::Relaxed);
        });
        oracle::check(&admin, &shop, &mut writers);
    }
    oracle::check_events(&admin, &writers);
    let done: u64 = writers.iter().map(|it| it.done).sum();
    assert!(done > 10 * kills as u64, "only {done} writes");
    println!("tried: {kills} kills of one of {SERVERS} servers, {done} writes, 0 lost");
}

#[test]
fn a_group_of_servers_delivers_each_event_once() {
    let Some(cluster) = postgres::shared() else { return };
    let group = Group::start(cluster);
    let balancer = group.balancer();
    let admin = admin(&group, &balancer);
    let shop = Shop::open(&admin);
    for at in 0..times(60) {
        let license = json!({ "product_id": shop.product, "customer_id": at.to_string() });
        admin.post("/api/v1/licenses", license).good();
    }
    let wanted = oracle::all(&admin, "/api/v1/events?per_page=100", "events").len();
    assert!(wanted > 60, "{wanted} events");
    let begun = Instant::now();
    while group.delivered().len() < wanted {
        let found = group.delivered().len();
        assert!(begun.elapsed().as_secs() < 60, "{found} of {wanted} events were delivered");
        std::thread::sleep(Duration::from_millis(100));
    }
    let twice: Vec<_> = group.delivered().into_iter().filter(|(_, times)| *times != 1).collect();
    assert!(twice.is_empty(), "delivered more than once: {twice:?}");
}

#[test]
fn many_ask_several_servers_for_few_seats_and_exactly_these_are_given() {
    let Some(cluster) = postgres::shared() else { return };
    let group = Group::start(cluster);
    let balancer = group.balancer();
    let admin = admin(&group, &balancer);
    let shop = Shop::open(&admin);
    let path = format!("/api/v1/licenses/{}/seats", shop.license);
    for round in 0..times(3) {
        let taken: Vec<String> = std::thread::scope(|threads| {
            let asking: Vec<_> = (0..24)
                .map(|at| {
                    let (admin, path) = (&admin, &path);
                    let holder = json!({ "holder": format!("h{round}-{at}") });
                    threads.spawn(move || admin.post(path, holder))
                })
                .collect();
            let answers = asking.into_iter().map(|it| it.join().unwrap());
            let id = |answer: crate::client::Answer| match answer.status {
                409 => {
                    answer.refused(409, "no_seat");
                    None
                }
                _ => Some(answer.good()["id"].as_str().unwrap().to_string()),
            };
            answers.filter_map(id).collect()
        });
        assert_eq!(taken.len(), SEATS, "round {round}");
        for id in taken {
            admin.delete(&format!("/api/v1/seats/{id}")).good();
        }
    }
}
