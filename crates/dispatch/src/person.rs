//! Somebody's time: duty, visits held, time off, last position. Folded from `engineer/<id>`, `track/<id>` and departures.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::dispatch::{DispatchEvent, Place, Slot};
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

/// Whether somebody is on duty, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Duty {
    /// On duty until then, for good if nothing.
    On {
        /// When it ends by itself.
        until: Option<Micros>,
    },
    /// Off duty until then, until they say otherwise if nothing.
    Off {
        /// When they are back.
        back_at: Option<Micros>,
    },
}

impl Default for Duty {
    fn default() -> Self {
        Self::On { until: None }
    }
}

impl Duty {
    /// Whether they are on duty at an instant.
    pub fn on(self, at: Micros) -> bool {
        match self {
            Self::On { until } => until.is_none_or(|until| at < until),
            Self::Off { back_at } => back_at.is_some_and(|back_at| at >= back_at),
        }
    }

    /// The stretch after `now` in which they are on duty: from, and to if it ends.
    pub fn window(self, now: Micros) -> Option<(Micros, Option<Micros>)> {
        match self {
            Self::On { until } => until.is_none_or(|until| now < until).then_some((now, until)),
            Self::Off { back_at } => back_at.map(|back_at| (back_at.max(now), None)),
        }
    }

    /// When they will be back, or when duty ends by itself.
    pub fn turns_at(self) -> Option<Micros> {
        match self {
            Self::On { until } => until,
            Self::Off { back_at } => back_at,
        }
    }
}

/// Time held for a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The ticket.
    pub ticket: Uuid,
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
    /// Takes an event of their stream in; `site` is where the visit is whose time is held.
    pub fn evolve(&mut self, event: &DispatchEvent, at: Micros, site: Option<Place>) {
        match event {
            DispatchEvent::SlotHeld { ticket, visit, slot } => {
                self.forget(at);
                self.held.insert(*visit, Held { ticket: *ticket, slot: *slot, site, stage: Stage::Ahead });
            }
            DispatchEvent::SlotReleased { visit, .. } => self.release(*visit, at),
            DispatchEvent::DutyStarted { until } => self.duty = Duty::On { until: *until },
            DispatchEvent::DutyEnded { back_at, .. } => self.duty = Duty::Off { back_at: *back_at },
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves part of: D10
    #[test]
    fn duty_is_what_was_said_last() {
        assert!(Duty::default().on(0), "who said nothing is on duty");
        let until = Duty::On { until: Some(10) };
        assert_eq!(
            (until.on(9), until.on(10), until.window(10), until.window(3)),
            (true, false, None, Some((3, Some(10))))
        );
        let back = Duty::Off { back_at: Some(10) };
        assert_eq!(
            (back.on(9), back.on(10), back.window(3), back.window(20)),
            (false, true, Some((10, None)), Some((20, None)))
        );
        let gone = Duty::Off { back_at: None };
        assert_eq!((gone.on(Micros::MAX), gone.window(0)), (false, None));
    }
}
