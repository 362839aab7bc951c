//! How many tickets were open at each UTC midnight; days and months of UTC.

use std::collections::BTreeMap;
use std::fmt;

use decider::Micros;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use ticket::intake::Status;

use crate::figures::Step;

const DAY_US: Micros = 86_400_000_000;

/// A day of UTC, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

/// Tickets open at a midnight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Open, in progress or waiting.
    pub unresolved: i64,
    /// Not closed.
    pub not_closed: i64,
}

impl Day {
    /// Whether it begins a month.
    pub(crate) fn first_of_month(self) -> bool {
        self.to_string().ends_with("-01")
    }

    /// The day `at` lies in.
    pub(crate) fn of(at: Micros) -> Self {
        Self(at.div_euclid(DAY_US))
    }

    /// The first day that begins after `at`.
    fn after(at: Micros) -> Self {
        Self(at.div_euclid(DAY_US) + 1)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", utc(self.0.saturating_mul(DAY_US)).strftime("%Y-%m-%d"))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As a pair: unresolved, not closed.
impl Serialize for Backlog {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.unresolved, self.not_closed).serialize(serializer)
    }
}

/// `YYYY-MM` of an instant.
pub(crate) fn month(at: Micros) -> String {
    utc(at).strftime("%Y-%m").to_string()
}

/// `YYYY-MM-DD HH:MM:SS+00:00`, with microseconds where there are any.
pub(crate) fn instant(at: Micros) -> String {
    let form = if at % 1_000_000 == 0 { "%Y-%m-%d %H:%M:%S+00:00" } else { "%Y-%m-%d %H:%M:%S.%6f+00:00" };
    utc(at).strftime(form).to_string()
}

fn utc(at: Micros) -> jiff::Zoned {
    Timestamp::from_microsecond(at).unwrap_or_default().to_zoned(TimeZone::UTC)
}

/// By how much the backlog changes from the midnight before to this one.
#[derive(Default)]
pub(crate) struct Tally {
    changes: BTreeMap<Day, Backlog>,
}

impl Tally {
    /// Adds a ticket: a fact counts from the first midnight after it.
    pub(crate) fn take(&mut self, steps: &[Step]) {
        let mut before = Backlog::default();
        for step in steps {
            let now = Backlog {
                unresolved: i64::from(!matches!(step.state, Status::Resolved | Status::Closed)),
                not_closed: i64::from(step.state != Status::Closed),
            };
            if now != before {
                let change = self.changes.entry(Day::after(step.at)).or_default();
                change.unresolved += now.unresolved - before.unresolved;
                change.not_closed += now.not_closed - before.not_closed;
                before = now;
            }
        }
    }

    /// Every midnight from the day after the first fact to the day after the last.
    pub(crate) fn daily(&self, first: Option<Micros>, last: Option<Micros>) -> Vec<(Day, Backlog)> {
        let (Some(first), Some(last)) = (first, last) else { return Vec::new() };
        let mut backlog = Backlog::default();
        let days = Day::after(first).0..=Day::after(last).0;
        days.map(Day)
            .map(|day| {
                if let Some(change) = self.changes.get(&day) {
                    backlog.unresolved += change.unresolved;
                    backlog.not_closed += change.not_closed;
                }
                (day, backlog)
            })
            .collect()
    }
}
