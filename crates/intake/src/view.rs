//! What callers see: a ticket as its own stream tells it, and which tickets a listing holds.

use decider::Micros;
use ticket::intake::{IntakeEvent, Request};
use ticket::names::Names;
use ticket::{Event, Personal, Recorded};
use uuid::Uuid;

use crate::command::Reach;
use crate::filter::{Facets, Filter};
use crate::state::{House, Ticket};

/// Tickets looked at for one page; a page may end early and be resumed.
const MAX_SCAN: usize = 50_000;

/// A ticket with everything its stream says, up to one of its events.
#[derive(Clone, Debug)]
pub struct Entity {
    /// Its id.
    pub id: Uuid,
    /// The version of its stream.
    pub version: u64,
    /// What decisions know of it.
    pub ticket: Ticket,
    /// What `ticket` names.
    pub names: Names,
    /// What it was opened with.
    pub request: Request,
    /// Its reference in the system it was imported from.
    pub imported_from: Option<String>,
    /// What was done.
    pub solution: Option<Personal<String>>,
    /// With which evidence.
    pub evidence: Vec<String>,
}

/// Where a listing goes on: the last ticket looked at.
pub type Cursor = (Micros, Uuid);

impl Entity {
    /// Folds a ticket's own events, which must begin with its first; nothing if they do not.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let mut entity = Self::begin(first)?;
        for event in rest {
            entity.evolve(event);
        }
        Some(entity)
    }

    /// What filters compare it by.
    pub fn facets(&self) -> Facets<'_> {
        facets(&self.ticket, &self.names)
    }

    fn begin(first: &Recorded) -> Option<Self> {
        let Event::Intake(event) = &first.event else { return None };
        let mut names = Names::default();
        let ticket = Ticket::begin(first, event, &mut names)?;
        let (request, imported_from) = match event {
            IntakeEvent::TicketImported { request, reference, .. } => (request, Some(reference.clone())),
            IntakeEvent::Received { request, .. } => (request, None),
            _ => return None,
        };
        Some(Self {
            id: first.correlation?,
            version: first.version,
            ticket,
            names,
            request: (**request).clone(),
            imported_from,
            solution: None,
            evidence: Vec::new(),
        })
    }

    fn evolve(&mut self, recorded: &Recorded) {
        self.version = recorded.version;
        let Event::Intake(event) = &recorded.event else { return };
        self.ticket.evolve(recorded, event, &mut self.names);
        match event {
            IntakeEvent::Resolved { solution, evidence, .. } => {
                self.solution = Some(solution.clone());
                self.evidence.clone_from(evidence);
            }
            IntakeEvent::PriorityRaised { weight: Some(weight), .. }
            | IntakeEvent::PriorityLowered { weight: Some(weight), .. } => {
                (self.request.impact, self.request.urgency) = (weight.impact, weight.urgency);
            }
            _ => {}
        }
    }
}

/// What filters compare a ticket by.
pub fn facets<'a>(ticket: &'a Ticket, names: &'a Names) -> Facets<'a> {
    Facets {
        state: ticket.course.phase.name(),
        priority: ticket.priority,
        queue: names.text(ticket.queue),
        ticket_type: names.text(ticket.ticket_type),
        agent: ticket.agent.map_or("", |agent| names.text(agent)),
        customer: ticket.customer,
        opened_at: ticket.course.opened_at,
        open: !ticket.course.phase.ended(),
    }
}

/// Whether this actor (`user/<subject>`) may know of a ticket.
pub fn visible(ticket: &Ticket, names: &Names, reach: Reach, actor: &str) -> bool {
    reach == Reach::All || names.text(ticket.opened_by) == actor
}

/// What a listing is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// Who asks.
    pub actor: &'a str,
    /// What they may know of.
    pub reach: Reach,
    /// What they want.
    pub filter: &'a Filter,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Most tickets of the page.
    pub limit: usize,
}

/// A page of tickets, newest first, and where the next one goes on, if there may be one.
pub fn list(house: &House, listing: Listing<'_>) -> (Vec<Uuid>, Option<Cursor>) {
    let mut found = Vec::new();
    let mut last = None;
    let before = listing.after.unwrap_or((Micros::MAX, Uuid::max()));
    for (scanned, cursor) in house.by_open_time.range(..before).rev().enumerate() {
        if found.len() == listing.limit || scanned == MAX_SCAN {
            return (found, last);
        }
        last = Some(*cursor);
        let passes = |ticket: &Ticket| {
            visible(ticket, &house.names, listing.reach, listing.actor)
                && listing.filter.matches(&facets(ticket, &house.names))
        };
        if house.tickets.get(&cursor.1).is_some_and(passes) {
            found.push(cursor.1);
        }
    }
    (found, None)
}
