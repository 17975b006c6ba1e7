//! The model of a fleet keeps its promises under every seed, and detects every planted bug.
//!
//! `ARALEZ_PROVE=1` runs ten times as many seeds; `ARALEZ_SEED=n` runs one. A run that breaks a promise reports its seed and the last
//! events.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::thread;

use aralez_tests::model::{Broken, Planted, Run, run};
use aralez_tests::proof::proves;

/// Seeds that once found a defect, with a description of it.
const KEPT: [(u64, &str); 8] = [
    (
        185,
        "a node that repeated a refusal made control forget which records were at fault",
    ),
    (
        572,
        "a suspect that was started as the last resort was no longer refused once another content ran",
    ),
    (
        7,
        "a proxy that a foreign or lagging control turned away dialled the same control again, forever",
    ),
    (
        597,
        "a flipped bit in a difference and a lost stream made a proxy refuse good content",
    ),
    (832, "the same, found in a shorter run"),
    (
        2595,
        "removals no longer reached a node that, after a damaged delta, had refused the full snapshot",
    ),
    (
        6151,
        "two suspects displaced good snapshots from the cache, and a proxy whose newest file was damaged started a suspect",
    ),
    (
        6865,
        "endpoints no longer reached a node that refused the newest view after a delta had not matched",
    ),
];
/// Number of seeds that `make test` runs. Each planted bug is detected within as many.
const SEEDS: u64 = 1_000;

fn seeds() -> RangeInclusive<u64> {
    let one = std::env::var("ARALEZ_SEED").ok();
    match one.map(|seed| seed.parse().expect("ARALEZ_SEED is a number")) {
        Some(seed) => seed..=seed,
        None if proves() => 1..=10 * SEEDS,
        None => 1..=SEEDS,
    }
}

/// Panics with the shortest of the runs that broke a promise, since it is the easiest to understand.
fn none_of(broken: &[Broken]) {
    let all: Vec<_> = broken.iter().map(|one| (one.seed, one.promise)).collect();
    if let Some(shortest) = broken.iter().min_by_key(|one| one.at) {
        panic!("these seeds break a promise: {all:?}; the shortest of them:\n{shortest}");
    }
}

/// Runs all seeds on every core. Returns their combined counts, and the runs that broke a promise.
fn run_all() -> (Run, Vec<Broken>) {
    let left = Mutex::new(seeds());
    let next = || left.lock().unwrap().next();
    let some = || {
        let (mut total, mut broken) = (Run::default(), Vec::new());
        while let Some(seed) = next() {
            match run(seed, None) {
                Ok(run) => total.add(&run),
                Err(found) => broken.push(*found),
            }
        }
        (total, broken)
    };
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(some)).collect();
        let mut all = (Run::default(), Vec::new());
        for worker in workers {
            let (total, broken) = worker.join().expect("a run says what it breaks");
            all.0.add(&total);
            all.1.extend(broken);
        }
        all
    })
}

#[test]
fn whatever_goes_wrong_the_promises_hold() {
    let (total, broken) = run_all();
    println!("{total:?}");
    none_of(&broken);
}

#[test]
fn what_was_found_once_stays_mended() {
    for (seed, what) in KEPT {
        if let Err(broken) = run(seed, None) {
            panic!("{what}:\n{broken}");
        }
    }
}

#[test]
fn one_seed_gives_one_run() {
    for seed in 1..=10 {
        let [first, second] = [(), ()].map(|()| run(seed, None));
        assert_eq!(format!("{first:?}"), format!("{second:?}"), "seed {seed}");
    }
}

#[test]
fn every_planted_bug_is_noticed() {
    let mut unnoticed = Vec::new();
    for bug in Planted::ALL {
        match (1..=SEEDS).find_map(|seed| run(seed, Some(bug)).err()) {
            Some(found) => {
                let Broken {
                    seed,
                    promise,
                    what,
                    ..
                } = &*found;
                println!("{bug:?}: seed {seed} breaks {promise:?}: {what}");
            }
            None => unnoticed.push(bug),
        }
    }
    assert!(
        unnoticed.is_empty(),
        "not noticed within {SEEDS} seeds: {unnoticed:?}"
    );
}
