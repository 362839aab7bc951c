//! Who stands behind a ticket at an instant: whoever is on duty of the queue that answers for it, or of those that step in.

use decider::Micros;
use ticket::codec::rfc3339;
use ticket::duty::Duties;
use ticket::intake::Accountable;
use ticket::queue::{Queue, Queues};

/// Who stands behind a ticket at an instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staff<'a> {
    pub(crate) queues: &'a Queues,
    pub(crate) duty: &'a Duties,
    /// The queue the ticket lies in.
    pub(crate) lies_in: &'a str,
    pub(crate) at: Micros,
}

impl Staff<'_> {
    /// Who is woken at a step (from 1) when `owed` did not act: the queue it lies in, then whoever steps in for it; the
    /// last of them again and again. `owed` itself, where nobody is on duty.
    pub(crate) fn wakes(&self, owed: &Accountable, step: u32) -> Accountable {
        let present = |(_, queue): &(&str, &Queue)| queue.present(self.duty, self.at).next().is_some();
        let step = usize::try_from(step).unwrap_or(usize::MAX).max(1);
        match self.queues.chain(self.first(owed)).filter(present).take(step).last() {
            Some((name, _)) => Accountable::Queue(name.to_owned()),
            None => owed.clone(),
        }
    }

    /// The persons on duty a party stands for, or else those of the first queue that steps in; nobody where nobody is.
    pub(crate) fn persons(&self, party: &Accountable) -> Vec<String> {
        match party {
            Accountable::Person(subject) if self.duty.on(subject, self.at) => vec![subject.clone()],
            _ => {
                let chain = self.queues.chain(self.first(party));
                let mut present =
                    chain.map(|(_, queue)| queue.present(self.duty, self.at).cloned().collect::<Vec<_>>());
                present.find(|members| !members.is_empty()).unwrap_or_default()
            }
        }
    }

    /// Why a party stands for nobody.
    pub(crate) fn missing(&self, party: &Accountable) -> String {
        let first = self.first(party);
        let nobody = if self.queues.chain(first).all(|(_, queue)| queue.members.is_empty()) {
            format!("queue {first} has no member, nor has any queue that steps in for it")
        } else {
            let at = rfc3339(self.at);
            format!("nobody in queue {first} nor in any queue that steps in for it is on duty at {at}")
        };
        match party {
            Accountable::Queue(_) => nobody,
            Accountable::Person(subject) => format!("{subject} is off duty, and {nobody}"),
        }
    }

    /// The queue that answers for a party: itself, or where the ticket lies.
    fn first<'b>(&'b self, party: &'b Accountable) -> &'b str {
        match party {
            Accountable::Queue(name) => name,
            Accountable::Person(_) => self.lies_in,
        }
    }
}

#[cfg(test)]
mod tests {
    use ticket::dispatch::{DispatchEvent, OffDuty};
    use ticket::queue::HORIZON_US;

    use super::*;

    fn queues() -> Queues {
        let queue = |members: &[&str], fallback: Option<&str>| Queue {
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            fallback: fallback.map(str::to_owned),
            horizon_us: HORIZON_US,
            zone: None,
        };
        let queues = [
            ("desk".into(), queue(&["ann", "bob"], Some("empty"))),
            ("empty".into(), queue(&[], Some("chiefs"))),
            ("chiefs".into(), queue(&["sue"], Some("desk"))),
            ("loop".into(), queue(&[], Some("loop"))),
        ];
        queues.into_iter().collect()
    }

    /// What is asked of the staff at instant 10 of a ticket that lies in the desk, when these are off duty until then.
    fn staff<T>(off: &[(&str, Option<Micros>)], ask: impl FnOnce(Staff<'_>) -> T) -> T {
        let (queues, mut duty) = (queues(), Duties::default());
        for (subject, back_at) in off {
            duty.learn(subject, &DispatchEvent::DutyEnded { why: OffDuty::ShiftOver, back_at: *back_at });
        }
        ask(Staff { queues: &queues, duty: &duty, lies_in: "desk", at: 10 })
    }

    fn queue(name: &str) -> Accountable {
        Accountable::Queue(name.into())
    }

    fn ann() -> Accountable {
        Accountable::Person("ann".into())
    }

    #[test]
    fn steps_climb_the_chain_past_empty_queues_and_stay_at_its_end() {
        let woken = staff(&[], |staff| (1..=4).map(|step| staff.wakes(&queue("desk"), step)).collect::<Vec<_>>());
        assert_eq!(woken, [queue("desk"), queue("chiefs"), queue("chiefs"), queue("chiefs")]);
        let person = staff(&[], |staff| staff.wakes(&ann(), 1));
        assert_eq!(person, queue("desk"), "a person's silence wakes the queue");
        assert_eq!(staff(&[], |staff| Staff { lies_in: "loop", ..staff }.wakes(&ann(), 1)), ann());
    }

    #[test]
    fn steps_climb_past_queues_with_nobody_on_duty() {
        let off = [("ann", None), ("bob", Some(11))];
        assert_eq!(staff(&off, |staff| staff.wakes(&queue("desk"), 1)), queue("chiefs"));
        let back = [("ann", None), ("bob", Some(10))];
        assert_eq!(staff(&back, |staff| staff.wakes(&queue("desk"), 1)), queue("desk"));
    }

    #[test]
    fn a_party_stands_for_those_of_it_on_duty_or_those_who_step_in() {
        let persons = |off: &[_], party| staff(off, |staff| staff.persons(&party));
        assert_eq!(persons(&[], queue("empty")), ["sue"]);
        assert_eq!(persons(&[("ann", None)], queue("desk")), ["bob"]);
        assert_eq!(persons(&[("ann", None), ("bob", None)], queue("desk")), ["sue"]);
        assert_eq!(persons(&[], ann()), ["ann"]);
        assert_eq!(persons(&[("ann", None)], ann()), ["bob"], "the queue it lies in steps in for a person");
        assert!(persons(&[], queue("loop")).is_empty() && persons(&[], queue("unknown")).is_empty());
    }

    #[test]
    fn what_is_missing_is_said() {
        let missing = |off: &[_], party| staff(off, |staff| staff.missing(&party));
        assert_eq!(missing(&[], queue("loop")), "queue loop has no member, nor has any queue that steps in for it");
        let all = [("ann", None), ("bob", None), ("sue", None)];
        let nobody =
            "nobody in queue desk nor in any queue that steps in for it is on duty at 1970-01-01T00:00:00.00001Z";
        assert_eq!(missing(&all, queue("desk")), nobody);
        assert_eq!(missing(&all, ann()), format!("ann is off duty, and {nobody}"));
    }
}
