//! Where a ticket stands: the promise made to the customer, folded from its own stream alone.

use std::collections::BTreeSet;

use decider::Micros;
use serde::{Deserialize, Serialize};

use crate::intake::{Attention, Author, IntakeEvent, Status, WaitReason};

/// Where a ticket stands; each variant owns what only it knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Taken in, nobody looked yet.
    Received,
    /// Placed, nobody works on it yet.
    Triaged,
    /// Somebody works on it.
    InProgress,
    /// Work waits for these; never empty.
    Waiting(BTreeSet<WaitReason>),
    /// Done from our side; silence until then counts as consent.
    WorkDone {
        /// When silence becomes consent.
        confirm_by: Micros,
    },
    /// The customer agreed; the supervisor's review is owed.
    Confirmed,
    /// Reviewed and ended.
    Closed {
        /// When.
        at: Micros,
    },
    /// Called off.
    Cancelled {
        /// When.
        at: Micros,
    },
}

impl Phase {
    /// The name in the API and in documents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Triaged => "triaged",
            Self::InProgress => "in_progress",
            Self::Waiting(_) => "waiting",
            Self::WorkDone { .. } => "work_done",
            Self::Confirmed => "confirmed",
            Self::Closed { .. } => "closed",
            Self::Cancelled { .. } => "cancelled",
        }
    }

    /// Whether nobody owes anything any more.
    pub fn ended(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Cancelled { .. })
    }

    /// What clocks and figures make of it.
    pub fn status(&self) -> Status {
        match self {
            Self::Received | Self::Triaged => Status::Open,
            Self::InProgress => Status::InProgress,
            Self::Waiting(_) => Status::Waiting,
            Self::WorkDone { .. } | Self::Confirmed => Status::Resolved,
            Self::Closed { .. } | Self::Cancelled { .. } => Status::Closed,
        }
    }

    /// Another system's word for where the ticket stands; what it did not say is left unstated.
    fn imported(status: Status, at: Micros) -> Self {
        match status {
            Status::Open => Self::Triaged,
            Status::InProgress => Self::InProgress,
            Status::Waiting => Self::Waiting(BTreeSet::from([WaitReason::Unstated])),
            Status::Resolved => Self::WorkDone { confirm_by: Micros::MAX },
            Status::Closed => Self::Closed { at },
        }
    }
}

/// A ticket's course so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Where it stands.
    pub phase: Phase,
    /// When it was opened.
    pub opened_at: Micros,
    /// When its status last changed.
    pub moved_at: Micros,
    /// The next step; none only for history that was replayed and for ended tickets.
    pub next: Option<Attention>,
    /// How often it came back.
    pub reopened: u32,
}

impl Lifecycle {
    /// The course that begins with this event.
    pub fn begin(first: &IntakeEvent, at: Micros) -> Self {
        let mut course = Self { phase: Phase::Received, opened_at: at, moved_at: at, next: None, reopened: 0 };
        course.evolve(first, at);
        course
    }

    /// Takes one event in.
    pub fn evolve(&mut self, event: &IntakeEvent, at: Micros) {
        match event {
            IntakeEvent::Received { next, .. } => self.go(Phase::Received, at, next),
            IntakeEvent::Triaged { next, .. } => self.go(Phase::Triaged, at, next),
            IntakeEvent::TakenInCharge { next, .. } | IntakeEvent::VisitBegun { next, .. } => {
                self.go(Phase::InProgress, at, next);
            }
            IntakeEvent::Transferred { next, .. }
            | IntakeEvent::VisitScheduled { next, .. }
            | IntakeEvent::VisitFellThrough { next, .. } => self.next = Some(next.clone()),
            IntakeEvent::Commented { author, next, .. } => {
                // A customer who speaks is not silent: silence no longer becomes consent.
                if let (Author::Customer, Phase::WorkDone { confirm_by }) = (author, &mut self.phase) {
                    *confirm_by = Micros::MAX;
                }
                self.renew(next.as_ref());
            }
            IntakeEvent::PriorityRaised { next, .. } | IntakeEvent::PriorityLowered { next, .. } => {
                self.renew(next.as_ref());
            }
            IntakeEvent::WaitStarted { reasons, next } => {
                let mut holding = if let Phase::Waiting(held) = &self.phase { held.clone() } else { BTreeSet::new() };
                holding.extend(reasons);
                self.go(Phase::Waiting(holding), at, next);
            }
            IntakeEvent::WaitEnded { remaining, next, .. } if remaining.is_empty() => {
                self.go(Phase::InProgress, at, next);
            }
            IntakeEvent::WaitEnded { remaining, next, .. } => self.go(Phase::Waiting(remaining.clone()), at, next),
            IntakeEvent::Resolved { confirm_by, next, .. } => {
                self.go(Phase::WorkDone { confirm_by: *confirm_by }, at, next);
            }
            IntakeEvent::Confirmed { next, .. } => self.go(Phase::Confirmed, at, next),
            IntakeEvent::ConfirmationRejected { next, .. } | IntakeEvent::Reopened { next, .. } => {
                self.reopened += 1;
                self.go(Phase::InProgress, at, next);
            }
            IntakeEvent::Closed { .. } => self.end(Phase::Closed { at }, at),
            IntakeEvent::Cancelled { .. } => self.end(Phase::Cancelled { at }, at),
            IntakeEvent::TicketImported { next, .. } => {
                self.next.clone_from(next);
                if next.is_none() {
                    self.phase = Phase::Closed { at };
                }
            }
            IntakeEvent::ActivityImported { line, .. } => {
                self.phase = Phase::imported(line.state, at);
                self.moved_at = at;
            }
            IntakeEvent::ContactLogged { .. } | IntakeEvent::CustomerErased { .. } => {}
        }
    }

    fn renew(&mut self, next: Option<&Attention>) {
        if next.is_some() {
            self.next = next.cloned();
        }
    }

    fn go(&mut self, phase: Phase, at: Micros, next: &Attention) {
        self.phase = phase;
        self.moved_at = at;
        self.next = Some(next.clone());
    }

    fn end(&mut self, phase: Phase, at: Micros) {
        self.phase = phase;
        self.moved_at = at;
        self.next = None;
    }
}
