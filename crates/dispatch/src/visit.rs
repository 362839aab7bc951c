//! What people do with a visit, in the order in which it can happen. Every verb has a goal; where it holds, nothing
//! happens.

use decider::{At, Decided, Micros, Read};
use ticket::dispatch::{DispatchEvent, Place, Slot, StopReason};
use ticket::{Event, Personal, stream};

use crate::board::Board;
use crate::command::{Move, Verb, on_work};
use crate::plan::free;
use crate::policy::Policy;
use crate::record::{Standing, Ticket};
use crate::refusal::{BODY_MAX_CHARS, FieldFault, NAME_MAX_CHARS, REASON_MAX_CHARS, Refusal, bounded, check, required};
use crate::roster::on_earth;
use crate::state::State;
use crate::work::{Visit, VisitState};

/// Longest time, microseconds, by which a phone may report later what happened.
pub const MAX_BACKDATE_US: Micros = 72 * 3_600 * 1_000_000;
/// Most references a report may name.
const MAX_EVIDENCE: usize = 20;

pub(crate) type Outcome = Result<Decided<Event>, Refusal>;

/// A visit as a verb finds it.
pub(crate) struct Scene<'a> {
    pub(crate) read: &'a Read<'a, State>,
    pub(crate) board: &'a Board,
    pub(crate) ticket: &'a Ticket,
    pub(crate) visit: &'a Visit,
    pub(crate) asked: &'a Move,
    pub(crate) at: &'a At,
}

impl<'a> Scene<'a> {
    /// The visit, with the ticket's streams guarded, if the tenant has it.
    pub(crate) fn guarded(asked: &'a Move, read: &'a Read<'a, State>, at: &'a At) -> Result<Self, Refusal> {
        read.guard(&stream::ticket(asked.ticket));
        let board = read.guard(&stream::work(asked.ticket)).board(&at.tenant).ok_or(Refusal::TicketUnknown)?;
        let ticket = board.tickets.get(&asked.ticket).ok_or(Refusal::TicketUnknown)?;
        match ticket.visit(asked.visit) {
            Some(visit) => Ok(Self { read, board, ticket, visit, asked, at }),
            None if ticket.standing == Standing::Ended => Err(Refusal::TicketEnded),
            None => Err(Refusal::VisitUnknown),
        }
    }

    /// What was decided, unless the caller saw an older state or says an impossible time.
    pub(crate) fn timely(&self, decided: Outcome) -> Outcome {
        if matches!(&decided, Ok(events) if events.is_empty()) {
            return decided;
        }
        let current = self.read.version(&stream::work(self.asked.ticket));
        if self.asked.etag.is_some_and(|etag| etag != current) {
            return Err(Refusal::EtagMismatch { current });
        }
        let decided = decided?;
        check([self.untimely()])?;
        Ok(decided)
    }

    /// Checks when the caller says that it happened.
    fn untimely(&self) -> Option<FieldFault> {
        let (happened, now) = (self.at.occurred_at, self.at.now);
        let message = if happened > now {
            "lies in the future"
        } else if happened < now.saturating_sub(MAX_BACKDATE_US) {
            "lies more than 72 hours back"
        } else if happened < self.ticket.opened_at {
            "lies before the ticket was opened"
        } else if happened < self.visit.moved_at {
            "lies before what the visit came to last"
        } else {
            return None;
        };
        Some(FieldFault::new("occur_time", message))
    }

    /// Refuses whoever neither has the visit nor decides for others.
    fn own(&self) -> Result<String, Refusal> {
        let holder = self.visit.engineer.as_ref();
        match holder {
            Some(holder) if self.asked.by.dispatcher || *holder == self.asked.by.subject => Ok(holder.clone()),
            // Nobody has it: who decides for others is told what is missing instead.
            None if self.asked.by.dispatcher => Ok(String::new()),
            _ => Err(Refusal::NotYours),
        }
    }

    pub(crate) fn open(&self) -> Result<(), Refusal> {
        if self.ticket.standing == Standing::Open { Ok(()) } else { Err(Refusal::TicketEnded) }
    }

    /// When whoever takes this time on now, and has not set out, is a no-show.
    pub(crate) fn depart_by(&self, slot: &Slot, policy: &Policy) -> Micros {
        slot.from.max(self.at.occurred_at).saturating_add(policy.depart_grace_us)
    }

    pub(crate) fn on_work(&self, event: DispatchEvent) -> (decider::Stream, Event) {
        on_work(self.asked.ticket, event)
    }

    pub(crate) fn personal(&self, text: &str) -> Personal<String> {
        Personal::new(self.ticket.subject(self.asked.ticket), text.to_owned())
    }

    /// Refuses unless the visit stands in one of these states.
    fn from(&self, states: &[VisitState]) -> Result<(), Refusal> {
        let state = self.visit.state;
        if states.contains(&state) {
            return Ok(());
        }
        Err(match state {
            VisitState::Complete | VisitState::Incomplete | VisitState::Cancelled => Refusal::VisitEnded(state),
            VisitState::Planned => Refusal::OutOfOrder { state, next: "AssignVisit" },
            VisitState::Offered => Refusal::OutOfOrder { state, next: "AcceptOffer" },
            VisitState::Accepted => Refusal::OutOfOrder { state, next: "DepartToVisit" },
            VisitState::EnRoute => Refusal::OutOfOrder { state, next: "ArriveAtVisit" },
            VisitState::OnSite => Refusal::OutOfOrder { state, next: "StartWork" },
            VisitState::Working => Refusal::OutOfOrder { state, next: "PauseWork" },
            VisitState::Paused => Refusal::OutOfOrder { state, next: "ContinueWork" },
        })
    }

    /// Whether the visit is past this state on its way to being complete.
    fn past(&self, state: VisitState) -> bool {
        self.visit.state >= state && self.visit.state <= VisitState::Complete
    }
}

/// The events a verb makes of a visit.
pub(crate) fn decide(scene: &Scene<'_>) -> Outcome {
    let visit = scene.visit.id;
    match &scene.asked.verb {
        Verb::Accept => scene.accept(),
        Verb::Decline { reason } => scene.decline(reason),
        Verb::Depart => scene
            .step((VisitState::Accepted, VisitState::EnRoute), |engineer| DispatchEvent::Departed { visit, engineer }),
        Verb::Arrive { place } => scene.arrive(*place),
        Verb::Start => scene.step((VisitState::OnSite, VisitState::Working), |_| DispatchEvent::WorkStarted { visit }),
        Verb::Pause { reason } => scene.pause(reason),
        Verb::Continue => scene.go_on(),
        Verb::Complete { report, evidence } => scene.complete(report, evidence),
        Verb::Stop { why, note } => scene.stop(*why, note),
        Verb::Assign { engineer, arrive_at, override_reason } => scene.assign(engineer, *arrive_at, override_reason),
        Verb::Release { reason } => scene.release(reason),
        Verb::HandOver { engineer, note, override_reason } => scene.hand_over(engineer, note, override_reason),
    }
}

impl Scene<'_> {
    /// Goal: the engineer has taken it on.
    fn accept(&self) -> Outcome {
        let engineer = self.own()?;
        if self.past(VisitState::Accepted) {
            return Ok(Vec::new());
        }
        self.open()?;
        self.from(&[VisitState::Offered])?;
        if self.visit.wait_until.is_some_and(|until| self.at.now > until) {
            return Err(Refusal::OfferOver);
        }
        self.read.guard(&stream::engineer(&engineer));
        let slot = self.visit.slot.ok_or(Refusal::VisitUnknown)?;
        let depart_by = self.depart_by(&slot, &self.board.policy(&self.visit.job.job_type.name).1);
        Ok(vec![self.on_work(DispatchEvent::OfferAccepted { visit: self.visit.id, engineer, slot, depart_by })])
    }

    /// Goal: the engineer is not asked any more.
    fn decline(&self, reason: &str) -> Outcome {
        let (asker, holder) = (&self.asked.by.subject, self.visit.engineer.as_ref());
        if self.visit.refused.contains(asker) && holder != Some(asker) {
            return Ok(Vec::new());
        }
        let engineer = self.own()?;
        if self.visit.state == VisitState::Planned {
            return Ok(Vec::new());
        }
        if self.past(VisitState::Accepted) && !self.visit.state.ended() {
            return Err(Refusal::OutOfOrder { state: self.visit.state, next: "ReleaseVisit" });
        }
        self.from(&[VisitState::Offered])?;
        check([required("reason", reason, REASON_MAX_CHARS)])?;
        self.read.guard(&stream::engineer(&engineer));
        let (visit, reason) = (self.visit.id, reason.to_owned());
        let freed = free(self.asked.ticket, visit, &engineer);
        Ok(vec![self.on_work(DispatchEvent::OfferDeclined { visit, engineer, reason }), freed])
    }

    /// Goal: the visit has come to a state that follows another.
    fn step(&self, (before, after): (VisitState, VisitState), event: impl Fn(String) -> DispatchEvent) -> Outcome {
        let engineer = self.own()?;
        if self.past(after) {
            return Ok(Vec::new());
        }
        self.open()?;
        self.from(&[before])?;
        Ok(vec![self.on_work(event(engineer))])
    }

    fn arrive(&self, place: Option<Place>) -> Outcome {
        check([place
            .filter(|place| !on_earth(*place))
            .map(|_| FieldFault::new("place", "does not lie on the earth"))])?;
        let visit = self.visit.id;
        let arrived = |engineer| DispatchEvent::Arrived { visit, engineer, place };
        self.step((VisitState::EnRoute, VisitState::OnSite), arrived)
    }

    /// Goal: work stands still.
    fn pause(&self, reason: &str) -> Outcome {
        self.own()?;
        if self.visit.state == VisitState::Paused {
            return Ok(Vec::new());
        }
        self.from(&[VisitState::Working])?;
        check([required("reason", reason, REASON_MAX_CHARS)])?;
        Ok(vec![self.on_work(DispatchEvent::WorkPaused { visit: self.visit.id, reason: reason.to_owned() })])
    }

    /// Goal: work goes on.
    fn go_on(&self) -> Outcome {
        self.own()?;
        if self.visit.state == VisitState::Working {
            return Ok(Vec::new());
        }
        self.from(&[VisitState::Paused])?;
        Ok(vec![self.on_work(DispatchEvent::WorkContinued { visit: self.visit.id })])
    }

    /// Goal: the work is done, with its evidence.
    fn complete(&self, report: &str, evidence: &[String]) -> Outcome {
        let engineer = self.own()?;
        if self.visit.state == VisitState::Complete {
            return Ok(Vec::new());
        }
        self.from(&[VisitState::Working])?;
        let mut faults = vec![required("report", report, BODY_MAX_CHARS)];
        faults.extend(evidence.iter().map(|reference| required("evidence", reference, NAME_MAX_CHARS)));
        let many = format!("names more than {MAX_EVIDENCE} references");
        faults.push((evidence.len() > MAX_EVIDENCE).then(|| FieldFault::new("evidence", many)));
        check(faults)?;
        let demanded = self.visit.job.evidence_required;
        if u32::try_from(evidence.len()).is_ok_and(|given| given < demanded) {
            return Err(Refusal::EvidenceMissing { required: demanded });
        }
        let freed = self.freed(&engineer);
        let (visit, report, evidence) = (self.visit.id, self.personal(report), evidence.to_vec());
        Ok(vec![self.on_work(DispatchEvent::VisitCompleted { visit, engineer, report, evidence }), freed])
    }

    /// Goal: the visit has ended, the work not done.
    fn stop(&self, why: StopReason, note: &str) -> Outcome {
        let engineer = self.own()?;
        if self.visit.state == VisitState::Incomplete {
            return Ok(Vec::new());
        }
        self.from(&[VisitState::EnRoute, VisitState::OnSite, VisitState::Working, VisitState::Paused])?;
        check([bounded("note", note, BODY_MAX_CHARS)])?;
        let freed = self.freed(&engineer);
        let (visit, note) = (self.visit.id, self.personal(note));
        Ok(vec![self.on_work(DispatchEvent::VisitStopped { visit, engineer, why, note }), freed])
    }

    fn freed(&self, engineer: &str) -> (decider::Stream, Event) {
        self.read.guard(&stream::engineer(engineer));
        free(self.asked.ticket, self.visit.id, engineer)
    }
}
