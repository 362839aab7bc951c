//! What sla-monitor has folded: tickets with their facts, their clocks as recorded, and what falls due next.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::dispatch::DispatchEvent;
use ticket::document::Kept;
use ticket::duty::Duties;
use ticket::house::HouseEvent;
use ticket::intake::{Accountable, IntakeEvent};
use ticket::names::Names;
use ticket::queue::{Queue, Queues};
use ticket::sla::{BreachCause, Pinned, SlaEvent, Terms};
use ticket::{Event, Fact, Recorded};
use uuid::Uuid;

use crate::attention::Attending;
use crate::documents::{CALENDAR, Edition, SLA_POLICY, Shelf};
use crate::policy::{BREACH_BP, Policy};
use crate::record::{Clock, Moment, Ticket};
use crate::staff::Staff;

/// Everything folded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) desks: BTreeMap<Tenant, Desk>,
    /// What falls due, soonest first.
    pub(crate) ahead: BTreeSet<Due>,
}

/// Something that falls due once the business clock stands past `at`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Due {
    pub(crate) at: Micros,
    pub(crate) tenant: Tenant,
    pub(crate) ticket: Uuid,
    pub(crate) slot: Slot,
}

/// What of a ticket falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Slot {
    /// The next step.
    Attention,
    /// A mark of a clock.
    Mark {
        /// The clock's name.
        clock: u32,
        /// Which share.
        share_bp: u32,
    },
}

/// What belongs to one tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Desk {
    /// Of activities, products, groups and clocks.
    pub(crate) names: Names,
    /// Kept apart so that their numbers stay small.
    pub(crate) priorities: Names,
    pub(crate) tickets: BTreeMap<Uuid, Ticket>,
    pub(crate) policies: Shelf<Policy>,
    pub(crate) calendars: Shelf<Calendar>,
    pub(crate) queues: Queues,
    pub(crate) duty: Duties,
    /// The versions clocks were made from.
    pub(crate) lineages: Vec<Lineage>,
    pub(crate) breaches: BTreeMap<BreachKey, Breach>,
}

/// A policy and a calendar, each in the version a clock was made from, and the zone it was read off if not its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    pub(crate) policy: Pinned,
    pub(crate) calendar: Pinned,
    pub(crate) zone: Option<String>,
}

/// A breach by its instant, ticket and clock.
pub(crate) type BreachKey = (Micros, Uuid, u32);

/// A clock that was late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Breach {
    pub(crate) accountable: Option<Accountable>,
    pub(crate) revoked: bool,
    pub(crate) explained: Option<(BreachCause, String)>,
}

impl State {
    /// A tenant's part.
    pub(crate) fn desk(&self, tenant: &Tenant) -> Option<&Desk> {
        self.desks.get(tenant)
    }

    /// A ticket with its tenant's part.
    pub(crate) fn ticket(&self, tenant: &Tenant, id: Uuid) -> Option<(&Desk, &Ticket)> {
        let desk = self.desk(tenant)?;
        Some((desk, desk.tickets.get(&id)?))
    }

    /// Takes one event in.
    pub(crate) fn evolve(&mut self, event: &Recorded) {
        match &event.event {
            Event::Intake(intake) => self.intake(event, intake),
            Event::Sla(sla) => self.sla(event, sla),
            Event::House(house) => self.house(event, house),
            Event::Dispatch(dispatch) => self.dispatch(event, dispatch),
            Event::Notifier(_) => {}
        }
    }

    fn intake(&mut self, event: &Recorded, intake: &IntakeEvent) {
        let (Some(fact), Some(id)) = (ticket::fact(&event.event), event.correlation) else { return };
        let desk = self.desks.entry(event.tenant.clone()).or_default();
        let imported = matches!(intake, IntakeEvent::TicketImported { .. } | IntakeEvent::ActivityImported { .. });
        let moment = desk.moment(event.occurred_at, &fact);
        let ticket = desk.tickets.entry(id).or_insert_with(|| {
            let product = desk.names.number(fact.product.unwrap_or_default());
            Ticket::new(event.position, product, moment.priority, imported)
        });
        if let IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. } = intake {
            ticket.zone = request.zone.as_deref().map(|zone| desk.names.number(zone));
        }
        // Another system's groups are none of our queues.
        if let Some(group) = fact.group.filter(|_| !matches!(intake, IntakeEvent::ActivityImported { .. })) {
            ticket.group = desk.names.number(group);
        }
        ticket.learn(moment);
        let due = |known: Option<&Attending>| {
            let (at, tenant) = (known?.falls_due()?, event.tenant.clone());
            Some(Due { at, tenant, ticket: id, slot: Slot::Attention })
        };
        if let Some(renewed) = due(ticket.attending.as_deref()) {
            self.ahead.remove(&renewed);
        }
        ticket.attending = Attending::evolve(ticket.attending.take(), event, intake);
        self.ahead.extend(due(ticket.attending.as_deref()));
    }

    /// What happened in the field to a ticket that is here; who is on duty.
    fn dispatch(&mut self, event: &Recorded, dispatch: &DispatchEvent) {
        let desk = self.desks.entry(event.tenant.clone()).or_default();
        if event.stream.family() == "engineer" {
            desk.duty.learn(event.stream.key(), dispatch);
        } else if let (Some(fact), Some(id)) = (ticket::fact(&event.event), event.correlation) {
            let moment = desk.moment(event.occurred_at, &fact);
            if let Some(ticket) = desk.tickets.get_mut(&id) {
                ticket.learn(moment);
            }
        }
    }

    fn sla(&mut self, event: &Recorded, sla: &SlaEvent) {
        let Some(id) = event.correlation else { return };
        let Some(desk) = self.desks.get_mut(&event.tenant) else { return };
        let Some(ticket) = desk.tickets.get_mut(&id) else { return };
        let due = |at, slot| Due { at, tenant: event.tenant.clone(), ticket: id, slot };
        if let SlaEvent::AttentionMissed { step, due_at, next_at, .. } = sla {
            if let Some(attending) = ticket.attending.as_mut().filter(|known| known.falls_due() == Some(*due_at)) {
                self.ahead.remove(&due(*due_at, Slot::Attention));
                (attending.step, attending.due_at) = (*step, *next_at);
                self.ahead.insert(due(*next_at, Slot::Attention));
            }
            return;
        }
        let Some(name) = clock_name(sla) else { return };
        let clock = desk.names.number(name);
        if let SlaEvent::ClockStarted { terms, .. } = sla {
            let Terms { policy, calendar, zone, .. } = terms.clone();
            let lineage = Lineage { policy, calendar, zone };
            ticket.lineage = Some(numbered(&mut desk.lineages, lineage));
        }
        let lineage = ticket.lineage.unwrap_or_default();
        let record = ticket.clock_mut(clock);
        for mark in record.pending() {
            self.ahead.remove(&due(mark.at, Slot::Mark { clock, share_bp: mark.share_bp }));
        }
        note_breach(&mut desk.breaches, (id, clock), record, sla);
        record.evolve(sla, lineage);
        for mark in record.pending() {
            self.ahead.insert(due(mark.at, Slot::Mark { clock, share_bp: mark.share_bp }));
        }
    }

    fn house(&mut self, event: &Recorded, house: &HouseEvent) {
        let (kind, name, spec) = match house {
            HouseEvent::ConfigApplied { kind, name, spec } => (kind, name, Some(spec)),
            HouseEvent::ConfigRetired { kind, name } => (kind, name, None),
            HouseEvent::ReactedThrough { .. }
            | HouseEvent::ReactionParked { .. }
            | HouseEvent::ClockAnchored { .. } => return,
        };
        let desk = self.desks.entry(event.tenant.clone()).or_default();
        match kind.as_str() {
            CALENDAR => shelve(&mut desk.calendars, event, (name, spec)),
            SLA_POLICY => shelve(&mut desk.policies, event, (name, spec)),
            "Queue" => desk.queues.set(name, spec.and_then(|spec| Queue::read(spec).ok())),
            _ => {}
        }
    }
}

impl Desk {
    /// Who stands behind a ticket at an instant.
    pub(crate) fn staff(&self, ticket: &Ticket, at: Micros) -> Staff<'_> {
        Staff { queues: &self.queues, duty: &self.duty, lies_in: self.names.text(ticket.group), at }
    }

    fn moment(&mut self, at: Micros, fact: &Fact<'_>) -> Moment {
        // An imported line without a priority does not say that it has none.
        let priority = fact.priority.filter(|priority| !priority.is_empty());
        let priority = priority.map(|priority| self.priorities.number(priority));
        Moment::new(at, self.names.number(fact.activity), fact.state, priority)
    }
}

/// Adds the version that an event brought, or (without a spec) ended.
fn shelve<T>(shelf: &mut Shelf<T>, event: &Recorded, (name, spec): (&str, Option<&Value>)) {
    let kept = spec.map(|spec| Kept::new(event.version, spec));
    shelf.entry(name.to_owned()).or_default().push(Edition { position: event.position, kept });
}

/// The number of a lineage; there are as many as pairs of versions, and tickets of one time share the last ones.
fn numbered(lineages: &mut Vec<Lineage>, lineage: Lineage) -> u32 {
    let known = lineages.iter().rposition(|known| *known == lineage);
    let number = known.unwrap_or_else(|| {
        lineages.push(lineage);
        lineages.len() - 1
    });
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The ledger of breaches, which outlives the marks. An explanation is of the breach that stands.
fn note_breach(ledger: &mut BTreeMap<BreachKey, Breach>, of: (Uuid, u32), record: &Clock, event: &SlaEvent) {
    let (ticket, clock) = of;
    match event {
        SlaEvent::Breached { at, accountable, .. } => {
            let breach = Breach { accountable: accountable.clone(), revoked: false, explained: None };
            ledger.insert((*at, ticket, clock), breach);
        }
        SlaEvent::BreachRevoked { at, .. } => {
            if let Some(breach) = ledger.get_mut(&(*at, ticket, clock)) {
                breach.revoked = true;
            }
        }
        SlaEvent::BreachExplained { cause, note, .. } => {
            let standing = record.reached(BREACH_BP).and_then(|at| ledger.get_mut(&(at, ticket, clock)));
            if let Some(breach) = standing {
                breach.explained = Some((*cause, note.clone()));
            }
        }
        SlaEvent::ClockStarted { .. }
        | SlaEvent::ClockPaused { .. }
        | SlaEvent::ClockResumed { .. }
        | SlaEvent::ClockStopped { .. }
        | SlaEvent::ClockCancelled { .. }
        | SlaEvent::WarningRaised { .. }
        | SlaEvent::AttentionMissed { .. } => {}
    }
}

/// The clock an event is about.
fn clock_name(event: &SlaEvent) -> Option<&str> {
    match event {
        SlaEvent::ClockStarted { clock, .. }
        | SlaEvent::ClockPaused { clock, .. }
        | SlaEvent::ClockResumed { clock, .. }
        | SlaEvent::ClockStopped { clock, .. }
        | SlaEvent::ClockCancelled { clock, .. }
        | SlaEvent::WarningRaised { clock, .. }
        | SlaEvent::Breached { clock, .. }
        | SlaEvent::BreachRevoked { clock, .. }
        | SlaEvent::BreachExplained { clock, .. } => Some(clock),
        SlaEvent::AttentionMissed { .. } => None,
    }
}
