//! Who stands behind an accountable party right now: people on duty, and the queues that step in.

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::duty::Duties;
use ticket::intake::Accountable;
use ticket::queue::{Queue, Queues};
use ticket::telling::MAX_PEOPLE;

/// The queues and the duty of one tenant's people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Staff {
    pub(crate) queues: Queues,
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
        let chain = || self.queues.chain(first).filter(|(_, queue)| !queue.members.is_empty());
        let there = |queue: &Queue| queue.present(&self.duty, at).take(MAX_PEOPLE).cloned().collect::<Vec<_>>();
        if let Some(people) = chain().map(|(_, queue)| there(queue)).find(|people| !people.is_empty()) {
            return people;
        }
        match (party, chain().next()) {
            (Accountable::Person(subject), _) => vec![subject.clone()],
            (_, Some((_, queue))) => queue.members.iter().take(MAX_PEOPLE).cloned().collect(),
            (_, None) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ticket::dispatch::{DispatchEvent, OffDuty};
    use ticket::queue::HORIZON_US;

    use super::*;

    fn staff(off: &[(&str, Option<Micros>)]) -> Staff {
        let queue = |members: &[&str], fallback: Option<&str>| Queue {
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            fallback: fallback.map(str::to_owned),
            horizon_us: HORIZON_US,
            zone: None,
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
