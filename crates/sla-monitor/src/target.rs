//! A target: how much working time each round of a clock has, as a duration or to the end of a working day.

use std::collections::BTreeMap;

use calendar::Calendar;
use decider::Micros;
use ticket::document::Part;

/// Longest target: ten years of seconds, so that shares of it never overflow.
pub(crate) const MAX_TARGET_SECS: i64 = 10 * 366 * 86_400;
/// Most working days a target may name: four years of them.
const MAX_WORKING_DAYS: u32 = 1_000;

/// How long a round of a clock may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many working seconds.
    Secs(i64),
    /// To the end of the working day that many after the one on which the round begins.
    EndOfDay(u32),
}

impl Budget {
    /// In working microseconds, for a round that begins at `from`; none, if the calendar ends before.
    pub fn micros(self, calendar: &Calendar, from: Micros) -> i64 {
        match self {
            Self::Secs(secs) => secs * 1_000_000,
            Self::EndOfDay(days) => calendar.end_of_working_day(from, days).map_or(0, |end| calendar.worked(from, end)),
        }
    }

    /// The working days, where it is given in them.
    pub fn working_days(self) -> Option<u32> {
        match self {
            Self::Secs(_) => None,
            Self::EndOfDay(days) => Some(days),
        }
    }
}

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whatever the priority.
    Same(Budget),
    /// By priority; the others have no such clock.
    ByPriority(BTreeMap<String, Budget>),
}

impl Target {
    /// The budget of a ticket of this priority (empty if none was said), if it has such a clock.
    pub fn budget(&self, priority: &str) -> Option<Budget> {
        match self {
            Self::Same(budget) => Some(*budget),
            Self::ByPriority(budgets) => budgets.get(priority).copied(),
        }
    }
}

/// One budget, or one by priority.
pub(crate) fn read_target(part: &Part<'_>) -> Option<Target> {
    if part.json().is_string() {
        return read_budget(part).map(Target::Same);
    }
    let entries = part.entries();
    let budgets = entries.iter().filter_map(|(priority, budget)| Some(((*priority).to_owned(), read_budget(budget)?)));
    Some(Target::ByPriority(budgets.collect()))
}

/// A duration, or `2 working days`.
fn read_budget(part: &Part<'_>) -> Option<Budget> {
    let text = part.text()?;
    let Some(days) = text.strip_suffix(" working days").or_else(|| text.strip_suffix(" working day")) else {
        let secs = part.duration_secs()?;
        if secs > MAX_TARGET_SECS {
            part.fault("is longer than ten years");
        }
        return Some(Budget::Secs(secs));
    };
    let days = days.parse().ok().filter(|days| *days <= MAX_WORKING_DAYS);
    if days.is_none() {
        part.fault(format!("must be from 0 to {MAX_WORKING_DAYS} working days"));
    }
    days.map(Budget::EndOfDay)
}
