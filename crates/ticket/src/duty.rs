//! Who is on duty when: everybody, but for those who said they are not.

use std::collections::BTreeMap;

use decider::Micros;
use serde::{Deserialize, Serialize};

use crate::dispatch::DispatchEvent;

/// Whether somebody is on duty, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Duty {
    /// On duty until then, for good if nothing.
    On {
        /// When it ends by itself.
        until: Option<Micros>,
    },
    /// Off duty until then, until they say otherwise if nothing.
    Off {
        /// When they are back.
        back_at: Option<Micros>,
    },
}

impl Default for Duty {
    fn default() -> Self {
        Self::On { until: None }
    }
}

impl Duty {
    /// Takes in what they said last; other events say nothing of it.
    pub fn learn(&mut self, event: &DispatchEvent) {
        match event {
            DispatchEvent::DutyStarted { until } => *self = Self::On { until: *until },
            DispatchEvent::DutyEnded { back_at, .. } => *self = Self::Off { back_at: *back_at },
            _ => {}
        }
    }

    /// Whether they are on duty at an instant.
    pub fn on(self, at: Micros) -> bool {
        match self {
            Self::On { until } => until.is_none_or(|until| at < until),
            Self::Off { back_at } => back_at.is_some_and(|back_at| at >= back_at),
        }
    }

    /// The stretch after `now` in which they are on duty: from, and to if it ends.
    pub fn window(self, now: Micros) -> Option<(Micros, Option<Micros>)> {
        match self {
            Self::On { until } => until.is_none_or(|until| now < until).then_some((now, until)),
            Self::Off { back_at } => back_at.map(|back_at| (back_at.max(now), None)),
        }
    }

    /// Whether they are on duty from one instant up to another, which is not part of it.
    pub fn covers(self, from: Micros, to: Micros) -> bool {
        match self {
            Self::On { until } => until.is_none_or(|until| to <= until),
            Self::Off { back_at } => back_at.is_some_and(|back_at| from >= back_at),
        }
    }
}

/// The duty of everybody who ever spoke of it, by token subject; the others are on duty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duties(BTreeMap<String, Duty>);

impl Duties {
    /// Takes in what somebody said of their duty; other events say nothing of it.
    pub fn learn(&mut self, subject: &str, event: &DispatchEvent) {
        if matches!(event, DispatchEvent::DutyStarted { .. } | DispatchEvent::DutyEnded { .. }) {
            self.0.entry(subject.to_owned()).or_default().learn(event);
        }
    }

    /// Whether somebody is on duty at an instant.
    pub fn on(&self, subject: &str, at: Micros) -> bool {
        self.0.get(subject).is_none_or(|duty| duty.on(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::OffDuty;

    /// Proves part of: D10
    #[test]
    fn duty_is_what_was_said_last() {
        assert!(Duty::default().on(0), "who said nothing is on duty");
        let until = Duty::On { until: Some(10) };
        assert_eq!(
            (until.on(9), until.on(10), until.window(10), until.window(3)),
            (true, false, None, Some((3, Some(10))))
        );
        let back = Duty::Off { back_at: Some(10) };
        assert_eq!(
            (back.on(9), back.on(10), back.window(3), back.window(20)),
            (false, true, Some((10, None)), Some((20, None)))
        );
        let gone = Duty::Off { back_at: None };
        assert_eq!((gone.on(Micros::MAX), gone.window(0)), (false, None));
        assert_eq!((until.covers(3, 10), until.covers(3, 11), Duty::default().covers(0, 11)), (true, false, true));
        assert_eq!((back.covers(10, 11), back.covers(9, 11), gone.covers(9, 11)), (true, false, false));
    }

    /// Which of the instants 0 to 30 somebody is on duty at, after these events.
    fn on(events: &[DispatchEvent]) -> Vec<Micros> {
        let mut duties = Duties::default();
        for event in events {
            duties.learn("ann", event);
        }
        assert!(duties.on("bob", 10), "nobody else is concerned");
        [0, 9, 10, 19, 20, 30].into_iter().filter(|at| duties.on("ann", *at)).collect()
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
