//! Facts as they become known, in their order or late, and what the clocks of a ticket raised: all that is needed to run
//! it again.

use decider::Micros;

use super::{Ticket, UNSAID};
use crate::moment::{Late, Moment};
use crate::policy::BREACH_BP;
use crate::scene::Scene;

/// A fact that becomes known within this time of happening is as good as known at once, if everything before it has fired
/// and nothing that it may undo: 60 s.
const PROMPT_US: Micros = 60_000_000;

impl Ticket {
    /// Takes a fact in that became known now; notes it, unless that is as good as when it happened.
    pub(crate) fn learn(&mut self, fact: Moment, scene: &Scene, known: Micros) {
        let at = fact.at();
        let pending = self.notches.iter().filter(|notch| !notch.reached).map(|notch| notch.at.get()).min();
        let fired = pending.map_or(known, |pending| pending.min(known));
        let undoes = || self.raised().any(|(.., raised)| raised >= at);
        let after_late = || self.late().last().is_some_and(|late| at < late.known());
        if known - at > PROMPT_US || fired < at || undoes() || after_late() {
            self.seldom.get_or_insert_default().late.push(Late::new(fact, known, fired));
        }
        self.take(fact, scene);
    }

    /// Takes a fact in where it belongs; of the same instant, it became known last.
    pub(crate) fn take(&mut self, fact: Moment, scene: &Scene) {
        if self.facts.is_empty() {
            self.priority = scene.priority.unwrap_or(UNSAID);
        }
        self.group = scene.queue.unwrap_or(self.group);
        let place = self.facts.partition_point(|known| known.at() <= fact.at());
        if self.facts.len() == self.facts.capacity() {
            self.facts.reserve_exact(2 + self.facts.len() / 2);
        }
        self.facts.insert(place, fact);
    }

    /// The facts that became known late, in that order.
    pub(crate) fn late(&self) -> &[Late] {
        self.seldom.as_ref().map_or(&[], |seldom| &seldom.late)
    }

    /// When it became known: by the first fact, as far as that is told from when it happened.
    pub(crate) fn known_at(&self) -> Micros {
        let late = self.late();
        let prompt = self.facts.iter().find(|fact| late.iter().all(|late| late.fact != **fact));
        let first = prompt.map(|fact| fact.at()).into_iter().chain(late.first().map(|late| late.known()));
        first.min().unwrap_or(Micros::MAX)
    }

    /// What its clocks raised and what was not taken back, in no order: the clock's name, the share, the instant.
    pub(crate) fn raised(&self) -> impl Iterator<Item = (u32, u32, Micros)> {
        let reached = self.notches.iter().filter(|notch| notch.reached);
        let reached = reached.map(|notch| (notch.clock, u32::from(notch.share_bp), notch.at.get()));
        let seldom = self.seldom.iter();
        let over = seldom.clone().flat_map(|seldom| seldom.over.iter().map(|(place, _, at)| (*place, BREACH_BP, *at)));
        let warned = seldom
            .flat_map(|seldom| seldom.warned.iter().map(|(place, share_bp, at)| (*place, u32::from(*share_bp), *at)));
        reached
            .chain(over)
            .chain(warned)
            .map(|(place, share_bp, at)| (self.clocks[usize::from(place)].name, share_bp, at))
    }
}
