//! The fault simulation: many short stories from seeds, and broken services that it must find out.
//!
//! `DOCKET_SEED=n` repeats one story; `DOCKET_SEEDS=n` tells that many,
//! from `DOCKET_FROM=n` on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use simulator::faults::{Options, Reached, run};

mod broken;
mod nminus;

/// Stories told if nothing is said: together they bring at least [`TICKETS`].
const SEEDS: u64 = 24;
const TICKETS: usize = 1_000;

fn story(seed: u64) -> Options {
    Options { seed, tickets: 60, steps: 300 }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var_os(variable)?;
    Some(value.to_str().and_then(|value| value.parse().ok()).expect("a whole number"))
}

/// Tells the stories of these seeds, two at a time.
fn tell(seeds: u64) -> Reached {
    let from = number("DOCKET_FROM").unwrap_or(0);
    let (next, reached) = (AtomicU64::new(from), Mutex::new(Reached::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + seeds {
                        return;
                    }
                    let told = run(story(seed)).unwrap_or_else(|violation| panic!("{violation}"));
                    reached.lock().unwrap().merge(told);
                }
            });
        }
    });
    reached.into_inner().unwrap()
}

/// Proves part of: L8, D2, D7, D10, N5, N7
#[test]
fn whatever_goes_wrong_nothing_is_dropped() {
    if let Some(seed) = number("DOCKET_SEED") {
        run(story(seed)).unwrap_or_else(|violation| panic!("{violation}"));
        return;
    }
    let reached = tell(number("DOCKET_SEEDS").unwrap_or(SEEDS));
    println!("{reached:#?}");
    assert!(reached.tickets >= TICKETS, "only {} tickets", reached.tickets);
    assert_eq!(reached.gaps(), Vec::<String>::new(), "not everything was reached");
}

#[test]
fn a_story_told_twice_is_the_same() {
    assert_eq!(run(story(7)).unwrap(), run(story(7)).unwrap());
}
