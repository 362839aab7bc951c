//! What is known of a ticket: where it stands, who owes its next step by when, and what may happen to it next.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use serde_json::Value;
use ticket::Recorded;
use ticket::intake::{Accountable, Attention, IntakeEvent};
use ticket::lifecycle::{Lifecycle, Phase};
use ticket::sla::Terms;
use uuid::Uuid;

use super::HORIZON_US;
use crate::faults::Invariant;
use crate::faults::law::Holds;
use crate::faults::oracle::Moment;

/// What is known of a ticket.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) tenant: Tenant,
    pub(crate) course: Lifecycle,
    pub(crate) version: u64,
    pub(crate) ticket_type: String,
    /// The queue it lies in.
    pub(crate) queue: String,
    pub(crate) customer: Option<Uuid>,
    pub(crate) imported: bool,
    pub(crate) opened_by: String,
    /// When its next step, as last named, is missed next, and how often it was since.
    pub(super) due: Option<(Micros, u32)>,
    /// The visit it counts on, with the engineer, and the position that said so.
    pub(super) visited: Option<(Uuid, String, u64)>,
    /// The visit under way.
    pub(super) begun: Option<Uuid>,
    /// Where its next step was named last.
    pub(super) renewed: u64,
    /// Where it ended, while it has.
    pub(super) ended: Option<u64>,
    pub(super) facts: Vec<Moment>,
    pub(crate) clocks: BTreeMap<String, Clock>,
}

/// What the log says of a clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    pub(super) terms: Option<Terms>,
    pub(super) fired: BTreeSet<(u32, u32)>,
    pub(super) shares: BTreeSet<u32>,
    /// The breach that stands.
    pub(crate) breach: Option<Micros>,
}

impl Known {
    /// When its next step is missed, if anybody owes it.
    pub(crate) fn due_at(&self) -> Option<Micros> {
        self.due.map(|(due_at, _)| due_at).filter(|_| self.in_care())
    }

    /// Whether somebody owes something: not for history that another system brought to its end.
    pub(crate) fn in_care(&self) -> bool {
        !self.course.phase.ended() && (self.course.next.is_some() || !self.imported)
    }
}
impl Known {
    pub(super) fn begin(event: &Recorded, first: &IntakeEvent) -> Self {
        let request = match first {
            IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. } => Some(request),
            _ => None,
        };
        Self {
            tenant: event.tenant.clone(),
            course: Lifecycle::begin(first, event.occurred_at),
            version: 0,
            ticket_type: request.map(|request| request.ticket_type.clone()).unwrap_or_default(),
            queue: request.map(|request| request.queue.clone()).unwrap_or_default(),
            customer: request.and_then(|request| request.customer.as_ref()).map(|customer| customer.id),
            imported: matches!(first, IntakeEvent::TicketImported { .. }),
            opened_by: event.actor.clone(),
            due: None,
            visited: None,
            begun: None,
            renewed: 0,
            ended: None,
            facts: Vec::new(),
            clocks: BTreeMap::new(),
        }
    }

    /// Takes an event of intake's in.
    pub(super) fn take(&mut self, event: &Recorded, intake: &IntakeEvent, body: &[u8]) -> Holds {
        if event.version > 1 {
            self.course.evolve(intake, event.occurred_at);
        }
        self.version = event.version;
        self.ended = self.course.phase.ended().then(|| self.ended.unwrap_or(event.position));
        match intake {
            // Another system's groups are none of our queues.
            IntakeEvent::Triaged { queue, .. } | IntakeEvent::Transferred { queue, .. } => self.queue.clone_from(queue),
            IntakeEvent::VisitScheduled { visit, engineer, .. } => {
                self.visited = Some((*visit, engineer.clone(), event.position));
            }
            IntakeEvent::VisitFellThrough { .. } => self.visited = None,
            IntakeEvent::VisitBegun { visit, .. } => self.begun = Some(*visit),
            _ => {}
        }
        self.learn(event);
        self.renew(event, body)
    }

    pub(super) fn clock(&mut self, name: &str) -> &mut Clock {
        self.clocks.entry(name.to_owned()).or_default()
    }

    pub(super) fn learn(&mut self, event: &Recorded) {
        let Some(fact) = ticket::fact(&event.event) else { return };
        self.facts.push(Moment {
            at: event.occurred_at,
            position: event.position,
            activity: fact.activity.to_owned(),
            status: fact.state,
            priority: fact.priority.filter(|said| !said.is_empty()).map(str::to_owned),
        });
        self.facts.sort_by_key(|fact| (fact.at, fact.position));
    }

    /// Whatever names a next step, names one that is ahead and within the horizon.
    fn renew(&mut self, event: &Recorded, body: &[u8]) -> Holds {
        let body: Value = serde_json::from_slice(body).map_err(|error| Invariant::Log.broken(error))?;
        let next = body.get("next").and_then(|next| serde_json::from_value::<Attention>(next.clone()).ok());
        if let Some(next) = next {
            let (from, to) = (event.recorded_at, event.recorded_at.saturating_add(HORIZON_US));
            Invariant::NoDrop.holds(from < next.attend_by && next.attend_by <= to, || {
                format!("at {from} the next step is due at {}: {event:?}", next.attend_by)
            })?;
            self.due = Some((next.attend_by, 0));
            self.renewed = event.position;
        }
        Invariant::NoDrop.holds(!self.in_care() || self.due.is_some(), || {
            format!("position {}: nobody is accountable", event.position)
        })
    }

    pub(super) fn missed(&mut self, event: &Recorded, miss: (u32, Micros, Micros), owed: &Accountable) -> Holds {
        let (step, due_at, next_at) = miss;
        let accountable = self.course.next.as_ref().map(|next| &next.accountable);
        let expected = self.due == Some((due_at, step - 1)) && accountable == Some(owed);
        Invariant::NoDrop.holds(expected && due_at < event.recorded_at, || {
            format!("position {}: step {step} due {due_at} missed, but {:?} is due", event.position, self.due)
        })?;
        self.due = Some((next_at, step));
        // What was decided may be recorded late, even after the next call: then that one follows at once.
        Invariant::NoDrop.holds(due_at < next_at && next_at <= event.recorded_at + HORIZON_US, || {
            let at = event.recorded_at;
            format!("position {}: recorded at {at}, due at {due_at}, the next call is at {next_at}", event.position)
        })
    }
}
/// Whether a ticket in this phase may get this event.
pub(super) fn may_follow(phase: Option<&Phase>, event: &IntakeEvent) -> bool {
    use IntakeEvent as E;
    use Phase as P;
    let Some(phase) = phase else { return matches!(event, E::Received { .. } | E::TicketImported { .. }) };
    match event {
        E::Received { .. } | E::TicketImported { .. } => false,
        E::Triaged { .. } => matches!(phase, P::Received | P::Triaged),
        E::TakenInCharge { .. } => matches!(phase, P::Received | P::Triaged | P::InProgress),
        E::VisitScheduled { .. } | E::VisitBegun { .. } => !done(phase),
        E::WaitStarted { .. } => matches!(phase, P::InProgress | P::Waiting(_)),
        E::WaitEnded { reasons, .. } => matches!(phase, P::Waiting(held) if reasons.is_subset(held)),
        E::Resolved { .. } => matches!(phase, P::InProgress | P::Waiting(_)),
        E::Confirmed { .. } => matches!(phase, P::WorkDone { .. }),
        E::ConfirmationRejected { .. } => matches!(phase, P::WorkDone { .. } | P::Confirmed),
        E::Closed { .. } => matches!(phase, P::Confirmed),
        E::Reopened { .. } => matches!(phase, P::Closed { .. }),
        E::ActivityImported { .. } | E::CustomerErased { .. } => true,
        E::PriorityRaised { .. }
        | E::PriorityLowered { .. }
        | E::Transferred { .. }
        | E::Commented { .. }
        | E::ContactLogged { .. }
        | E::VisitFellThrough { .. }
        | E::Cancelled { .. } => !phase.ended(),
    }
}

/// Whether our side owes no more work.
pub(super) fn done(phase: &Phase) -> bool {
    matches!(phase, Phase::WorkDone { .. } | Phase::Confirmed) || phase.ended()
}
