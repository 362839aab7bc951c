//! What happens at once within a step: users ask, services work, letters leave, time passes.

use std::collections::BTreeMap;

use super::{SECOND_US, World};
use crate::faults::Cast;
use crate::faults::book::{Answer, Request};
use crate::faults::cluster::Role;
use crate::faults::interleave::{Task, turn};

/// What a task of a step came to.
pub(super) enum Outcome {
    Answered { request: Box<Request>, answer: Answer, tampered: bool },
    Went,
}

impl<C: Cast> World<C> {
    /// A user's request: a new one, one that nobody knows the fate of, or one that was answered.
    pub(super) fn using(&mut self) -> Task<Outcome> {
        let mut tampered = false;
        let request = match self.dice.below(100) {
            0..15 if !self.book.open.is_empty() => {
                let place = self.dice.below(self.book.open.len());
                self.book.open.swap_remove(place)
            }
            15..25 if !self.book.answered.is_empty() => {
                let mut request = self.dice.one(&self.book.answered).clone();
                tampered = self.dice.chance(20) && self.book.is_acknowledged(request.ask.request);
                if tampered {
                    request.ask.content.push(b'!');
                }
                self.reached.struck(if tampered { "reused request id" } else { "repeated request" });
                request
            }
            _ => self.people.wish(&self.truth, self.cluster.clock.now()),
        };
        // A caller who hangs up does not know what became of it, and asks again some time.
        let hangs_up = !tampered && self.dice.chance(8);
        let patience = hangs_up.then(|| self.dice.below(25));
        if hangs_up {
            self.book.open.push(request.clone());
            self.reached.struck("request dropped");
        }
        let answer = self.cluster.send(&mut self.dice, &request);
        let course = Box::pin(async move {
            let answer = answer.await;
            if hangs_up { Outcome::Went } else { Outcome::Answered { request: Box::new(request), answer, tampered } }
        });
        Task { course, patience }
    }

    /// Somebody who holds, or believes to hold, the lease; now and then dies of it.
    pub(super) fn working(&mut self, crashing: &mut Vec<Role>) -> Task<Outcome> {
        let role = self.role();
        let patience = self.dice.chance(2).then(|| self.dice.below(40));
        if patience.is_some() {
            crashing.push(role);
        }
        let work = self.cluster.work(&mut self.dice, role);
        let course = Box::pin(async move {
            work.await;
            Outcome::Went
        });
        Task { course, patience }
    }

    /// Somebody who sends what is owed, each but once at a time; now and then dies of it.
    pub(super) fn carrying(&mut self, sending: &mut BTreeMap<usize, bool>) -> Task<Outcome> {
        let patience = self.dice.chance(15).then(|| self.dice.below(40));
        let (place, carry) = self.cluster.carry(&mut self.dice);
        if sending.contains_key(&place) {
            return self.keeping();
        }
        sending.insert(place, patience.is_some());
        let course = Box::pin(async move {
            carry.await;
            Outcome::Went
        });
        Task { course, patience }
    }

    /// Somebody who keeps a snapshot.
    pub(super) fn keeping(&mut self) -> Task<Outcome> {
        let role = self.role();
        let keep = self.cluster.keep(&mut self.dice, role);
        let course = Box::pin(async move {
            keep.await;
            Outcome::Went
        });
        Task { course, patience: None }
    }

    /// Time that passes while others are at work.
    pub(super) fn ticking(&mut self) -> Task<Outcome> {
        let clock = self.cluster.clock.clone();
        let (turns, by_us) = (self.dice.below(20), self.dice.between(1, 600) * SECOND_US);
        let course = Box::pin(async move {
            for _ in 0..turns {
                turn().await;
            }
            clock.advance(clock.now() + by_us);
            Outcome::Went
        });
        Task { course, patience: None }
    }
}
