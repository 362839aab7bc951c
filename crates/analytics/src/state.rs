//! What analytics keeps of the log: of every ticket its facts, small, in the order in which they happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use calendar::Calendar;
use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use ticket::document::Kept;
use ticket::house::HouseEvent;
use ticket::intake::{ActivityKind, IntakeEvent, Status};
use ticket::names::{Interned, Names};
use ticket::notifier::{Medium, NotifierEvent, Then};
use ticket::{Event, Fact, Recorded};
use uuid::Uuid;

use crate::deed::{Deeds, What};
use crate::definition::Spec;

/// The kind of what a report's figures mean.
pub(crate) const REPORT: &str = "Report";
/// The kind of working hours.
const CALENDAR: &str = "Calendar";

/// Everything folded, tenant by tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    ledgers: BTreeMap<Tenant, Ledger>,
}

/// One tenant's tickets and the documents its figures are made by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    names: Names,
    said: Interned<Said>,
    whats: Interned<What>,
    tickets: BTreeMap<Uuid, Ticket>,
    order: BTreeSet<(Arc<str>, Uuid)>,
    latest: Micros,
    pub(crate) reports: BTreeMap<String, Kept<Spec>>,
    calendars: BTreeMap<String, Kept<Calendar>>,
    /// What each digest tells that has not arrived yet: tickets and their reminders.
    digests: BTreeMap<Uuid, Vec<(Uuid, Uuid)>>,
}

/// One ticket's facts and deeds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// Its name in the system it was imported from, or empty.
    pub(crate) reference: Arc<str>,
    /// In order of (`at`, `position`).
    pub(crate) marks: Vec<Mark>,
    pub(crate) deeds: Deeds,
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

impl State {
    /// What is kept for this tenant; nothing before its first event.
    pub fn ledger(&self, tenant: &Tenant) -> Option<&Ledger> {
        self.ledgers.get(tenant)
    }

    /// Takes one event in.
    pub(crate) fn evolve(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::House(HouseEvent::ConfigApplied { kind, name, spec, .. }) if kind == REPORT => {
                self.of(&recorded.tenant).reports.insert(name.clone(), Kept::new(recorded.version, spec));
            }
            Event::House(HouseEvent::ConfigApplied { kind, name, spec, .. }) if kind == CALENDAR => {
                self.of(&recorded.tenant).calendars.insert(name.clone(), Kept::new(recorded.version, spec));
            }
            Event::House(HouseEvent::ConfigRetired { kind, name }) if kind == REPORT => {
                self.of(&recorded.tenant).reports.remove(name);
            }
            Event::House(HouseEvent::ConfigRetired { kind, name }) if kind == CALENDAR => {
                self.of(&recorded.tenant).calendars.remove(name);
            }
            event => {
                let Some(id) = recorded.correlation else { return };
                let ledger = self.of(&recorded.tenant);
                if let Some(fact) = ticket::fact(event) {
                    ledger.note(id, reference(event), &fact, recorded.order());
                }
                ledger.count(id, recorded);
            }
        }
    }

    fn of(&mut self, tenant: &Tenant) -> &mut Ledger {
        self.ledgers.entry(tenant.clone()).or_default()
    }
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
    /// The version and the spec of a document in force.
    pub(crate) fn document(&self, kind: &str, name: &str) -> Option<(u64, &str)> {
        match kind {
            REPORT => self.reports.get(name).map(|kept| (kept.version, kept.spec.as_str())),
            CALENDAR => self.calendars.get(name).map(|kept| (kept.version, kept.spec.as_str())),
            _ => None,
        }
    }

    /// What a report in force means, and its version.
    pub(crate) fn report(&self, name: &str) -> Option<(&Spec, u64)> {
        let kept = self.reports.get(name)?;
        Some((kept.get(Spec::read)?, kept.version))
    }

    /// A calendar in force; resolved once for each of its versions.
    pub(crate) fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)?.get(|spec| Calendar::read(spec))
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

    /// Every deed ever done, by number.
    pub(crate) fn whats(&self) -> &[What] {
        self.whats.values()
    }

    /// When the last thing happened to any ticket.
    pub(crate) fn latest(&self) -> Micros {
        self.latest
    }

    /// Where a ticket last lay, as its facts have it.
    pub(crate) fn queue(&self, ticket: &Ticket) -> Option<&str> {
        let group = ticket.marks.iter().rev().find_map(|mark| self.said()[mark.said as usize].group)?;
        Some(self.names.text(group))
    }

    /// The tickets in order of id.
    pub(crate) fn tickets(&self) -> impl Iterator<Item = &Ticket> {
        self.tickets.values()
    }

    /// Takes in what counts about a ticket that is known.
    fn count(&mut self, id: Uuid, recorded: &Recorded) {
        if let Event::Notifier(event) = &recorded.event {
            self.digested(id, recorded, event);
        }
        if let Some(ticket) = self.tickets.get_mut(&id) {
            self.latest = self.latest.max(recorded.occurred_at);
            ticket.deeds.take(recorded, &mut self.names, &mut self.whats);
        }
    }

    /// A digest is one attempt, and delivers each reminder it tells when it arrives.
    fn digested(&mut self, id: Uuid, recorded: &Recorded, event: &NotifierEvent) {
        let (at, whats) = (recorded.occurred_at, &mut self.whats);
        match event {
            NotifierEvent::ReminderGathered { reminder, digest } => {
                self.digests.entry(*digest).or_default().push((id, *reminder));
            }
            NotifierEvent::AttemptStarted { .. } => {
                let first = self.digests.get(&id).and_then(|told| told.first());
                if let Some(ticket) = first.and_then(|(ticket, _)| self.tickets.get_mut(ticket)) {
                    ticket.deeds.attempted(at, whats);
                }
            }
            NotifierEvent::AttemptSucceeded { .. }
            | NotifierEvent::AttemptFailed { then: Then::FallThrough { medium: Medium::InApp }, .. } => {
                for (ticket, reminder) in self.digests.remove(&id).unwrap_or_default() {
                    if let Some(ticket) = self.tickets.get_mut(&ticket) {
                        ticket.deeds.arrived(reminder, at, whats);
                    }
                }
            }
            NotifierEvent::AttemptFailed { then: Then::GiveUp, .. } => drop(self.digests.remove(&id)),
            _ => {}
        }
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
            Ticket { reference, marks: Vec::new(), deeds: Deeds::default() }
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
