//! One license server and twenty products, over a network that loses, delays, repeats, mixes up
//! and alters, with disks that fail and tear, clocks that wander, and a vendor who sells, revokes,
//! rotates keys and restores backups. Everything follows from a seed: the one that fails is named,
//! and `LICENTIA_SEED=n` plays it again. The server and the products are the real ones; the disk
//! and the network are not.

mod acts;
mod checks;
mod network;
mod paper;
mod place;
mod vendor;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use world::World;

/// Seeds that are tried without `LICENTIA_SOAK`.
const SLICE: u64 = 24;

/// Lines that are shown of what came before a failure.
const TAIL: usize = 60;

/// How many times as much to try.
fn times() -> u64 {
    std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1).max(1)
}

/// The seed to try alone, if there is one.
fn only() -> Option<u64> {
    std::env::var("LICENTIA_SEED").ok().and_then(|n| n.parse().ok())
}

/// Runs one simulation, and gives what happened in it.
fn run(seed: u64) -> Vec<String> {
    let trace = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&trace);
    let outcome = catch_unwind(AssertUnwindSafe(move || World::new(seed, told).run()));
    let trace = trace.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    if outcome.is_err() {
        // Of one that is played again, everything is shown.
        let tail = if only().is_some() { 0 } else { trace.len().saturating_sub(TAIL) };
        panic!(
            "seed {seed} failed (LICENTIA_SEED={seed} plays it again); it ended with\n{}",
            trace[tail..].join("\n")
        );
    }
    trace
}

#[test]
fn a_server_and_twenty_products_hold_what_they_promise() {
    if let Some(seed) = only() {
        let trace = run(seed);
        println!("{}", trace.join("\n"));
        return;
    }
    let (from, count) = (first(), SLICE * times());
    let (next, broken) = (AtomicU64::new(from), AtomicBool::new(false));
    let steps = AtomicU64::new(0);
    let work = || {
        while !broken.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + count {
                break;
            }
            match catch_unwind(|| run(seed)) {
                Ok(trace) => steps.fetch_add(trace.len() as u64, Ordering::Relaxed),
                Err(failure) => {
                    broken.store(true, Ordering::Relaxed);
                    std::panic::resume_unwind(failure);
                }
            };
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for one in all {
            if let Err(failure) = one.join() {
                std::panic::resume_unwind(failure);
            }
        }
    });
    println!("tried: {count} seeds, {} events", steps.into_inner());
}

/// The first seed of a long run: `LICENTIA_FIRST_SEED`, so that several nights try several.
fn first() -> u64 {
    std::env::var("LICENTIA_FIRST_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

#[test]
fn a_seed_says_everything() {
    for seed in [3, 1_000_003] {
        let (first, second) = (run(seed), run(seed));
        let differs = first.iter().zip(&second).position(|(one, other)| one != other);
        let at = differs.unwrap_or(first.len().min(second.len()));
        assert_eq!(first.get(at), second.get(at), "seed {seed}, event {at}");
        assert!(first.len() > 200, "seed {seed}: {} events", first.len());
    }
}

/// The simulated disk is for tests: nothing that is shipped is built with it.
#[test]
fn nothing_that_is_shipped_has_the_simulated_disk() {
    let root = licentia_tests::paths::root();
    for of in ["core", "ffi", "server", "cli", "bindings/python", "bindings/node"] {
        let manifest = std::fs::read_to_string(root.join(of).join("Cargo.toml")).unwrap();
        let others = manifest.lines().filter(|line| !line.trim_start().starts_with('#'));
        let named: Vec<&str> = others.filter(|line| line.contains("simulate")).collect();
        let wanted: &[&str] = if of == "core" { &["simulate = []"] } else { &[] };
        assert_eq!(named, wanted, "{of}/Cargo.toml");
    }
}
