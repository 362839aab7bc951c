//! The no-drop proof, N−1: whether somebody would still be woken for every open ticket within 72 hours in which nobody does
//! anything, were any single person, channel or provider to fail.
//!
//! Nobody acts, so a failure changes nothing of what is recorded, only whom it reaches: what lies ahead of a ticket is gone
//! through once (`chain.rs`), each wake says whom it reaches whatever failed (`reach.rs`), and a failure opens a hole exactly
//! where none of them reaches anybody under it, though one does as things stand. What was told before counts no more: it
//! was told to people who do nothing.

mod chain;
mod found;
mod house;
mod reach;
mod roster;
mod somebody;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use ticket::batch::Draft;
use ticket::notifier::{Medium, NotifierEvent};
use ticket::queue::HORIZON_US;
use uuid::Uuid;

use found::{Found, find};
use house::House;
pub(crate) use house::{ENGINEER, REMINDER_RULE};
use roster::Roster;
use somebody::Somebody;
use telling::Telling;

use crate::documents::Shelf;
use crate::state::State;

/// Most holes that are named; each stands for as many tickets as share it.
pub const MAX_HOLES: usize = 200;
/// Most tickets named of a hole.
pub const MAX_SAMPLE: usize = 10;
/// Most tickets, closed ones among them, that are looked at before the state may move on.
const MAX_LOOKED: usize = 100_000;

/// What says who is reached and how, beside the queues and the duty.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reach {
    pub(crate) roster: Roster,
    /// How everybody is reached who ever said it.
    people: BTreeMap<String, Somebody>,
    /// Who is told what.
    pub(crate) telling: Shelf<Telling>,
}

impl Reach {
    /// Takes in what notifier recorded of somebody.
    pub(crate) fn evolve(&mut self, key: &str, event: &NotifierEvent) {
        if event.reminder().is_none() {
            self.people.entry(key.to_owned()).or_default().evolve(event);
        }
    }
}

/// What fails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// Nothing: there is a hole as things stand.
    Nothing,
    /// Somebody, by token subject, though all believe them to be there.
    Person(String),
    /// A channel; that of e-mail is the mail server.
    Channel(Medium),
    /// Whoever carries text messages and calls.
    Telephone,
    /// The host of addresses that are called, by its keyed hash.
    Site(Uuid),
}

impl Failure {
    /// Whether nothing arrives by a medium at somebody's address.
    fn breaks(&self, somebody: &Somebody, medium: Medium) -> bool {
        match self {
            Self::Nothing | Self::Person(_) => false,
            Self::Channel(broken) => *broken == medium,
            Self::Telephone => matches!(medium, Medium::Sms | Medium::Voice),
            Self::Site(site) => somebody.ways().any(|(one, at)| one == medium && at == Some(*site)),
        }
    }

    /// The failures that break a medium at an address.
    fn of_way(medium: Medium, site: Option<Uuid>) -> impl Iterator<Item = Self> {
        let telephone = matches!(medium, Medium::Sms | Medium::Voice).then_some(Self::Telephone);
        [Self::Channel(medium)].into_iter().chain(telephone).chain(site.map(Self::Site))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Person(subject) => write!(f, "person/{subject}"),
            Self::Channel(medium) => write!(f, "channel/{}", medium.name()),
            Self::Telephone => f.write_str("provider/telephone"),
            Self::Site(site) => write!(f, "host/{site}"),
        }
    }
}

/// Tickets for which nobody would be woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// What opens it.
    pub failure: Failure,
    /// How many tickets fall into it.
    pub tickets: u64,
    /// The first of them by id, at most [`MAX_SAMPLE`].
    pub sample: Vec<Uuid>,
    /// When the first of them is woken for the last time, with nobody to hear it.
    pub at: Micros,
    /// What that last link of its chain is.
    pub last: String,
    /// What would close it.
    pub remedy: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Those that concern most tickets first.
    pub holes: Vec<Hole>,
    /// How many holes there are beside those named.
    pub left_out: u64,
    /// How many tickets are open.
    pub tickets: u64,
    /// How many failures were tried, one at a time.
    pub failures: u64,
}

/// The proof under way, some tickets at a time, so that the state may move on in between: every ticket is looked at as it
/// and the documents are by then, for the same 72 hours.
#[derive(Debug)]
pub struct Proving {
    tenant: Tenant,
    now: Micros,
    drafts: Vec<Draft>,
    /// The last ticket gone through.
    after: Option<Uuid>,
    holes: BTreeMap<(Failure, String, String), Hole>,
    proof: Proof,
}

impl Proving {
    /// Every hole in the care of a tenant's open tickets from `now` on; with drafts, only those that were not there
    /// without.
    pub fn new(tenant: Tenant, now: Micros, drafts: Vec<Draft>) -> Self {
        Self { tenant, now, drafts, after: None, holes: BTreeMap::new(), proof: Proof::default() }
    }

    /// Goes through the next tickets, so many open ones at most; whether any are left.
    pub fn go_on(&mut self, state: &State, most: usize) -> bool {
        let Some(desk) = state.desk(&self.tenant) else { return false };
        let period = (self.now, self.now.saturating_add(HORIZON_US));
        let (before, after) = (House::with(desk, &[]), House::with(desk, &self.drafts));
        self.proof.failures = self.proof.failures.max(tried(&after));
        let (mut looked, mut open) = (0, 0);
        for (id, ticket) in desk.tickets.after(self.after) {
            if open == most || looked == MAX_LOOKED {
                return true;
            }
            self.after = Some(id);
            looked += 1;
            let Some(found) = find(&after, (id, ticket), period) else { continue };
            open += 1;
            self.proof.tickets += 1;
            let was = || find(&before, (id, ticket), period).unwrap_or_default();
            let was = if found.is_empty() || self.drafts.is_empty() { Vec::new() } else { was() };
            let known =
                |new: &Found| was.iter().any(|old| old.failure == Failure::Nothing || old.failure == new.failure);
            found.into_iter().filter(|one| !known(one)).for_each(|one| put(&mut self.holes, id, one));
        }
        false
    }

    /// What was found.
    pub fn proof(self) -> Proof {
        let Self { mut proof, holes, .. } = self;
        proof.holes = holes.into_values().collect();
        proof.holes.sort_by(|a, b| b.tickets.cmp(&a.tickets).then_with(|| a.failure.cmp(&b.failure)));
        proof.left_out = u64::try_from(proof.holes.len().saturating_sub(MAX_HOLES)).unwrap_or(u64::MAX);
        proof.holes.truncate(MAX_HOLES);
        proof
    }
}

/// The whole proof of a state that stands still.
pub fn prove(state: &State, tenant: &Tenant, now: Micros, drafts: &[Draft]) -> Proof {
    let mut proving = Proving::new(tenant.clone(), now, drafts.to_vec());
    while proving.go_on(state, usize::MAX) {}
    proving.proof()
}

/// Tickets owed by the same party that fall by the same failure, for want of the same, fall into one hole.
fn put(holes: &mut BTreeMap<(Failure, String, String), Hole>, id: Uuid, found: Found) {
    let Found { failure, owed, at, last, remedy } = found;
    let hole = holes.entry((failure.clone(), owed, remedy.clone())).or_insert_with(|| Hole {
        failure,
        tickets: 0,
        sample: Vec::new(),
        at,
        last,
        remedy,
    });
    hole.tickets += 1;
    if hole.sample.len() < MAX_SAMPLE {
        hole.sample.push(id);
    }
}

/// How many single failures there are.
fn tried(house: &House<'_>) -> u64 {
    let ways = house.ways().into_iter().flat_map(|(medium, site)| Failure::of_way(medium, site));
    let failures = ways.chain(house.people().into_iter().map(|one| Failure::Person(one.to_owned())));
    u64::try_from(failures.collect::<BTreeSet<_>>().len()).unwrap_or(u64::MAX)
}
