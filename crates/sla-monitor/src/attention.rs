//! The attention of an open ticket: who owes its next step, by when, and how often that was missed.

use decider::{Micros, Recorded};
use serde::{Deserialize, Serialize};
use ticket::Event;
use ticket::intake::{Accountable, IntakeEvent};
use ticket::lifecycle::{Lifecycle, Phase};

/// An open ticket under our care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attending {
    /// Its course, `next` included.
    pub(crate) course: Lifecycle,
    /// The version of the ticket's stream that named the next step.
    pub(crate) renewed: u64,
    /// How often it was missed since.
    pub(crate) step: u32,
    /// When it is missed next.
    pub(crate) due_at: Micros,
}

impl Attending {
    /// Takes an event of the ticket in; nothing if nobody owes anything after it.
    pub(crate) fn evolve(known: Option<Box<Self>>, event: &Recorded<Event>, intake: &IntakeEvent) -> Option<Box<Self>> {
        let next = intake.next();
        let mut known = match (known, next) {
            (Some(known), _) => known,
            (None, Some(_)) => Box::new(Self::begin(event.occurred_at)),
            (None, None) => return None,
        };
        known.course.evolve(intake, event.occurred_at);
        if let Some(next) = next {
            known.renewed = event.version;
            known.step = 0;
            known.due_at = next.attend_by;
        }
        // A line of imported history may end a ticket and a later one bring it back, with the next step it came with.
        Some(known).filter(|known| known.course.next.is_some())
    }

    fn begin(at: Micros) -> Self {
        let course = Lifecycle { phase: Phase::Received, opened_at: at, moved_at: at, next: None, reopened: 0 };
        Self { course, renewed: 0, step: 0, due_at: at }
    }

    /// Who owes the next step; nobody, as long as the ticket has ended.
    pub(crate) fn owed(&self) -> Option<&Accountable> {
        self.course.next.as_ref().filter(|_| !self.course.phase.ended()).map(|next| &next.accountable)
    }

    /// When it is missed next, if anybody owes it.
    pub(crate) fn falls_due(&self) -> Option<Micros> {
        self.owed().map(|_| self.due_at)
    }
}

/// The instant of the next call for attention: a whole number of pauses after the one missed, and still to come, so
/// that a service that stood still does not make up for every call it slept through.
pub(crate) fn next_call(missed_at: Micros, every_us: Micros, now: Micros) -> Micros {
    let every_us = every_us.max(1);
    let slept = (now - missed_at).max(0) / every_us;
    missed_at.saturating_add((slept + 1).saturating_mul(every_us))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_call_is_still_to_come() {
        assert_eq!(next_call(100, 10, 101), 110);
        assert_eq!(next_call(100, 10, 109), 110);
        assert_eq!(next_call(100, 10, 110), 120);
        assert_eq!(next_call(100, 10, 1_234), 1_240);
    }
}
