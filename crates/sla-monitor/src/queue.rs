//! Who stands behind a queue: its members, and the queues that step in for it.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::document::{Fault, read};
use ticket::intake::Accountable;

/// Longest time in which somebody must be woken: 72 h.
pub const HORIZON_US: Micros = 72 * 3_600 * 1_000_000;

/// What this service reads of a `kind: Queue` document; intake owns the kind and checks the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Whoever works in it, by token subject.
    pub members: Vec<String>,
    /// The queue that steps in when nobody answers.
    pub fallback: Option<String>,
    /// Longest time between two calls for attention.
    pub horizon_us: Micros,
}

/// The queues in force, by name.
pub(crate) type Queues = BTreeMap<String, Queue>;

impl Queue {
    /// Reads a spec, or names what of it this service cannot read.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            let horizon_us = match part.maybe("horizon") {
                Some(horizon) => horizon.duration_secs()?.saturating_mul(1_000_000).clamp(1, HORIZON_US),
                None => HORIZON_US,
            };
            let members = part.maybe("members").map_or_else(Vec::new, |members| members.texts());
            let fallback = part.maybe("fallback").and_then(|name| name.text()).map(str::to_owned);
            Some(Self { members, fallback, horizon_us })
        })
    }
}

/// The queues that answer for `first`, in the order in which they step in, each once: those with a member.
fn staffed<'a>(queues: &'a Queues, first: &'a str) -> Vec<&'a str> {
    let mut seen = Vec::new();
    let mut name = Some(first);
    while let Some(this) = name.filter(|name| !seen.contains(name)) {
        seen.push(this);
        name = queues.get(this).and_then(|queue| queue.fallback.as_deref());
    }
    seen.retain(|name| queues.get(*name).is_some_and(|queue| !queue.members.is_empty()));
    seen
}

/// Who is woken at a step (from 1) when `owed` did not act: the queue it lies in, then whoever steps in for it; the
/// last of them again and again. `owed` itself, where no queue has a member.
pub(crate) fn wakes(queues: &Queues, owed: &Accountable, lies_in: &str, step: u32) -> Accountable {
    let first = match owed {
        Accountable::Queue(name) => name,
        Accountable::Person(_) => lies_in,
    };
    let chain = staffed(queues, first);
    let step = usize::try_from(step).unwrap_or(usize::MAX).saturating_sub(1);
    match chain.get(step).or(chain.last()) {
        Some(queue) => Accountable::Queue((*queue).to_owned()),
        None => owed.clone(),
    }
}

/// The persons an accountable party stands for; nobody for a queue that neither has a member nor a fallback with one.
pub(crate) fn persons(queues: &Queues, party: &Accountable) -> Vec<String> {
    match party {
        Accountable::Person(subject) => vec![subject.clone()],
        Accountable::Queue(name) => {
            let first = staffed(queues, name).first().and_then(|queue| queues.get(*queue));
            first.map_or_else(Vec::new, |queue| queue.members.clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues() -> Queues {
        let queue = |members: &[&str], fallback: Option<&str>| Queue {
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            fallback: fallback.map(str::to_owned),
            horizon_us: HORIZON_US,
        };
        Queues::from([
            ("desk".into(), queue(&["ann"], Some("empty"))),
            ("empty".into(), queue(&[], Some("chiefs"))),
            ("chiefs".into(), queue(&["sue"], Some("desk"))),
            ("loop".into(), queue(&[], Some("loop"))),
        ])
    }

    #[test]
    fn steps_climb_the_chain_past_empty_queues_and_stay_at_its_end() {
        let queue = |name: &str| Accountable::Queue(name.into());
        let woken: Vec<_> = (1..=4).map(|step| wakes(&queues(), &queue("desk"), "", step)).collect();
        assert_eq!(woken, [queue("desk"), queue("chiefs"), queue("chiefs"), queue("chiefs")]);
        let ann = Accountable::Person("ann".into());
        assert_eq!(wakes(&queues(), &ann, "desk", 1), queue("desk"), "a person's silence wakes the queue");
        assert_eq!(wakes(&queues(), &ann, "loop", 1), ann);
    }

    #[test]
    fn a_queue_stands_for_its_members_or_those_who_step_in() {
        assert_eq!(persons(&queues(), &Accountable::Queue("empty".into())), ["sue"]);
        assert!(persons(&queues(), &Accountable::Queue("loop".into())).is_empty());
        assert!(persons(&queues(), &Accountable::Queue("unknown".into())).is_empty());
    }
}
