//! What notifier keeps of a ticket: what rules ask for, whom it concerns, and what has been closed.

use std::collections::BTreeMap;

use decider::{Micros, Stream};
use serde::{Deserialize, Serialize};
use ticket::condition::{Scalar, TicketFacts};
use ticket::dispatch::DispatchEvent;
use ticket::intake::{Accountable, Attention, Contact, FieldValue, IntakeEvent, Priority, Request};
use ticket::sla::{Mark, SlaEvent};
use ticket::{Event, Personal, Recorded};
use uuid::Uuid;

use crate::subject::Subject;
use crate::topic::{Topic, closed};

/// The share of a budget at which it is used up, basis points.
const BREACH_BP: u32 = 10_000;

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct File {
    /// Without the fields, which are kept in a form that snapshots can hold.
    about: TicketFacts,
    fields: BTreeMap<String, FieldValue>,
    /// Whom to call back, sealed.
    pub(crate) contact: Option<Personal<Contact>>,
    /// Who owes the next step, and by when.
    pub(crate) next: Option<Attention>,
    /// Who comes, once somebody took a visit on.
    pub(crate) engineer: Option<String>,
    /// When each running clock breaches.
    breaches: BTreeMap<String, Micros>,
    /// When each open offer goes to the next.
    offers: BTreeMap<String, Micros>,
    /// The position in the log at which each topic was last closed.
    closed: BTreeMap<Topic, u64>,
    /// The person who last did something to it, by token subject.
    pub(crate) hand: Option<String>,
    /// Whether it is over, as far as is known.
    pub(crate) ended: bool,
    /// Whose it is: the keyed hash of the customer.
    pub(crate) customer: Option<Uuid>,
    /// What it is about, if that is no ticket.
    pub(crate) subject: Option<Subject>,
    /// The stream that says whether that still needs to be told.
    pub(crate) source: Option<Stream>,
}

impl File {
    /// The ticket that this event opens, if it opens one.
    pub(crate) fn begin(event: &IntakeEvent) -> Option<Self> {
        let (IntakeEvent::Received { request, .. } | IntakeEvent::TicketImported { request, .. }) = event else {
            return None;
        };
        Some(Self {
            fields: open_fields(request),
            contact: request.contact.clone(),
            customer: request.customer.as_ref().map(|customer| customer.id),
            ..Self::blank(TicketFacts { fields: BTreeMap::new(), ..TicketFacts::of(request) })
        })
    }

    /// What is kept of something that is no ticket.
    pub(crate) fn about(subject: Subject) -> Self {
        let queue = match &subject {
            Subject::Queue(name) => name.clone(),
            Subject::Major(_) => String::new(),
        };
        let (ticket_type, priority) = (String::new(), String::new());
        let nothing = TicketFacts { ticket_type, priority, has_customer: false, queue, ..TicketFacts::sample() };
        Self { subject: Some(subject), ..Self::blank(nothing) }
    }

    fn blank(about: TicketFacts) -> Self {
        Self {
            about,
            fields: BTreeMap::new(),
            contact: None,
            next: None,
            engineer: None,
            breaches: BTreeMap::new(),
            offers: BTreeMap::new(),
            closed: BTreeMap::new(),
            hand: None,
            ended: false,
            customer: None,
            subject: None,
            source: None,
        }
    }

    /// Takes an event of the ticket in.
    pub(crate) fn evolve(&mut self, event: &Recorded) {
        if let Some((topic, _)) = closed(&event.event) {
            if let Topic::Visit(visit) = &topic {
                self.offers.remove(visit);
            }
            if topic == Topic::Ticket {
                // What closes the ticket closes every topic before it.
                self.closed.clear();
            }
            self.closed.insert(topic, event.position);
        }
        if self.subject.is_some() {
            self.source = Some(event.stream.clone());
        }
        if let Some(hand) = event.actor.strip_prefix("user/") {
            self.hand = Some(hand.to_owned());
        }
        match &event.event {
            Event::Intake(intake) => self.intake(intake),
            Event::Sla(sla) => self.sla(sla),
            Event::Dispatch(dispatch) => self.dispatch(dispatch),
            Event::Notifier(_) | Event::House(_) => {}
        }
    }

    fn intake(&mut self, event: &IntakeEvent) {
        match event {
            IntakeEvent::Triaged { queue, priority, .. } => {
                self.about.queue.clone_from(queue);
                self.prioritised(*priority);
            }
            IntakeEvent::Transferred { queue, .. } => self.about.queue.clone_from(queue),
            IntakeEvent::PriorityRaised { to, weight, .. } | IntakeEvent::PriorityLowered { to, weight, .. } => {
                self.prioritised(*to);
                if let Some(weight) = weight {
                    (self.about.impact, self.about.urgency) = (weight.impact, weight.urgency);
                }
            }
            IntakeEvent::Closed { .. } | IntakeEvent::Cancelled { .. } => {
                (self.next, self.ended) = (None, true);
                self.offers.clear();
            }
            _ => {}
        }
        if let Some(next) = event.next() {
            (self.next, self.ended) = (Some(next.clone()), false);
        }
    }

    fn prioritised(&mut self, priority: Priority) {
        priority.name().clone_into(&mut self.about.priority);
    }

    fn sla(&mut self, event: &SlaEvent) {
        match event {
            SlaEvent::ClockStarted { clock, marks, .. } | SlaEvent::ClockResumed { clock, marks, .. } => {
                let breach = marks.iter().find(|mark: &&Mark| mark.share_bp == BREACH_BP);
                self.breaches.extend(breach.map(|mark| (clock.clone(), mark.at)));
            }
            SlaEvent::ClockPaused { clock, .. }
            | SlaEvent::ClockStopped { clock, .. }
            | SlaEvent::ClockCancelled { clock, .. }
            | SlaEvent::Breached { clock, .. } => {
                self.breaches.remove(clock);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, event: &DispatchEvent) {
        match event {
            DispatchEvent::Offered { visit, respond_by, .. } => {
                self.offers.insert(visit.to_string(), *respond_by);
            }
            DispatchEvent::OfferAccepted { engineer, .. } | DispatchEvent::WorkHandedOver { to: engineer, .. } => {
                self.engineer = Some(engineer.clone());
            }
            DispatchEvent::VisitReleased { .. }
            | DispatchEvent::VisitCancelled { .. }
            | DispatchEvent::VisitCompleted { .. }
            | DispatchEvent::VisitStopped { .. } => self.engineer = None,
            _ => {}
        }
    }

    /// What conditions know of it.
    pub(crate) fn facts(&self) -> TicketFacts {
        let scalar = |value: &FieldValue| match value {
            FieldValue::Text(text) => Some(Scalar::Text(text.clone())),
            FieldValue::Number(number) => Some(Scalar::Number(*number)),
            FieldValue::Flag(flag) => Some(Scalar::Flag(*flag)),
            FieldValue::Private(_) => None,
        };
        let fields = self.fields.iter().filter_map(|(name, value)| Some((name.clone(), scalar(value)?)));
        TicketFacts { fields: fields.collect(), ..self.about.clone() }
    }

    /// Who owes the next step.
    pub(crate) fn accountable(&self) -> Option<Accountable> {
        let next = self.next.as_ref().map(|next| next.accountable.clone());
        next.or_else(|| self.subject.as_ref()?.accountable())
    }

    /// The queue it lies in.
    pub(crate) fn queue(&self) -> &str {
        &self.about.queue
    }

    /// Whether what happened at this position about this topic no longer needs to be said.
    pub(crate) fn moot(&self, topic: &Topic, position: u64) -> bool {
        [topic, &Topic::Ticket].into_iter().any(|topic| self.closed.get(topic).is_some_and(|at| *at > position))
    }

    /// The instant from which on it would be too late to say something about this topic, if it still lies ahead.
    pub(crate) fn too_late(&self, topic: &Topic, now: Micros) -> Option<Micros> {
        self.limit(topic).filter(|limit| *limit > now)
    }

    /// The instant from which on it is too late to say something about this topic.
    pub(crate) fn limit(&self, topic: &Topic) -> Option<Micros> {
        match topic {
            Topic::Ticket | Topic::Backlog(_) => None,
            Topic::Step => self.next.as_ref().map(|next| next.attend_by),
            Topic::Clock(clock) => self.breaches.get(clock).copied(),
            Topic::Visit(visit) => self.offers.get(visit).copied(),
        }
    }
}

/// The fields that are nobody's secret.
fn open_fields(request: &Request) -> BTreeMap<String, FieldValue> {
    let open = request.fields.iter().filter(|(_, value)| !matches!(value, FieldValue::Private(_)));
    open.map(|(name, value)| (name.clone(), value.clone())).collect()
}
