//! What intake knows, folded from the log: per tenant the documents in force and every ticket, ended ones in a few
//! bytes.

use std::collections::{BTreeMap, BTreeSet};

use calendar::Calendar;
use decider::{Micros, Tenant};
use serde::{Deserialize, Serialize};
use ticket::dispatch::DispatchEvent;
use ticket::house::HouseEvent;
use ticket::intake::{Accountable, IntakeEvent, Priority};
use ticket::lifecycle::{Lifecycle, Phase};
use ticket::names::Names;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::document::Shelf;
use crate::field::{self, Field};
use crate::queue::Queue;
use crate::template::TicketType;

/// Requests of comments and contacts that a ticket remembers.
const MAX_SAID: usize = 16;

/// All tenants.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    tenants: BTreeMap<Tenant, House>,
    /// Tickets whose silence becomes consent, by when.
    pub(crate) consents: BTreeSet<(Micros, Tenant, Uuid)>,
}

/// One tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct House {
    /// Calendars in force; sla-monitor's documents.
    pub calendars: Shelf<Calendar>,
    /// Queues in force.
    pub queues: Shelf<Queue>,
    /// Ticket types in force.
    pub types: Shelf<TicketType>,
    /// Every ticket.
    pub tickets: BTreeMap<Uuid, Ticket>,
    /// Every ticket by when it was opened.
    pub by_open_time: BTreeSet<(Micros, Uuid)>,
    /// Customers whose personal data was erased.
    pub erased: BTreeSet<Uuid>,
    /// What tickets name.
    pub names: Names,
}

/// What decisions and filters need of a ticket; texts stay in its stream, names in [`House::names`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ticket {
    /// Its course.
    pub course: Lifecycle,
    /// Its type.
    pub ticket_type: u32,
    /// Where it lies.
    pub queue: u32,
    /// Whether it was ever sent elsewhere than where it was received.
    pub transferred: bool,
    /// Who opened it: `user/<subject>`.
    pub opened_by: u32,
    /// Who took it in charge, or comes to visit.
    pub agent: Option<u32>,
    /// The customer's pseudonym.
    pub customer: Option<Uuid>,
    /// How urgent it is.
    pub priority: Priority,
    /// Lines of another system's history so far.
    pub imported_lines: u16,
    /// Its visit.
    pub field: Field,
    said: Vec<Uuid>,
}

impl State {
    /// Takes one event in.
    pub fn evolve(&mut self, event: &Recorded) {
        match &event.event {
            Event::Intake(IntakeEvent::CustomerErased { customer, .. }) => {
                self.house_mut(&event.tenant).erased.insert(*customer);
            }
            Event::Intake(moved) => self.moved(event, moved),
            Event::Dispatch(visited) => self.visited(event, visited),
            Event::House(HouseEvent::ConfigApplied { kind, name, spec, .. }) => {
                self.house_mut(&event.tenant).apply((kind, name), event.version, spec);
            }
            Event::House(HouseEvent::ConfigRetired { kind, name }) => {
                self.house_mut(&event.tenant).retire(kind, name);
            }
            _ => {}
        }
    }

    /// One tenant's part, if it has any.
    pub fn house(&self, tenant: &Tenant) -> Option<&House> {
        self.tenants.get(tenant)
    }

    /// Every customer whose personal data was erased.
    pub fn erased(&self) -> impl Iterator<Item = (&Tenant, Uuid)> {
        self.tenants.iter().flat_map(|(tenant, house)| house.erased.iter().map(move |customer| (tenant, *customer)))
    }

    fn house_mut(&mut self, tenant: &Tenant) -> &mut House {
        self.tenants.entry(tenant.clone()).or_default()
    }

    /// What happened in the field, to a ticket that is here.
    fn visited(&mut self, event: &Recorded, visited: &DispatchEvent) {
        let Some(house) = self.tenants.get_mut(&event.tenant) else { return };
        if let Some(ticket) = event.correlation.and_then(|id| house.tickets.get_mut(&id)) {
            ticket.field.learn(visited, &mut house.names);
            ticket.settle();
        }
    }

    fn moved(&mut self, event: &Recorded, moved: &IntakeEvent) {
        let Some(id) = event.correlation else { return };
        let house = self.tenants.entry(event.tenant.clone()).or_default();
        let (before, after) = if let Some(ticket) = house.tickets.get_mut(&id) {
            let before = ticket.consent_at();
            ticket.evolve(event, moved, &mut house.names);
            ticket.settle();
            (before, ticket.consent_at())
        } else {
            let Some(ticket) = Ticket::begin(event, moved, &mut house.names) else { return };
            house.by_open_time.insert((ticket.course.opened_at, id));
            house.tickets.insert(id, ticket);
            (None, None)
        };
        if before != after {
            let entry = |at| (at, event.tenant.clone(), id);
            before.map(|at| self.consents.remove(&entry(at)));
            after.map(|at| self.consents.insert(entry(at)));
        }
    }
}

impl Ticket {
    /// The ticket that begins with this event, if it is one that begins a ticket.
    pub fn begin(event: &Recorded, first: &IntakeEvent, names: &mut Names) -> Option<Self> {
        let (IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. }) = first else {
            return None;
        };
        Some(Self {
            course: Lifecycle::begin(first, event.occurred_at),
            ticket_type: names.number(&request.ticket_type),
            queue: names.number(&request.queue),
            transferred: false,
            opened_by: names.number(&event.actor),
            agent: None,
            customer: request.customer.as_ref().map(|customer| customer.id),
            priority: request.priority,
            imported_lines: 0,
            field: Field::default(),
            said: Vec::new(),
        })
    }

    /// Takes one more event of it in.
    pub fn evolve(&mut self, event: &Recorded, moved: &IntakeEvent, names: &mut Names) {
        self.course.evolve(moved, event.occurred_at);
        self.field.follow(event, moved, names);
        match moved {
            IntakeEvent::Triaged { queue, priority, .. } => {
                self.lies_in(names.number(queue));
                self.priority = *priority;
            }
            IntakeEvent::PriorityRaised { to, .. } | IntakeEvent::PriorityLowered { to, .. } => self.priority = *to,
            IntakeEvent::Transferred { queue, next, .. } => {
                self.lies_in(names.number(queue));
                self.answers(&next.accountable, names);
            }
            IntakeEvent::ConfirmationRejected { next, .. } => self.answers(&next.accountable, names),
            IntakeEvent::TakenInCharge { agent, .. } => self.agent = Some(names.number(agent)),
            IntakeEvent::VisitScheduled { engineer, .. } | IntakeEvent::VisitBegun { engineer, .. } => {
                self.agent = Some(names.number(engineer));
            }
            IntakeEvent::VisitFellThrough { .. } => self.agent = None,
            IntakeEvent::WaitStarted { .. } if field::stops_visit(event) => self.agent = None,
            IntakeEvent::Commented { .. } | IntakeEvent::ContactLogged { .. } => self.remember(event.request),
            IntakeEvent::ActivityImported { .. } => self.imported_lines = self.imported_lines.saturating_add(1),
            IntakeEvent::Closed { .. } | IntakeEvent::Cancelled { .. } => self.said = Vec::new(),
            IntakeEvent::Received { .. }
            | IntakeEvent::TicketImported { .. }
            | IntakeEvent::WaitStarted { .. }
            | IntakeEvent::WaitEnded { .. }
            | IntakeEvent::Resolved { .. }
            | IntakeEvent::Confirmed { .. }
            | IntakeEvent::Reopened { .. }
            | IntakeEvent::CustomerErased { .. } => {}
        }
    }

    /// Once its work is done, a ticket counts on no visit that is over: what is still told of that means nothing, should
    /// the customer send the ticket back.
    fn settle(&mut self) {
        if matches!(self.course.phase, Phase::WorkDone { .. } | Phase::Confirmed)
            && let Some(gone) = self.field.settle()
        {
            self.agent = self.agent.filter(|agent| *agent != gone);
        }
    }

    /// Whether one of the last comments and contacts came by this request.
    pub fn heard(&self, request: Uuid) -> bool {
        self.said.contains(&request)
    }

    /// When silence becomes consent, if it ever does.
    fn consent_at(&self) -> Option<Micros> {
        match self.course.phase {
            Phase::WorkDone { confirm_by } if confirm_by < Micros::MAX => Some(confirm_by),
            _ => None,
        }
    }

    /// Whoever else is accountable, the agent before is the agent no more.
    fn answers(&mut self, accountable: &Accountable, names: &Names) {
        let person = if let Accountable::Person(person) = accountable { Some(person.as_str()) } else { None };
        self.agent = self.agent.filter(|agent| Some(names.text(*agent)) == person);
    }

    fn lies_in(&mut self, queue: u32) {
        self.transferred |= self.queue != queue;
        self.queue = queue;
    }

    fn remember(&mut self, request: Uuid) {
        if self.said.len() == MAX_SAID {
            self.said.remove(0);
        }
        self.said.push(request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_ticket_takes_at_most_256_bytes() {
        // It owns nothing beyond itself: no next step, no reasons of waiting, no remembered requests; names are shared.
        let bytes = size_of::<(Uuid, Ticket)>() + size_of::<(Micros, Uuid)>();
        assert!(bytes <= 256, "{bytes}");
    }
}
