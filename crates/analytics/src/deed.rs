//! What was done for a ticket beside its facts: who was asked and came, how clocks ended, what people were told.
//!
//! A deed takes sixteen bytes: when it counts, and the number of what it was; few of those occur often.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::dispatch::{Chooser, DispatchEvent, Release, StopReason, VisitEnd};
use ticket::intake::IntakeEvent;
use ticket::names::{Interned, Names};
use ticket::notifier::{Medium, NotifierEvent, Recall, Recipient, Then};
use ticket::sla::SlaEvent;
use ticket::{Event, Recorded};
use uuid::Uuid;

/// Something that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deed {
    /// When it counts: of a clock the instant it ended or would have, else when it happened.
    pub(crate) at: Micros,
    /// The number of what it was.
    pub(crate) what: u32,
}

/// What a deed was; engineers and clocks by number of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum What {
    Resolved,
    Returned,
    Cancelled,
    Planned,
    NobodyFound,
    Offered { engineer: u32, overridden: bool },
    Accepted { engineer: u32 },
    Declined { engineer: u32 },
    Expired { engineer: u32 },
    Released { engineer: u32, why: Release },
    Arrived { engineer: u32, on_time: bool },
    Completed { engineer: u32 },
    Stopped { engineer: u32, why: StopReason },
    HandedOver,
    CalledOff { why: VisitEnd },
    ClockRan { clock: u32 },
    ClockMet { clock: u32 },
    ClockCancelled { clock: u32 },
    Breached { clock: u32 },
    Revoked { clock: u32 },
    ReminderPlanned { deferred: bool, delivered: bool },
    ReminderDeferred,
    Attempted,
    Delivered,
    ActedOn,
    Recalled,
    Unanswered { delivered: bool },
}

impl From<&What> for What {
    fn from(what: &What) -> Self {
        *what
    }
}

/// A ticket's deeds.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deeds {
    /// In the order of the log.
    pub(crate) done: Vec<Deed>,
    /// When somebody should be on site for the visit planned last.
    arrive_by: Option<Micros>,
    /// The reminders whose end is not known.
    reminders: BTreeMap<Uuid, Told>,
}

/// What a reminder was counted as already.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Told {
    deferred: bool,
    delivered: bool,
    /// Whether it lies in an inbox once it is not put off any more.
    in_app: bool,
    to: To,
}

/// Whom a reminder is for.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum To {
    Staff,
    /// Nothing more is expected once it was delivered.
    Customer,
}

/// Whether an event of this kind can be a deed, or is needed to know one.
pub(crate) fn wanted(kind: &str) -> bool {
    const KINDS: [&str; 30] = [
        "AttemptFailed",
        "AttemptStarted",
        "AttemptSucceeded",
        "Arrived",
        "BreachRevoked",
        "Breached",
        "ClockCancelled",
        "ClockResumed",
        "ClockStarted",
        "ClockStopped",
        "Departed",
        "MediumAdded",
        "NobodyFound",
        "OfferAccepted",
        "OfferDeclined",
        "OfferExpired",
        "Offered",
        "ReminderAcknowledged",
        "ReminderDeferred",
        "ReminderGathered",
        "ReminderPlanned",
        "ReminderRecalled",
        "ReminderResumed",
        "ReminderUnanswered",
        "VisitCancelled",
        "VisitCompleted",
        "VisitPlanned",
        "VisitReleased",
        "VisitStopped",
        "WorkHandedOver",
    ];
    KINDS.contains(&kind)
}

impl Deeds {
    /// Takes an event about the ticket in, if it is a deed.
    pub(crate) fn take(&mut self, recorded: &Recorded, names: &mut Names, whats: &mut Interned<What>) {
        let at = recorded.occurred_at;
        let deed = match &recorded.event {
            Event::Intake(event) => promised(event).map(|what| (at, what)),
            Event::Dispatch(event) => self.field(event, at, names).map(|what| (at, what)),
            Event::Sla(event) => clock(event, names),
            Event::Notifier(event) => self.told(event).map(|what| (at, what)),
            Event::House(_) => None,
        };
        if let Some((at, what)) = deed {
            self.done.push(Deed { at, what: whats.number(&what) });
        }
        if matches!(recorded.event, Event::Intake(IntakeEvent::Closed { .. } | IntakeEvent::Cancelled { .. })) {
            self.done.shrink_to_fit();
        }
    }

    /// A try to tell something of it began within a digest.
    pub(crate) fn attempted(&mut self, at: Micros, whats: &mut Interned<What>) {
        self.done.push(Deed { at, what: whats.number(&What::Attempted) });
    }

    /// A reminder arrived within a digest.
    pub(crate) fn arrived(&mut self, reminder: Uuid, at: Micros, whats: &mut Interned<What>) {
        if let Some(what) = self.delivered(reminder) {
            self.done.push(Deed { at, what: whats.number(&what) });
        }
    }

    fn field(&mut self, event: &DispatchEvent, at: Micros, names: &mut Names) -> Option<What> {
        let mut number = |engineer: &String| names.number(engineer.as_str());
        Some(match event {
            DispatchEvent::VisitPlanned { job, .. } => {
                self.arrive_by = Some(job.arrive_by);
                What::Planned
            }
            DispatchEvent::NobodyFound { .. } => What::NobodyFound,
            DispatchEvent::Offered { engineer, decision, .. } => {
                let overridden = matches!(decision.chooser, Chooser::Override { .. });
                What::Offered { engineer: number(engineer), overridden }
            }
            DispatchEvent::OfferAccepted { engineer, .. } => What::Accepted { engineer: number(engineer) },
            DispatchEvent::OfferDeclined { engineer, .. } => What::Declined { engineer: number(engineer) },
            DispatchEvent::OfferExpired { engineer, .. } => What::Expired { engineer: number(engineer) },
            DispatchEvent::VisitReleased { engineer, why, .. } => {
                What::Released { engineer: number(engineer), why: *why }
            }
            DispatchEvent::Arrived { engineer, .. } => {
                let on_time = self.arrive_by.is_some_and(|arrive_by| at <= arrive_by);
                What::Arrived { engineer: number(engineer), on_time }
            }
            DispatchEvent::VisitCompleted { engineer, .. } => What::Completed { engineer: number(engineer) },
            DispatchEvent::VisitStopped { engineer, why, .. } => {
                What::Stopped { engineer: number(engineer), why: *why }
            }
            DispatchEvent::WorkHandedOver { .. } => What::HandedOver,
            DispatchEvent::VisitCancelled { why, .. } => What::CalledOff { why: *why },
            _ => return None,
        })
    }

    /// What happened to a reminder: of how it ended only the first counts, and what came before that.
    fn told(&mut self, event: &NotifierEvent) -> Option<What> {
        match event {
            NotifierEvent::ReminderPlanned { reminder, deferred, recipient, media, .. } => {
                let (deferred, in_app) = (deferred.is_some(), media.contains(&Medium::InApp));
                let delivered = in_app && !deferred;
                let to = if matches!(recipient, Recipient::Customer(_)) { To::Customer } else { To::Staff };
                self.reminders.insert(*reminder, Told { deferred, delivered, in_app, to });
                Some(What::ReminderPlanned { deferred, delivered })
            }
            NotifierEvent::ReminderDeferred { reminder, .. } => {
                let told = self.reminders.get_mut(reminder)?;
                (!std::mem::replace(&mut told.deferred, true)).then_some(What::ReminderDeferred)
            }
            NotifierEvent::AttemptStarted { .. } => Some(What::Attempted),
            NotifierEvent::AttemptSucceeded { reminder, .. }
            | NotifierEvent::MediumAdded { reminder, medium: Medium::InApp }
            | NotifierEvent::AttemptFailed { reminder, then: Then::FallThrough { medium: Medium::InApp }, .. } => {
                self.delivered(*reminder)
            }
            NotifierEvent::ReminderResumed { reminder } if self.reminders.get(reminder)?.in_app => {
                self.delivered(*reminder)
            }
            NotifierEvent::ReminderAcknowledged { reminder, .. }
            | NotifierEvent::ReminderRecalled { reminder, why: Recall::ActedOn } => {
                self.ended(*reminder, What::ActedOn)
            }
            NotifierEvent::ReminderRecalled { reminder, .. } => self.ended(*reminder, What::Recalled),
            NotifierEvent::ReminderUnanswered { reminder, delivered, .. } => {
                self.ended(*reminder, What::Unanswered { delivered: *delivered })
            }
            _ => None,
        }
    }

    /// It arrived by some medium, of which only the first counts; the inbox is one, for what is not put off.
    fn delivered(&mut self, reminder: Uuid) -> Option<What> {
        let told = self.reminders.get_mut(&reminder)?;
        let first = !std::mem::replace(&mut told.delivered, true);
        if told.to == To::Customer {
            self.reminders.remove(&reminder);
        }
        first.then_some(What::Delivered)
    }

    fn ended(&mut self, reminder: Uuid, what: What) -> Option<What> {
        self.reminders.remove(&reminder).map(|_| what)
    }
}

fn promised(event: &IntakeEvent) -> Option<What> {
    match event {
        IntakeEvent::Resolved { .. } => Some(What::Resolved),
        IntakeEvent::Reopened { .. } | IntakeEvent::ConfirmationRejected { .. } => Some(What::Returned),
        IntakeEvent::Cancelled { .. } => Some(What::Cancelled),
        _ => None,
    }
}

/// A clock that stopped too late has not ended well: its breach is recorded beside it.
fn clock(event: &SlaEvent, names: &mut Names) -> Option<(Micros, What)> {
    let mut number = |clock: &String| names.number(clock.as_str());
    match event {
        SlaEvent::ClockStopped { clock, since, met: true, .. } => {
            Some((*since, What::ClockMet { clock: number(clock) }))
        }
        SlaEvent::ClockStarted { clock, since, .. }
        | SlaEvent::ClockResumed { clock, since, .. }
        | SlaEvent::ClockStopped { clock, since, .. } => Some((*since, What::ClockRan { clock: number(clock) })),
        SlaEvent::ClockCancelled { clock, since, .. } => Some((*since, What::ClockCancelled { clock: number(clock) })),
        SlaEvent::Breached { clock, at, .. } => Some((*at, What::Breached { clock: number(clock) })),
        SlaEvent::BreachRevoked { clock, at, .. } => Some((*at, What::Revoked { clock: number(clock) })),
        _ => None,
    }
}
