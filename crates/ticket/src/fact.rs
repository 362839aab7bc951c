//! What an event means to clocks and figures, whether it is our own or another system's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Event;
use crate::dispatch::DispatchEvent;
use crate::intake::{ActivityKind, Author, IntakeEvent, Priority, Status, WaitReason};

/// What an event says of the reasons a ticket waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits<'a> {
    /// Nothing: they stay as they were, as long as it waits.
    Unsaid,
    /// These too.
    More(&'a BTreeSet<WaitReason>),
    /// These, and no others.
    Only(&'a BTreeSet<WaitReason>),
}

/// Between whom something was really said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touch {
    /// The customer spoke to us.
    Inbound,
    /// We spoke to the customer.
    Outbound,
}

/// One thing that happened to a ticket. What an event does not say stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact<'a> {
    /// The raw name: of an imported line its activity, of ours the kind, a comment's by who speaks to whom.
    pub activity: &'a str,
    /// What it amounts to.
    pub kind: ActivityKind,
    /// Where the ticket stands after it.
    pub state: Option<Status>,
    /// Whose it is after it.
    pub agent: Option<&'a str>,
    /// The queue or group it lies in after it.
    pub group: Option<&'a str>,
    /// Its priority after it.
    pub priority: Option<&'a str>,
    /// Its type or product after it.
    pub product: Option<&'a str>,
    /// Whether it was called off.
    pub cancelled: bool,
    /// What it waits for after it.
    pub waits: Waits<'a>,
    /// Whether customer and we were in touch by it.
    pub touch: Option<Touch>,
}

impl Priority {
    /// The name in documents and figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Status {
    /// The name in documents and figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Waiting => "waiting",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

impl ActivityKind {
    /// The name in work-order logs and figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Assign => "assign",
            Self::Accept => "accept",
            Self::Work => "work",
            Self::Wait => "wait",
            Self::Resume => "resume",
            Self::Resolve => "resolve",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Note => "note",
        }
    }
}

impl<'a> Fact<'a> {
    fn of(activity: &'a str, kind: ActivityKind, state: Option<Status>) -> Self {
        Self {
            activity,
            kind,
            state,
            agent: None,
            group: None,
            priority: None,
            product: None,
            cancelled: false,
            waits: Waits::Unsaid,
            touch: None,
        }
    }
}

/// What clocks and figures read of an event; `None` for events that are not about a ticket's course.
pub fn fact(event: &Event) -> Option<Fact<'_>> {
    let event = match event {
        Event::Intake(event) => event,
        Event::Dispatch(event) => return field(event),
        Event::Sla(_) | Event::Notifier(_) | Event::House(_) => return None,
    };
    match event {
        IntakeEvent::CustomerErased { .. } => None,
        IntakeEvent::ActivityImported { line, .. } => Some(Fact {
            agent: Some(&line.agent),
            group: Some(&line.group),
            priority: Some(&line.priority),
            product: Some(&line.product),
            ..Fact::of(&line.activity, line.kind, Some(line.state))
        }),
        own => Some(native(own)),
    }
}

/// What happened in the field: intake says where the ticket stands after it.
fn field(event: &DispatchEvent) -> Option<Fact<'_>> {
    use ActivityKind as Kind;
    let by = |activity, kind, engineer| Some(Fact { agent: Some(engineer), ..Fact::of(activity, kind, None) });
    match event {
        DispatchEvent::OfferAccepted { engineer, .. } => by("OfferAccepted", Kind::Accept, engineer),
        DispatchEvent::Departed { engineer, .. } => by("Departed", Kind::Work, engineer),
        DispatchEvent::Arrived { engineer, .. } => by("Arrived", Kind::Work, engineer),
        DispatchEvent::VisitCompleted { engineer, .. } => by("VisitCompleted", Kind::Work, engineer),
        DispatchEvent::VisitStopped { engineer, .. } => by("VisitStopped", Kind::Work, engineer),
        DispatchEvent::WorkHandedOver { to, .. } => by("WorkHandedOver", Kind::Assign, to),
        DispatchEvent::Routed { .. }
        | DispatchEvent::VisitPlanned { .. }
        | DispatchEvent::Offered { .. }
        | DispatchEvent::Recommended { .. }
        | DispatchEvent::NobodyFound { .. }
        | DispatchEvent::OfferDeclined { .. }
        | DispatchEvent::OfferExpired { .. }
        | DispatchEvent::VisitReleased { .. }
        | DispatchEvent::WorkStarted { .. }
        | DispatchEvent::WorkPaused { .. }
        | DispatchEvent::WorkContinued { .. }
        | DispatchEvent::VisitCancelled { .. }
        | DispatchEvent::SlotHeld { .. }
        | DispatchEvent::SlotReleased { .. }
        | DispatchEvent::DutyStarted { .. }
        | DispatchEvent::DutyEnded { .. }
        | DispatchEvent::TimeOffBooked { .. }
        | DispatchEvent::TimeOffCancelled { .. }
        | DispatchEvent::PositionReported { .. } => None,
    }
}

/// Our own events: state is said where they change it.
fn native(event: &IntakeEvent) -> Fact<'_> {
    use ActivityKind as Kind;
    let open = Some(Status::Open);
    let working = Some(Status::InProgress);
    match event {
        IntakeEvent::Received { request, .. } => Fact {
            group: Some(&request.queue),
            priority: Some(request.priority.name()),
            product: Some(&request.ticket_type),
            ..Fact::of("Received", Kind::Queue, open)
        },
        IntakeEvent::TicketImported { request, next, .. } => Fact {
            group: Some(&request.queue),
            priority: Some(request.priority.name()),
            product: Some(&request.ticket_type),
            ..Fact::of("TicketImported", Kind::Note, next.is_none().then_some(Status::Closed))
        },
        IntakeEvent::Triaged { queue, priority, .. } => {
            Fact { group: Some(queue), priority: Some(priority.name()), ..Fact::of("Triaged", Kind::Assign, open) }
        }
        IntakeEvent::PriorityRaised { to, .. } => {
            Fact { priority: Some(to.name()), ..Fact::of("PriorityRaised", Kind::Note, None) }
        }
        IntakeEvent::PriorityLowered { to, .. } => {
            Fact { priority: Some(to.name()), ..Fact::of("PriorityLowered", Kind::Note, None) }
        }
        IntakeEvent::Transferred { queue, .. } => {
            Fact { group: Some(queue), ..Fact::of("Transferred", Kind::Assign, None) }
        }
        IntakeEvent::TakenInCharge { agent, .. } => {
            Fact { agent: Some(agent), ..Fact::of("TakenInCharge", Kind::Accept, working) }
        }
        IntakeEvent::Commented { author, public, .. } => {
            let touch = match (author, public) {
                (Author::Customer, _) => Some(Touch::Inbound),
                (Author::Agent, true) => Some(Touch::Outbound),
                (Author::Agent, false) | (Author::Robot, _) => None,
            };
            Fact { touch, ..Fact::of(spoken(*author, *public), Kind::Note, None) }
        }
        IntakeEvent::ContactLogged { inbound, reached, .. } => {
            let outbound = reached.then_some(Touch::Outbound);
            let touch = if *inbound { Some(Touch::Inbound) } else { outbound };
            Fact { touch, ..Fact::of("ContactLogged", Kind::Note, None) }
        }
        IntakeEvent::WaitStarted { reasons, .. } => {
            Fact { waits: Waits::More(reasons), ..Fact::of("WaitStarted", Kind::Wait, Some(Status::Waiting)) }
        }
        IntakeEvent::WaitEnded { remaining, .. } => {
            let (kind, state) =
                if remaining.is_empty() { (Kind::Resume, working) } else { (Kind::Note, Some(Status::Waiting)) };
            Fact { waits: Waits::Only(remaining), ..Fact::of("WaitEnded", kind, state) }
        }
        IntakeEvent::VisitScheduled { .. } => Fact::of("VisitScheduled", Kind::Note, None),
        IntakeEvent::VisitFellThrough { .. } => Fact::of("VisitFellThrough", Kind::Note, None),
        IntakeEvent::VisitBegun { engineer, .. } => {
            Fact { agent: Some(engineer), ..Fact::of("VisitBegun", Kind::Work, working) }
        }
        IntakeEvent::Resolved { .. } => Fact::of("Resolved", Kind::Resolve, Some(Status::Resolved)),
        IntakeEvent::Confirmed { .. } => Fact::of("Confirmed", Kind::Note, Some(Status::Resolved)),
        IntakeEvent::ConfirmationRejected { .. } => Fact::of("ConfirmationRejected", Kind::Reopen, working),
        IntakeEvent::Closed { .. } => Fact::of("Closed", Kind::Close, Some(Status::Closed)),
        IntakeEvent::Reopened { .. } => Fact::of("Reopened", Kind::Reopen, working),
        IntakeEvent::Cancelled { .. } => {
            Fact { cancelled: true, ..Fact::of("Cancelled", Kind::Close, Some(Status::Closed)) }
        }
        IntakeEvent::ActivityImported { .. } | IntakeEvent::CustomerErased { .. } => Fact::of("Note", Kind::Note, None),
    }
}

/// A comment's activity: only an agent's public one is a reply.
fn spoken(author: Author, public: bool) -> &'static str {
    match (author, public) {
        (Author::Customer, _) => "CustomerReply",
        (Author::Agent, true) => "PublicReply",
        (Author::Agent, false) => "InternalNote",
        (Author::Robot, _) => "RobotNote",
    }
}
