//! The no-drop proof, N−1, held against the cores run forward, and against holes that were put there.

use std::collections::BTreeSet;

use simulator::nminus::{Compared, compare, seeded};

use super::number;

/// Worlds compared and holes sought if nothing is said.
const SEEDS: u64 = 26;

fn seeds() -> std::ops::Range<u64> {
    let from = number("DOCKET_FROM").unwrap_or(0);
    number("DOCKET_SEED").map_or(from..from + number("DOCKET_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1)
}

/// Proves: L11
#[test]
fn the_proof_says_what_the_cores_do_when_they_are_run_forward_under_every_failure() {
    let mut all = Compared::default();
    for seed in seeds() {
        all.merge(&compare(seed).unwrap_or_else(|difference| panic!("{difference}")));
    }
    println!("{all:?}");
    let reached = all.nothing > 0 && all.person > 0 && all.way > 0;
    assert!(reached || number("DOCKET_SEED").is_some(), "not every kind of hole was met: {all:?}");
}

/// Proves: L11
#[test]
fn every_hole_that_was_put_there_is_found_and_no_other() {
    let kinds: BTreeSet<_> = seeds().map(|seed| seeded(seed).unwrap_or_else(|wrong| panic!("{wrong}"))).collect();
    assert!(kinds.len() == 13 || number("DOCKET_SEED").is_some(), "{kinds:?}");
}
