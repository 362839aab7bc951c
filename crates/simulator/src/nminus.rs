//! The no-drop proof against what it claims: small worlds from seeds, of which the proof says by which single failure nobody
//! would be woken. `compare` really lets 72 hours pass over the cores of sla-monitor and notifier, once for each failure;
//! `seeded` hides a hole in a world without one.

mod cores;
mod large;
mod made;
mod person;
mod seeded;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use decider::Micros;
use sla_monitor::nminus::{Failure, Proof, prove};
use ticket::notifier::Medium;
use uuid::Uuid;

use cores::{Arrival, Cores};
pub use large::Large;
use world::World;

/// How far the cores are run: 72 h.
const AHEAD_US: Micros = 72 * 3_600 * 1_000_000;

/// What a comparison went over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Tickets, each under every failure.
    pub verdicts: u64,
    /// Holes as things stand.
    pub nothing: u64,
    /// Holes that one person opens.
    pub person: u64,
    /// Holes that a channel, a provider or a host opens.
    pub way: u64,
}

impl Compared {
    /// Adds another's.
    pub fn merge(&mut self, other: &Self) {
        self.verdicts += other.verdicts;
        self.nothing += other.nothing;
        self.person += other.person;
        self.way += other.way;
    }
}

/// Holds the proof of a seed's world against the cores run forward; or says where they differ.
pub fn compare(seed: u64) -> Result<Compared, String> {
    let world = made::world(seed);
    let holes = holes(&world)?;
    let mut compared = Compared::default();
    let mut lost = BTreeSet::new();
    for failure in world.failures() {
        let arrivals = arrivals(&world, &failure);
        let woken: BTreeSet<_> = arrivals.iter().map(|one| one.ticket).collect();
        for ticket in &world.tickets {
            compared.verdicts += 1;
            let dropped = !woken.contains(ticket);
            if failure == Failure::Nothing && dropped {
                lost.insert(*ticket);
            }
            let expected = dropped && (failure == Failure::Nothing || !lost.contains(ticket));
            let told = holes.get(&failure).is_some_and(|tickets| tickets.contains(ticket));
            if expected != told {
                let says = |hole: bool| if hole { "a hole" } else { "none" };
                let woke: Vec<_> = arrivals.iter().filter(|one| one.ticket == *ticket).collect();
                return Err(format!(
                    "seed {seed}, ticket {ticket}, {failure}: the cores say {}, the proof {}\n{woke:?}\n{}",
                    says(expected),
                    says(told),
                    world.told()
                ));
            }
            match &failure {
                _ if !told => {}
                Failure::Nothing => compared.nothing += 1,
                Failure::Person(_) => compared.person += 1,
                Failure::Channel(_) | Failure::Telephone | Failure::Site(_) => compared.way += 1,
            }
        }
    }
    Ok(compared)
}

/// Hides a hole in a seed's world that has none, and holds what the proof names against it; answers the hole's kind.
pub fn seeded(seed: u64) -> Result<&'static str, String> {
    let (sound, flawed, hole) = seeded::worlds(seed);
    let found = holes(&sound)?;
    if !found.is_empty() {
        return Err(format!("seed {seed}: a false alarm: {found:?}\n{}", sound.told()));
    }
    let found = holes(&flawed)?;
    let expected: BTreeMap<_, _> =
        hole.failures.iter().map(|one| (one.clone(), BTreeSet::from([hole.ticket]))).collect();
    if found != expected {
        return Err(format!("seed {seed}: {} is found as {found:?}\n{}", hole.kind, flawed.told()));
    }
    Ok(hole.kind)
}

/// The tickets of each hole that the proof names.
fn holes(world: &World) -> Result<BTreeMap<Failure, BTreeSet<Uuid>>, String> {
    let cores = Cores::of(&world.events, BTreeSet::new());
    let Proof { holes, left_out, tickets, .. } = prove(&cores.sla, &world::tenant(), world.now, &[]);
    if left_out > 0 || tickets != world.tickets.len() as u64 {
        return Err(format!("{tickets} tickets are open, {left_out} holes are left out"));
    }
    let mut found: BTreeMap<Failure, BTreeSet<Uuid>> = BTreeMap::new();
    for hole in holes {
        found.entry(hole.failure).or_default().extend(hole.sample);
    }
    Ok(found)
}

/// What reaches somebody who is there within 72 hours, were this to fail.
fn arrivals(world: &World, failure: &Failure) -> Vec<Arrival> {
    let mut cores = Cores::of(&world.events, world.broken(failure));
    let arrivals = cores.run(world.now + AHEAD_US);
    let reaches = |one: &Arrival| {
        let person = world.people.iter().find(|person| person.name == one.person);
        let unseen = one.medium == Medium::InApp && *failure == Failure::Channel(Medium::InApp);
        let failed = matches!(failure, Failure::Person(name) if *name == one.person);
        !unseen && !failed && one.at <= world.now + AHEAD_US && person.is_some_and(|person| person.there(one.at))
    };
    arrivals.into_iter().filter(reaches).collect()
}
