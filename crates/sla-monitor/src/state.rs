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
use ticket::intake::{Accountable, IntakeEvent, Status};
use ticket::names::{Interned, Names};
use ticket::queue::{Queue, Queues};
use ticket::sla::{BreachCause, SlaEvent, Terms};
use ticket::{Event, Fact, Recorded};
use uuid::Uuid;

use crate::attention::{Attending, Owed};
use crate::backlog::Backlogs;
use crate::documents::{BACKLOG_ALERT, CALENDAR, ESCALATION, Edition, ROTA, SHADOW_POLICY, SLA_POLICY, Shelf};
use crate::escalation::{self, Escalation};
use crate::major::Majors;
use crate::moment::Moment;
use crate::nminus::{ENGINEER, REMINDER_RULE, Reach};
use crate::policy::Policy;
use crate::record::{Dial, Ticket, UNSAID};
use crate::rota::Rota;
use crate::scene::{Profile, Scene};
use crate::staff::Staff;
use crate::tickets::Tickets;
use crate::wheel::Wheel;

/// Everything folded.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct State {
    pub(crate) desks: BTreeMap<Tenant, Desk>,
    /// The earliest deadline of each tenant that has one: never stored.
    #[serde(skip)]
    pub(crate) fronts: BTreeSet<(Micros, Tenant)>,
}

/// A state as it is stored: without what can be made of the rest.
#[derive(Deserialize)]
struct Stored {
    desks: BTreeMap<Tenant, Desk>,
}

impl From<Stored> for State {
    fn from(stored: Stored) -> Self {
        let mut state = Self { desks: stored.desks, fronts: BTreeSet::new() };
        for (tenant, desk) in &mut state.desks {
            desk.wind();
            state.fronts.extend(desk.front.map(|at| (at, tenant.clone())));
        }
        state
    }
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
    /// The next call for a breached clock.
    Call {
        /// The clock's name.
        clock: u32,
    },
}

/// What belongs to one tenant.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Desk {
    /// Of activities, products, groups, people and clocks.
    pub(crate) names: Names,
    /// Kept apart so that their numbers stay small.
    pub(crate) priorities: Names,
    /// What facts tell.
    pub(crate) scenes: Interned<Scene>,
    /// What tickets were opened with.
    #[serde(with = "crate::as_json")]
    pub(crate) profiles: Interned<Profile>,
    pub(crate) tickets: Tickets,
    pub(crate) policies: Shelf<Policy>,
    /// Policies that are only looked at beside those in force.
    pub(crate) shadows: Shelf<Policy>,
    pub(crate) calendars: Shelf<Calendar>,
    pub(crate) escalations: Shelf<Escalation>,
    pub(crate) rotas: Shelf<Rota>,
    pub(crate) alerts: Shelf<crate::backlog::Alert>,
    pub(crate) backlogs: Backlogs,
    pub(crate) majors: Majors,
    pub(crate) queues: Queues,
    pub(crate) duty: Duties,
    pub(crate) reach: Reach,
    /// What clocks were made from; what working days came to stays with each clock.
    #[serde(with = "crate::as_json")]
    pub(crate) terms: Vec<Terms>,
    pub(crate) breaches: BTreeMap<BreachKey, Breach>,
    /// The next threshold of each ticket, by its place: never stored.
    #[serde(skip)]
    pub(crate) wheel: Wheel,
    /// The earliest of everything that falls due: never stored.
    #[serde(skip)]
    front: Option<Micros>,
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
        let creates = !matches!(event.event, Event::Sla(_));
        if creates && !self.desks.contains_key(&event.tenant) {
            self.desks.insert(event.tenant.clone(), Desk::default());
        }
        let Some(desk) = self.desks.get_mut(&event.tenant) else { return };
        match &event.event {
            Event::Intake(intake) => desk.intake(event, intake),
            Event::Sla(sla) => desk.sla(event, sla),
            Event::House(house) => desk.house(event, house),
            Event::Dispatch(dispatch) => desk.dispatch(event, dispatch),
            Event::Notifier(notifier) => desk.reach.evolve(event.stream.key(), notifier),
        }
        let before = desk.front;
        desk.arm(event);
        if desk.front != before {
            let front = |at: Micros| (at, event.tenant.clone());
            let come = desk.front.map(front);
            if let Some(gone) = before.map(front) {
                self.fronts.remove(&gone);
            }
            self.fronts.extend(come);
        }
    }
}

impl Desk {
    fn intake(&mut self, event: &Recorded, intake: &IntakeEvent) {
        let (Some(fact), Some(id)) = (ticket::fact(&event.event), event.correlation) else { return };
        let imported = matches!(intake, IntakeEvent::TicketImported { .. } | IntakeEvent::ActivityImported { .. });
        // Another system's groups are none of our queues.
        let foreign = matches!(intake, IntakeEvent::ActivityImported { .. });
        let queue = fact.group.filter(|_| !foreign).map(|group| self.names.number(group));
        let owed = intake.next().map(|next| Owed::of(&next.accountable, &mut self.names));
        let moment = self.moment(event.occurred_at, &fact, queue, owed);
        if self.tickets.place(&id).is_none() {
            let product = self.names.number(fact.product.unwrap_or_default());
            let profile = match intake {
                IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. } => {
                    self.profiles.number(&Profile::of(request))
                }
                _ => UNSAID,
            };
            self.tickets.add(id, Ticket::new(event.position, product, profile, imported));
        }
        let (Some(scene), Some(ticket)) = (self.said(moment).copied(), self.tickets.get_mut(&id)) else { return };
        ticket.learn(moment, &scene, event.recorded_at);
        ticket.attending = Attending::evolve(ticket.attending, event, intake, &mut self.names);
        self.watch(id, None);
    }

    /// What happened in the field to a ticket that is here; who is on duty.
    fn dispatch(&mut self, event: &Recorded, dispatch: &DispatchEvent) {
        if event.stream.family() == "engineer" {
            self.duty.learn(event.stream.key(), dispatch);
            self.reach.roster.learn(event.stream.key(), dispatch);
        } else if let Some(id) = event.correlation {
            self.reach.roster.visit(id, dispatch);
            let Some(fact) = ticket::fact(&event.event) else { return };
            let moment = self.moment(event.occurred_at, &fact, None, None);
            if let (Some(scene), Some(ticket)) = (self.said(moment).copied(), self.tickets.get_mut(&id)) {
                ticket.learn(moment, &scene, event.recorded_at);
            }
        }
    }

    fn sla(&mut self, event: &Recorded, sla: &SlaEvent) {
        self.majors.evolve(event, sla);
        let Some(id) = event.correlation else { return };
        self.backlogs.evolve(id, sla);
        let Some(ticket) = self.tickets.get_mut(&id) else { return };
        if let SlaEvent::AttentionMissed { step, due_at, next_at, .. } = sla {
            if let Some(attending) = ticket.attending.as_mut().filter(|known| known.falls_due() == Some(*due_at)) {
                (attending.step, attending.due_at) = (*step, *next_at);
            }
            return;
        }
        let Some(name) = clock_name(sla) else { return };
        let clock = self.names.number(name);
        let terms = match sla {
            SlaEvent::ClockStarted { terms, .. } => numbered(&mut self.terms, shared(terms)),
            _ => UNSAID,
        };
        let standing = ticket.clock(clock).into_iter().flat_map(Dial::breaches).map(|(_, at)| at).collect::<Vec<_>>();
        note_breach(&mut self.breaches, (id, clock), &standing, sla);
        escalation::evolve(ticket, clock, sla);
        ticket.evolve(clock, sla, terms);
    }

    fn house(&mut self, event: &Recorded, house: &HouseEvent) {
        let (kind, name, spec) = match house {
            HouseEvent::ConfigApplied { kind, name, spec, .. } => (kind, name, Some(spec)),
            HouseEvent::ConfigRetired { kind, name } => (kind, name, None),
            HouseEvent::ReactedThrough { .. }
            | HouseEvent::ReactionParked { .. }
            | HouseEvent::ClockAnchored { .. } => return,
        };
        match kind.as_str() {
            CALENDAR => shelve(&mut self.calendars, event, (name, spec)),
            SLA_POLICY => shelve(&mut self.policies, event, (name, spec)),
            SHADOW_POLICY => shelve(&mut self.shadows, event, (name, spec)),
            ESCALATION => shelve(&mut self.escalations, event, (name, spec)),
            ROTA => shelve(&mut self.rotas, event, (name, spec)),
            BACKLOG_ALERT => {
                shelve(&mut self.alerts, event, (name, spec));
                if self.backlogs.apply(name, event.version, spec).is_some() {
                    for id in self.tickets.iter().map(|(id, _)| id).collect::<Vec<_>>() {
                        self.watch(id, Some(name));
                    }
                }
            }
            REMINDER_RULE => shelve(&mut self.reach.telling, event, (name, spec)),
            ENGINEER => self.reach.roster.set(name, spec),
            "Queue" => self.queues.set(name, spec.and_then(|spec| Queue::read(spec).ok())),
            _ => {}
        }
    }

    /// Who stands behind a ticket at an instant.
    pub(crate) fn staff(&self, ticket: &Ticket, at: Micros) -> Staff<'_> {
        Staff { queues: &self.queues, duty: &self.duty, lies_in: self.names.text(ticket.group), at }
    }

    fn moment(&mut self, at: Micros, fact: &Fact<'_>, queue: Option<u32>, owed: Option<Owed>) -> Moment {
        // An imported line without a priority does not say that it has none.
        let priority = fact.priority.filter(|priority| !priority.is_empty());
        let priority = priority.map(|priority| self.priorities.number(priority));
        let activity = self.names.number(fact.activity);
        let scene = Scene { owed, ..Scene::of(fact, activity, priority, queue) };
        Moment::new(at, self.scenes.number(&scene))
    }

    /// What a fact tells.
    pub(crate) fn said(&self, moment: Moment) -> Option<&Scene> {
        self.scenes.values().get(usize::try_from(moment.scene).ok()?)
    }

    /// Tells those who watch a queue where a ticket lies now.
    fn watch(&mut self, id: Uuid, only: Option<&str>) {
        if self.backlogs.is_empty() {
            return;
        }
        let Some(ticket) = self.tickets.get(&id) else { return };
        let mut lies: Option<(&str, Micros)> = None;
        let mut queue = "";
        // What is only replayed history lies in nobody's queue.
        for fact in ticket.attending.iter().flat_map(|_| self.seen(ticket)) {
            let moved = fact.queue.filter(|next| *next != queue);
            queue = fact.queue.unwrap_or(queue);
            lies = match (fact.status == Some(Status::Closed), moved, lies) {
                (true, ..) => None,
                (false, None, Some(lies)) => Some(lies),
                (false, ..) if fact.status.is_some() || moved.is_some() => Some((queue, fact.at)),
                (false, _, lies) => lies,
            };
        }
        let lies = lies.map(|(queue, since)| (queue.to_owned(), since));
        self.backlogs.moved(id, lies.as_ref().map(|(queue, since)| (queue.as_str(), *since)), only);
    }

    /// Moves the wheel on, and sets in it what the ticket of an event has ahead.
    fn arm(&mut self, event: &Recorded) {
        self.wheel.advance(event.recorded_at);
        let place = event.correlation.and_then(|id| self.tickets.place(&id));
        if let Some((place, (_, ticket))) = place.and_then(|place| Some((place, self.tickets.at(place)?))) {
            self.wheel.set(place, ticket.ahead().map(|(at, _)| at).min());
        }
        self.front = self.wheel.next().into_iter().chain(self.backlogs.ahead().map(|(at, ..)| at)).min();
    }

    /// Makes what is never stored.
    fn wind(&mut self) {
        self.wheel = Wheel::default();
        for (place, ticket) in self.tickets.placed() {
            self.wheel.set(place, ticket.ahead().map(|(at, _)| at).min());
        }
        self.front = self.wheel.next().into_iter().chain(self.backlogs.ahead().map(|(at, ..)| at)).min();
    }
}

/// Adds the version that an event brought, or (without a spec) ended.
fn shelve<T>(shelf: &mut Shelf<T>, event: &Recorded, (name, spec): (&str, Option<&Value>)) {
    let kept = spec.map(|spec| Kept::new(event.version, spec));
    shelf.entry(name.to_owned()).or_default().push(Edition { position: event.position, at: event.recorded_at, kept });
}

/// Terms without what differs from ticket to ticket: the seconds that working days come to.
fn shared(terms: &Terms) -> Terms {
    let budget_secs = if terms.working_days.is_some() { 0 } else { terms.budget_secs };
    Terms { budget_secs, ..terms.clone() }
}

/// The number of terms; there are few, and tickets of one time share the last ones.
fn numbered(all: &mut Vec<Terms>, terms: Terms) -> u32 {
    let known = all.iter().rposition(|known| *known == terms);
    let number = known.unwrap_or_else(|| {
        all.push(terms);
        all.len() - 1
    });
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The ledger of breaches, which outlives the marks. An explanation is of the breach that stands.
fn note_breach(
    ledger: &mut BTreeMap<BreachKey, Breach>,
    (ticket, clock): (Uuid, u32),
    standing: &[Micros],
    event: &SlaEvent,
) {
    match event {
        SlaEvent::Breached { at, accountable, .. } => {
            let breach = Breach { accountable: accountable.clone(), revoked: false, explained: None };
            ledger.insert((*at, ticket, clock), breach);
        }
        // Another round's breach of the same instant stands all the same.
        SlaEvent::BreachRevoked { at, .. } if standing.iter().filter(|standing| *standing == at).count() < 2 => {
            if let Some(breach) = ledger.get_mut(&(*at, ticket, clock)) {
                breach.revoked = true;
            }
        }
        SlaEvent::BreachExplained { cause, note, .. } => {
            let standing = standing.last().and_then(|at| ledger.get_mut(&(*at, ticket, clock)));
            if let Some(breach) = standing {
                breach.explained = Some((*cause, note.clone()));
            }
        }
        _ => {}
    }
}

/// The clock an event is about.
pub(crate) fn clock_name(event: &SlaEvent) -> Option<&str> {
    match event {
        SlaEvent::ClockStarted { clock, .. }
        | SlaEvent::ClockPaused { clock, .. }
        | SlaEvent::ClockResumed { clock, .. }
        | SlaEvent::ClockStopped { clock, .. }
        | SlaEvent::ClockCancelled { clock, .. }
        | SlaEvent::WarningRaised { clock, .. }
        | SlaEvent::Breached { clock, .. }
        | SlaEvent::BreachRevoked { clock, .. }
        | SlaEvent::BreachExplained { clock, .. }
        | SlaEvent::EscalationRaised { clock, .. }
        | SlaEvent::EscalationAcknowledged { clock, .. } => Some(clock),
        SlaEvent::AttentionMissed { .. }
        | SlaEvent::BacklogRaised { .. }
        | SlaEvent::BacklogCleared { .. }
        | SlaEvent::MajorEventDeclared { .. }
        | SlaEvent::MajorEventEnded { .. } => None,
    }
}
