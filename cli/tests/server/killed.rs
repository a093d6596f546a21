//! Killed at any moment: what was acknowledged is there, what was not is there once it is asked
//! for again, and nothing is there twice.

use crate::dice::{Dice, seed, times};
use crate::oracle::{self, Shop, Writer};
use crate::postgres::{Cluster, Fsync};
use crate::running::{Running, Start};
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Writers at a time.
const WRITERS: usize = 4;

/// What is killed.
#[derive(Clone, Copy, PartialEq)]
enum Victim {
    Server,
    Database,
}

/// Lets writers write, kills, starts again, and looks; so often.
fn loops(start: &Start, cluster: Option<&Cluster>, victim: Victim, count: usize) -> u64 {
    let seed = seed();
    let mut dice = Dice(seed);
    let mut server = start.run();
    let shop = Shop::open(&server.admin());
    let mut writers: Vec<Writer> =
        (0..WRITERS).map(|at| Writer::new(&format!("w{at}"), seed + at as u64)).collect();
    for round in 0..count {
        let pause = Duration::from_millis(20 + dice.below(150) as u64);
        println!("seed {seed}, round {round}: killed after {pause:?}");
        let stop = AtomicBool::new(false);
        let admin = server.admin();
        server = std::thread::scope(|threads| {
            for writer in &mut writers {
                let (admin, shop, stop) = (&admin, &shop, &stop);
                threads.spawn(move || writer.write(admin, shop, stop));
            }
            std::thread::sleep(pause);
            let next = strike(server, start, cluster, victim);
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            next
        });
        oracle::check(&server.admin(), &shop, &mut writers);
    }
    oracle::check_events(&server.admin(), &writers);
    writers.iter().map(|it| it.done).sum()
}

/// Kills one of them, and starts it again.
fn strike(server: Running, start: &Start, cluster: Option<&Cluster>, victim: Victim) -> Running {
    match (victim, cluster) {
        (Victim::Database, Some(cluster)) => {
            cluster.kill();
            cluster.restart();
            // The server has to find it again by itself.
            server
        }
        _ => {
            server.kill();
            start.run()
        }
    }
}

#[test]
fn a_server_on_sqlite_loses_nothing_when_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let count = times(8);
    let done = loops(&Start::new(folder.path(), None), None, Victim::Server, count);
    assert!(done > count as u64, "only {done} writes");
    println!("tried: {count} kills of a server on SQLite, {done} writes acknowledged, 0 lost");
}

#[test]
fn a_server_on_postgresql_loses_nothing_when_it_is_killed() {
    let Some(cluster) = Cluster::start(Fsync::On) else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.url(&cluster.create("template0"));
    let start = Start::new(folder.path(), Some(url));
    let count = times(4);
    let done = loops(&start, Some(&cluster), Victim::Server, count);
    assert!(done > count as u64, "only {done} writes");
    println!("tried: {count} kills of a server on PostgreSQL, {done} writes acknowledged, 0 lost");
}

#[test]
fn a_server_finds_its_database_again_that_was_killed() {
    let Some(cluster) = Cluster::start(Fsync::On) else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.url(&cluster.create("template0"));
    let start = Start::new(folder.path(), Some(url));
    let count = times(2);
    let done = loops(&start, Some(&cluster), Victim::Database, count);
    assert!(done > 0, "no writes");
    println!("tried: {count} kills of PostgreSQL, {done} writes acknowledged, 0 lost");
}

/// Kills a server while it starts, at any moment, until one start goes well.
fn starts(start: &Start, count: usize) {
    let mut dice = Dice(seed());
    for _ in 0..count {
        let mut command = start.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(dice.below(120) as u64));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let server = start.run();
    server.admin().get("/api/v1/products").good();
}

#[test]
fn a_first_start_that_is_killed_is_made_up_for_by_the_next() {
    for _ in 0..times(2) {
        let folder = tempfile::tempdir().unwrap();
        starts(&Start::new(folder.path(), None), 6);
    }
    let Some(cluster) = Cluster::start(Fsync::On) else { return };
    for _ in 0..times(2) {
        let folder = tempfile::tempdir().unwrap();
        let url = cluster.url(&cluster.create("template0"));
        starts(&Start::new(folder.path(), Some(url)), 6);
    }
}
