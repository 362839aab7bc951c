//! A reminder that is told within a digest: whether it may be, whether it still is, and the digest's tries, which are its
//! own too.

use decider::Micros;
use ticket::notifier::{Deferral, Medium, NotifierEvent};
use uuid::Uuid;

use super::{Reminder, To};

impl Reminder {
    /// Whether a digest may tell it: it waited, can wait, was not tried yet, and nothing about its sending is its own.
    pub(crate) fn gatherable(&self) -> bool {
        let own = self.urgent || self.chosen.is_some() || self.insists.is_some() || self.repeats.is_some();
        let fresh = self.tries.is_empty() && self.fallen.is_empty() && self.snoozed_until.is_none();
        let open = self.waits.is_some() && self.end.is_none() && !self.seen() && self.holds.is_none();
        // The inbox is a list as it is.
        let by_letter = self.media.first().is_some_and(|medium| *medium != Medium::InApp);
        matches!(self.to, To::Person(_)) && !own && fresh && open && by_letter
    }

    /// Whether one message may carry both.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        (&self.to, &self.media, &self.fallback) == (&other.to, &other.media, &other.fallback)
    }

    /// Whether it may be told at this instant, since its own has come or a message is sent to its recipient anyhow.
    pub(crate) fn joins(&self, now: Micros) -> bool {
        let capped = self.deferred == Some(Deferral::Cap);
        self.gatherable() && self.waits.is_some_and(|until| until <= now || capped)
    }

    /// Whether it is still to be told by its digest.
    pub(crate) fn carried(&self) -> bool {
        self.gathered.is_some() && self.end.is_none() && !self.seen()
    }

    /// Takes an event about the digest it is or was told in along.
    pub(crate) fn told_in(&mut self, digest: Uuid, event: &NotifierEvent, at: Micros) {
        match event {
            NotifierEvent::AttemptStarted { .. } if self.carried() => {
                self.evolve(event, at, None);
                if let Some(begun) = self.tries.last_mut() {
                    begun.digest = Some(digest);
                }
            }
            NotifierEvent::AttemptSucceeded { attempt, medium, .. }
            | NotifierEvent::AttemptDelivered { attempt, medium, .. }
            | NotifierEvent::AttemptFailed { attempt, medium, .. }
                if self.by((*medium, *attempt)).is_some_and(|one| one.digest == Some(digest)) =>
            {
                self.evolve(event, at, None);
            }
            _ => {}
        }
    }
}
