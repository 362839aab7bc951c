//! One tenant's part: the roster with everybody's time, every ticket with its field work, the documents in force.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use ticket::dispatch::{DispatchEvent, Job};
use ticket::house::HouseEvent;
use ticket::intake::IntakeEvent;
use ticket::names::Names;
use ticket::sla::Pinned;
use ticket::{Event, Recorded};
use uuid::Uuid;

use crate::document::Documents;
use crate::person::Person;
use crate::policy::Policy;
use crate::rank::Candidate;
use crate::record::{Field, Past, Standing, Ticket};
use crate::slot::Diary;
use crate::work::{Visit, VisitState, Work};

/// One tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Board {
    /// Documents in force.
    pub documents: Documents,
    /// Everybody's time, by token subject: those on no roster too.
    pub people: BTreeMap<String, Person>,
    /// Every ticket.
    pub tickets: BTreeMap<Uuid, Ticket>,
    /// Visits that nobody has: ticket, visit.
    pub unassigned: BTreeSet<(Uuid, Uuid)>,
    /// Names that ended tickets share.
    pub(crate) names: Names,
}

impl Board {
    /// A visit with its ticket.
    pub fn visit(&self, ticket: Uuid, visit: Uuid) -> Option<(&Ticket, &Visit)> {
        let ticket = self.tickets.get(&ticket)?;
        Some((ticket, ticket.visit(visit)?))
    }

    /// The policy a job type names, with the version in force; the defaults if there is none any more.
    pub fn policy(&self, job_type: &str) -> (Pinned, Policy) {
        let named = self.documents.job_type(job_type).map_or("", |job_type| job_type.policy.as_str());
        let version = self.documents.policies.get(named).map_or(0, |kept| kept.version);
        let policy = self.documents.policy(named).cloned().unwrap_or_default();
        (Pinned { name: named.to_owned(), version }, policy)
    }

    /// Everybody on the roster whose shifts are known, by name.
    pub fn candidates<'a>(&'a self, nobody: &'a Person) -> impl Iterator<Item = Candidate<'a>> {
        self.documents.engineers.keys().filter_map(move |name| self.candidate(name, nobody))
    }

    /// Somebody on the roster whose shifts are known; `nobody` is the time of those who have none yet.
    pub fn candidate<'a>(&'a self, name: &'a str, nobody: &'a Person) -> Option<Candidate<'a>> {
        let roster = self.documents.engineer(name)?;
        let shift = self.documents.calendar(&roster.shift)?;
        let person = self.people.get(name).unwrap_or(nobody);
        let max_visits = usize::try_from(roster.max_visits_per_day).unwrap_or(usize::MAX);
        Some(Candidate { name, roster, diary: Diary { person, home: roster.home, shift, max_visits } })
    }

    /// Who was on site for a ticket.
    pub fn crew(&self, ticket: &Ticket) -> BTreeSet<String> {
        match &ticket.field {
            Field::None => BTreeSet::new(),
            Field::Open(work) => work.crew.clone(),
            Field::Past(past) => past.crew(&self.names),
        }
    }

    /// What the last visit of a ticket needed, in the words of its job; nothing if there was none.
    pub fn last_job(&self, ticket: &Ticket) -> Option<Job> {
        match &ticket.field {
            Field::None => None,
            Field::Open(work) => work.visits.last().map(|visit| (*visit.job).clone()),
            Field::Past(past) => Some(past.job(&self.names, ticket.priority)),
        }
    }

    /// Takes one event in.
    pub(crate) fn evolve(&mut self, event: &Recorded) {
        match &event.event {
            Event::Intake(intake) => self.intake(event, intake),
            Event::Dispatch(dispatch) => self.dispatch(event, dispatch),
            Event::House(HouseEvent::ConfigApplied { kind, name, spec, .. }) => {
                self.documents.apply((kind, name), event.version, spec);
            }
            Event::House(HouseEvent::ConfigRetired { kind, name }) => self.documents.retire(kind, name),
            Event::House(_) | Event::Sla(_) | Event::Notifier(_) => {}
        }
    }

    fn intake(&mut self, event: &Recorded, intake: &IntakeEvent) {
        let Some(id) = event.correlation else { return };
        if let IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. } = intake {
            let ticket = Ticket {
                opened_at: event.occurred_at,
                priority: request.priority,
                standing: Standing::Open,
                customer: request.customer.as_ref().map(|customer| customer.id),
                version: 0,
                field: Field::None,
            };
            self.tickets.insert(id, ticket);
        }
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        match intake {
            IntakeEvent::Triaged { priority, .. } => ticket.priority = *priority,
            IntakeEvent::PriorityRaised { to, .. } | IntakeEvent::PriorityLowered { to, .. } => ticket.priority = *to,
            IntakeEvent::Resolved { .. } | IntakeEvent::Confirmed { .. } => ticket.standing = Standing::Done,
            IntakeEvent::ConfirmationRejected { .. } | IntakeEvent::Reopened { .. } => {
                ticket.standing = Standing::Open;
            }
            IntakeEvent::Closed { .. } | IntakeEvent::Cancelled { .. } => {
                ticket.standing = Standing::Ended;
                self.shrink(id);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, event: &Recorded, dispatch: &DispatchEvent) {
        let at = (event.position, event.occurred_at);
        match event.stream.family() {
            "work" => {
                let Some(id) = event.correlation else { return };
                self.field(id, event, dispatch);
                if let DispatchEvent::Departed { engineer, .. } = dispatch {
                    self.person(engineer).evolve(dispatch, at, None);
                }
            }
            "engineer" | "track" => {
                let site = if let DispatchEvent::SlotHeld { ticket, visit, .. } = dispatch {
                    self.visit(*ticket, *visit).and_then(|(_, visit)| visit.job.site)
                } else {
                    None
                };
                let person = self.person(event.stream.key());
                person.evolve(dispatch, at, site);
                if event.stream.family() == "engineer" {
                    person.version = event.version;
                }
            }
            _ => {}
        }
    }

    fn person(&mut self, subject: &str) -> &mut Person {
        self.people.entry(subject.to_owned()).or_default()
    }

    fn field(&mut self, id: Uuid, recorded: &Recorded, event: &DispatchEvent) {
        let crew = self.tickets.get(&id).map(|ticket| self.crew(ticket));
        let (Some(ticket), Some(crew)) = (self.tickets.get_mut(&id), crew) else { return };
        ticket.version = recorded.version;
        if !matches!(ticket.field, Field::Open(_)) {
            ticket.field = Field::Open(Box::new(Work { crew, ..Work::default() }));
        }
        if let Field::Open(work) = &mut ticket.field {
            work.evolve(event, (recorded.position, recorded.occurred_at));
        }
        if let Some(visit) = crate::work::visit_of(event) {
            let planned = ticket.visit(visit).is_some_and(|visit| visit.state == VisitState::Planned);
            if planned {
                self.unassigned.insert((id, visit));
            } else {
                self.unassigned.remove(&(id, visit));
            }
        }
        self.shrink(id);
    }

    /// An ended ticket without a visit under way keeps a few bytes.
    fn shrink(&mut self, id: Uuid) {
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        let Field::Open(work) = &ticket.field else { return };
        if ticket.standing != Standing::Ended || work.open().is_some() {
            return;
        }
        let past = Past::of(work, &mut self.names);
        ticket.field = past.map_or(Field::None, |past| Field::Past(Box::new(past)));
    }
}
