//! Somebody's time: duty, visits held, time off, last position. Folded from `engineer/<id>`, `track/<id>` and departures.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::dispatch::{DispatchEvent, Place, Slot};
pub use ticket::duty::Duty;
use uuid::Uuid;

/// How long what is over is remembered: two days, for the load and the number of visits of a local day.
const MEMORY_US: Micros = 48 * 3_600 * 1_000_000;

/// Somebody's time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The version of their stream.
    pub version: u64,
    /// Whether they are on duty.
    pub duty: Duty,
    /// Time held, by visit.
    pub held: BTreeMap<Uuid, Held>,
    /// Time off: from, to.
    pub time_off: BTreeMap<Micros, Micros>,
    /// Where they were last, and when.
    pub position: Option<(Place, Micros)>,
}

/// Time held for a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The ticket.
    pub ticket: Uuid,
    /// Where in the log it was given.
    pub given_at: u64,
    /// When.
    pub slot: Slot,
    /// Where, if known.
    pub site: Option<Place>,
    /// How far it is.
    pub stage: Stage,
}

/// How far a visit is whose time is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Not set out yet.
    Ahead,
    /// On the way or on site.
    Begun,
    /// Over; remembered for the day's load.
    Over,
}

impl Person {
    /// Takes an event of their stream in, with its position in the log and when it happened; `site` is where the visit is
    /// whose time is held.
    pub fn evolve(&mut self, event: &DispatchEvent, (position, at): (u64, Micros), site: Option<Place>) {
        match event {
            DispatchEvent::SlotHeld { ticket, visit, slot } => {
                self.forget(at);
                let held = Held { ticket: *ticket, given_at: position, slot: *slot, site, stage: Stage::Ahead };
                self.held.insert(*visit, held);
            }
            DispatchEvent::SlotReleased { visit, .. } => self.release(*visit, at),
            DispatchEvent::DutyStarted { .. } | DispatchEvent::DutyEnded { .. } => self.duty.learn(event),
            DispatchEvent::TimeOffBooked { from, to } => {
                self.forget(at);
                self.time_off.insert(*from, *to);
            }
            DispatchEvent::TimeOffCancelled { from } => drop(self.time_off.remove(from)),
            DispatchEvent::PositionReported { place } => self.position = Some((*place, at)),
            DispatchEvent::Departed { visit, .. } => {
                if let Some(held) = self.held.get_mut(visit) {
                    held.stage = Stage::Begun;
                    held.slot.from = held.slot.from.min(at);
                }
            }
            DispatchEvent::Routed { .. }
            | DispatchEvent::VisitPlanned { .. }
            | DispatchEvent::Offered { .. }
            | DispatchEvent::Recommended { .. }
            | DispatchEvent::NobodyFound { .. }
            | DispatchEvent::OfferAccepted { .. }
            | DispatchEvent::OfferDeclined { .. }
            | DispatchEvent::OfferExpired { .. }
            | DispatchEvent::VisitReleased { .. }
            | DispatchEvent::Arrived { .. }
            | DispatchEvent::WorkStarted { .. }
            | DispatchEvent::WorkPaused { .. }
            | DispatchEvent::WorkContinued { .. }
            | DispatchEvent::VisitCompleted { .. }
            | DispatchEvent::VisitStopped { .. }
            | DispatchEvent::VisitCancelled { .. }
            | DispatchEvent::WorkHandedOver { .. } => {}
        }
    }

    /// What is held and not over, in no order of time.
    pub fn ahead(&self) -> impl Iterator<Item = (Uuid, &Held)> {
        self.held.iter().filter(|(_, held)| held.stage != Stage::Over).map(|(visit, held)| (*visit, held))
    }

    /// Whether they are off duty or have time off in some of this time.
    pub fn misses(&self, slot: &Slot) -> bool {
        let booked = |(from, to): (&Micros, &Micros)| *from < slot.to && slot.from < *to;
        !self.duty.covers(slot.from, slot.to) || self.time_off.iter().any(booked)
    }

    /// The visit under way, if any.
    pub fn under_way(&self) -> Option<(Uuid, &Held)> {
        self.ahead().find(|(_, held)| held.stage == Stage::Begun)
    }

    /// Time that was spent stays spent; time that was not is free.
    fn release(&mut self, visit: Uuid, at: Micros) {
        match self.held.get_mut(&visit) {
            Some(held) if held.stage == Stage::Begun => {
                held.stage = Stage::Over;
                held.slot.to = at.max(held.slot.from);
                held.slot.arrive = held.slot.arrive.min(held.slot.to);
            }
            _ => drop(self.held.remove(&visit)),
        }
    }

    fn forget(&mut self, now: Micros) {
        let before = now.saturating_sub(MEMORY_US);
        self.held.retain(|_, held| held.stage != Stage::Over || held.slot.to >= before);
        self.time_off.retain(|_, to| *to >= before);
    }
}
