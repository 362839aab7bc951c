//! Somebody of a small world: when they are there, and how they are reached.

use decider::Micros;
use ticket::notifier::{Medium, Presence, Quiet};
use uuid::Uuid;

const HOUR_US: Micros = 3_600 * 1_000_000;

/// When somebody works by the roster, every day, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    /// The calendar that says so.
    pub(super) calendar: &'static str,
    pub(super) from_hour: i64,
    pub(super) to_hour: i64,
    /// The days since 1970-01-01, by weekday, on which it is: 0 is Thursday.
    pub(super) weekdays: &'static [i64],
}

/// What somebody said of their duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duty {
    Unsaid,
    On { until: Micros },
    Off { back_at: Option<Micros> },
}

/// Somebody.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) duty: Duty,
    pub(super) shift: Option<Shift>,
    pub(super) off: Option<(Micros, Micros)>,
    pub(super) ways: Vec<(Medium, Option<Uuid>)>,
    pub(super) quiet: Option<Quiet>,
    pub(super) presence: Option<(Presence, Micros)>,
    pub(super) dnd_until: Option<Micros>,
}

impl Person {
    /// Somebody who is always there, reached by these.
    pub(super) fn new(name: &str, media: &[Medium]) -> Self {
        Self {
            name: name.to_owned(),
            duty: Duty::Unsaid,
            shift: None,
            off: None,
            ways: media.iter().map(|medium| (*medium, None)).collect(),
            quiet: None,
            presence: None,
            dnd_until: None,
        }
    }

    /// Whether they are there at an instant: on duty, on shift, without time off.
    pub(super) fn there(&self, at: Micros) -> bool {
        let on = match self.duty {
            Duty::Unsaid => true,
            Duty::On { until } => at < until,
            Duty::Off { back_at } => back_at.is_some_and(|back_at| at >= back_at),
        };
        let hour = at.div_euclid(HOUR_US);
        let (day, of_day) = (hour.div_euclid(24), hour.rem_euclid(24));
        let on_shift = self.shift.is_none_or(|shift| {
            shift.weekdays.contains(&day.rem_euclid(7)) && (shift.from_hour..shift.to_hour).contains(&of_day)
        });
        on && on_shift && self.off.is_none_or(|(from, to)| at < from || at >= to)
    }
}
