//! A ticket as folded: its facts in the order in which they happened, and its clocks as the log records them.

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::intake::Status;
use ticket::sla::{Mark, SlaEvent};

use crate::attention::Attending;
use crate::clock::Phase;
use crate::policy::BREACH_BP;

/// A fact in sixteen bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    pub(crate) at: Micros,
    /// The number of its activity's name.
    pub(crate) activity: u32,
    /// One more than the number of its priority's name; 0 if it says none. The 65,535th priority and later ones are
    /// taken as unsaid.
    pub(crate) priority: u16,
    pub(crate) status: Option<Status>,
}

impl Moment {
    pub(crate) fn new(at: Micros, activity: u32, status: Option<Status>, priority: Option<u32>) -> Self {
        let priority = priority.and_then(|number| u16::try_from(number + 1).ok()).unwrap_or(0);
        Self { at, activity, priority, status }
    }
}

/// What stands for a name that was never said.
const UNSAID: u32 = u32::MAX;

/// A ticket: about 350 bytes once it has ended, with five facts and two clocks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// The position at which it became known: what was in force then holds for it.
    pub(crate) born: u64,
    /// Its first type or product.
    pub(crate) product: u32,
    /// Its first priority, as in [`Moment`].
    pub(crate) priority: u16,
    /// Whether it came from another system.
    pub(crate) imported: bool,
    /// The queue or group it lies in.
    pub(crate) group: u32,
    /// The name of the customer's time zone, if it was said.
    pub(crate) zone: Option<u32>,
    /// What its clocks were last made from.
    pub(crate) lineage: Option<u32>,
    /// By when they happened, then by when they became known.
    pub(crate) facts: Vec<Moment>,
    pub(crate) clocks: Vec<Clock>,
    /// Only while somebody owes its next step.
    pub(crate) attending: Option<Box<Attending>>,
}

impl Ticket {
    pub(crate) fn new(born: u64, product: u32, priority: u16, imported: bool) -> Self {
        let (facts, clocks) = (Vec::new(), Vec::new());
        Self {
            born,
            product,
            priority,
            imported,
            group: UNSAID,
            zone: None,
            lineage: None,
            facts,
            clocks,
            attending: None,
        }
    }

    /// Takes a fact in where it belongs; of the same instant, it became known last.
    pub(crate) fn learn(&mut self, fact: Moment) {
        let place = self.facts.partition_point(|known| known.at <= fact.at);
        self.facts.insert(place, fact);
        if fact.status == Some(Status::Closed) {
            self.facts.shrink_to_fit();
            self.clocks.shrink_to_fit();
        }
    }

    /// Whether its work is not closed.
    pub(crate) fn open(&self) -> bool {
        self.facts.iter().rev().find_map(|fact| fact.status) != Some(Status::Closed)
    }

    /// A clock of this name, if it was ever started.
    pub(crate) fn clock(&self, name: u32) -> Option<&Clock> {
        self.clocks.iter().find(|clock| clock.name == name)
    }

    pub(crate) fn clock_mut(&mut self, name: u32) -> &mut Clock {
        let place = self.clocks.iter().position(|clock| clock.name == name).unwrap_or_else(|| {
            self.clocks.push(Clock::new(name));
            self.clocks.len() - 1
        });
        &mut self.clocks[place]
    }
}

/// A share of a budget with its instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The share, basis points.
    pub share_bp: u32,
    /// Whether it was used up.
    pub reached: bool,
    /// When it was, or will be if the clock runs on.
    pub at: Micros,
}

/// A clock as the log records it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) name: u32,
    pub(crate) lineage: u32,
    pub(crate) generation: u32,
    pub(crate) phase: Phase,
    pub(crate) since: Micros,
    pub(crate) elapsed_us: i64,
    pub(crate) budget_secs: i64,
    /// Reached and to come, in order of share.
    pub(crate) shares: Vec<Share>,
}

impl Clock {
    fn new(name: u32) -> Self {
        let phase = Phase::Cancelled;
        Self { name, lineage: 0, generation: 0, phase, since: 0, elapsed_us: 0, budget_secs: 0, shares: Vec::new() }
    }

    /// When a share was reached, if that was not taken back.
    pub(crate) fn reached(&self, share_bp: u32) -> Option<Micros> {
        self.shares.iter().find(|share| share.share_bp == share_bp && share.reached).map(|share| share.at)
    }

    /// The marks that have not fired.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Mark> {
        self.shares.iter().filter(|share| !share.reached).map(|share| Mark { share_bp: share.share_bp, at: share.at })
    }

    /// Takes one event about this clock in.
    pub(crate) fn evolve(&mut self, event: &SlaEvent, lineage: u32) {
        match event {
            SlaEvent::ClockStarted { generation, terms, since, elapsed_us, marks, .. } => {
                (self.lineage, self.budget_secs) = (lineage, terms.budget_secs);
                self.run(*generation, *since, *elapsed_us, marks);
            }
            SlaEvent::ClockResumed { generation, since, elapsed_us, marks, .. } => {
                self.run(*generation, *since, *elapsed_us, marks);
            }
            SlaEvent::ClockPaused { since, elapsed_us, .. } => self.halt(Phase::Paused, *since, *elapsed_us),
            SlaEvent::ClockStopped { since, elapsed_us, met, .. } => {
                self.halt(Phase::Stopped { met: *met }, *since, *elapsed_us);
            }
            SlaEvent::ClockCancelled { since, elapsed_us, .. } => self.halt(Phase::Cancelled, *since, *elapsed_us),
            SlaEvent::WarningRaised { share_bp, at, .. } => self.reach(*share_bp, *at),
            SlaEvent::Breached { at, .. } => self.reach(BREACH_BP, *at),
            SlaEvent::BreachRevoked { .. } => self.shares.retain(|share| share.share_bp != BREACH_BP),
            SlaEvent::BreachExplained { .. } | SlaEvent::AttentionMissed { .. } => {}
        }
    }

    fn run(&mut self, generation: u32, since: Micros, elapsed_us: i64, marks: &[Mark]) {
        (self.phase, self.generation, self.since, self.elapsed_us) = (Phase::Running, generation, since, elapsed_us);
        self.shares.retain(|share| share.reached);
        let ahead = marks.iter().map(|mark| Share { share_bp: mark.share_bp, reached: false, at: mark.at });
        self.shares.extend(ahead);
        self.shares.sort_by_key(|share| share.share_bp);
    }

    /// A mark passed before the halt still fires; the others no longer lie ahead.
    fn halt(&mut self, phase: Phase, since: Micros, elapsed_us: i64) {
        (self.phase, self.since, self.elapsed_us) = (phase, since, elapsed_us);
        self.shares.retain(|share| share.reached || share.at < since);
        self.shares.shrink_to_fit();
    }

    fn reach(&mut self, share_bp: u32, at: Micros) {
        self.shares.retain(|share| share.share_bp != share_bp);
        let place = self.shares.partition_point(|share| share.share_bp < share_bp);
        self.shares.insert(place, Share { share_bp, reached: true, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_takes_sixteen_bytes_and_a_mark_no_more() {
        assert_eq!((size_of::<Moment>(), size_of::<Share>()), (16, 16));
    }
}
