//! The attention of an open ticket: who owes its next step, by when, and how often that was missed.

use decider::{Micros, Recorded};
use serde::{Deserialize, Serialize};
use ticket::Event;
use ticket::intake::{Accountable, Attention, IntakeEvent};
use ticket::lifecycle::{Lifecycle, Phase};
use ticket::names::Names;
use ticket::queue::HORIZON_US;
use ticket::sla::SlaEvent;

use crate::staff::Staff;

/// An open ticket under our care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attending {
    pub(crate) stage: Stage,
    /// Who owes the next step, as long as the ticket has not ended.
    owed: Owed,
    /// The version of the ticket's stream that named the next step.
    pub(crate) renewed: u32,
    /// How often it was missed since.
    pub(crate) step: u32,
    /// When it is missed next.
    pub(crate) due_at: Micros,
}

/// Where a ticket stands, without what only its phase knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    Received,
    Triaged,
    InProgress,
    Waiting,
    WorkDone,
    Confirmed,
    Closed,
    Cancelled,
}

/// Who owes the next step: twice the number of a name, and one more if it is a person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Owed(u32);

impl Stage {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Received => Self::Received,
            Phase::Triaged => Self::Triaged,
            Phase::InProgress => Self::InProgress,
            Phase::Waiting(_) => Self::Waiting,
            Phase::WorkDone { .. } => Self::WorkDone,
            Phase::Confirmed => Self::Confirmed,
            Phase::Closed { .. } => Self::Closed,
            Phase::Cancelled { .. } => Self::Cancelled,
        }
    }

    /// A phase that stands so; what only it knows is nothing to us.
    fn phase(self) -> Phase {
        match self {
            Self::Received => Phase::Received,
            Self::Triaged => Phase::Triaged,
            Self::InProgress => Phase::InProgress,
            Self::Waiting => Phase::Waiting(std::collections::BTreeSet::new()),
            Self::WorkDone => Phase::WorkDone { confirm_by: Micros::MAX },
            Self::Confirmed => Phase::Confirmed,
            Self::Closed => Phase::Closed { at: 0 },
            Self::Cancelled => Phase::Cancelled { at: 0 },
        }
    }

    /// The name in the API.
    pub(crate) fn name(self) -> &'static str {
        self.phase().name()
    }
}

impl Owed {
    pub(crate) fn of(party: &Accountable, names: &mut Names) -> Self {
        match party {
            Accountable::Queue(name) => Self(names.number(name.as_str()) << 1),
            Accountable::Person(name) => Self(names.number(name.as_str()) << 1 | 1),
        }
    }

    pub(crate) fn party(self, names: &Names) -> Accountable {
        let name = names.text(self.0 >> 1).to_owned();
        if self.0 & 1 == 1 { Accountable::Person(name) } else { Accountable::Queue(name) }
    }
}

impl Attending {
    /// Takes an event of the ticket in; nothing if nobody owes anything after it.
    pub(crate) fn evolve(
        known: Option<Self>,
        event: &Recorded<Event>,
        intake: &IntakeEvent,
        names: &mut Names,
    ) -> Option<Self> {
        let said = intake.next();
        let (phase, next) = match (&known, said) {
            (Some(known), _) => {
                let next = Attention { accountable: known.owed.party(names), attend_by: known.due_at };
                (known.stage.phase(), Some(next))
            }
            (None, Some(_)) => (Phase::Received, None),
            (None, None) => return None,
        };
        let mut course = Lifecycle { phase, opened_at: 0, moved_at: 0, next, reopened: 0 };
        course.evolve(intake, event.occurred_at);
        // A line of imported history may end a ticket and a later one bring it back, with the next step it came with.
        let next = course.next?;
        let (owed, stage) = (Owed::of(&next.accountable, names), Stage::of(&course.phase));
        let renewed = said.map(|next| (u32::try_from(event.version).unwrap_or(u32::MAX), 0, next.attend_by));
        let kept = || known.map(|known| (known.renewed, known.step, known.due_at));
        let (renewed, step, due_at) = renewed.or_else(kept)?;
        Some(Self { stage, owed, renewed, step, due_at })
    }

    /// Who owes the next step; nobody, as long as the ticket has ended.
    pub(crate) fn owed(&self, names: &Names) -> Option<Accountable> {
        self.falls_due().map(|_| self.owed.party(names))
    }

    /// When it is missed next, if anybody owes it.
    pub(crate) fn falls_due(&self) -> Option<Micros> {
        (!matches!(self.stage, Stage::Closed | Stage::Cancelled)).then_some(self.due_at)
    }
}

/// What is recorded when `owed` missed the next step for the nth time, at the instant of the staff, by a policy with this
/// pause between two calls.
pub(crate) fn missed(
    owed: Accountable,
    (step, due_at): (u32, Micros),
    staff: &Staff<'_>,
    every_us: Micros,
) -> SlaEvent {
    let wakes = staff.wakes(&owed, step);
    let horizon_us = match &wakes {
        Accountable::Queue(name) => staff.queues.get(name).map_or(HORIZON_US, |queue| queue.horizon_us),
        Accountable::Person(_) => HORIZON_US,
    };
    let next_at = next_call(due_at, every_us.min(horizon_us), staff.at);
    SlaEvent::AttentionMissed { step, due_at, owed, wakes, next_at }
}

/// The instant of the next call for attention: a whole number of pauses after the one missed, and still to come, so
/// that a service that stood still does not make up for every call it slept through.
fn next_call(missed_at: Micros, every_us: Micros, now: Micros) -> Micros {
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
