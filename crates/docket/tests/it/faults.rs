//! Faults injected into a cluster of processes under load, and what must hold afterwards whatever happened. See
//! `docs/faults.md`.

mod campaign;
mod fault;
mod ground;
mod load;
mod way;

use std::path::PathBuf;

use campaign::Campaign;
use fault::Kind;

use crate::running::python;

/// Faults of the short form: one of each kind.
const FAULTS: usize = Kind::ALL.len();

#[expect(clippy::disallowed_methods, reason = "the test's only configuration")]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `DOCKET_FAULTS=200` asks for at least so many, one of each kind if it is not set; `DOCKET_FAULT_SEED` repeats an order.
/// `DOCKET_FAULT_KIND=Disorder` asks for that kind alone.
fn campaign(kinds: &[Kind], faults: usize) -> Campaign {
    let binary = setting("DOCKET").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_docket")), PathBuf::from);
    let seed = setting("DOCKET_FAULT_SEED").map(|text| text.parse().expect("DOCKET_FAULT_SEED is no number"));
    let seed = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let clients = if faults > FAULTS { 48 } else { 16 };
    Campaign { binary, seed, kinds: kinds.to_vec(), faults, clients }
}

/// Proves part of: L4, L5, L6, N4, X4
#[test]
fn a_cluster_survives_every_kind_of_fault_and_a_restored_backup() {
    if python().is_none() {
        return;
    }
    let faults = setting("DOCKET_FAULTS").map_or(FAULTS, |text| text.parse().expect("DOCKET_FAULTS is no number"));
    let kind = setting("DOCKET_FAULT_KIND");
    let asked = |one: &Kind| kind.as_ref().is_none_or(|kind| format!("{one:?}").starts_with(kind));
    let kinds: Vec<_> = Kind::ALL.into_iter().filter(asked).collect();
    match campaign(&kinds, faults).run() {
        Ok(told) => println!("{told}"),
        Err(violation) => panic!("{violation}"),
    }
}

/// Runs a program that keeps one rule less; the suite must notice.
fn notices(variable: &str, kinds: &[Kind], named: &[&str]) {
    let Some(binary) = setting(variable) else {
        eprintln!("SKIPPED: {variable} names no program with that rule switched off; `make faults` builds it");
        return;
    };
    if python().is_none() {
        return;
    }
    let violation = Campaign { binary: binary.into(), ..campaign(kinds, 12) }.run().expect_err("nobody noticed");
    assert!(named.iter().any(|name| violation.contains(name)), "something else is violated: {violation}");
    println!("noticed: {violation}");
}

#[test]
fn a_relay_without_its_fence_is_noticed() {
    notices("DOCKET_UNFENCED", &[Kind::RelayAsleep], &["the stream", "docket_relay_halted"]);
}

#[test]
fn an_effect_before_its_intent_is_noticed() {
    notices("DOCKET_EFFECT_FIRST", &[Kind::Leader("notifier")], &["arrived"]);
}
