//! What analytics keeps of the log: of every ticket its facts, small, in the order in which they happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use ticket::batch::Listed;
use ticket::house::HouseEvent;
use ticket::intake::{ActivityKind, IntakeEvent, Status};
use ticket::names::{Interned, Names};
use ticket::{Event, Fact, Recorded};
use uuid::Uuid;

/// Everything folded, tenant by tenant.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    ledgers: BTreeMap<Tenant, Ledger>,
}

/// One tenant's tickets and the documents its figures are made by.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    names: Names,
    said: Interned<Said>,
    tickets: BTreeMap<Uuid, Ticket>,
    order: BTreeSet<(Arc<str>, Uuid)>,
    documents: BTreeMap<(String, String), Document>,
}

/// One ticket's facts.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// Its name in the system it was imported from, or empty.
    pub(crate) reference: Arc<str>,
    /// In order of (`at`, `position`).
    pub(crate) marks: Vec<Mark>,
}

/// A fact: when it happened, where it stands in the log, and what it said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) at: Micros,
    position: u64,
    pub(crate) said: u32,
}

/// What a fact said, names by number; few combinations occur often. What it left unsaid stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) activity: u32,
    pub(crate) kind: ActivityKind,
    pub(crate) state: Option<Status>,
    pub(crate) agent: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) priority: Option<u32>,
}

/// A configuration document in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The version of its stream.
    pub version: u64,
    /// Its spec as JSON text.
    pub spec: String,
}

impl State {
    /// What is kept for this tenant; nothing before its first event.
    pub fn ledger(&self, tenant: &Tenant) -> Option<&Ledger> {
        self.ledgers.get(tenant)
    }

    /// Takes one event in.
    pub(crate) fn evolve(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::House(HouseEvent::ConfigApplied { kind, name, spec }) if kept(kind) => {
                let document = Document { version: recorded.version, spec: spec.to_string() };
                self.of(&recorded.tenant).documents.insert((kind.clone(), name.clone()), document);
            }
            Event::House(HouseEvent::ConfigRetired { kind, name }) => {
                self.of(&recorded.tenant).documents.remove(&(kind.clone(), name.clone()));
            }
            event => {
                if let (Some(fact), Some(id)) = (ticket::fact(event), recorded.correlation) {
                    self.of(&recorded.tenant).note(id, reference(event), &fact, recorded.order());
                }
            }
        }
    }

    fn of(&mut self, tenant: &Tenant) -> &mut Ledger {
        self.ledgers.entry(tenant.clone()).or_default()
    }
}

/// The kinds of documents figures are made by.
fn kept(kind: &str) -> bool {
    matches!(kind, "Report" | "Calendar")
}

/// The ticket's name in the system it came from, where the event says it.
fn reference(event: &Event) -> Option<&str> {
    match event {
        Event::Intake(
            IntakeEvent::TicketImported { reference, .. } | IntakeEvent::ActivityImported { reference, .. },
        ) => Some(reference),
        _ => None,
    }
}

impl Ledger {
    /// A document in force.
    pub fn document(&self, kind: &str, name: &str) -> Option<&Document> {
        self.documents.get(&(kind.to_owned(), name.to_owned()))
    }

    /// The reports in force, in order of name.
    pub fn reports(&self) -> Vec<Listed> {
        let reports = self.documents.iter().filter(|((kind, _), _)| kind == "Report");
        let listed = reports.map(|((kind, name), document)| Listed {
            kind: kind.clone(),
            name: name.clone(),
            spec: document.spec.clone(),
            version: document.version,
        });
        listed.collect()
    }

    /// Tickets in order of (reference, id), from the one after `cursor` on.
    pub(crate) fn tickets_after(&self, cursor: Option<(Arc<str>, Uuid)>) -> impl Iterator<Item = (Uuid, &Ticket)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = cursor.map_or(Unbounded, Excluded);
        let listed = self.order.range((from, Unbounded));
        listed.filter_map(|(_, id)| self.tickets.get(id).map(|ticket| (*id, ticket)))
    }

    /// Every name ever said, by number.
    pub(crate) fn names(&self) -> &[Arc<str>] {
        self.names.values()
    }

    /// Everything ever said, by number.
    pub(crate) fn said(&self) -> &[Said] {
        self.said.values()
    }

    fn note(&mut self, id: Uuid, reference: Option<&str>, fact: &Fact<'_>, (at, position): (Micros, u64)) {
        let mut name = |said: Option<&str>| said.map(|said| self.names.number(said));
        let said = Said {
            activity: name(Some(fact.activity)).unwrap_or_default(),
            kind: fact.kind,
            state: fact.state,
            agent: name(fact.agent),
            group: name(fact.group),
            priority: name(fact.priority),
        };
        let said = self.said.number(&said);
        let ticket = self.tickets.entry(id).or_insert_with(|| {
            let reference: Arc<str> = reference.unwrap_or_default().into();
            self.order.insert((reference.clone(), id));
            Ticket { reference, marks: Vec::new() }
        });
        let place = ticket.marks.partition_point(|mark| (mark.at, mark.position) < (at, position));
        ticket.marks.insert(place, Mark { at, position, said });
    }
}

impl From<&Said> for Said {
    fn from(said: &Said) -> Self {
        said.clone()
    }
}
