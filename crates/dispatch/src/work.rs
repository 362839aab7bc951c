//! The field work of a ticket: its visits, folded from `work/<ticket>`.

use std::collections::BTreeSet;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::dispatch::{DispatchEvent, Dropped, Job, Release, Slot};
use uuid::Uuid;

use crate::refusal::rule_name;

/// How long after it came to wait for nobody a visit is chosen for by the clock, if that did not happen at once: a minute.
const CHOOSE_WITHIN_US: Micros = 60_000_000;
/// How many of those a choice dropped are remembered.
const FINDINGS_SHOWN: usize = 20;

/// A ticket's field work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Whether a rule said where the ticket belongs.
    pub routed: bool,
    /// Its visits, in order of number; of a ticket that came back, those since then.
    pub visits: Vec<Visit>,
    /// Who was on site.
    pub crew: BTreeSet<String>,
}

/// One session of one engineer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: Uuid,
    /// Counts the ticket's visits from 1.
    pub number: u32,
    /// Where in the log it was planned.
    pub planned_at: u64,
    /// Where in the log it ended.
    pub ended_at: Option<u64>,
    /// What it needs.
    #[serde(with = "as_json")]
    pub job: Box<Job>,
    /// Where it stands.
    pub state: VisitState,
    /// Who was asked or has it, or had it when it ended.
    pub engineer: Option<String>,
    /// When.
    pub slot: Option<Slot>,
    /// How many decisions there were about it.
    pub attempt: u32,
    /// When it came to where it stands.
    pub moved_at: Micros,
    /// When somebody was on site.
    pub arrived_at: Option<Micros>,
    /// Until when what it waits for is waited for: an answer, a dispatcher, the next try, setting out.
    pub wait_until: Option<Micros>,
    /// Who waits for a dispatcher's word.
    pub recommended: Option<String>,
    /// What the last choice found, while nobody has it.
    pub findings: Option<Box<Findings>>,
    /// Who is not asked again: declined, let the offer pass, did not set out, was relieved of it.
    pub refused: BTreeSet<String>,
}

/// Whom a choice dropped, and how often in a row it was the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// The decision that names everybody dropped.
    pub attempt: u32,
    /// How many decisions dropped the same for the same reasons, that one included.
    pub tries: u32,
    /// The first of them, by name.
    pub first: Vec<Dropped>,
    /// Tells them all from others.
    digest: Uuid,
}

impl Findings {
    fn of(attempt: u32, dropped: &[Dropped]) -> Self {
        let first = dropped.iter().take(FINDINGS_SHOWN).cloned().collect();
        Self { attempt, tries: 1, first, digest: digest(dropped) }
    }

    /// Whether these were dropped, for these reasons.
    pub fn are(&self, dropped: &[Dropped]) -> bool {
        self.digest == digest(dropped)
    }
}

fn digest(dropped: &[Dropped]) -> Uuid {
    let lines = dropped.iter().map(|one| format!("{}\0{}\0{}\n", one.engineer, rule_name(one.rule), one.detail));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, lines.collect::<String>().as_bytes())
}

/// Where a visit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VisitState {
    /// Nobody has it.
    Planned,
    /// An engineer was asked.
    Offered,
    /// An engineer took it on.
    Accepted,
    /// The engineer is on the way.
    EnRoute,
    /// The engineer is on site.
    OnSite,
    /// Work goes on.
    Working,
    /// Work stands still.
    Paused,
    /// The work is done.
    Complete,
    /// Ended, the work is not done.
    Incomplete,
    /// It will not take place.
    Cancelled,
}

impl VisitState {
    /// Whether nothing more happens to it.
    pub fn ended(self) -> bool {
        matches!(self, Self::Complete | Self::Incomplete | Self::Cancelled)
    }

    /// The name in refusals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::EnRoute => "en_route",
            Self::OnSite => "on_site",
            Self::Working => "working",
            Self::Paused => "paused",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Visit {
    /// Whether an engineer has it or was asked, and has not set out.
    pub fn given(&self) -> bool {
        matches!(self.state, VisitState::Offered | VisitState::Accepted)
    }

    /// Whether nobody has it and what was found out about that still holds.
    pub fn waits(&self, now: Micros) -> bool {
        self.state == VisitState::Planned && self.wait_until.is_some_and(|until| now <= until)
    }

    /// When it falls due. A visit nobody has always does: what was not chosen at once is chosen soon after.
    pub fn due_at(&self) -> Option<Micros> {
        let unchosen = (self.state == VisitState::Planned).then(|| self.moved_at.saturating_add(CHOOSE_WITHIN_US));
        self.wait_until.or(unchosen)
    }

    fn go(&mut self, state: VisitState, at: Micros) {
        (self.state, self.moved_at) = (state, at);
        (self.wait_until, self.recommended, self.findings) = (None, None, None);
    }

    fn lost(&mut self, engineer: Option<&String>, at: Micros) {
        self.go(VisitState::Planned, at);
        (self.engineer, self.slot) = (None, None);
        self.refused.extend(engineer.cloned());
    }

    fn wait(&mut self, (attempt, until): (u32, Micros), findings: Findings, at: Micros) {
        self.go(VisitState::Planned, at);
        (self.attempt, self.wait_until, self.findings) = (attempt, Some(until), Some(Box::new(findings)));
    }

    /// The findings of a choice that found nobody.
    fn found(&mut self, attempt: u32, dropped: &[Dropped], same_as: Option<u32>) -> Findings {
        match self.findings.take().filter(|before| Some(before.attempt) == same_as) {
            Some(before) => Findings { tries: before.tries.saturating_add(1), ..*before },
            None => Findings::of(attempt, dropped),
        }
    }

    fn end(&mut self, state: VisitState, at: Micros) {
        self.go(state, at);
        if let Some(slot) = &mut self.slot {
            slot.to = at.max(slot.arrive);
        }
    }
}

impl Work {
    /// A visit of this id.
    pub fn visit(&self, id: Uuid) -> Option<&Visit> {
        self.visits.iter().rev().find(|visit| visit.id == id)
    }

    /// The visit that is not over; there is one at most.
    pub fn open(&self) -> Option<&Visit> {
        self.visits.last().filter(|visit| !visit.state.ended())
    }

    /// Takes one event in, with its position in the log and when it happened.
    pub fn evolve(&mut self, event: &DispatchEvent, (position, at): (u64, Micros)) {
        match event {
            DispatchEvent::Routed { .. } => self.routed = true,
            DispatchEvent::VisitPlanned { visit, number, job } => self.visits.push(Visit {
                id: *visit,
                number: *number,
                planned_at: position,
                ended_at: None,
                job: job.clone(),
                state: VisitState::Planned,
                engineer: None,
                slot: None,
                attempt: 0,
                moved_at: at,
                arrived_at: None,
                wait_until: None,
                recommended: None,
                findings: None,
                refused: BTreeSet::new(),
            }),
            other => {
                if let DispatchEvent::Arrived { engineer, .. } = other {
                    self.crew.insert(engineer.clone());
                }
                let visit = visit_of(other).and_then(|id| self.visits.iter_mut().rev().find(|visit| visit.id == id));
                if let Some(visit) = visit {
                    visit.evolve(other, at);
                    visit.ended_at = visit.ended_at.or(visit.state.ended().then_some(position));
                }
            }
        }
    }
}

impl Visit {
    fn evolve(&mut self, event: &DispatchEvent, at: Micros) {
        match event {
            DispatchEvent::Offered { engineer, slot, respond_by, attempt, .. } => {
                self.go(VisitState::Offered, at);
                (self.engineer, self.slot) = (Some(engineer.clone()), Some(*slot));
                (self.attempt, self.wait_until) = (*attempt, Some(*respond_by));
            }
            DispatchEvent::Recommended { attempt, decide_by, decision, .. } => {
                self.wait((*attempt, *decide_by), Findings::of(*attempt, &decision.dropped), at);
                self.recommended = decision.ranked.first().map(|best| best.engineer.clone());
            }
            DispatchEvent::NobodyFound { attempt, retry_at, decision, same_as, .. } => {
                let findings = self.found(*attempt, &decision.dropped, *same_as);
                self.wait((*attempt, *retry_at), findings, at);
            }
            DispatchEvent::OfferAccepted { engineer, slot, depart_by, .. }
            | DispatchEvent::WorkHandedOver { to: engineer, slot, depart_by, .. } => {
                self.go(VisitState::Accepted, at);
                (self.engineer, self.slot, self.wait_until) = (Some(engineer.clone()), Some(*slot), Some(*depart_by));
            }
            DispatchEvent::OfferDeclined { engineer, .. } | DispatchEvent::OfferExpired { engineer, .. } => {
                self.lost(Some(engineer), at);
            }
            DispatchEvent::VisitReleased { engineer, why, .. } => {
                let again = matches!(why, Release::Reassigned | Release::OffDuty | Release::OffRoster);
                self.lost(Some(engineer).filter(|_| !again), at);
            }
            DispatchEvent::Departed { .. } => self.go(VisitState::EnRoute, at),
            DispatchEvent::Arrived { .. } => {
                self.go(VisitState::OnSite, at);
                self.arrived_at = Some(at);
            }
            DispatchEvent::WorkStarted { .. } | DispatchEvent::WorkContinued { .. } => self.go(VisitState::Working, at),
            DispatchEvent::WorkPaused { .. } => self.go(VisitState::Paused, at),
            DispatchEvent::VisitCompleted { .. } => self.end(VisitState::Complete, at),
            DispatchEvent::VisitStopped { .. } => self.end(VisitState::Incomplete, at),
            DispatchEvent::VisitCancelled { .. } => self.go(VisitState::Cancelled, at),
            DispatchEvent::Routed { .. }
            | DispatchEvent::VisitPlanned { .. }
            | DispatchEvent::SlotHeld { .. }
            | DispatchEvent::SlotReleased { .. }
            | DispatchEvent::DutyStarted { .. }
            | DispatchEvent::DutyEnded { .. }
            | DispatchEvent::TimeOffBooked { .. }
            | DispatchEvent::TimeOffCancelled { .. }
            | DispatchEvent::PositionReported { .. } => {}
        }
    }
}

/// The visit an event is about.
pub fn visit_of(event: &DispatchEvent) -> Option<Uuid> {
    match event {
        DispatchEvent::VisitPlanned { visit, .. }
        | DispatchEvent::Offered { visit, .. }
        | DispatchEvent::Recommended { visit, .. }
        | DispatchEvent::NobodyFound { visit, .. }
        | DispatchEvent::OfferAccepted { visit, .. }
        | DispatchEvent::OfferDeclined { visit, .. }
        | DispatchEvent::OfferExpired { visit, .. }
        | DispatchEvent::VisitReleased { visit, .. }
        | DispatchEvent::Departed { visit, .. }
        | DispatchEvent::Arrived { visit, .. }
        | DispatchEvent::WorkStarted { visit }
        | DispatchEvent::WorkPaused { visit, .. }
        | DispatchEvent::WorkContinued { visit }
        | DispatchEvent::VisitCompleted { visit, .. }
        | DispatchEvent::VisitStopped { visit, .. }
        | DispatchEvent::VisitCancelled { visit, .. }
        | DispatchEvent::WorkHandedOver { visit, .. }
        | DispatchEvent::SlotHeld { visit, .. }
        | DispatchEvent::SlotReleased { visit, .. } => Some(*visit),
        DispatchEvent::Routed { .. }
        | DispatchEvent::DutyStarted { .. }
        | DispatchEvent::DutyEnded { .. }
        | DispatchEvent::TimeOffBooked { .. }
        | DispatchEvent::TimeOffCancelled { .. }
        | DispatchEvent::PositionReported { .. } => None,
    }
}

/// A job kept as its JSON text: its form is that of events, which leaves out what is empty, as a snapshot's never may.
mod as_json {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use ticket::dispatch::Job;

    pub(super) fn serialize<S: Serializer>(job: &Job, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&serde_json::to_string(job).map_err(S::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Box<Job>, D::Error> {
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
