//! Who stands behind a queue: its members on duty, and the queues that step in for it.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::{Fault, read};
use crate::duty::Duties;

/// Longest time in which somebody must be woken: 72 h.
pub const HORIZON_US: Micros = 72 * 3_600 * 1_000_000;

/// What services other than intake, which owns the kind and checks the rest, read of a `kind: Queue` document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Whoever works in it, by token subject.
    pub members: Vec<String>,
    /// The queue that steps in when nobody answers.
    pub fallback: Option<String>,
    /// Longest time between two calls for attention.
    pub horizon_us: Micros,
    /// The IANA name of the time zone the team works in.
    pub zone: Option<String>,
}

impl Queue {
    /// Reads a spec, or names what of it cannot be read.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            let horizon_us = match part.maybe("horizon") {
                Some(horizon) => horizon.duration_secs()?.saturating_mul(1_000_000).clamp(1, HORIZON_US),
                None => HORIZON_US,
            };
            let members = part.maybe("members").map_or_else(Vec::new, |members| members.texts());
            let fallback = part.maybe("fallback").and_then(|name| name.text()).map(str::to_owned);
            let zone = part.maybe("zone").and_then(|name| name.text()).map(str::to_owned);
            Some(Self { members, fallback, horizon_us, zone })
        })
    }

    /// Its members on duty at an instant.
    pub fn present<'a>(&'a self, duty: &'a Duties, at: Micros) -> impl Iterator<Item = &'a String> {
        self.members.iter().filter(move |member| duty.on(member, at))
    }
}

/// The queues in force, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queues(BTreeMap<String, Queue>);

impl Queues {
    /// The queue of this name.
    pub fn get(&self, name: &str) -> Option<&Queue> {
        self.0.get(name)
    }

    /// Every queue, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.0.iter().map(|(name, queue)| (name.as_str(), queue))
    }

    /// Puts a queue in force, or takes it out of force.
    pub fn set(&mut self, name: &str, queue: Option<Queue>) {
        match queue {
            Some(queue) => drop(self.0.insert(name.to_owned(), queue)),
            None => drop(self.0.remove(name)),
        }
    }

    /// The queues that answer for `first`, with their names, in the order in which they step in, each once.
    pub fn chain<'a>(&'a self, first: &str) -> impl Iterator<Item = (&'a str, &'a Queue)> + use<'a> {
        let mut known: Vec<*const Queue> = Vec::new();
        let next = |(_, queue): &(&String, &'a Queue)| self.0.get_key_value(queue.fallback.as_ref()?);
        let fresh = move |(_, queue): &(&String, &'a Queue)| {
            let this = std::ptr::from_ref(*queue);
            let fresh = !known.contains(&this);
            known.push(this);
            fresh
        };
        let chain = std::iter::successors(self.0.get_key_value(first), next).take_while(fresh);
        chain.map(|(name, queue)| (name.as_str(), queue))
    }
}

impl FromIterator<(String, Queue)> for Queues {
    fn from_iter<T: IntoIterator<Item = (String, Queue)>>(queues: T) -> Self {
        Self(queues.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queues_step_in_for_one_another_each_once() {
        let queue = |fallback: Option<&str>| Queue::read(&json!({"members": ["ann"], "fallback": fallback})).unwrap();
        let mut queues: Queues =
            [("a", queue(Some("b"))), ("b", queue(Some("c"))), ("c", queue(Some("a"))), ("d", queue(Some("gone")))]
                .map(|(name, queue)| (name.to_owned(), queue))
                .into_iter()
                .collect();
        let chain = |queues: &Queues, first| queues.chain(first).map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(chain(&queues, "b"), ["b", "c", "a"]);
        assert_eq!(chain(&queues, "d"), ["d"]);
        assert!(chain(&queues, "gone").is_empty());
        queues.set("c", None);
        assert_eq!(chain(&queues, "a"), ["a", "b"]);
    }

    #[test]
    fn the_horizon_has_a_bound() {
        let horizon = |text| Queue::read(&json!({"members": ["ann"], "horizon": text})).unwrap().horizon_us;
        assert_eq!((horizon("1h"), horizon("100h")), (3_600_000_000, HORIZON_US));
    }
}
