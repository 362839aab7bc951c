//! What intake knows of a ticket's visit: who has it, as dispatch says, and what the ticket itself counts on.

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::Recorded;
use ticket::dispatch::DispatchEvent;
use ticket::intake::IntakeEvent;
use ticket::names::Names;
use uuid::Uuid;

/// The kinds of dispatch's events that tell of it.
pub const KINDS: [&str; 9] = [
    "Routed",
    "OfferAccepted",
    "WorkHandedOver",
    "VisitReleased",
    "VisitCancelled",
    "Departed",
    "Arrived",
    "VisitCompleted",
    "VisitStopped",
];

/// A ticket's visit; an ended ticket has none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Field {
    held: Option<Box<Held>>,
    scheduled: Option<Box<Scheduled>>,
    on_site: bool,
}

/// Who accepted a visit, as dispatch says, and was not relieved of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    visit: Uuid,
    engineer: u32,
    /// Whether the visit has ended, and how.
    ended: Option<Ended>,
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Ended {
    Completed,
    Stopped,
}

/// The visit the ticket counts on, as its own stream says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scheduled {
    pub(crate) visit: Uuid,
    pub(crate) engineer: u32,
    pub(crate) arrive_at: Micros,
    /// When the engineer's next step is missed.
    pub(crate) attend_by: Micros,
    /// Whether the engineer set out.
    pub(crate) begun: bool,
}

impl Field {
    /// Whether an engineer is on site.
    pub fn on_site(&self) -> bool {
        self.on_site
    }

    /// Whether this engineer accepted this visit and was not relieved of it since.
    pub(crate) fn holds(&self, visit: Uuid, engineer: Option<u32>) -> bool {
        self.held.as_ref().is_some_and(|held| held.visit == visit && Some(held.engineer) == engineer)
    }

    /// This visit, if it is the one the ticket counts on.
    pub(crate) fn scheduled(&self, visit: Uuid) -> Option<&Scheduled> {
        self.scheduled.as_deref().filter(|scheduled| scheduled.visit == visit)
    }

    /// Counts no longer on a visit that is over; whoever does not answer for the ticket any more because of that.
    pub(crate) fn settle(&mut self) -> Option<u32> {
        let ended = self.held.as_ref().map(|held| held.ended);
        if ended == Some(None) {
            return None;
        }
        self.held = None;
        let scheduled = self.scheduled.take()?;
        // Whoever did the work goes on answering for it.
        (ended != Some(Some(Ended::Completed))).then_some(scheduled.engineer)
    }

    /// Takes an event of dispatch's in.
    pub(crate) fn learn(&mut self, event: &DispatchEvent, names: &mut Names) {
        match event {
            DispatchEvent::OfferAccepted { visit, engineer, .. }
            | DispatchEvent::WorkHandedOver { visit, to: engineer, .. } => {
                self.held = Some(Box::new(Held { visit: *visit, engineer: names.number(engineer), ended: None }));
                self.on_site = false;
            }
            DispatchEvent::Arrived { .. } => self.on_site = true,
            DispatchEvent::VisitReleased { .. } | DispatchEvent::VisitCancelled { .. } => {
                (self.held, self.on_site) = (None, false);
            }
            DispatchEvent::VisitCompleted { .. } => self.end(Ended::Completed),
            DispatchEvent::VisitStopped { .. } => self.end(Ended::Stopped),
            _ => {}
        }
    }

    fn end(&mut self, how: Ended) {
        self.on_site = false;
        if let Some(held) = &mut self.held {
            held.ended = Some(how);
        }
    }

    /// Takes an event of the ticket in.
    pub(crate) fn follow(&mut self, event: &Recorded, moved: &IntakeEvent, names: &mut Names) {
        match moved {
            IntakeEvent::VisitScheduled { visit, engineer, arrive_at, next } => {
                let (visit, engineer) = (*visit, names.number(engineer));
                let (arrive_at, attend_by) = (*arrive_at, next.attend_by);
                let scheduled = Scheduled { visit, engineer, arrive_at, attend_by, begun: false };
                self.scheduled = Some(Box::new(scheduled));
            }
            IntakeEvent::VisitBegun { .. } => {
                if let Some(scheduled) = &mut self.scheduled {
                    scheduled.begun = true;
                }
            }
            IntakeEvent::VisitFellThrough { .. } => self.scheduled = None,
            IntakeEvent::WaitStarted { .. } if stops_visit(event) => self.scheduled = None,
            // Where an engineer stands is for dispatch to say, whatever becomes of the ticket.
            IntakeEvent::Closed { .. } | IntakeEvent::Cancelled { .. } => (self.held, self.scheduled) = (None, None),
            IntakeEvent::Received { .. }
            | IntakeEvent::Triaged { .. }
            | IntakeEvent::PriorityRaised { .. }
            | IntakeEvent::PriorityLowered { .. }
            | IntakeEvent::Transferred { .. }
            | IntakeEvent::TakenInCharge { .. }
            | IntakeEvent::Commented { .. }
            | IntakeEvent::ContactLogged { .. }
            | IntakeEvent::WaitStarted { .. }
            | IntakeEvent::WaitEnded { .. }
            | IntakeEvent::Resolved { .. }
            | IntakeEvent::Confirmed { .. }
            | IntakeEvent::ConfirmationRejected { .. }
            | IntakeEvent::Reopened { .. }
            | IntakeEvent::TicketImported { .. }
            | IntakeEvent::ActivityImported { .. }
            | IntakeEvent::CustomerErased { .. } => {}
        }
    }
}

/// Whether a waiting is what a visit ended with: it was caused by dispatch's event, while a person's hold has no cause.
pub(crate) fn stops_visit(event: &Recorded) -> bool {
    event.causation.is_some()
}
