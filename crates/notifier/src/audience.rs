//! Who stands behind an accountable party right now: people on duty, and the queues that step in.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ticket::document::{Fault, read};
use ticket::duty::Duties;
use ticket::intake::Accountable;

/// Most people told by one reminder of a queue; the first of its members.
pub(crate) const MAX_PEOPLE: usize = 24;

/// What notifier reads of a `kind: Queue` document; intake owns the kind and checks the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Queue {
    /// Whoever works in it, by token subject.
    pub(crate) members: Vec<String>,
    /// The queue that steps in when nobody is there.
    pub(crate) fallback: Option<String>,
}

impl Queue {
    /// Reads a spec as far as it matters here.
    pub(crate) fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        read(spec, |part| {
            let members = part.maybe("members").map_or_else(Vec::new, |members| members.texts());
            let fallback = part.maybe("fallback").and_then(|name| name.text()).map(str::to_owned);
            Some(Self { members, fallback })
        })
    }
}

/// The queues and the duty of one tenant's people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Staff {
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) duty: Duties,
}

impl Staff {
    /// Whether somebody is on duty at this instant.
    pub(crate) fn on_duty(&self, subject: &str, at: Micros) -> bool {
        self.duty.on(subject, at)
    }

    /// The people behind a party: the person if they are on duty, else those of the queue the ticket lies in; of a queue
    /// its members on duty, else those of the next queue that steps in. Where nobody is on duty at all, those who would
    /// have been told first: what waits for them is not lost.
    pub(crate) fn behind(&self, party: &Accountable, lies_in: &str, at: Micros) -> Vec<String> {
        let first = match party {
            Accountable::Person(subject) if self.on_duty(subject, at) => return vec![subject.clone()],
            Accountable::Person(_) => lies_in,
            Accountable::Queue(name) => name,
        };
        let chain = self.chain(first);
        let there = |queue: &&Queue| -> Vec<String> {
            queue.members.iter().filter(|member| self.on_duty(member, at)).take(MAX_PEOPLE).cloned().collect()
        };
        if let Some(people) = chain.iter().map(there).find(|people| !people.is_empty()) {
            return people;
        }
        match (party, chain.first()) {
            (Accountable::Person(subject), _) => vec![subject.clone()],
            (_, Some(queue)) => queue.members.iter().take(MAX_PEOPLE).cloned().collect(),
            (_, None) => Vec::new(),
        }
    }

    /// The queues with members that answer for this one, in the order in which they step in, each once.
    fn chain<'a>(&'a self, first: &'a str) -> Vec<&'a Queue> {
        let mut seen: Vec<&str> = Vec::new();
        let mut name = Some(first);
        while let Some(this) = name.filter(|name| !seen.contains(name)) {
            seen.push(this);
            name = self.queues.get(this).and_then(|queue| queue.fallback.as_deref());
        }
        let known = seen.into_iter().filter_map(|name| self.queues.get(name));
        known.filter(|queue| !queue.members.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use ticket::dispatch::{DispatchEvent, OffDuty};

    use super::*;

    fn staff(off: &[(&str, Option<Micros>)]) -> Staff {
        let queue = |members: &[&str], fallback: Option<&str>| Queue {
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            fallback: fallback.map(str::to_owned),
        };
        let queues = [
            ("desk", queue(&["ann", "bob"], Some("empty"))),
            ("empty", queue(&[], Some("chiefs"))),
            ("chiefs", queue(&["sue"], Some("desk"))),
        ];
        let mut duty = Duties::default();
        for (who, back_at) in off {
            duty.learn(who, &DispatchEvent::DutyEnded { why: OffDuty::ShiftOver, back_at: *back_at });
        }
        Staff { queues: queues.into_iter().map(|(name, queue)| (name.to_owned(), queue)).collect(), duty }
    }

    /// Proves part of: L8, N7
    #[test]
    fn a_queue_stands_for_its_members_on_duty_or_those_who_step_in() {
        let desk = Accountable::Queue("desk".into());
        assert_eq!(staff(&[]).behind(&desk, "", 9), ["ann", "bob"]);
        assert_eq!(staff(&[("ann", Some(9))]).behind(&desk, "", 8), ["bob"]);
        assert_eq!(staff(&[("ann", Some(9))]).behind(&desk, "", 9), ["ann", "bob"], "back at that very instant");
        assert_eq!(staff(&[("ann", None), ("bob", None)]).behind(&desk, "", 9), ["sue"]);
        let nobody = staff(&[("ann", None), ("bob", None), ("sue", None)]);
        assert_eq!(nobody.behind(&desk, "", 9), ["ann", "bob"], "nobody is there, and still it is not lost");
        assert!(staff(&[]).behind(&Accountable::Queue("unknown".into()), "", 9).is_empty());
    }

    #[test]
    fn a_person_off_duty_is_stood_in_for_by_the_queue() {
        let ann = Accountable::Person("ann".into());
        assert_eq!(staff(&[]).behind(&ann, "desk", 9), ["ann"]);
        assert_eq!(staff(&[("ann", None)]).behind(&ann, "desk", 9), ["bob"]);
        assert_eq!(staff(&[("ann", None)]).behind(&ann, "nowhere", 9), ["ann"]);
    }
}
