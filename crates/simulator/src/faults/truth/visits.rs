//! A visit as the log has it, and how it may move.

use decider::{Micros, Tenant};
use ticket::dispatch::{DispatchEvent, Job, Slot};
use uuid::Uuid;

use crate::faults::config::DEPART_GRACE_US;

/// Where a visit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Planned,
    Offered,
    Accepted,
    EnRoute,
    OnSite,
    Working,
    Paused,
    Complete,
    Incomplete,
    Cancelled,
}

/// What is known of a visit.
#[derive(Debug)]
pub(crate) struct Visit {
    pub(crate) tenant: Tenant,
    pub(crate) ticket: Uuid,
    pub(crate) job: Job,
    pub(crate) stage: Stage,
    /// Who has it or was asked, and for when.
    pub(crate) taken: Option<(String, Slot)>,
    pub(super) attempt: u32,
    /// When whoever was asked must have answered, or it is looked at again.
    pub(crate) ahead: Option<Micros>,
}

impl Visit {
    /// A visit just planned.
    pub(super) fn planned(tenant: &Tenant, ticket: Uuid, job: &Job) -> Self {
        let (tenant, job) = (tenant.clone(), job.clone());
        Self { tenant, ticket, job, stage: Stage::Planned, taken: None, attempt: 0, ahead: None }
    }

    /// Whether it is still to come, or under way.
    pub(crate) fn open(&self) -> bool {
        self.stage < Stage::Complete
    }

    /// Whether time of an engineer is held for it.
    pub(super) fn holds_time(&self) -> bool {
        (Stage::Offered..=Stage::Paused).contains(&self.stage)
    }

    /// Moves as an event says that happened at an instant, if it may.
    pub(super) fn take(&mut self, event: &DispatchEvent, at: Micros) -> Option<()> {
        let legal = match engineer_of(event) {
            Some(engineer) => self.taken.as_ref().is_some_and(|(has, _)| has == engineer),
            None => true,
        };
        let to = next(self.stage, event).filter(|_| legal)?;
        match event {
            DispatchEvent::Offered { engineer, slot, respond_by, attempt, .. } => {
                self.taken = Some((engineer.clone(), *slot));
                self.decided(*attempt, *respond_by)?;
            }
            DispatchEvent::Recommended { attempt, decide_by: ahead, .. }
            | DispatchEvent::NobodyFound { attempt, retry_at: ahead, .. } => self.decided(*attempt, *ahead)?,
            DispatchEvent::WorkHandedOver { to, slot, .. } => {
                self.taken = Some((to.clone(), *slot));
                self.ahead = Some(slot.from.max(at).saturating_add(DEPART_GRACE_US));
            }
            DispatchEvent::OfferAccepted { slot, .. } => {
                self.taken.as_ref().filter(|(_, offered)| offered == slot)?;
                self.ahead = Some(slot.from.max(at).saturating_add(DEPART_GRACE_US));
            }
            _ if to == Stage::Planned => (self.taken, self.ahead) = (None, None),
            _ => {}
        }
        self.stage = to;
        Some(())
    }

    fn decided(&mut self, attempt: u32, ahead: Micros) -> Option<()> {
        let counts_on = attempt > self.attempt;
        (self.attempt, self.ahead) = (attempt, Some(ahead));
        counts_on.then_some(())
    }
}

/// Who an event says has the visit.
fn engineer_of(event: &DispatchEvent) -> Option<&str> {
    match event {
        DispatchEvent::OfferAccepted { engineer, .. }
        | DispatchEvent::OfferDeclined { engineer, .. }
        | DispatchEvent::OfferExpired { engineer, .. }
        | DispatchEvent::VisitReleased { engineer, .. }
        | DispatchEvent::Departed { engineer, .. }
        | DispatchEvent::Arrived { engineer, .. }
        | DispatchEvent::VisitCompleted { engineer, .. }
        | DispatchEvent::VisitStopped { engineer, .. }
        | DispatchEvent::WorkHandedOver { from: engineer, .. } => Some(engineer),
        _ => None,
    }
}

/// Where an event brings a visit that stands here, if it may.
fn next(stage: Stage, event: &DispatchEvent) -> Option<Stage> {
    use DispatchEvent as E;
    use Stage as S;
    match (event, stage) {
        (E::Offered { .. }, S::Planned) => Some(S::Offered),
        (E::Recommended { .. } | E::NobodyFound { .. }, S::Planned)
        | (E::OfferDeclined { .. } | E::OfferExpired { .. }, S::Offered)
        | (E::VisitReleased { .. }, S::Offered | S::Accepted | S::EnRoute) => Some(S::Planned),
        (E::OfferAccepted { .. }, S::Offered) | (E::WorkHandedOver { .. }, S::Accepted) => Some(S::Accepted),
        (E::Departed { .. }, S::Accepted) => Some(S::EnRoute),
        (E::Arrived { .. }, S::EnRoute) => Some(S::OnSite),
        (E::WorkStarted { .. }, S::OnSite) | (E::WorkContinued { .. }, S::Paused) => Some(S::Working),
        (E::WorkPaused { .. }, S::Working) => Some(S::Paused),
        (E::VisitCompleted { .. }, S::Working) => Some(S::Complete),
        (E::VisitStopped { .. }, S::EnRoute | S::OnSite | S::Working | S::Paused) => Some(S::Incomplete),
        (E::VisitCancelled { .. }, open) if open < S::Complete => Some(S::Cancelled),
        _ => None,
    }
}

/// The visit an event of `work/*` is about.
pub(super) fn visit_of(event: &DispatchEvent) -> Option<Uuid> {
    use DispatchEvent as E;
    match event {
        E::VisitPlanned { visit, .. }
        | E::Offered { visit, .. }
        | E::Recommended { visit, .. }
        | E::NobodyFound { visit, .. }
        | E::OfferAccepted { visit, .. }
        | E::OfferDeclined { visit, .. }
        | E::OfferExpired { visit, .. }
        | E::VisitReleased { visit, .. }
        | E::Departed { visit, .. }
        | E::Arrived { visit, .. }
        | E::WorkStarted { visit }
        | E::WorkPaused { visit, .. }
        | E::WorkContinued { visit }
        | E::VisitCompleted { visit, .. }
        | E::VisitStopped { visit, .. }
        | E::VisitCancelled { visit, .. }
        | E::WorkHandedOver { visit, .. } => Some(*visit),
        E::Routed { .. }
        | E::SlotHeld { .. }
        | E::SlotReleased { .. }
        | E::DutyStarted { .. }
        | E::DutyEnded { .. }
        | E::TimeOffBooked { .. }
        | E::TimeOffCancelled { .. }
        | E::PositionReported { .. } => None,
    }
}
