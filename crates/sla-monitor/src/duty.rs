//! Who is on duty when: everybody, but for those who said they are not.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};
use ticket::dispatch::DispatchEvent;

/// Who is not always on duty, by token subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Duty(BTreeMap<String, Absence>);

/// When somebody is off duty: from an instant on, until another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Absence {
    from: Micros,
    /// On duty again; never by itself, if not said.
    to: Option<Micros>,
}

impl Duty {
    /// Takes in what somebody said of their duty.
    pub(crate) fn learn(&mut self, subject: &str, event: &DispatchEvent) {
        let absence = match event {
            DispatchEvent::DutyStarted { until } => until.map(|from| Absence { from, to: None }),
            DispatchEvent::DutyEnded { back_at, .. } => Some(Absence { from: Micros::MIN, to: *back_at }),
            _ => return,
        };
        match absence {
            Some(absence) => drop(self.0.insert(subject.to_owned(), absence)),
            None => drop(self.0.remove(subject)),
        }
    }

    /// Whether somebody is on duty at this instant.
    pub(crate) fn holds(&self, subject: &str, at: Micros) -> bool {
        self.0.get(subject).is_none_or(|off| at < off.from || off.to.is_some_and(|back_at| back_at <= at))
    }
}

#[cfg(test)]
mod tests {
    use ticket::dispatch::OffDuty;

    use super::*;

    /// Which of the instants 0 to 30 somebody is on duty at, after these events.
    fn on(events: &[DispatchEvent]) -> Vec<Micros> {
        let mut duty = Duty::default();
        for event in events {
            duty.learn("ann", event);
        }
        assert!(duty.holds("bob", 10), "nobody else is concerned");
        [0, 9, 10, 19, 20, 30].into_iter().filter(|at| duty.holds("ann", *at)).collect()
    }

    #[test]
    fn duty_ends_and_begins_at_the_very_instant() {
        let ended = |back_at| DispatchEvent::DutyEnded { why: OffDuty::ShiftOver, back_at };
        let started = |until| DispatchEvent::DutyStarted { until };
        assert_eq!(on(&[]), [0, 9, 10, 19, 20, 30]);
        assert_eq!(on(&[started(Some(10))]), [0, 9]);
        assert_eq!(on(&[ended(Some(20))]), [20, 30]);
        assert!(on(&[ended(None)]).is_empty());
        assert_eq!(on(&[ended(None), started(None)]), [0, 9, 10, 19, 20, 30]);
        assert_eq!(on(&[started(Some(10)), ended(Some(10))]), [10, 19, 20, 30], "the last word holds");
    }
}
