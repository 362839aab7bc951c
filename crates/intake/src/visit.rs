//! How a ticket follows what dispatch tells: where a rule sends it, and its visit from acceptance to its end.
//!
//! A visit is followed only from its acceptance on, and only as far as the ticket counts on it: what is told of any other,
//! or told again, changes nothing.

use decider::{At, Decided, Micros, Read};
use ticket::dispatch::{DispatchEvent, Slot, StopReason};
use ticket::intake::{IntakeEvent, WaitReason};
use ticket::lifecycle::Phase;
use ticket::{Event, Personal, stream};
use uuid::Uuid;

use crate::attention;
use crate::command::Scene;
use crate::refusal::Refusal;
use crate::state::State;

/// How long, microseconds, after its planned end a visit's engineer may stay silent: 1 h.
const PATIENCE_US: Micros = 3_600 * 1_000_000;

/// What dispatch told of a visit.
#[derive(Clone, Debug)]
pub struct Told {
    /// The ticket.
    pub ticket: Uuid,
    /// The visit.
    pub visit: Uuid,
    /// What happened to it.
    pub step: Step,
}

/// What happened to a visit.
#[derive(Clone, Debug)]
pub enum Step {
    /// An engineer has it, and when.
    Accepted {
        /// Who, by token subject.
        engineer: String,
        /// When.
        slot: Slot,
    },
    /// The engineer no longer has it.
    Released {
        /// Who had it, by token subject.
        engineer: String,
    },
    /// It will not take place.
    Cancelled,
    /// The engineer set out.
    Departed {
        /// Who, by token subject.
        engineer: String,
    },
    /// The work is done.
    Completed {
        /// What was done; sealed.
        report: Personal<String>,
        /// With which evidence.
        evidence: Vec<String>,
    },
    /// It ended without the work being done.
    Stopped {
        /// Why.
        why: StopReason,
    },
}

impl Step {
    /// The visit an event is about and what it means to the ticket, if it means anything to it.
    pub fn of(event: &DispatchEvent) -> Option<(Uuid, Self)> {
        let told = match event {
            DispatchEvent::OfferAccepted { visit, engineer, slot, .. }
            | DispatchEvent::WorkHandedOver { visit, to: engineer, slot, .. } => {
                (*visit, Self::Accepted { engineer: engineer.clone(), slot: *slot })
            }
            DispatchEvent::VisitReleased { visit, engineer, .. } => {
                (*visit, Self::Released { engineer: engineer.clone() })
            }
            DispatchEvent::VisitCancelled { visit, .. } => (*visit, Self::Cancelled),
            DispatchEvent::Departed { visit, engineer } => (*visit, Self::Departed { engineer: engineer.clone() }),
            DispatchEvent::VisitCompleted { visit, report, evidence, .. } => {
                (*visit, Self::Completed { report: report.clone(), evidence: evidence.clone() })
            }
            DispatchEvent::VisitStopped { visit, why, .. } => (*visit, Self::Stopped { why: *why }),
            _ => return None,
        };
        Some(told)
    }
}

/// Goal: a ticket nobody works on yet lies in the queue that a rule named, unless it was sent elsewhere since it was
/// received: whoever did so knew better, and a rule told of again must not undo it.
pub(crate) fn route(
    id: Uuid,
    (queue, rule): (&str, &str),
    read: &Read<'_, State>,
    at: &At,
) -> Result<Decided<Event>, Refusal> {
    let Some(scene) = Scene::guarded(id, read, at) else { return Ok(Vec::new()) };
    read.overrides(scene.ticket.course.moved_at);
    let untouched = matches!(scene.phase(), Phase::Received | Phase::Triaged) && !scene.ticket.transferred;
    if !untouched || scene.queue() == queue {
        return Ok(Vec::new());
    }
    let queue = scene.known_queue(Some(queue))?.to_owned();
    let duty = ticket::intake::Accountable::Queue(queue.clone());
    let next = attention::next(scene.house, duty, &queue, scene.ticket.priority, at.now);
    let (from, reason) = (scene.queue().to_owned(), format!("rule {rule}"));
    Ok(recorded(id, IntakeEvent::Transferred { from, queue, reason, next }))
}

/// Goal: the ticket counts on the visit as dispatch told of it.
///
/// It takes effect when it happened, but never before the status it overrides: clocks order what happened by that.
pub(crate) fn follow(told: &Told, read: &Read<'_, State>, at: &At) -> Decided<Event> {
    let Some(scene) = Scene::guarded(told.ticket, read, at) else { return Vec::new() };
    read.guard(&stream::work(told.ticket));
    read.overrides(scene.ticket.course.moved_at);
    let moved = match scene.phase() {
        Phase::WorkDone { .. } | Phase::Confirmed | Phase::Closed { .. } | Phase::Cancelled { .. } => None,
        _ => scene.follow(told.visit, &told.step),
    };
    moved.map_or_else(Vec::new, |event| recorded(told.ticket, event))
}

fn recorded(ticket: Uuid, event: IntakeEvent) -> Decided<Event> {
    vec![(stream::ticket(ticket), Event::Intake(event))]
}

impl Scene<'_> {
    fn follow(&self, visit: Uuid, step: &Step) -> Option<IntakeEvent> {
        if let Step::Accepted { engineer, slot } = step {
            return self.schedule(visit, engineer, slot);
        }
        let scheduled = self.ticket.field.scheduled(visit)?;
        let is = |engineer: &str| self.house.names.find(engineer) == Some(scheduled.engineer);
        match step {
            Step::Accepted { .. } => None,
            Step::Released { engineer } => {
                // Who was relieved of it may have accepted it again since.
                let lost = is(engineer) && !self.ticket.field.holds(visit, Some(scheduled.engineer));
                lost.then(|| self.fell_through(visit))
            }
            Step::Cancelled => Some(self.fell_through(visit)),
            Step::Departed { engineer } => {
                let begins = is(engineer) && !scheduled.begun;
                begins.then(|| self.begun(visit, engineer, scheduled.attend_by))
            }
            Step::Completed { report, evidence } => Some(self.resolved(report.clone(), evidence.clone())),
            Step::Stopped { why: StopReason::Parts } => Some(self.wait_for_parts(visit)),
            Step::Stopped { why: StopReason::CustomerAbsent | StopReason::OtherSkills | StopReason::MoreTime } => {
                Some(self.fell_through(visit))
            }
        }
    }

    /// The engineer answers for the ticket, as long as nobody else has the visit meanwhile.
    fn schedule(&self, visit: Uuid, engineer: &str, slot: &Slot) -> Option<IntakeEvent> {
        let number = self.house.names.find(engineer);
        let known = self.ticket.field.scheduled(visit);
        let holds = known.is_some_and(|known| Some(known.engineer) == number && known.arrive_at == slot.arrive);
        if holds || !self.ticket.field.holds(visit, number) {
            return None;
        }
        let next = self.engineers(engineer, slot.to.saturating_add(PATIENCE_US));
        Some(IntakeEvent::VisitScheduled { visit, engineer: engineer.to_owned(), arrive_at: slot.arrive, next })
    }

    fn begun(&self, visit: Uuid, engineer: &str, attend_by: Micros) -> IntakeEvent {
        let next = self.engineers(engineer, attend_by);
        IntakeEvent::VisitBegun { visit, engineer: engineer.to_owned(), next }
    }

    fn fell_through(&self, visit: Uuid) -> IntakeEvent {
        IntakeEvent::VisitFellThrough { visit, next: self.next(self.duty()) }
    }

    /// The queue sees to the parts; a ticket that waits for parts already only loses its visit.
    fn wait_for_parts(&self, visit: Uuid) -> IntakeEvent {
        let next = attention::look_again(self.house, self.duty(), self.queue(), None, self.at.now);
        match self.phase() {
            Phase::Waiting(held) if held.contains(&WaitReason::Parts) => IntakeEvent::VisitFellThrough { visit, next },
            _ => IntakeEvent::WaitStarted { reasons: [WaitReason::Parts].into(), next },
        }
    }

    fn engineers(&self, engineer: &str, until: Micros) -> ticket::intake::Attention {
        attention::visit(self.house, engineer, self.queue(), (self.ticket.priority, until), self.at.now)
    }
}
